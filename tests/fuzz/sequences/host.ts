/**
 * Runs sequences on the host's processor. In: sequences at CODE + CODE_SLOT * n. Out: the states after. Needs an x86-64 host and gcc.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODE, SequenceState, STATE_SIZE } from '../../support/sequence-state.js';
import { CODE_SLOT, type Sequence, slotAddress } from './generate.js';

/** Bytes of struct header. */
const HEADER = 16;
const INT3 = 0xcc;

export class SequenceHost {
  private readonly directory: string;
  private readonly runner: string;

  /** Throws an Error when gcc can't build the runner. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'sequences-'));
    this.runner = join(this.directory, 'run-sequences');
    const source = join('tests', 'vectors', 'src', 'run-sequences.c');
    const gcc = spawnSync('gcc', ['-O2', '-mno-red-zone', '-o', this.runner, source], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** The sequences' states after them, in order. Each stands at a place of its own: `rip` of its states says which. */
  run(sequences: readonly Sequence[]): SequenceState[][] {
    const places = sequences.map((s) => (s.before.rip - slotAddress(0)) / CODE_SLOT);
    if (new Set(places).size !== places.length) throw new Error('two sequences in one place');
    const count = Math.max(...places) + 1;
    const befores = sequences.flatMap((s) => [s.before, ...s.others]);
    const input = new Uint8Array(HEADER + count * CODE_SLOT + befores.length * STATE_SIZE);
    input.fill(INT3, HEADER, HEADER + count * CODE_SLOT);
    new DataView(input.buffer).setUint32(0, count, true);
    new DataView(input.buffer).setUint32(4, CODE_SLOT, true);
    new DataView(input.buffer).setUint32(8, slotAddress(0) - CODE, true);
    new DataView(input.buffer).setUint32(12, befores.length, true);
    const states = HEADER + count * CODE_SLOT;
    sequences.forEach((s, i) => {
      input.set(s.code, HEADER + (places[i] ?? 0) * CODE_SLOT);
    });
    befores.forEach((before, i) => {
      input.set(before.bytes, states + i * STATE_SIZE);
    });
    const { stdout, status, signal } = spawnSync(this.runner, { input, maxBuffer: 2 ** 30 });
    if (status !== 0 || stdout.length !== befores.length * STATE_SIZE)
      throw new Error(`the runner ended with ${status ?? signal ?? ''} after ${stdout.length} bytes`);
    let from = 0;
    return sequences.map((s) =>
      Array.from(
        { length: 1 + s.others.length },
        () => new SequenceState(Uint8Array.from(stdout.subarray(from, (from += STATE_SIZE)))),
      ),
    );
  }
}
