/**
 * Every form of the SSE, MMX and VEX vectors on more operand values than are recorded: interpreter and compiler against host processor:
 * `node dist/tests/fuzz/sse-form-fuzz.js [CASES] [SEED] [MNEMONIC]`. In: cases a form (default 100), a seed, a regular expression of mnemonics. Out: the cases that differ; exit 1 when there are any.
 * Needs an x86-64 host and gcc.
 */
import { decodeOne, InsnMachine } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { addForms, ENGINES } from '../support/vector-check.js';
import { stateBefore } from '../support/vectors.js';
import { withHost } from '../vectors/host.js';
import { sse4Forms } from '../vectors/sse4-forms.js';
import { vexForms } from '../vectors/vex-forms.js';
import { sseForms } from '../vectors/sse-forms.js';
import { SSE_POOL } from '../vectors/sse-pool.js';
import { seededRandom } from './decoder-generate.js';

const cases = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const only = new RegExp(process.argv[4] ?? '');
const SHOWN = 10;
/** Values besides the pool's: at random, and bits of the pool's values mixed. */
const RANDOM_VALUES = 300;

const random = seededRandom(seed);
const random128 = (): bigint => [0, 1, 2, 3].reduce((v, i) => v | (BigInt(random(2 ** 32)) << BigInt(32 * i)), 0n);
const any = (): bigint => SSE_POOL[random(SSE_POOL.length)] ?? 0n;
const mixed = (): bigint => {
  const mask = random128() & random128();
  return (any() & ~mask) | (any() & mask);
};
const pool = [...SSE_POOL, ...Array.from({ length: RANDOM_VALUES }, (_, i) => (i % 2 === 0 ? random128() : mixed()))];
/** Approximate results differ between processors. */
const forms = [...sseForms(), ...sse4Forms(), ...vexForms()].filter(
  ({ text }) => only.test(text.split(' ')[0] ?? '') && !/^v?r(cp|sqrt)[ps]s /.test(text),
);

withHost((run) => {
  let [count, wrong] = [0, 0];
  const machine = new InsnMachine();
  const places = ENGINES.slice(1).map((engine) => ({ engine, at: addForms(machine, forms, engine) }));
  forms.forEach((form, n) => {
    const insn = decodeOne(form.code);
    // The recorded inputs stand for the kind of values that the form wants.
    const inputs = Array.from({ length: cases }, (_, i): readonly [number, number] => {
      const known = form.inputs[i % form.inputs.length] ?? [0, 0];
      return random(2) === 0 ? [random(pool.length), known[1]] : [random(pool.length), random(pool.length)];
    });
    const jobs = inputs.map((pair) => ({ code: form.code, before: stateBefore(insn, form, pool, pair) }));
    const results = run(jobs);
    for (const { engine, at } of places) {
      jobs.forEach(({ before }, i) => {
        count++;
        const expected = changes(before, results[i] ?? before);
        const got = changes(before, machine.run(at[n] ?? 0, before));
        if (got === expected || wrong++ >= SHOWN) return;
        const operands = (inputs[i] ?? []).map((at) => (pool[at] ?? 0n).toString(16).padStart(32, '0')).join(' ');
        console.log(`${form.text}: ${engine}\n  operands ${operands}\n  host ${expected}\n  ours ${got}`);
      });
    }
  });
  console.log(`seed ${seed}: ${forms.length} forms, ${count} runs, ${wrong} differ`);
  if (wrong > 0) process.exitCode = 1;
});
