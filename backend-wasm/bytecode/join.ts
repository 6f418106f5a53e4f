/**
 * Joins ops of a TB that the interpreter does at one dispatch. In: bytecode. Out: the same, with opcodes of joined-ops.ts in the first ones' places, the longest that fit.
 */
import { opcodes, opcodeSize } from './opcodes.js';

/** What may follow a number of ops. */
interface Step {
  readonly next: Map<number, Step>;
  /** Opcode of the ops so far; undefined where only more of them are joined. */
  code: number | undefined;
}

interface Joins {
  readonly start: Step;
  /** Bytes of an op by its opcode. */
  readonly sizes: readonly number[];
}

let joins: Joins | undefined;

function findJoins(): Joins {
  const start: Step = { next: new Map(), code: undefined };
  for (const o of opcodes()) {
    if (o.joined === undefined) continue;
    let step = start;
    for (const { code } of o.joined) {
      let next = step.next.get(code);
      if (next === undefined) step.next.set(code, (next = { next: new Map(), code: undefined }));
      step = next;
    }
    step.code = o.code;
  }
  return { start, sizes: opcodes().map(opcodeSize) };
}

/** The ops from `from` to `to`, indices into `words`. */
export function joinOps(words: Uint16Array, from: number, to: number): void {
  const { start, sizes } = (joins ??= findJoins());
  const sizeAt = (at: number): number => (sizes[words[at] ?? 0] ?? 0) / 2;
  for (let at = from; at < to;) {
    let next = at + sizeAt(at);
    let joined: number | undefined;
    let step = start.next.get(words[at] ?? 0);
    for (let end = next; step !== undefined && end < to; end += sizeAt(end)) {
      step = step.next.get(words[end] ?? 0);
      if (step?.code === undefined) continue;
      joined = step.code;
      next = end + sizeAt(end);
    }
    if (joined !== undefined) words[at] = joined;
    at = next;
  }
}
