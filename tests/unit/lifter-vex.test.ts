/** The recorded vectors of the VEX rows (tests/vectors/vex.txt.gz) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InsnMachine } from '../support/insn-machine.js';
import { byMnemonic, differences, faultLeaves, withMemory } from '../support/vector-check.js';
import { parseVectors } from '../support/vectors.js';
import { VEX_ROWS } from '../vectors/vex-forms.js';

const { pool, forms } = parseVectors(gunzipSync(readFileSync(join('tests', 'vectors', 'vex.txt.gz'))).toString());
const machine = new InsnMachine();
const groups = byMnemonic(forms);

/** Approximate: processors differ; the legacy rows' error bound is tested, and these share their lane functions. */
const APPROXIMATE = /^vr(cp|sqrt)[ps]s$/;

describe('recorded vectors', () => {
  for (const [mnemonic, list] of groups) {
    if (APPROXIMATE.test(mnemonic)) continue;
    test(mnemonic, () => {
      expect(differences(machine, list, pool).slice(0, 8)).toEqual([]);
    });
  }
});

test('every row has recorded vectors', () => {
  const recorded = new Set(forms.map(({ text }) => text.split(' ').slice(0, 2).join(' ')));
  const missing = VEX_ROWS.filter(
    ({ mnemonic, operands }) => operands !== '' && !recorded.has(`${mnemonic} ${operands}`),
  );
  expect(missing.map((row) => row.enc)).toEqual([]);
});

describe('a page fault leaves everything as it was', () => {
  for (const [mnemonic, list] of groups) {
    const faulting = withMemory(list);
    if (mnemonic === 'sequence' || faulting.length === 0) continue;
    test(mnemonic, () => {
      const left = faulting.map((form) => faultLeaves(machine, form));
      expect(left.filter((text) => text !== '').slice(0, 8)).toEqual([]);
    });
  }
});
