/**
 * Errors of the transcendental x87 functions, ours and the host processor's: `python3 tests/vectors/src/x87-exact.py SEED COUNT | node dist/tests/fuzz/x87-ulps.js`. In: exact values on stdin.
 * Out: by instruction, the largest and the mean error in units of the last place; exit 1 when one of ours is above 1. Needs an x86-64 host and gcc.
 */
import { readFileSync } from 'node:fs';
import { InsnMachine } from '../support/insn-machine.js';
import { type ExactCase, exactState, parseExactCases, ulpsOf } from '../support/x87-exact.js';
import { addForms } from '../support/vector-check.js';
import { withHost } from '../vectors/host.js';

const NAMES: Readonly<Record<string, string>> = {
  d9f0: 'F2XM1',
  d9f1: 'FYL2X',
  d9f9: 'FYL2XP1',
  d9f2: 'FPTAN',
  d9f3: 'FPATAN',
  d9fb: 'FSINCOS',
  d9fe: 'FSIN',
  d9ff: 'FCOS',
};

const cases = parseExactCases(readFileSync(0, 'utf8'));
const byCode = new Map<string, ExactCase[]>();
for (const one of cases) byCode.set(one.key, [...(byCode.get(one.key) ?? []), one]);

function summary(list: readonly number[]): string {
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  return `${list.reduce((a, b) => Math.max(a, b), 0).toFixed(4)} (mean ${mean.toFixed(4)})`;
}

withHost((run) => {
  const machine = new InsnMachine();
  for (const [key, list] of byCode) {
    const [pc = 0] = addForms(machine, list.slice(0, 1), 'interpreter, optimised');
    const ours = list.flatMap((one) => ulpsOf(one, machine.run(pc, exactState(one))));
    const results = run(list.map((one) => ({ code: one.code, before: exactState(one) })));
    const host = results.flatMap((after, i) => ulpsOf(list[i] as ExactCase, after));
    console.log(
      `${(NAMES[key] ?? key).padEnd(8)} ${list.length} cases: ours ${summary(ours)}, the processor ${summary(host)}`,
    );
    if (ours.some((error) => !(error <= 1))) process.exitCode = 1;
  }
});
