/**
 * Records the instruction vectors on the host processor: `npm run build && node dist/tests/vectors/record.js`. In: the forms beside this file. Out: tests/vectors/*.txt.
 * Needs an x86-64 host and gcc. Which processor recorded them stands in the file's head.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeOne } from '../support/insn-machine.js';
import { changes, InsnState, STATE_SIZE } from '../support/insn-state.js';
import { printForm, stateFor, type VectorForm } from '../support/vectors.js';
import { sseForms } from './sse-forms.js';
import { SSE_POOL } from './sse-pool.js';

const CODE_SIZE = 16;

function record(name: string, pool: readonly bigint[], forms: readonly VectorForm[], runner: string): void {
  const cases = forms.flatMap((form) => {
    const insn = decodeOne(form.code);
    return form.inputs.map(([a, b]) => ({ form, before: stateFor(insn, [pool[a] ?? 0n, pool[b] ?? 0n], form.mxcsr) }));
  });
  const input = new Uint8Array(cases.length * (CODE_SIZE + STATE_SIZE));
  cases.forEach(({ form, before }, i) => {
    const at = i * (CODE_SIZE + STATE_SIZE);
    input[at] = form.code.length;
    input.set(form.code, at + 1);
    input.set(before.bytes, at + CODE_SIZE);
  });
  const { stdout, status } = spawnSync(runner, { input, maxBuffer: 2 ** 30 });
  if (status !== 0 || stdout.length !== cases.length * STATE_SIZE) throw new Error(`${name}: the runner gave ${status}`);
  let next = 0;
  const lines = forms.flatMap((form) =>
    printForm({
      ...form,
      cases: form.inputs.map(([a, b]) => {
        const after = new InsnState(Uint8Array.from(stdout.subarray(next * STATE_SIZE, (next + 1) * STATE_SIZE)));
        const before = cases[next++]?.before ?? after;
        return { inputs: [a, b] as const, changes: changes(before, after) };
      }),
    }),
  );
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const head = [
    '# Recorded by tests/vectors/record.ts: do not edit. The format is explained in tests/support/vectors.ts.',
    `# Processor: ${model}`,
    ...pool.map((v) => `pool ${v.toString(16).padStart(32, '0')}`),
  ];
  writeFileSync(join('tests', 'vectors', `${name}.txt`), [...head, ...lines, ''].join('\n'));
  console.log(`${name}: ${forms.length} forms, ${cases.length} cases`);
}

const directory = mkdtempSync(join(tmpdir(), 'vectors-'));
try {
  const runner = join(directory, 'run-insns');
  const source = join('tests', 'vectors', 'src', 'run-insns.c');
  const gcc = spawnSync('gcc', ['-O1', '-no-pie', '-o', runner, source], { stdio: 'inherit' });
  if (gcc.status !== 0) throw new Error('gcc failed');
  record('sse', SSE_POOL, sseForms(), runner);
} finally {
  rmSync(directory, { recursive: true });
}
