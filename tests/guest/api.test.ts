/** The package as a library, as the README and examples/run-in-node.js use it. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, ProgramError, run, UsageError } from '../../src/api.js';
import { ROOT } from './driver.js';

const bin = (name: string): string => join(ROOT, 'examples', 'bin', name);
const tmp = mkdtempSync(join(tmpdir(), 'lift64-api-'));
afterAll(() => {
  rmSync(tmp, { recursive: true });
});

describe('run', () => {
  test('arguments, environment, input and captured output', async () => {
    const strace = join(tmp, 'strace');
    const umask = process.umask(0o27);
    const r = await run('/bin/dash', {
      args: ['-c', 'read -r line; echo "$line $1 $A"; echo oops >&2; exit 7', 'name', 'arg'],
      env: { A: 'value' },
      stdin: Buffer.from('first\nsecond\n'),
      stdout: 'capture',
      stderr: 'capture',
      strace,
    });
    expect({ ...r, stats: undefined, stdout: r.stdout.toString(), stderr: r.stderr.toString() }).toEqual({
      status: 7,
      signal: null,
      timedOut: false,
      stats: undefined,
      profile: undefined,
      stdout: 'first arg value\n',
      stderr: 'oops\n',
    });
    expect(r.stats.syscalls).toBeGreaterThan(10);
    expect(readFileSync(strace, 'utf8')).toMatch(/^\d+ write\(1,0x[0-9a-f]+,16\) = 16$/m);
    expect(process.umask(umask)).toBe(0o27);
  });

  test('one after the other, with threads', async () => {
    for (const tier of ['interp', 'auto'] as const) {
      const r = await run(bin('clone-musl'), { tier, stdout: 'capture' });
      expect([r.status, r.stdout.toString().split('\n').length, r.stats.threads]).toEqual([0, 24, 3]);
      expect(r.stderr).toBeUndefined();
    }
  });

  test('a signal is reported', async () => {
    const r = await run('/bin/dash', { args: ['-c', 'kill -TERM $$'], stdin: 'ignore', stdout: 'ignore' });
    expect([r.status, r.signal]).toEqual([null, 'SIGTERM']);
  });

  test('failures are typed errors', async () => {
    await expect(run(join(tmp, 'missing'))).rejects.toThrow(ProgramError);
    const first = run(bin('hello'), { stdout: 'ignore' });
    await expect(run(bin('hello'))).rejects.toThrow('one at a time');
    expect((await first).status).toBe(0);
    await expect(run(bin('hello'), { cpu: 'no such model' })).rejects.toThrow(UsageError);
  });
});

describe('dump', () => {
  test('of a symbol, a range, the entry', async () => {
    expect(await dump(bin('hello-asm'), { symbol: '_start', stages: ['op'] })).toMatch(/^OP:\ntb 0x4000b0 size 24 /);
    expect(await dump(bin('hello-asm'), { range: { start: 0x4000c8, end: 0x4000c9 }, stages: ['in_asm'] })).toMatch(
      /^IN: 0x4000c8\n/,
    );
    expect(await dump(bin('hello-asm'))).toContain('mov_i64 rax, $0x1');
    await expect(dump(bin('hello-asm'), { symbol: 'nothing' })).rejects.toThrow(UsageError);
  });
});

test('the example runs by the name of the package', () => {
  const r = spawnSync(process.execPath, [join(ROOT, 'examples', 'run-in-node.js')], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  expect(r.status).toBe(0);
  expect(r.stdout).toMatch(/GREETING=hello[^]*exit status 0 signal null[^]*dies: null SIGSEGV[^]*tb 0x4000b0/);
});
