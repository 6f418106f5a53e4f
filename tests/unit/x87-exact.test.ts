/** The transcendental x87 functions against exact values (tests/vectors/x87-exact.txt.gz, by tests/vectors/src/x87-exact.py): results are the nearest number there is. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { InsnMachine } from '../support/insn-machine.js';
import { addForms } from '../support/vector-check.js';
import { exactState, parseExactCases, ulpsOf } from '../support/x87-exact.js';

/** Units of the last place: half of one, and what 100 exact bits leave open. */
const MOST = 0.5 + 2 ** -30;

const cases = parseExactCases(gunzipSync(readFileSync('tests/vectors/x87-exact.txt.gz')).toString());
const machine = new InsnMachine();

test.each([...new Set(cases.map(({ key }) => key))])('%s', (key) => {
  const list = cases.filter((one) => one.key === key);
  expect(list.length).toBeGreaterThan(350);
  const [pc = 0] = addForms(machine, list.slice(0, 1), 'interpreter, optimised');
  const wrong = list.filter((one) => ulpsOf(one, machine.run(pc, exactState(one))).some((error) => !(error <= MOST)));
  expect(wrong.map(({ operands }) => operands.map(([se, sig]) => `${se.toString(16)}:${sig.toString(16)}`))).toEqual(
    [],
  );
});
