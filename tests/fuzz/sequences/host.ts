/**
 * Runs sequences on the host's processor. In: sequences at CODE + CODE_SLOT * n. Out: the states after. Needs an x86-64 host and gcc.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODE, SequenceState, STATE_SIZE } from '../../support/sequence-state.js';
import { CODE_SLOT, type Sequence } from './generate.js';

/** Bytes of struct header. */
const HEADER = 8;

export class SequenceHost {
  private readonly directory: string;
  private readonly runner: string;

  /** Throws an Error when gcc can't build the runner. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'sequences-'));
    this.runner = join(this.directory, 'run-sequences');
    const source = join('tests', 'vectors', 'src', 'run-sequences.c');
    const gcc = spawnSync('gcc', ['-O2', '-o', this.runner, source], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** The sequences' states after them, in order. Each stands at a place of its own: `rip` of its state says which. */
  run(sequences: readonly Sequence[]): SequenceState[] {
    const places = sequences.map((s) => (s.before.rip - CODE) / CODE_SLOT);
    const count = Math.max(...places) + 1;
    if (new Set(places).size !== places.length) throw new Error('two sequences in one place');
    const input = new Uint8Array(HEADER + count * (CODE_SLOT + STATE_SIZE));
    const view = new DataView(input.buffer);
    view.setUint32(0, count, true);
    view.setUint32(4, CODE_SLOT, true);
    const states = HEADER + count * CODE_SLOT;
    // Places without a sequence: INT3.
    input.fill(0xcc, HEADER, states);
    for (let n = 0; n < count; n++)
      view.setBigUint64(states + n * STATE_SIZE + 136, BigInt(CODE + n * CODE_SLOT), true);
    sequences.forEach((s, i) => {
      const place = places[i] ?? 0;
      input.set(s.code, HEADER + place * CODE_SLOT);
      input.set(s.before.bytes, states + place * STATE_SIZE);
    });
    const { stdout, status, signal } = spawnSync(this.runner, { input, maxBuffer: 2 ** 30 });
    if (status !== 0 || stdout.length !== count * STATE_SIZE)
      throw new Error(`the runner ended with ${status ?? signal ?? ''} after ${stdout.length} bytes`);
    return places.map(
      (place) => new SequenceState(Uint8Array.from(stdout.subarray(place * STATE_SIZE, (place + 1) * STATE_SIZE))),
    );
  }
}
