/** What the recorded vectors cover: every form of every row of the instruction tables, or a reason why not. */
import { expect, test } from '@jest/globals';
import { allRows } from '../../frontend/x86-64/decoder.js';
import { coverage } from '../vectors/coverage.js';
import { fewReason, programReason, withoutReason } from '../vectors/exclusions.js';
import { AT_LEAST } from '../vectors/fill.js';
import { tableForms } from '../vectors/table-forms.js';

const { forms, alone, within } = coverage();
const known = new Set(allRows().flatMap((row) => tableForms(row).map(({ key }) => key)));

test('every form has vectors, as many as are wanted, or a reason', () => {
  const short = allRows().flatMap((row) =>
    tableForms(row).flatMap(({ key }) => {
      const cases = forms.get(key) ?? { alone: 0, within: 0 };
      if (withoutReason(row) !== undefined) return [];
      if (fewReason(row) !== undefined) return cases.alone > 0 ? [] : [`${key}: none`];
      const count = programReason(row) === undefined ? cases.alone : cases.alone + cases.within;
      return count >= AT_LEAST ? [] : [`${key}: ${count}`];
    }),
  );
  expect(short).toEqual([]);
});

test('a row that has a reason to have no vectors has none', () => {
  const recorded = allRows().filter(
    (row) => withoutReason(row) !== undefined && tableForms(row).some(({ key }) => (forms.get(key)?.alone ?? 0) > 0),
  );
  expect(recorded.map(({ enc, mnemonic }) => `${enc} ${mnemonic}`)).toEqual([]);
});

test('every recorded form is one of the tables', () => {
  expect([...forms.keys()].filter((key) => !known.has(key))).toEqual([]);
});

test('there are 200,000 cases of instructions alone', () => {
  expect(alone).toBeGreaterThan(200_000);
  expect(within).toBeGreaterThan(1_000);
});
