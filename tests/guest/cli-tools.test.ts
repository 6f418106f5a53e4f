/** The commands dump and bench, and what lift64 tells of itself, as a user types them: they are loaded apart from the rest of the CLI. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const HELLO = join(ROOT, 'examples', 'bin', 'hello');

function lift64(...args: readonly string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LIFT64, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, err: stderr };
}

test.each([
  [['--help'], /^lift64 runs/],
  [['-strace', '--help'], /^lift64 runs/],
  [['-strace', '--version'], /^lift64 \d/],
  [['-d', 'help'], /^Log items:\n {2}in_asm /],
  [['--cpu', 'help'], /^CPU models:\n/],
])('%j prints and ends', (args, text) => {
  const { status, out, err } = lift64(...args);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(text);
});

test('dump shows the stages of a function', () => {
  const { status, out, err } = lift64('dump', HELLO, '--symbol', 'main', '--stage', 'in_asm,op,out_asm');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(/^IN: 0x[0-9a-f]+$/m);
  expect(out).toMatch(/^tb 0x[0-9a-f]+ size \d+ insns \d+$/m);
  expect(out).toMatch(/^\(module/m);
});

test('dump of what is not there: one line, exit status 1 or more', () => {
  const { status, err } = lift64('dump', join(ROOT, 'no-such-program'));
  expect(status).toBeGreaterThan(0);
  expect(err).toMatch(/^lift64: .*no-such-program.*\n$/);
});

test('bench measures a program and prints its figures as JSON', () => {
  const { status, out } = lift64('bench', 'fib', '--quick', '--runs', '1', '--engines', 'native,lift64', '--json', '-');
  expect(status).toBe(0);
  const row = { name: 'fib', times: { native: { samples: [{}] }, lift64: { samples: [{}] } } };
  expect(JSON.parse(out)).toMatchObject({ runs: 1, rows: [row] });
  expect(out).toMatch(/"seconds": 0\.\d+/);
});
