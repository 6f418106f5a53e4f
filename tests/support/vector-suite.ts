/** Recorded vectors as jest tests, the same for each family of rows: results, coverage of the rows, page faults, waiting x87 exceptions. In: parsed vectors. Out: tests. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import type { InsnMachine } from './insn-machine.js';
import {
  byMnemonic,
  differences,
  faultLeaves,
  waitingExceptionLeaves,
  waitsForX87,
  withMemory,
} from './vector-check.js';
import { parseVectors } from './vectors.js';

export type Vectors = ReturnType<typeof parseVectors>;

/** Vectors of a file in tests/vectors, compressed or not. */
export function readVectors(name: string): Vectors {
  const file = readFileSync(join('tests', 'vectors', name));
  return parseVectors((name.endsWith('.gz') ? gunzipSync(file) : file).toString());
}

const SEQUENCE = 'sequence';
/** The first things that went wrong. */
const wrong = (texts: readonly string[]): string[] => texts.filter((text) => text !== '').slice(0, 8);

/** @param precise the machine lifts floating point by MXCSR: its flags count too */
export function describeResults(machine: InsnMachine, { forms, pool }: Vectors, precise = false): void {
  describe('recorded vectors', () => {
    for (const [mnemonic, list] of byMnemonic(forms)) {
      test(mnemonic, () => {
        expect(differences(machine, list, pool, precise).slice(0, 8)).toEqual([]);
      });
    }
  });
}

export function testCoverage(
  { forms }: Vectors,
  rows: readonly Pick<InsnRow, 'enc' | 'mnemonic' | 'operands'>[],
): void {
  test('every row has recorded vectors', () => {
    const recorded = new Set(forms.map(({ text }) => text.split(' ').slice(0, 2).join(' ')));
    const missing = rows.filter(({ mnemonic, operands }) => !recorded.has(`${mnemonic} ${operands}`.trimEnd()));
    expect(missing.map((row) => row.enc)).toEqual([]);
  });
}

export function describeFaults(machine: InsnMachine, { forms }: Vectors): void {
  describe('a page fault leaves everything as it was', () => {
    for (const [mnemonic, list] of byMnemonic(forms)) {
      const faulting = withMemory(list);
      if (mnemonic === SEQUENCE || faulting.length === 0) continue;
      test(mnemonic, () => {
        expect(wrong(faulting.map((form) => faultLeaves(machine, form)))).toEqual([]);
      });
    }
  });
}

/** @param atLeast how many forms there are to look at, at least */
export function testWaitingExceptions(machine: InsnMachine, { forms }: Vectors, atLeast: number): void {
  test('a waiting x87 exception is raised before an MMX instruction', () => {
    const waiting = forms.filter((form) => !form.text.startsWith(SEQUENCE) && waitsForX87(form));
    expect(waiting.length).toBeGreaterThan(atLeast);
    expect(wrong(waiting.map((form) => waitingExceptionLeaves(machine, form)))).toEqual([]);
  });
}
