/**
 * Runs sequences in a tier and compares with what the processor did. In: sequences, the host's states. Out: what differs.
 */
import { InternalError } from '../../../src/base/errors.js';
import type { PlacedCode, SequenceMachine, SequenceTier } from '../../support/sequence-machine.js';
import { type SequenceState, stateChanges } from '../../support/sequence-state.js';
import { ignoredAfter, type Sequence } from './generate.js';
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

const names = (d: Difference): string[] =>
  [...d.host, ...d.ours].map((change) => change.replace(/=.*/s, '').replace(/^\[.*/, 'memory'));

/** True when `d` may have the cause of `other`: it fails alike, or the same parts of the state differ. */
export function isAlike(d: Difference, other: Difference): boolean {
  if (d.error !== undefined || other.error !== undefined) return d.error?.slice(0, 24) === other.error?.slice(0, 24);
  const wanted = new Set(names(other));
  const got = names(d);
  return got.some((name) => wanted.has(name)) && got.includes('signal') === wanted.has('signal');
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

/** What `s` does otherwise in `machine` than `expected`, one for each of its states, says: for the first of them. Changes no state. */
function difference(
  machine: SequenceMachine,
  s: Sequence,
  index: number,
  expected: readonly SequenceState[],
): Difference | undefined {
  for (const [i, state] of [s.before, ...s.others].entries()) {
    const sequence = { ...s, before: state, others: [] };
    const want = expected[i]?.copy();
    if (want === undefined) throw new Error('a state without a result');
    let after: SequenceState;
    try {
      after = machine.run(state);
    } catch (e) {
      return { sequence, index, error: messageOf(e), host: [], ours: [] };
    }
    const ignored = ignoredAfter(s, want);
    want.normalise(ignored);
    after.normalise(ignored);
    if (Buffer.compare(after.bytes, want.bytes) === 0) continue;
    const before = state.copy().normalise(ignored);
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
  return undefined;
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
  expected: readonly (readonly SequenceState[])[],
  note: (number: number) => void = () => undefined,
): Difference[] {
  const found: Difference[] = [];
  const failed = prepared(machine, tier, sequences, 0, (s, i) => {
    note(s.number);
    const want = expected[i];
    const d = want === undefined ? undefined : difference(machine, s, i, want);
    if (d !== undefined) found.push(d);
  });
  return [...failed, ...found];
}
