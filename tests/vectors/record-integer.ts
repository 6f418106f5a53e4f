/**
 * Records the integer vectors on the host processor. In: the forms beside this file. Out: tests/vectors/integer.txt.gz. Which processor recorded them stands in the file's head.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOne } from '../support/insn-machine.js';
import { changes } from '../support/integer-state.js';
import { printIntegerVectors } from '../support/integer-vectors.js';
import { undefinedFlags } from './exclusions.js';
import { integerForms } from './integer-forms.js';
import { type RunIntegers, withIntegerHost } from './integer-host.js';
import { integerSequences } from './integer-sequences.js';
import { stateBefore } from './integer-state-maker.js';

const SEQUENCES = 250;
/** Seeds of a form: the first, then the next ones. */
const SEEDS = 100;

export function recordIntegers(): void {
  withIntegerHost(recordOn);
}

function recordOn(run: RunIntegers): void {
  const forms = integerForms();
  const all = [...forms, ...integerSequences(SEQUENCES, 1, forms.length)];
  const jobs = all.flatMap((form, i) => {
    const insn = decodeOne(form.code, form.at);
    return Array.from({ length: form.cases }, (_, n) => {
      const seed = SEEDS * i + n;
      return { form, seed, code: form.code, before: stateBefore(insn, form.text, seed) };
    });
  });
  const results = run(jobs);
  const cases = new Map(all.map((form) => [form, [] as { seed: number; changes: string }[]]));
  jobs.forEach(({ form, seed, before }, i) => {
    const after = results[i] ?? before;
    cases.get(form)?.push({ seed, changes: changes(before, after, form.code.length, undefinedFlags(form.text)) });
  });
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const head = [
    'Recorded by tests/vectors/record-integer.ts: do not edit. The format is explained in tests/support/integer-vectors.ts.',
    `Processor: ${model}`,
  ];
  const recorded = all.map((form) => ({ ...form, cases: cases.get(form) ?? [] }));
  writeFileSync(join('tests', 'vectors', 'integer.txt.gz'), printIntegerVectors(head, recorded));
  console.log(`integer.txt.gz: ${all.length} forms, ${jobs.length} cases`);
}
