/**
 * Integer instructions and sequences of them on random states, interpreter against host processor: `node dist/tests/fuzz/integer-fuzz.js [FORMS] [CASES] [SEED]`.
 * In: a regular expression of the forms' text ('' for all), states a form, a seed. Out: what differs, by form; exit 1 when anything does. Needs an x86-64 host and gcc.
 */
import { decodeOne } from '../support/insn-machine.js';
import { IntegerMachine } from '../support/integer-machine.js';
import { changes } from '../support/integer-state.js';
import { undefinedFlags } from '../vectors/exclusions.js';
import { integerForms } from '../vectors/integer-forms.js';
import { withIntegerHost } from '../vectors/integer-host.js';
import { integerSequences } from '../vectors/integer-sequences.js';
import { stateBefore } from '../vectors/integer-state-maker.js';

const pattern = new RegExp(process.argv[2] ?? '');
const cases = Number(process.argv[3] ?? 20);
const seed = Number(process.argv[4] ?? Date.now() % 1_000_000);
const SEQUENCES = 2000;
/** Differences shown of a form. */
const SHOWN = 2;

withIntegerHost((run) => {
  const single = integerForms();
  const forms = [...single, ...integerSequences(SEQUENCES, seed, single.length)].filter((f) => pattern.test(f.text));
  const jobs = forms.flatMap((form) => {
    const insn = decodeOne(form.code, form.at);
    return Array.from({ length: cases }, (_, n) => ({ ...form, before: stateBefore(insn, form.text, seed + n) }));
  });
  const machine = new IntegerMachine({ optimised: seed % 2 === 0, maxInsns: 64 });
  for (const form of forms) machine.place(form.code, form.at);
  const wrong = new Map<string, number>();
  run(jobs).forEach((after, i) => {
    const job = jobs[i];
    if (job === undefined) return;
    const ignored = undefinedFlags(job.text);
    const expected = changes(job.before, after, job.code.length, ignored);
    const got = changes(job.before, machine.run(job.before), job.code.length, ignored);
    if (got === expected) return;
    const name = `${job.text} ${Buffer.from(job.code).toString('hex')}`;
    const count = (wrong.get(name) ?? 0) + 1;
    wrong.set(name, count);
    if (count <= SHOWN)
      console.log(
        `${name}, seed ${seed + (i % cases)}, flags ${job.before.rflags.toString(16)}\n  host ${expected}\n  ours ${got}`,
      );
  });
  console.log(`seed ${seed}: ${forms.length} forms, ${jobs.length} runs, ${wrong.size} forms differ`);
  for (const [name, count] of wrong) console.log(`  ${count} of ${cases}: ${name}`);
  if (wrong.size > 0) process.exitCode = 1;
});
