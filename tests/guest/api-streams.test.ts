/** Standard streams, signals and the end of guests that are run through the API. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { ProgramError, run, start, type StartSettings, UsageError } from '../../src/api.js';
import { ROOT } from './driver.js';

const tmp = mkdtempSync(join(tmpdir(), 'lift64-streams-'));
afterAll(() => {
  rmSync(tmp, { recursive: true });
});

const DASH = '/bin/dash';
const script = (text: string): { readonly args: readonly string[] } => ({ args: ['-c', text] });
const both = { stdout: 'capture', stderr: 'capture' } as const;
/** More than any pipe holds. */
const LARGE = 300_000;

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('input', () => {
  test.each<[string, () => StartSettings['stdin'], string]>([
    ['nothing', () => 'ignore', '0'],
    ['bytes', () => Buffer.alloc(LARGE), String(LARGE)],
    ['no bytes', () => new Uint8Array(0), '0'],
    ['a stream', () => Readable.from(['one', 'two'], { objectMode: false }), '6'],
    ['a generator', () => pieces(5), '25'],
  ])('%s', async (_, input, count) => {
    const r = await run('/usr/bin/wc', { args: ['-c'], ...both, stdin: input() as Uint8Array });
    expect(r.stdout.toString()).toBe(`${count}\n`);
  });

  test('a descriptor, which stays open', async () => {
    const file = join(tmp, 'input');
    writeFileSync(file, 'in a file\n');
    const fd = openSync(file, 'r');
    const r = await run('/bin/cat', { stdin: fd, ...both });
    expect(r.stdout.toString()).toBe('in a file\n');
    fstatSync(fd);
    closeSync(fd);
  });

  test('what the guest does not read is no failure, and is not taken from the stream', async () => {
    expect((await run(DASH, { ...script('exit 3'), stdin: Buffer.alloc(LARGE) })).status).toBe(3);
    const endless = new PassThrough();
    endless.write('line\n');
    const r = await run(DASH, { ...script('read -r a; echo "$a"'), stdin: endless, ...both });
    expect([r.stdout.toString(), endless.destroyed, endless.listenerCount('error')]).toEqual(['line\n', false, 0]);
    endless.destroy();
  });

  test('a stream that fails: the guest sees the end, the run fails', async () => {
    const failing = new Readable({
      read() {
        this.destroy(new Error('broken source'));
      },
    });
    await expect(run('/bin/cat', { stdin: failing, stdout: 'ignore' })).rejects.toThrow('broken source');
  });
});

async function* pieces(n: number): AsyncGenerator<string> {
  for (let i = 0; i < n; i++) {
    yield 'piece';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('output', () => {
  const zeros = { args: ['-c', String(LARGE), '/dev/zero'], stdin: 'ignore' } as const;

  test('captured whole, apart or in one order', async () => {
    expect((await run('/usr/bin/head', { ...zeros, ...both })).stdout).toHaveLength(LARGE);
    const text = script('echo 1; echo 2 >&2; echo 3; [ -p /dev/stdout ] && echo pipe');
    const apart = await run(DASH, { ...text, stdin: 'ignore', ...both });
    expect([apart.stdout.toString(), apart.stderr.toString()]).toEqual(['1\n3\npipe\n', '2\n']);
    const one = await run(DASH, { ...text, stdin: 'ignore', stdout: 'capture', stderr: 'stdout' });
    expect([one.stdout.toString(), one.stderr]).toEqual(['1\n2\n3\npipe\n', undefined]);
  });

  test('what children write that outlive nobody', async () => {
    const r = await run(DASH, { ...script('(echo child) & wait; (sleep 100) & echo end'), stdin: 'ignore', ...both });
    expect(r.stdout.toString()).toBe('child\nend\n');
  });

  test('a slow stream gets all of it, and is not ended', async () => {
    let got = 0;
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        got += chunk.length;
        setTimeout(done, 5);
      },
    });
    const r = await run('/usr/bin/head', { ...zeros, stdout: slow });
    expect([r.status, got, slow.writableEnded, slow.listenerCount('error')]).toEqual([0, LARGE, false, 0]);
  });

  test('a stream that fails: SIGPIPE for the guest, and the run fails', async () => {
    const failing = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('broken sink'));
      },
    });
    await expect(run('/usr/bin/yes', { stdin: 'ignore', stdout: failing })).rejects.toThrow('broken sink');
    const gone = new PassThrough().destroy();
    expect((await run('/usr/bin/yes', { stdin: 'ignore', stdout: gone })).signal).toBe('SIGPIPE');
  });

  test('a descriptor, which stays open', async () => {
    const file = join(tmp, 'output');
    const fd = openSync(file, 'w');
    await run(DASH, { ...script('echo out; echo err >&2'), stdin: 'ignore', stdout: fd, stderr: 'stdout' });
    await run(DASH, { ...script('echo more'), stdin: 'ignore', stdout: fd });
    closeSync(fd);
    expect(readFileSync(file, 'latin1')).toBe('out\nerr\nmore\n');
  });
});

describe('a guest that runs', () => {
  test('is written to and read from', async () => {
    const guest = await start('/bin/cat', { stdin: 'pipe', stdout: 'pipe' });
    expect([guest.pid > 0, guest.stderr]).toEqual([true, undefined]);
    guest.stdin.write('question ');
    const [chunk] = (await once(guest.stdout, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('question ');
    guest.stdin.end(Buffer.alloc(LARGE, 'x'));
    const rest = await textOf(guest.stdout);
    expect(rest).toHaveLength(LARGE);
    expect((await guest.ended).status).toBe(0);
    expect([guest.kill(), await guest.describe()]).toEqual([false, '']);
  });

  test('what it has written can be read after its end', async () => {
    const guest = await start(DASH, { ...script('echo late'), stdin: 'ignore', stdout: 'pipe' });
    await guest.ended;
    expect(await textOf(guest.stdout)).toBe('late\n');
  });

  test('a reader that goes: SIGPIPE; a guest that goes: EPIPE', async () => {
    const yes = await start('/usr/bin/yes', { stdin: 'ignore', stdout: 'pipe' });
    yes.stdout.once('data', () => yes.stdout.destroy());
    expect((await yes.ended).signal).toBe('SIGPIPE');
    const deaf = await start(DASH, { ...script('exec <&-; sleep 100'), stdin: 'pipe' });
    const failed = once(deaf.stdin, 'error');
    deaf.stdin.write(Buffer.alloc(LARGE));
    expect(await failed).toMatchObject([{ code: 'EPIPE' }]);
    deaf.kill('SIGKILL');
    expect((await deaf.ended).signal).toBe('SIGKILL');
  });

  test('signals, by name and number; the stop of a guest does not stop this process', async () => {
    const text = 'trap "echo usr1" USR1; trap "exit 5" TERM; echo ready; while :; do read -r _; done';
    const guest = await start(DASH, { ...script(text), stdin: 'pipe', stdout: 'pipe' });
    await once(guest.stdout, 'data');
    guest.kill('SIGUSR1');
    expect(String(await once(guest.stdout, 'data'))).toBe('usr1\n');
    guest.kill('SIGSTOP');
    guest.kill('SIGCONT');
    expect(await guest.describe()).toMatch(/process \d+ \(dash\)[^]*thread/);
    expect(() => guest.kill('SIGNOTHING')).toThrow(UsageError);
    expect(() => guest.kill(0)).toThrow(UsageError);
    expect(guest.kill(15)).toBe(true);
    expect((await guest.ended).status).toBe(5);
  });

  test('at once after its start', async () => {
    const guest = await start('/bin/cat', { stdin: 'pipe', stdout: 'ignore' });
    guest.kill();
    expect((await guest.ended).signal).toBe('SIGTERM');
  });

  test('one at a time, and none that can not be run', async () => {
    await expect(start(join(tmp, 'missing'))).rejects.toThrow(ProgramError);
    const guest = await start('/bin/cat', { stdin: 'pipe', stdout: 'ignore' });
    await expect(run('/bin/true')).rejects.toThrow('one at a time');
    guest.stdin.end();
    await guest.ended;
    expect((await run('/bin/true')).status).toBe(0);
  });
});

describe('an AbortSignal', () => {
  test('kills the guest, and is why the run fails', async () => {
    const abort = new AbortController();
    const ended = run(DASH, { ...script('sleep 100'), stdin: 'ignore', signal: abort.signal });
    setTimeout(() => {
      abort.abort(new Error('no longer wanted'));
    }, 500);
    await expect(ended).rejects.toThrow('no longer wanted');
    await expect(run('/bin/true', { signal: abort.signal })).rejects.toThrow('no longer wanted');
    const early = AbortSignal.timeout(0);
    await expect(run('/bin/sleep', { args: ['100'], stdin: 'ignore', signal: early })).rejects.toThrow('timeout');
    expect((await run('/bin/true', { stdin: 'ignore', signal: new AbortController().signal })).status).toBe(0);
  });

  test('ends the wait for a stream that takes no more', async () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => undefined });
    const settings = { stdin: 'ignore', stdout: stuck, signal: AbortSignal.timeout(1500) } as const;
    await expect(run(DASH, { ...script('echo 1; echo 2; (sleep 0.1; echo 3)'), ...settings })).rejects.toThrow(
      'timeout',
    );
    expect(stuck.listenerCount('close')).toBe(0);
  });

  test('after the end it changes nothing', async () => {
    const abort = new AbortController();
    const r = await run('/bin/true', { stdin: 'ignore', signal: abort.signal });
    abort.abort();
    expect(r.status).toBe(0);
  });
});

/** An ES module that is run by Node in a process of its own: its text, with `run` at hand. */
const importing = (code: string): readonly string[] => [
  '--input-type=module',
  '-e',
  `import { run } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'src', 'api.js')).href)};\n${code}`,
];

test.each(['pipe', 'socket'])('a guest that ends while it reads standard input (%s) holds nobody up', async (kind) => {
  const code = importing(`
    const settings = { args: ['-c', 'echo asks; read -r line; echo "$line"'], stdout: 'capture' };
    const killed = await run('${DASH}', { ...settings, timeoutMs: 1000 });
    console.log(killed.signal);
    const answered = await run('${DASH}', settings);
    console.log(answered.stdout.toString());`);
  // Node's own pipes are sockets; the shell's are pipes.
  const input = kind === 'socket' ? '("$@"; echo ended)' : 'cat | ("$@"; echo ended)';
  const child = spawn(DASH, ['-c', input, 'sh', process.execPath, ...code], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out === 'SIGKILL\n') child.stdin.write('answer\n');
    // Its input has had no end by then.
    if (out.endsWith('ended\n')) child.stdin.end();
  });
  await once(child, 'close');
  expect(out).toBe('SIGKILL\nasks\nanswer\n\nended\n');
});

describe('signals of the host', () => {
  /** A process that embeds a guest which counts a SIGTERM as its own. */
  const embedding = (forwardSignals: boolean): ReturnType<typeof spawn> => {
    const text = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done';
    const code = importing(`
      const settings = { args: ['-c', ${JSON.stringify(text)}], stdin: 'ignore', forwardSignals: ${String(forwardSignals)} };
      process.exitCode = (await run('${DASH}', settings)).status;`);
    return spawn(process.execPath, code, { stdio: ['ignore', 'pipe', 'inherit'] });
  };

  test.each<[boolean, [number | null, string | null]]>([
    [true, [9, null]],
    [false, [null, 'SIGTERM']],
  ])('go to the guest: %s', async (forwardSignals, expected) => {
    const child = embedding(forwardSignals);
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual(expected);
  });
});
