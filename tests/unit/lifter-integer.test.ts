/** The recorded integer vectors (tests/vectors/integer.txt.gz) against interpreter and compiler, on IR as lifted and as optimised: registers, flags, memory, rip and faults. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOne } from '../support/insn-machine.js';
import { IntegerMachine, type MachineOptions } from '../support/integer-machine.js';
import { changes } from '../support/integer-state.js';
import { parseIntegerVectors, type RecordedIntegerForm } from '../support/integer-vectors.js';
import { undefinedFlags } from '../vectors/exclusions.js';
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
  readonly onlySequences?: boolean;
}
const WAYS: readonly Way[] = [
  { name: 'interpreter, as lifted', options: { optimised: false, maxInsns: 64 }, compiled: false },
  { name: 'interpreter, optimised', options: { optimised: true, maxInsns: 64 }, compiled: false },
  { name: 'compiler, as lifted', options: { optimised: false, maxInsns: 64 }, compiled: true },
  { name: 'compiler, optimised', options: { optimised: true, maxInsns: 64 }, compiled: true },
  { name: 'one instruction a TB', options: { optimised: true, maxInsns: 1 }, compiled: false, onlySequences: true },
];

const machines = WAYS.map((way) => {
  const machine = new IntegerMachine(way.options);
  for (const form of forms) machine.place(form.code, form.at);
  return { ...way, machine };
});

/** Compiles the code of `list`, where the way does. */
function prepare(list: readonly RecordedIntegerForm[]): void {
  for (const { compiled, machine } of machines)
    if (compiled)
      for (let n = 0; n < list.length; n += BATCH) machine.compile(list.slice(n, n + BATCH).map((form) => form.at));
}

function differences(form: RecordedIntegerForm): string[] {
  const insn = decodeOne(form.code, form.at);
  const ignored = undefinedFlags(form.text);
  const wrong: string[] = [];
  const isSequence = form.text.startsWith('sequence');
  for (const { seed, changes: expected } of form.cases) {
    const before = stateBefore(insn, form.text, seed);
    for (const { name, machine, onlySequences } of machines) {
      if (onlySequences === true && !isSequence) continue;
      const got = changes(before, machine.run(before), form.code.length, ignored);
      if (got === expected) continue;
      const code = Buffer.from(form.code).toString('hex');
      wrong.push(`${form.text} ${code}, seed ${seed}: ${name}\n  host ${expected}\n  ours ${got}`);
    }
  }
  return wrong;
}

describe('recorded vectors', () => {
  for (const [mnemonic, list] of byMnemonic)
    test(mnemonic, () => {
      prepare(list);
      expect(list.flatMap(differences).slice(0, 8)).toEqual([]);
    });
});
