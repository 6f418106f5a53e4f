/**
 * Records the vectors of the SSE, MMX and VEX rows on the host processor. In: the forms beside this file. Out: tests/vectors/*.txt.gz. Which processor recorded them stands in the file's head.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../fuzz/decoder-generate.js';
import { decodeOne } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { printForm, stateBefore, type VectorCase, type VectorForm } from '../support/vectors.js';
import { type RunOnHost, withHost } from './host.js';
import { floatForms, floatSequences, vexFloatForms } from './float-forms.js';
import { FLOAT_POOL } from './float-pool.js';
import { SSE4_ROWS, sse4Forms } from './sse4-forms.js';
import { vexSequences } from './vex-sequences.js';
import { vexForms } from './vex-forms.js';
import { sseForms } from './sse-forms.js';
import { SSE_POOL } from './sse-pool.js';
import { sseSequences } from './sse-sequences.js';

const SEQUENCES = 150;

interface VectorFile {
  readonly forms: () => readonly VectorForm[];
  readonly pool: readonly bigint[];
  /** The exception flags of MXCSR are recorded too. */
  readonly preciseFloat?: boolean;
}

function record(run: RunOnHost, name: string, { pool, preciseFloat, ...file }: VectorFile): void {
  const forms = file.forms();
  const jobs = forms.flatMap((form) => {
    const insn = decodeOne(form.code);
    return form.inputs.map((inputs) => ({ code: form.code, before: stateBefore(insn, form, pool, inputs) }));
  });
  const results = run(jobs).map((after, i) => changes(jobs[i]?.before ?? after, after, preciseFloat));
  let next = 0;
  const lines = forms.flatMap((form) => {
    const cases = form.inputs.map((inputs): VectorCase => ({ inputs, changes: results[next++] ?? '' }));
    return printForm({ ...form, cases });
  });
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const head = [
    '# Recorded by tests/vectors/record-vectors.ts: do not edit. The format is explained in tests/support/vectors.ts.',
    `# Processor: ${model}`,
    ...pool.map((v) => `pool ${v.toString(16).padStart(32, '0')}`),
  ];
  const text = [...head, ...lines, ''].join('\n');
  writeFileSync(join('tests', 'vectors', name), gzipSync(text, { level: 9 }));
  console.log(`${name}: ${forms.length} forms, ${jobs.length} cases`);
}

/** Cases of each floating-point instruction and setting of MXCSR. */
const FLOAT_CASES = 6;
/** VEX: the same lane functions, in one of so many settings. */
const [VEX_CASES, VEX_SETTINGS] = [2, 6] as const;
const FLOAT_SEED = 754;

const FILES: Readonly<Record<string, VectorFile>> = {
  'sse.txt.gz': { forms: sseForms, pool: SSE_POOL },
  'sse-sequences.txt.gz': { forms: () => sseSequences(SEQUENCES, 1), pool: SSE_POOL },
  'sse4.txt.gz': { forms: () => [...sse4Forms(), ...sseSequences(SEQUENCES, 4, SSE4_ROWS)], pool: SSE_POOL },
  'vex.txt.gz': { forms: () => [...vexForms(), ...vexSequences(SEQUENCES, 5)], pool: SSE_POOL },
  'float.txt.gz': { forms: recordedFloatForms, pool: FLOAT_POOL, preciseFloat: true },
};

function recordedFloatForms(): VectorForm[] {
  const random = seededRandom(FLOAT_SEED);
  return [
    ...floatForms(FLOAT_CASES, random),
    ...floatSequences(SEQUENCES, FLOAT_SEED, random),
    ...vexFloatForms(VEX_CASES, random, VEX_SETTINGS),
  ];
}

/** Names of the files. */
export const VECTOR_NAMES = Object.keys(FILES);

export function recordVectors(name: string): void {
  const file = FILES[name];
  if (file === undefined) throw new Error(`no vectors ${name}`);
  withHost((run) => {
    record(run, name, file);
  });
}
