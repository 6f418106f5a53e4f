/**
 * Random sequences of SSE, MMX and VEX instructions, interpreter and compiler against host processor: `node dist/tests/fuzz/sse-fuzz.js [COUNT] [SEED]`. In: a seed. Out: the sequences that differ; exit 1 when there are any.
 * Needs an x86-64 host and gcc.
 */
import { decodeOne, InsnMachine } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { stateBefore } from '../support/vectors.js';
import { withHost } from '../vectors/host.js';
import { SSE4_ROWS } from '../vectors/sse4-forms.js';
import { SSE_POOL } from '../vectors/sse-pool.js';
import { sseSequences } from '../vectors/sse-sequences.js';
import { vexSequences } from '../vectors/vex-sequences.js';

const count = Number(process.argv[2] ?? 2000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const SHOWN = 5;

withHost((run) => {
  const machine = new InsnMachine();
  const forms = [...sseSequences(count, seed, SSE4_ROWS), ...vexSequences(count, seed)];
  const jobs = forms.flatMap((form) => {
    const insn = decodeOne(form.code);
    return form.inputs.map((inputs) => ({ form, code: form.code, before: stateBefore(insn, form, SSE_POOL, inputs) }));
  });
  const results = run(jobs);
  const places = new Map(forms.map((form) => [form, machine.add(form.code)]));
  let wrong = 0;
  const compare = (engine: string): void => {
    jobs.forEach(({ form, before }, i) => {
      const expected = changes(before, results[i] ?? before);
      const got = changes(before, machine.run(places.get(form) ?? 0, before));
      if (got === expected || wrong++ >= SHOWN) return;
      const code = Buffer.from(form.code).toString('hex');
      console.log(`${form.text}, ${engine}: ${code}\n  host ${expected}\n  ours ${got}`);
    });
  };
  compare('interpreter');
  machine.compile([...places.values()]);
  compare('compiler');
  console.log(`seed ${seed}: ${jobs.length} runs in each engine, ${wrong} differ`);
  if (wrong > 0) process.exitCode = 1;
});
