/** The recorded SSE and MMX vectors (tests/vectors/sse*.txt) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PERM } from '../../src/guest/memory-map.js';
import { decodeOne, InsnMachine } from '../support/insn-machine.js';
import { changes, plainState } from '../support/insn-state.js';
import { parseVectors, type RecordedForm, stateBefore, stateFor } from '../support/vectors.js';

const { pool, forms } = parseVectors(readFileSync(join('tests', 'vectors', 'sse.txt'), 'utf8'));
const machine = new InsnMachine();

/** Results that processors are free to differ in: compared by their bound in another test. */
const isApproximate = (text: string): boolean => /^r(cp|sqrt)[ps]s /.test(text);

const byMnemonic = new Map<string, RecordedForm[]>();
for (const form of forms) {
  if (isApproximate(form.text)) continue;
  const mnemonic = form.text.split(' ')[0] ?? '';
  byMnemonic.set(mnemonic, [...(byMnemonic.get(mnemonic) ?? []), form]);
}

/** Engines that run the vectors. */
const ENGINES = ['interpreter, lifted', 'interpreter, optimised', 'compiler'] as const;

/** Adds the code of all forms; gives its addresses. */
function addForms(list: readonly RecordedForm[], engine: (typeof ENGINES)[number]): number[] {
  const places = list.map((form) => machine.add(form.code, engine !== 'interpreter, lifted'));
  if (engine === 'compiler') machine.compile(places);
  return places;
}

/** Cases whose result is not the recorded one, as text. */
function differences(list: readonly RecordedForm[], values: readonly bigint[]): string[] {
  const wrong: string[] = [];
  for (const engine of ENGINES) {
    const places = addForms(list, engine);
    list.forEach((form, n) => {
      const insn = decodeOne(form.code);
      for (const { inputs, changes: expected } of form.cases) {
        const before = stateBefore(insn, form, values, inputs);
        const got = changes(before, machine.run(places[n] ?? 0, before));
        if (got !== expected)
          wrong.push(`${form.text} ${inputs.join(' ')}: ${engine}\n  host ${expected}\n  ours ${got}`);
      }
    });
  }
  return wrong;
}

describe('recorded vectors', () => {
  for (const [mnemonic, list] of byMnemonic) {
    test(mnemonic, () => {
      expect(differences(list, pool).slice(0, 8)).toEqual([]);
    });
  }
});

test('recorded sequences', () => {
  const sequences = parseVectors(readFileSync(join('tests', 'vectors', 'sse-sequences.txt'), 'utf8'));
  expect(differences(sequences.forms, sequences.pool).slice(0, 4)).toEqual([]);
});

// ---------------------------------------------------------------- faults

describe('a page fault leaves everything as it was', () => {
  for (const [mnemonic, list] of byMnemonic) {
    const withMemory = list.filter((f) => decodeOne(f.code).operands.some((o) => o.kind === 'mem'));
    if (withMemory.length === 0) continue;
    test(mnemonic, () => {
      for (const { code, text } of withMemory) {
        const insn = decodeOne(code);
        const stores = insn.operands[0]?.kind === 'mem' && mnemonic !== 'ldmxcsr';
        // Every byte of a mask selected; an operand that is a sound MXCSR.
        const before = stateFor(insn, mnemonic === 'ldmxcsr' ? [0x1f80n] : [0n, (1n << 128n) - 1n]);
        const pc = machine.add(code);
        machine.allow(stores ? PERM.R | PERM.RFAST : 0);
        const after = machine.run(pc, before);
        machine.allow(PERM.R | PERM.W | PERM.RFAST | PERM.WFAST);
        expect([text, after.signal, machine.rip]).toEqual([text, 11, pc]);
        after.signal = 0;
        expect(`${text} ${changes(before, after)}`).toBe(`${text} `);
      }
    });
  }
});

test('a waiting x87 exception is raised before an MMX instruction', () => {
  for (const { code, text } of forms) {
    const insn = decodeOne(code);
    if (!text.startsWith('emms') && !insn.operands.some((o) => o.kind === 'mmx')) continue;
    const before = plainState();
    // Invalid operation, unmasked: IE, ES and B.
    before.fcw = 0x37e;
    before.fsw = 0x8081;
    const after = machine.run(machine.add(code), before);
    expect([text, after.signal]).toEqual([text, 8]);
    after.signal = 0;
    expect(`${text} ${changes(before, after)}`).toBe(`${text} `);
  }
});

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
        const before = stateFor(
          insn,
          inputs.map((i) => pool[i] ?? 0n),
        );
        const text = changes(before, machine.run(pc, before));
        if (!expected.startsWith('xmm')) {
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
