/** The recorded vectors of SSSE3 and what came after it (tests/vectors/sse4.txt.gz) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InsnMachine } from '../support/insn-machine.js';
import {
  byMnemonic,
  differences,
  faultLeaves,
  waitingExceptionLeaves,
  waitsForX87,
  withMemory,
} from '../support/vector-check.js';
import { parseVectors } from '../support/vectors.js';
import { SSE4_ROWS } from '../vectors/sse4-forms.js';

const { pool, forms } = parseVectors(gunzipSync(readFileSync(join('tests', 'vectors', 'sse4.txt.gz'))).toString());
const machine = new InsnMachine();
const groups = byMnemonic(forms);
const noText = (texts: readonly string[]): string[] => texts.filter((text) => text !== '').slice(0, 8);

describe('recorded vectors', () => {
  for (const [mnemonic, list] of groups) {
    test(mnemonic, () => {
      expect(differences(machine, list, pool).slice(0, 8)).toEqual([]);
    });
  }
});

test('every row has recorded vectors', () => {
  const recorded = new Set(forms.map(({ text }) => text.split(' ').slice(0, 2).join(' ')));
  const missing = SSE4_ROWS.filter(({ mnemonic, operands }) => !recorded.has(`${mnemonic} ${operands}`.trimEnd()));
  expect(missing.map((row) => row.enc)).toEqual([]);
});

describe('a page fault leaves everything as it was', () => {
  for (const [mnemonic, list] of groups) {
    const faulting = withMemory(list);
    if (mnemonic === 'sequence' || faulting.length === 0) continue;
    test(mnemonic, () => {
      expect(noText(faulting.map((form) => faultLeaves(machine, form)))).toEqual([]);
    });
  }
});

test('a waiting x87 exception is raised before an MMX instruction', () => {
  const waiting = forms.filter((form) => !form.text.startsWith('sequence') && waitsForX87(form));
  expect(waiting.length).toBeGreaterThan(50);
  expect(noText(waiting.map((form) => waitingExceptionLeaves(machine, form)))).toEqual([]);
});
