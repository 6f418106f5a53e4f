/** The recorded integer vectors (tests/vectors/integer.txt.gz) against decode, lift, optimise, encode, interpreter and compiler: registers, flags, memory, rip and faults. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOne } from '../support/insn-machine.js';
import { IntegerMachine, type MachineOptions } from '../support/integer-machine.js';
import { changes } from '../support/integer-state.js';
import { parseIntegerVectors, type RecordedIntegerForm } from '../support/integer-vectors.js';
import { undefinedFlags, unrecorded } from '../vectors/integer-forms.js';
import { stateBefore } from '../vectors/integer-state-maker.js';

const forms = parseIntegerVectors(readFileSync(join('tests', 'vectors', 'integer.txt.gz')));

const byMnemonic = new Map<string, RecordedIntegerForm[]>();
for (const form of forms) {
  const mnemonic = form.text.split(' ')[0] ?? '';
  byMnemonic.set(mnemonic, [...(byMnemonic.get(mnemonic) ?? []), form]);
}

/** Regions of a module. */
const BATCH = 250;

interface Way {
  readonly name: string;
  readonly options: MachineOptions;
  readonly compiled: boolean;
  /** Sequences are enough where only what stands between instructions differs. */
  readonly onlySequences: boolean;
}
const ways: readonly Way[] = [
  { name: 'optimised', options: { optimised: true, maxInsns: 64 }, compiled: false, onlySequences: false },
  { name: 'compiled', options: { optimised: true, maxInsns: 64 }, compiled: true, onlySequences: false },
  { name: 'as lifted', options: { optimised: false, maxInsns: 64 }, compiled: false, onlySequences: true },
  { name: 'one instruction a TB', options: { optimised: true, maxInsns: 1 }, compiled: false, onlySequences: true },
];

function differences(machine: IntegerMachine, form: RecordedIntegerForm): string[] {
  const insn = decodeOne(form.code, form.at);
  const ignored = undefinedFlags(form.text);
  return form.cases.flatMap(({ seed, changes: expected }) => {
    const before = stateBefore(insn, form.text, seed);
    const got = changes(before, machine.run(before), form.code.length, ignored);
    if (got === expected) return [];
    return [`${form.text} ${Buffer.from(form.code).toString('hex')}, seed ${seed}\n  host ${expected}\n  ours ${got}`];
  });
}

describe.each(ways)('recorded vectors, $name', ({ options, compiled, onlySequences }) => {
  const machine = new IntegerMachine(options);
  for (const form of forms) machine.place(form.code, form.at);
  if (compiled)
    for (let n = 0; n < forms.length; n += BATCH) machine.compile(forms.slice(n, n + BATCH).map((form) => form.at));
  for (const [mnemonic, list] of byMnemonic)
    if (!onlySequences || mnemonic === 'sequence')
      test(mnemonic, () => {
        expect(list.flatMap((form) => differences(machine, form)).slice(0, 8)).toEqual([]);
      });
});

test('every row that is lifted has vectors, or a reason why not', () => {
  const recorded = new Set(forms.map((form) => decodeOne(form.code, form.at).row));
  expect(unrecorded(recorded)).toEqual([]);
});
