/**
 * Records the instruction vectors on the host processor: `npm run build && node dist/tests/vectors/record.js`. In: the forms beside this file. Out: tests/vectors/*.txt and *.txt.gz. Arguments: the names of those to record, else all.
 * Needs an x86-64 host and gcc. Which processor recorded them stands in the file's head.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decodeOne } from '../support/insn-machine.js';
import { changes } from '../support/insn-state.js';
import { printForm, stateBefore, type VectorCase, type VectorForm } from '../support/vectors.js';
import { type RunOnHost, withHost } from './host.js';
import { SSE4_ROWS, sse4Forms } from './sse4-forms.js';
import { vexForms } from './vex-forms.js';
import { sseForms } from './sse-forms.js';
import { SSE_POOL } from './sse-pool.js';
import { sseSequences } from './sse-sequences.js';

const SEQUENCES = 150;

function record(run: RunOnHost, name: string, pool: readonly bigint[], forms: readonly VectorForm[]): void {
  const jobs = forms.flatMap((form) => {
    const insn = decodeOne(form.code);
    return form.inputs.map((inputs) => ({ code: form.code, before: stateBefore(insn, form, pool, inputs) }));
  });
  const results = run(jobs).map((after, i) => changes(jobs[i]?.before ?? after, after));
  let next = 0;
  const lines = forms.flatMap((form) => {
    const cases = form.inputs.map((inputs): VectorCase => ({ inputs, changes: results[next++] ?? '' }));
    return printForm({ ...form, cases });
  });
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const head = [
    '# Recorded by tests/vectors/record.ts: do not edit. The format is explained in tests/support/vectors.ts.',
    `# Processor: ${model}`,
    ...pool.map((v) => `pool ${v.toString(16).padStart(32, '0')}`),
  ];
  const text = [...head, ...lines, ''].join('\n');
  writeFileSync(join('tests', 'vectors', name), name.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text);
  console.log(`${name}: ${forms.length} forms, ${jobs.length} cases`);
}

const FILES: Readonly<Record<string, () => readonly VectorForm[]>> = {
  'sse.txt': sseForms,
  'sse-sequences.txt': () => sseSequences(SEQUENCES, 1),
  'vex.txt.gz': vexForms,
  'sse4.txt.gz': () => [...sse4Forms(), ...sseSequences(SEQUENCES, 4, SSE4_ROWS)],
};

withHost((run) => {
  const names = process.argv.slice(2);
  for (const [name, forms] of Object.entries(FILES)) {
    if (names.length === 0 || names.includes(name)) record(run, name, SSE_POOL, forms());
  }
});
