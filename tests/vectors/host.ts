/**
 * Runs instructions on the host processor. In: machine code and states. Out: the states after. Needs an x86-64 host and gcc.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InsnState, STATE_SIZE } from '../support/insn-state.js';

/** As in src/run-insns.c: a length byte and the code. */
const CODE_SIZE = 160;

export interface HostJob {
  readonly code: Uint8Array;
  readonly before: InsnState;
}
export type RunOnHost = (jobs: readonly HostJob[]) => InsnState[];

/** Builds the runner, calls `use` with it, removes it. */
export function withHost(use: (run: RunOnHost) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'vectors-'));
  try {
    const runner = join(directory, 'run-insns');
    const source = join('tests', 'vectors', 'src', 'run-insns.c');
    const gcc = spawnSync('gcc', ['-O1', '-no-pie', '-o', runner, source], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
    use((jobs) => runAll(runner, jobs));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function runAll(runner: string, jobs: readonly HostJob[]): InsnState[] {
  const input = new Uint8Array(jobs.length * (CODE_SIZE + STATE_SIZE));
  jobs.forEach(({ code, before }, i) => {
    if (code.length >= CODE_SIZE) throw new Error(`${code.length} bytes of code`);
    const at = i * (CODE_SIZE + STATE_SIZE);
    input[at] = code.length;
    input.set(code, at + 1);
    input.set(before.bytes, at + CODE_SIZE);
  });
  const { stdout, status } = spawnSync(runner, { input, maxBuffer: 2 ** 30 });
  if (status !== 0 || stdout.length !== jobs.length * STATE_SIZE)
    throw new Error(`the runner ended with ${status} after ${stdout.length} bytes`);
  return jobs.map((_, i) => new InsnState(Uint8Array.from(stdout.subarray(i * STATE_SIZE, (i + 1) * STATE_SIZE))));
}
