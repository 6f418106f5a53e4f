/**
 * Runs sequences in a tier and compares with what the processor did. In: sequences, the host's states. Out: what differs.
 */
import { InternalError } from '../../../src/base/errors.js';
import type { PlacedCode, SequenceMachine, SequenceTier } from '../../support/sequence-machine.js';
import { type SequenceState, stateChanges } from '../../support/sequence-state.js';
import { ignoredAfter, normalise, type Sequence } from './generate.js';
import { entryPoints } from './program.js';

export interface Difference {
  readonly sequence: Sequence;
  /** Index among those that were run. */
  readonly index: number;
  /** What lift64 threw, if it did. */
  readonly error: string | undefined;
  /** What each has that the other has not. */
  readonly host: readonly string[];
  readonly ours: readonly string[];
}

export const placed = (s: Sequence): PlacedCode => ({
  at: s.before.rip,
  code: s.code,
  entries: entryPoints(s.program, s.before.rip),
});

const messageOf = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e);
  return e instanceof InternalError ? [e.message, ...e.details].join('\n') : (e.stack ?? e.message);
};

/** What `s` does otherwise in `machine` than `expected` says. Changes neither state. */
function difference(
  machine: SequenceMachine,
  sequence: Sequence,
  index: number,
  expected: SequenceState,
): Difference | undefined {
  let after: SequenceState;
  try {
    after = machine.run(sequence.before);
  } catch (e) {
    return { sequence, index, error: messageOf(e), host: [], ours: [] };
  }
  const want = expected.copy();
  normalise(sequence, want, after);
  if (Buffer.compare(after.bytes, want.bytes) === 0) return undefined;
  const before = sequence.before.copy().normalise(ignoredAfter(sequence, expected));
  const host = stateChanges(before, want);
  const ours = stateChanges(before, after);
  const outside = host.join() === ours.join() ? ['memory outside of the windows'] : [];
  return {
    sequence,
    index,
    error: undefined,
    host: host.filter((x) => !ours.includes(x)),
    ours: [...ours.filter((x) => !host.includes(x)), ...outside],
  };
}

/** Prepares `sequences`, half after half where preparing all fails, so that those that make it fail are found. */
function prepared(
  machine: SequenceMachine,
  tier: SequenceTier,
  sequences: readonly Sequence[],
  first: number,
  each: (s: Sequence, index: number) => void,
): Difference[] {
  try {
    machine.prepare(tier, sequences.map(placed));
  } catch (e) {
    const [only] = sequences;
    if (only !== undefined && sequences.length === 1)
      return [{ sequence: only, index: first, error: messageOf(e), host: [], ours: [] }];
    const half = sequences.length >> 1;
    return [
      ...prepared(machine, tier, sequences.slice(0, half), first, each),
      ...prepared(machine, tier, sequences.slice(half), first + half, each),
    ];
  }
  sequences.forEach((s, i) => {
    each(s, first + i);
  });
  return [];
}

export function differences(
  machine: SequenceMachine,
  tier: SequenceTier,
  sequences: readonly Sequence[],
  expected: readonly SequenceState[],
): Difference[] {
  const found: Difference[] = [];
  const failed = prepared(machine, tier, sequences, 0, (s, i) => {
    const want = expected[i];
    const d = want === undefined ? undefined : difference(machine, s, i, want);
    if (d !== undefined) found.push(d);
  });
  return [...failed, ...found];
}
