/**
 * Runs integer instructions on the host processor. In: machine code and states. Out: the states after. Needs an x86-64 host and gcc.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IntegerState, STATE_SIZE } from '../support/integer-state.js';

/** As in src/run-integer.c: a length byte and the code. */
const CODE_SIZE = 64;
const RECORD = CODE_SIZE + STATE_SIZE;
/** Jobs of one process: its input and output stay small. */
const BATCH = 20_000;

export interface IntegerJob {
  readonly code: Uint8Array;
  readonly before: IntegerState;
}
export type RunIntegers = (jobs: readonly IntegerJob[]) => IntegerState[];

/** Builds the runner, calls `use` with it, removes it. */
export function withIntegerHost(use: (run: RunIntegers) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'vectors-'));
  try {
    const runner = join(directory, 'run-integer');
    const source = join('tests', 'vectors', 'src', 'run-integer.c');
    const gcc = spawnSync('gcc', ['-O1', '-no-pie', '-fno-stack-protector', '-mfsgsbase', '-o', runner, source], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
    use((jobs) => {
      const results: IntegerState[] = [];
      for (let n = 0; n < jobs.length; n += BATCH) results.push(...runBatch(runner, jobs.slice(n, n + BATCH)));
      return results;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function runBatch(runner: string, jobs: readonly IntegerJob[]): IntegerState[] {
  const input = new Uint8Array(jobs.length * RECORD);
  jobs.forEach(({ code, before }, i) => {
    if (code.length >= CODE_SIZE) throw new Error(`${code.length} bytes of code`);
    input[i * RECORD] = code.length;
    input.set(code, i * RECORD + 1);
    input.set(before.bytes, i * RECORD + CODE_SIZE);
  });
  const { status, signal, stdout } = spawnSync(runner, { input, maxBuffer: 2 ** 30 });
  if (status !== 0 || stdout.length !== jobs.length * STATE_SIZE)
    throw new Error(`the runner ended with ${status ?? signal ?? ''} after ${stdout.length / STATE_SIZE} jobs`);
  return jobs.map((_, i) => new IntegerState(Uint8Array.from(stdout.subarray(i * STATE_SIZE, (i + 1) * STATE_SIZE))));
}
