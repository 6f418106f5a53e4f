/**
 * Makes a sequence that differs smaller: fewer instructions, simpler registers and memory, as long as a tier still differs from the processor. In: a sequence and how to try. Out: the smallest found.
 */
import { HANG, SequenceState } from '../../support/sequence-state.js';
import type { Difference } from './compare.js';
import { type Sequence, slotAddress, withProgram } from './generate.js';
import type { Program } from './program.js';

/** Runs candidates, each at a place of its own, on the host and in the tier; gives what differs. */
export type Try = (candidates: readonly Sequence[]) => readonly Difference[];

const RSP = 4;
/** Candidates of one try. */
const BATCH = 200;

/** `s` moved to place `n`, where its code allows it. */
type Place = (s: Sequence, n: number) => Sequence | undefined;

export function shrink(start: Sequence, attempt: Try): Sequence {
  const firstOf = (candidates: readonly (Sequence | undefined)[]): Sequence | undefined => {
    const list = candidates.filter((c) => c !== undefined);
    for (let n = 0; n < list.length; n += BATCH) {
      const moved = list.slice(n, n + BATCH).flatMap((c, i) => place(c, i) ?? []);
      const [found] = attempt(moved);
      if (found !== undefined) return found.sequence;
    }
    return undefined;
  };
  let best = start;
  for (let changed = true; changed;) {
    changed = false;
    for (let size = best.program.length >> 1; size >= 1; size >>= 1) {
      for (;;) {
        const smaller = firstOf(without(best.program, size).map((program) => withProgram(best, program)));
        if (smaller === undefined) break;
        best = smaller;
        changed = true;
      }
    }
    for (;;) {
      const simpler = firstOf(simplerStates(best.before).map((before) => ({ ...best, before })));
      if (simpler === undefined) break;
      best = simpler;
      changed = true;
    }
  }
  return best;
}

/** Programs that lack `size` items in a row; what the sequence ends with stays. */
function without(program: Program, size: number): Program[] {
  const list: Program[] = [];
  for (let at = 0; at < program.length; at += size) {
    const kept = program.filter((item, i) => i < at || i >= at + size || (item.kind === 'insn' && item.flow === 'end'));
    // A label that a branch still goes to stays too, or assembling fails.
    if (kept.length < program.length) list.push(kept);
  }
  return list;
}

/** States with one thing made zero that is not. */
function simplerStates(s: SequenceState): SequenceState[] {
  const list: SequenceState[] = [];
  const add = (change: (copy: SequenceState) => void): void => {
    const copy = s.copy();
    change(copy);
    if (Buffer.compare(copy.bytes, s.bytes) !== 0) list.push(copy);
  };
  // Memory, all of it, halves, lines.
  const { length } = s.memory;
  for (let size = length; size >= 16; size >>= 1)
    for (let at = 0; at < length; at += size) add((c) => c.memory.fill(0, at, at + size));
  const wides = Array.from({ length: 16 }, (_, n) => [SequenceState.xmm(n), SequenceState.ymmh(n)]).flat();
  add((c) => {
    for (const at of wides) c.setWide(at, 0n);
  });
  for (const at of wides)
    add((c) => {
      c.setWide(at, 0n);
    });
  for (let n = 0; n < 8; n++)
    add((c) => {
      c.setExtended(SequenceState.st(n), 0n);
    });
  for (let n = 0; n < 16; n++)
    for (const value of [0n, 1n])
      if (n !== RSP && s.gpr(n) > value)
        add((c) => {
          c.setGpr(n, value);
        });
  add((c) => (c.rflags = 0x202));
  for (let bit = 0; bit < 12; bit++) if (bit !== 9 && bit !== 1) add((c) => (c.rflags &= ~(1 << bit)));
  add((c) => (c.fcw = 0x37f));
  add((c) => (c.fsw = 0));
  add((c) => (c.valid = 0));
  add((c) => (c.mxcsr = 0x1f80));
  return list;
}

/** Candidates that end on the host. */
export const ends = (states: readonly SequenceState[]): boolean => states.every((s) => s.signal !== HANG);

/** Sequences are moved by whole places, so that their addresses stay alike. */
export const place: Place = (s, n) => {
  const before = s.before.copy();
  before.rip = slotAddress(n);
  return withProgram({ ...s, before }, s.program);
};
