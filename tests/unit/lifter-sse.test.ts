/** The recorded SSE and MMX vectors (tests/vectors/sse*.txt) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { describe, expect, test } from '@jest/globals';
import { decodeOne, InsnMachine } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { differences } from '../support/vector-check.js';
import { describeFaults, describeResults, readVectors, testWaitingExceptions } from '../support/vector-suite.js';
import { stateBefore } from '../support/vectors.js';

const vectors = readVectors('sse.txt.gz');
const { pool, forms } = vectors;
const machine = new InsnMachine();

/** Results that processors are free to differ in: compared by their bound in another test. */
const isApproximate = (text: string): boolean => /^r(cp|sqrt)[ps]s /.test(text);

const exact = { ...vectors, forms: forms.filter((form) => !isApproximate(form.text)) };

describeResults(machine, exact);

test('recorded sequences', () => {
  const sequences = readVectors('sse-sequences.txt.gz');
  expect(differences(machine, sequences.forms, sequences.pool).slice(0, 4)).toEqual([]);
});

describeFaults(machine, exact);
testWaitingExceptions(machine, vectors, 100);

// ---------------------------------------------------------------- approximations

/** Magnitudes from here on may give a tiny reciprocal, which is flushed, or not: the processor decides (SDM 2B, RCPPS). */
const [TINY_FROM, TINY_FOR_SURE] = [0x7e7fe800, 0x7e800c01];
const isUndecided = (operand: number): boolean => {
  const magnitude = operand & 0x7fff_ffff;
  return magnitude > TINY_FROM && magnitude < TINY_FOR_SURE;
};

const bits = new DataView(new ArrayBuffer(4));
function single(value: number): number {
  bits.setUint32(0, value);
  return bits.getFloat32(0);
}
const lanesOf = (v: bigint): number[] => [0n, 32n, 64n, 96n].map((at) => Number((v >> at) & 0xffff_ffffn));

/** The changed xmm register of a recorded or computed result. */
const changed = (text: string): number[] => lanesOf(BigInt(`0x${/xmm\d+=(\w+)/.exec(text)?.[1] ?? '0'}`));

describe('approximations: special results as on the host, others within 1.5 * 2**-12 of it and of the truth', () => {
  for (const form of forms.filter((f) => isApproximate(f.text))) {
    test(form.text, () => {
      const insn = decodeOne(form.code);
      const pc = machine.add(form.code);
      for (const { inputs, changes: expected } of form.cases) {
        const before = stateBefore(insn, form, pool, inputs);
        const text = changes(before, machine.run(pc, before));
        if (!/^xmm|^$/.test(expected)) {
          expect(text).toBe(expected);
          continue;
        }
        const host = changed(expected);
        const ours = changed(text);
        const operand = lanesOf(pool[inputs[1]] ?? 0n);
        ours.forEach((lane, i) => {
          const value = single(lane);
          if (isUndecided(operand[i] ?? 0)) return;
          if (!Number.isFinite(value) || value === 0 || lane === host[i])
            expect([inputs, i, lane]).toEqual([inputs, i, host[i]]);
          else {
            const x = single(operand[i] ?? 0);
            const truth = form.text.startsWith('rcp') ? 1 / x : 1 / Math.sqrt(x);
            for (const other of [truth, single(host[i] ?? 0)])
              expect(Math.abs(value - other) / Math.abs(truth)).toBeLessThanOrEqual(2 * 1.5 * 2 ** -12);
          }
        });
      }
    });
  }
});
