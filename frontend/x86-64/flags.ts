/**
 * Lazy flags at lift time: what is statically known of CC_OP, and conditions computed from it without the flags themselves.
 * In: the flag writes of instructions. Out: moves to the cc_ globals, and conditions as comparisons. Source: src/guest/flags.ts; SDM volume 1, appendix B (condition codes).
 *
 * The global cc_op is written only by sync(): before labels and exits. Between, the static value stands in each insn_start.
 */
import type { TempId } from '../../src/base/ids.js';
import { CC } from '../../src/guest/flags.js';
import { flagsUsed, G } from '../../src/ir/globals.js';
import { type Cond, NEGATED } from '../../src/ir/types.js';
import { CCODE, type Comparison, conditionOf, conditionOfEflags } from './conditions.js';
import type { Lifter } from './lifter.js';
import { LOG2, type Size } from './operands.js';

/** What is known of the lazy flags between two instructions. */
export interface FlagState {
  /** CC_OP as statically known; -1: the global cc_op holds it. */
  readonly op: number;
  /** The global cc_op holds `op` already. */
  readonly synced: boolean;
}

export class Flags {
  private op = -1;
  private synced = true;
  /** Something has depended on the state at the start: `assume` resets it. */
  private startRead = false;
  private written = false;
  /** Left operand of the last SUB, while it is known. */
  private left: TempId | undefined;
  private readonly owned: TempId[] = [];

  constructor(private readonly l: Lifter) {}

  get staticOp(): number {
    return this.op;
  }

  get state(): FlagState {
    return { op: this.op, synced: this.synced };
  }

  /** The state at the start of an instruction that is lifted by itself (separate.ts). */
  assume(state: FlagState): void {
    ({ op: this.op, synced: this.synced } = state);
    this.startRead = this.written = false;
  }

  /** Whether what was lifted since `assume` depends on its state; and whether the state is another one now, whatever it was. */
  get dependsOnStart(): boolean {
    return this.startRead;
  }
  get isWritten(): boolean {
    return this.written;
  }

  private read(): number {
    this.startRead ||= !this.written;
    return this.op;
  }

  /** The flags come from an operation of `family` on `size` bytes. Values as src/guest/flags.ts says. */
  set(family: number, size: Size, dst: TempId, src?: TempId, src2?: TempId): void {
    const { l } = this;
    // Sources first: dst may be the global that a source temp aliases.
    if (src !== undefined) l.mov(G.ccSrc, src);
    if (src2 !== undefined) l.mov(G.ccSrc2, src2);
    l.mov(G.ccDst, dst);
    this.know(family + LOG2[size]);
  }

  /** As set for SUB, keeping the left operand for the conditions that follow. */
  setSub(size: Size, left: TempId, right: TempId, result: TempId): void {
    if (this.l.options.separate === true) {
      this.set(CC.SUB, size, result, right);
      return;
    }
    const kept = this.l.b.temp('i64');
    this.owned.push(kept);
    this.l.mov(kept, left);
    this.set(CC.SUB, size, result, right);
    this.left = kept;
  }

  /** As set, unless `a <cond> b`: then all flags stay. CC_OP is dynamic from here on. */
  setUnless(cond: Cond, a: TempId, b: TempId, family: number, size: Size, dst: TempId, src: TempId): void {
    const { l } = this;
    const keep = l.copy(l.setcond(cond, a, b));
    const zero = l.i64(0);
    const op = this.read();
    const oldOp = op >= 0 ? l.i32(op) : G.ccOp;
    l.mov(G.ccSrc, l.movcond('ne', keep, zero, G.ccSrc, src));
    l.mov(G.ccDst, l.movcond('ne', keep, zero, G.ccDst, dst));
    l.emit('movcond_i32', [G.ccOp, l.lo(keep), l.i32(0), oldOp, l.i32(family + LOG2[size])], ['ne']);
    this.joinDynamic();
  }

  /** The flags are `value` (i64, at their EFLAGS positions). */
  setEflags(value: TempId): void {
    this.l.mov(G.ccSrc, value);
    this.know(CC.EFLAGS);
  }

  /** The flags are those of COMISS (4) or COMISD (8) on the low lanes of `a` and `b` (v128). */
  setComi(size: 4 | 8, a: TempId, b: TempId): void {
    this.l.emit('v_extract_i64x2', [G.ccDst, a], [0]);
    this.l.emit('v_extract_i64x2', [G.ccSrc, b], [0]);
    this.know(CC.COMI + LOG2[size]);
  }

  private know(op: number): void {
    this.op = op;
    this.synced = false;
    this.written = true;
    this.left = undefined;
  }

  /** Brings the global cc_op in step. Needed before labels and exits. */
  sync(): void {
    const op = this.read();
    if (op >= 0 && !this.synced) {
      this.l.emit('mov_i32', [G.ccOp, this.l.i32(op)]);
      this.synced = true;
    }
  }

  /** A label stands here: only what all paths agree on is known. Every branch to it came after sync(). */
  join(): void {
    this.left = undefined;
  }

  /** A label that paths with different CC_OPs reach (each synced): the global cc_op holds it. */
  joinDynamic(): void {
    this.op = -1;
    this.synced = true;
    this.written = true;
    this.left = undefined;
  }

  /** Frees what outlived its instruction; at the end of the TB. */
  release(): void {
    for (const t of this.owned) this.l.b.free(t);
    this.owned.length = 0;
  }

  /** All six flags at their EFLAGS positions, i64. */
  all(): TempId {
    const { l } = this;
    const known = this.read();
    if (known === CC.EFLAGS) return G.ccSrc;
    if (known < 0) return l.callFor('cc_compute_all', [G.ccOp, G.ccDst, G.ccSrc, G.ccSrc2]);
    // What CC_OP does not use is not read: behind an XOR, the flags of the ROL before it would live on as its unused source.
    const used = flagsUsed(known);
    const values = [G.ccDst, G.ccSrc, G.ccSrc2].map((id) => (used.includes(id) ? id : l.i64(0)));
    return l.callFor('cc_compute_all', [l.i32(known), ...values]);
  }

  /** CF as 0 or 1, i64. */
  carry(): TempId {
    if (this.read() < 0) return this.l.callFor('cc_compute_c', [G.ccOp, G.ccDst, G.ccSrc, G.ccSrc2]);
    const { cond, a, b } = this.condition(CCODE.B);
    return this.l.setcond(cond, a, b);
  }

  /** Condition code `cc` as 0 or 1, i64. */
  value(cc: number): TempId {
    const { cond, a, b } = this.condition(cc);
    return this.l.setcond(cond, a, b);
  }

  /** Condition code `cc` as a comparison. */
  condition(cc: number): Comparison {
    const positive = this.positive(cc & ~1);
    return (cc & 1) === 0 ? positive : { ...positive, cond: NEGATED[positive.cond] };
  }

  private positive(cc: number): Comparison {
    const known = conditionOf(this.l, this.read(), cc, this.left);
    return known ?? conditionOfEflags(this.l, cc, this.all());
  }
}
