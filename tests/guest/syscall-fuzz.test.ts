/** A small share of the system call fuzzer; long runs: node dist/tests/fuzz/syscall-fuzz.js. */
import { expect, test } from '@jest/globals';
import { fuzzSyscalls } from '../fuzz/syscall-fuzz.js';

test.each([
  ['auto', 11],
  ['interp', 12],
])('random system calls: lift64 neither fails nor hangs (--tier %s)', (tier, seed) => {
  const { failure, summary } = fuzzSyscalls({ seed, count: 4000, options: ['--tier', tier] });
  expect(failure).toBeUndefined();
  const calls = Number(/^calls (\d+)/.exec(summary)?.[1]);
  expect(calls).toBeGreaterThan(1000);
});

test('random system calls do not get out of --root', () => {
  expect(fuzzSyscalls({ seed: 13, count: 4000, root: true }).failure).toBeUndefined();
});
