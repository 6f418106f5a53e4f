/** The recorded vectors of floating point under MXCSR (tests/vectors/float.txt.gz): rounding, denormals, flags, #XM, in interpreter and compiler; and the plain vectors by the precise forms. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { rowKey } from '../../frontend/x86-64/decoder.js';
import { InsnMachine } from '../support/insn-machine.js';
import { byMnemonic, differences } from '../support/vector-check.js';
import { parseVectors } from '../support/vectors.js';
import { FLOAT_ROWS, MXCSR_SETTINGS, VEX_FLOAT_ROWS } from '../vectors/float-forms.js';

const directory = join('tests', 'vectors');
const { pool, forms } = parseVectors(gunzipSync(readFileSync(join(directory, 'float.txt.gz'))).toString());
const machine = new InsnMachine(true);

describe('recorded vectors', () => {
  for (const [mnemonic, list] of byMnemonic(forms)) {
    test(mnemonic, () => {
      expect(differences(machine, list, pool, true).slice(0, 8)).toEqual([]);
    });
  }
});

test('every VEX row has vectors', () => {
  const recorded = new Set(forms.map(({ text }) => text.split(' ').slice(0, 2).join(' ')));
  const missing = VEX_FLOAT_ROWS.filter(({ mnemonic, operands }) => !recorded.has(`${mnemonic} ${operands}`));
  expect(missing.map(rowKey)).toEqual([]);
});

test('every row has vectors in every setting of MXCSR', () => {
  const recorded = new Set(forms.map(({ text, mxcsr }) => `${text.split(' ').slice(0, 2).join(' ')} ${mxcsr}`));
  const missing = FLOAT_ROWS.filter(({ mnemonic, operands }) =>
    MXCSR_SETTINGS.some((mxcsr) => !recorded.has(`${mnemonic} ${operands} ${mxcsr}`)),
  );
  expect(missing.map(rowKey)).toEqual([]);
});

test('the vectors of plain floating point, by the precise forms', () => {
  const plain = parseVectors(readFileSync(join(directory, 'sse.txt'), 'utf8'));
  const names = new Set(FLOAT_ROWS.map((row) => row.mnemonic));
  const list = plain.forms.filter(({ text }) => names.has(text.split(' ')[0] ?? ''));
  expect(list.length).toBeGreaterThan(300);
  expect(differences(machine, list, plain.pool).slice(0, 8)).toEqual([]);
});
