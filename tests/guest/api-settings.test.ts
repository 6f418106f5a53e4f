/** Every setting of the API by what the guest sees of it, and the values that are refused. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PassName, ProgramError, run, type RunSettings, UsageError } from '../../src/api.js';
import { ROOT } from './driver.js';

const bin = (name: string): string => join(ROOT, 'examples', 'bin', name);
const tmp = realpathSync(mkdtempSync(join(tmpdir(), 'lift64-api-')));
afterAll(() => {
  rmSync(tmp, { recursive: true });
});

/** What the program says, output and errors. */
async function says(program: string, settings: RunSettings): Promise<string> {
  const r = await run(program, { stdin: 'ignore', ...settings, stdout: 'capture', stderr: 'stdout' });
  return r.stdout.toString();
}
const sh = (script: string, settings: RunSettings = {}): Promise<string> =>
  says('/bin/dash', { ...settings, args: ['-c', script] });

describe('the process', () => {
  test('args, argv0', async () => {
    const words = ['-c', 'cat /proc/$$/cmdline; exit', 'a b', 'ü'];
    expect(await says('/bin/dash', { argv0: 'other', args: words })).toBe(['other', ...words, ''].join('\0'));
    expect(await says(bin('env-args'), { args: [] })).toContain('argc 1, program env-args');
  });

  test('env: the whole environment; names without a value are left out; by default this process has it', async () => {
    expect(await says('/usr/bin/env', { env: { A: '1', B: undefined, C: '' } })).toBe('A=1\nC=\n');
    process.env['API_TEST'] = 'from here';
    expect(await says('/usr/bin/env', {})).toContain('API_TEST=from here\n');
  });

  test('cwd: where the guest starts; a relative program is one of this process', async () => {
    expect(await sh('pwd', {})).toBe(`${process.cwd()}\n`);
    expect(await sh('/bin/pwd', { cwd: tmp })).toBe(`${tmp}\n`);
    const r = await run(join('examples', 'bin', 'hello'), { cwd: tmp, stdin: 'ignore', stdout: 'ignore' });
    expect(r.status).toBe(0);
    await expect(sh('', { cwd: join(tmp, 'missing') })).rejects.toThrow(UsageError);
    await expect(sh('', { cwd: '/bin/dash' })).rejects.toThrow('no such directory');
  });

  test('prefix: where the ELF interpreter is looked for first', async () => {
    mkdirSync(join(tmp, 'prefix', 'lib64'), { recursive: true });
    const loader = join(tmp, 'prefix', 'lib64', 'ld-linux-x86-64.so.2');
    writeFileSync(loader, 'no program');
    chmodSync(loader, 0o755);
    await expect(sh('', { prefix: join(tmp, 'prefix') })).rejects.toThrow(ProgramError);
  });
});

describe('files and network', () => {
  beforeAll(() => {
    mkdirSync(join(tmp, 'root', 'sub'), { recursive: true });
    copyFileSync(bin('hello'), join(tmp, 'root', 'hello'));
    writeFileSync(join(tmp, 'root', 'file'), 'data');
  });

  test('root: the program is below it', async () => {
    expect(await says('/hello', { root: join(tmp, 'root') })).toMatch(/hello/i);
    await expect(says('/bin/dash', { root: join(tmp, 'root') })).rejects.toThrow(ProgramError);
    await expect(says('/hello', { root: join(tmp, 'missing') })).rejects.toThrow(UsageError);
    await expect(says('/hello', { root: join(tmp, 'root'), cwd: '/none' })).rejects.toThrow('no such directory');
    expect(await sh('pwd', { root: '/', cwd: '/usr' })).toBe('/usr\n');
    expect(await sh('pwd', { root: '/' })).toBe('/\n');
  });

  test('mounts, read-only or not', async () => {
    const script = 'cat /mount-of-test/file; echo x > /mount-of-test/new && echo written';
    const mount = { host: join(tmp, 'root'), guest: '/mount-of-test' };
    expect(await sh(script, { mounts: [{ ...mount, readOnly: true }] })).toMatch(/^data.*Read-only file system/);
    expect(existsSync(join(tmp, 'root', 'new'))).toBe(false);
    expect(await sh(script, { mounts: [mount] })).toBe('datawritten\n');
    expect(existsSync(join(tmp, 'root', 'new'))).toBe(true);
    const missing = { host: join(tmp, 'missing'), guest: '/x' };
    await expect(sh('', { mounts: [missing] })).rejects.toThrow(`mounts ${missing.host}: ENOENT`);
  });

  test('tmpfs: empty, and gone at the end', async () => {
    const script = `ls ${tmp}; echo x > ${tmp}/in-memory; cat ${tmp}/in-memory; pwd`;
    expect(await sh(script, { tmpfs: [tmp], cwd: tmp })).toBe(`x\n${tmp}\n`);
    expect(readdirSync(tmp)).not.toContain('in-memory');
  });

  test('sandbox: no files, no environment', async () => {
    const directories = ['/bin', '/lib', '/lib64', '/usr'].filter((d) => existsSync(d));
    const mounts = directories.map((d) => ({ host: d, guest: d, readOnly: true }));
    const script = 'echo $$; echo "$HOME"; ls /root /etc; [ -e /home ] || echo no home';
    expect(await sh(script, { sandbox: true, mounts })).toMatch(/^1\n\n.*cannot access[^]*no home\n$/);
    expect(await sh('echo $A', { sandbox: true, mounts, env: { A: 'given' } })).toBe('given\n');
    expect(await says(bin('hello'), { sandbox: true })).toMatch(/hello/i);
  });

  describe('network', () => {
    let server: Server;
    let port = 0;
    beforeAll(async () => {
      server = createServer((socket) => socket.end('from the host\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      port = (server.address() as { port: number }).port;
    });
    afterAll(() => {
      server.close();
    });

    test.each([
      [undefined, 'from the host\n'],
      [false, expect.stringContaining('refused')],
    ])('%s', async (network, expected) => {
      const args = ['-c', `exec 3<>/dev/tcp/127.0.0.1/${String(port)} && cat <&3`];
      expect(await says('/bin/bash', { network, args })).toEqual(expected);
    });
  });
});

describe('limits', () => {
  test('maxMemory, stackSize: bytes', async () => {
    expect(await sh('ulimit -v; ulimit -s', { maxMemory: 512 << 20, stackSize: 1 << 20 })).toBe('524288\n1024\n');
    expect(await sh('ulimit -v; ulimit -s')).toBe('unlimited\n8192\n');
  });

  test('maxProcs', async () => {
    expect(await sh('sleep 100 & sleep 100 & echo no', { maxProcs: 2 })).toMatch(/fork|Resource/);
  });

  test('timeoutMs: killed by then, with what it has written', async () => {
    const begun = performance.now();
    const r = await run('/bin/dash', {
      args: ['-c', 'echo first; exec sleep 100'],
      timeoutMs: 2000,
      stdin: 'ignore',
      stdout: 'capture',
    });
    expect(performance.now() - begun).toBeLessThan(60_000);
    expect([r.status, r.signal, r.timedOut, r.stdout.toString()]).toEqual([null, 'SIGKILL', true, 'first\n']);
    expect((await run(bin('hello'), { timeoutMs: 1e6, stdout: 'ignore' })).timedOut).toBe(false);
  });
});

describe('translation', () => {
  const quiet = { stdin: 'ignore', stdout: 'ignore' } as const;
  const sort = bin(join('bench', 'sort'));

  test('tier, hotThreshold', async () => {
    const interpreted = await run(sort, { ...quiet, args: ['2'], tier: 'interp' });
    expect([interpreted.status, interpreted.stats.compiledModules]).toEqual([0, 0]);
    const hot = await run(sort, { ...quiet, args: ['20'], hotThreshold: 10 });
    expect(hot.stats.compiledModules).toBeGreaterThan(0);
    const cold = await run(sort, { ...quiet, args: ['2'], hotThreshold: 1e9 });
    expect(cold.stats.compiledModules).toBe(0);
    const compiled = await run(bin('hello'), { ...quiet, tier: 'compiled' });
    expect([compiled.status, compiled.stats.interpretedInsns]).toEqual([0, 0]);
  });

  test('cpu', async () => {
    expect(await sh('grep -c " avx2 " /proc/cpuinfo', { cpu: 'Nehalem' })).toBe('0\n');
    expect(await sh('grep -c " avx2 " /proc/cpuinfo')).not.toBe('0\n');
    await expect(sh('', { cpu: 'no such model' })).rejects.toThrow(UsageError);
  });

  test('seed', async () => {
    const name = (seed?: number): Promise<string> => says('/bin/mktemp', { args: ['-u'], seed });
    expect(await name(5)).toBe(await name(5));
    expect(await name(5)).not.toBe(await name(6));
    expect(await name()).not.toBe(await name());
  });

  test('cacheDir: the second run takes what the first has kept', async () => {
    const cacheDir = join(tmp, 'cache');
    const first = await run(sort, { ...quiet, args: ['20'], cacheDir });
    expect(first.stats.storedTbs).toBe(0);
    expect((await run(sort, { ...quiet, args: ['20'], cacheDir })).stats.storedTbs).toBeGreaterThan(0);
    expect((await run(sort, { ...quiet, args: ['20'], cacheDir: false })).stats.storedTbs).toBe(0);
  });

  test('singleStep, checkIr, unchecked', async () => {
    const whole = await run(bin('hello'), quiet);
    const single = await run(bin('hello'), { ...quiet, singleStep: true, checkIr: true });
    expect([single.status, single.stats.translatedTbs > whole.stats.translatedTbs]).toEqual([0, true]);
    expect((await run(sort, { ...quiet, args: ['20'], unchecked: true })).status).toBe(0);
  });
});

describe('what lift64 tells', () => {
  const quiet = { stdin: 'ignore', stdout: 'ignore' } as const;

  test('strace, log, logFile, logRanges', async () => {
    const logFile = join(tmp, 'log-%d');
    const written = (): string => readFileSync(join(tmp, `log-${String(process.pid)}`), 'utf8');
    await run(bin('hello-asm'), { ...quiet, strace: true, logFile });
    expect(written()).toMatch(/^\d+ write\(1,0x[0-9a-f]+,\d+\) = \d+$/m);
    await run(bin('hello-asm'), { ...quiet, log: ['in_asm'], logFile });
    expect(written()).toContain('0x4000b0:  b801000000');
    await run(bin('hello-asm'), {
      ...quiet,
      log: ['in_asm'],
      logFile,
      logRanges: [{ start: 0x4000c8, end: 0x4000c9 }],
    });
    expect(written()).toMatch(/^-+\nIN: _start\n0x4000c8: /);
    await run(bin('fault'), { ...quiet, logFile });
    expect(written()).toContain('signal 11 (Segmentation fault)');
    await expect(run(bin('hello'), { strace: join(tmp, 'a'), logFile: join(tmp, 'b') })).rejects.toThrow('differ');
    await expect(run(bin('hello'), { log: ['tid'], logFile: join(tmp, 'a') })).rejects.toThrow('%d');
    await expect(run(bin('hello'), { strace: '/none/such/file' })).rejects.toThrow(UsageError);
  });

  test('disabledPasses: IR that is not optimised', async () => {
    const logFile = join(tmp, 'passes');
    const optimised = async (disabledPasses: readonly PassName[]): Promise<string> => {
      await run(bin('hello'), { ...quiet, tier: 'compiled', log: ['op_opt'], logFile, disabledPasses });
      return readFileSync(logFile, 'utf8');
    };
    expect(await optimised(['dead-code'])).not.toBe(await optimised([]));
  });

  test('profile: lines', async () => {
    const r = await run(bin('hello'), { ...quiet, profile: true });
    expect(r.profile?.join('\n')).toMatch(/interpreter: .* million guest instructions/);
    expect((await run(bin('hello'), quiet)).profile).toBeUndefined();
  });
});

test.each<[string, unknown]>([
  ['args', 'one'],
  ['args', [1]],
  ['args', ['a\0b']],
  ['argv0', 7],
  ['env', ['A=1']],
  ['env', { A: 1 }],
  ['cwd', ''],
  ['prefix', null],
  ['root', 1],
  ['mounts', { host: '/', guest: '/' }],
  ['mounts', [{ host: '/tmp', guest: 'relative' }]],
  ['tmpfs', ['relative']],
  ['sandbox', 'yes'],
  ['network', 1],
  ['maxMemory', '1M'],
  ['maxMemory', 1000],
  ['maxProcs', 0],
  ['maxProcs', 1.5],
  ['stackSize', 2 ** 31],
  ['timeoutMs', 0],
  ['timeoutMs', 2 ** 31],
  ['timeoutMs', NaN],
  ['tier', 'fast'],
  ['cpu', 1],
  ['seed', -1],
  ['cacheDir', 1],
  ['unchecked', 0],
  ['singleStep', 'no'],
  ['hotThreshold', -1],
  ['disabledPasses', 'fold'],
  ['checkIr', 1],
  ['strace', 1],
  ['log', ['nonsense']],
  ['logFile', 2],
  ['logRanges', [[1, 2]]],
  ['profile', 'all'],
  ['stdin', 'capture'],
  ['stdin', 1.5],
  ['stdout', 'pipe'],
  ['stdout', 'stdout'],
  ['stderr', {}],
  ['signal', 'SIGTERM'],
  ['forwardSignals', 1],
  ['timeout', 5],
])('%s: %j is refused', async (name, value) => {
  const refused = run(bin('hello'), { [name]: value });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(name);
});

test('a sandbox has no network', async () => {
  await expect(run(bin('hello'), { sandbox: true, network: true })).rejects.toThrow(UsageError);
  await expect(run('a\0b')).rejects.toThrow(UsageError);
});
