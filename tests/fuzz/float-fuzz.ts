/**
 * Floating-point instructions under all settings of MXCSR, interpreter and compiler against host processor: `node dist/tests/fuzz/float-fuzz.js [CASES] [SEED] [MNEMONIC]`, CASES a form and setting.
 * In: a seed. Out: the cases that differ; exit 1 when there are any. Needs an x86-64 host and gcc.
 */
import { decodeOne, InsnMachine } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { stateBefore } from '../support/vectors.js';
import { floatForms, floatSequences, vexFloatForms } from '../vectors/float-forms.js';
import { FLOAT_POOL } from '../vectors/float-pool.js';
import { withHost } from '../vectors/host.js';
import { seededRandom } from './decoder-generate.js';

const cases = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const only = process.argv[4] ?? '';
/** Differences shown, of each instruction. */
const SHOWN = 3;
const SEQUENCES = 1000;

withHost((run) => {
  const random = seededRandom(seed);
  const forms = [
    ...floatForms(cases, random),
    ...vexFloatForms(cases, random),
    ...floatSequences(SEQUENCES, seed, random),
  ].filter((form) => form.text.startsWith(only));
  const jobs = forms.flatMap((form) => {
    const insn = decodeOne(form.code);
    return form.inputs.map((inputs) => ({
      form,
      code: form.code,
      before: stateBefore(insn, form, FLOAT_POOL, inputs),
    }));
  });
  const results = run(jobs);
  const machine = new InsnMachine(true);
  const places = new Map<string, number>();
  const key = (code: Uint8Array): string => Buffer.from(code).toString('hex');
  for (const { code } of forms) if (!places.has(key(code))) places.set(key(code), machine.add(code));
  const wrong = new Map<string, number>();
  const compare = (engine: string): void => {
    jobs.forEach(({ form, code, before }, i) => {
      const expected = changes(before, results[i] ?? before, true);
      const got = changes(before, machine.run(places.get(key(code)) ?? 0, before), true);
      if (got === expected) return;
      const count = wrong.get(form.text) ?? 0;
      wrong.set(form.text, count + 1);
      if (count >= SHOWN) return;
      const [a, b] = [before.xmm(0), before.xmm(1)].map((x) => x.toString(16).padStart(32, '0'));
      console.log(
        `${form.text}, ${engine}: mxcsr ${before.mxcsr.toString(16)} ${a ?? ''} ${b ?? ''}\n  host ${expected}\n  ours ${got}`,
      );
    });
  };
  compare('interpreter');
  machine.compile([...places.values()]);
  compare('compiler');
  for (const [text, count] of wrong) console.log(`${text}: ${count} differ`);
  console.log(`seed ${seed}: ${forms.length} forms and settings, ${jobs.length} runs in each engine`);
  if (wrong.size > 0) process.exitCode = 1;
});
