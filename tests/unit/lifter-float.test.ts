/** The recorded vectors of floating point under MXCSR (tests/vectors/float.txt.gz): rounding, denormals, flags, #XM, in interpreter and compiler; and the plain vectors by the precise forms. */
import { expect, test } from '@jest/globals';
import { rowKey } from '../../frontend/x86-64/decoder.js';
import { InsnMachine } from '../support/insn-machine.js';
import { differences } from '../support/vector-check.js';
import { describeResults, readVectors } from '../support/vector-suite.js';
import { FLOAT_ROWS, MXCSR_SETTINGS, VEX_FLOAT_ROWS } from '../vectors/float-forms.js';

const vectors = readVectors('float.txt.gz');
const { forms } = vectors;
const machine = new InsnMachine(true);

describeResults(machine, vectors, true);

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
  const plain = readVectors('sse.txt.gz');
  const names = new Set(FLOAT_ROWS.map((row) => row.mnemonic));
  const list = plain.forms.filter(({ text }) => names.has(text.split(' ')[0] ?? ''));
  expect(list.length).toBeGreaterThan(300);
  expect(differences(machine, list, plain.pool).slice(0, 8)).toEqual([]);
});
