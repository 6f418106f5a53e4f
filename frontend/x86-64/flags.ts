/**
 * Lazy flags at lift time: what is statically known of CC_OP, and conditions computed from it without the flags themselves.
 * In: the flag writes of instructions. Out: moves to the cc_ globals, and conditions as comparisons. Source: src/guest/flags.ts; SDM volume 1, appendix B (condition codes).
 *
 * The global cc_op is written only by sync(): before labels and exits. Between, the static value stands in each insn_start.
 */
import type { TempId } from '../../src/base/ids.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import { G } from '../../src/ir/globals.js';
import { type Cond, NEGATED } from '../../src/ir/types.js';
import type { Lifter } from './lifter.js';
import { bits, LOG2, type Size } from './operands.js';

/** A condition as a comparison of two i64. */
export interface Comparison {
  readonly cond: Cond;
  readonly a: TempId;
  readonly b: TempId;
}

/** Condition codes, the low four bits of Jcc and SETcc opcodes. */
export const CCODE = {
  O: 0,
  NO: 1,
  B: 2,
  AE: 3,
  E: 4,
  NE: 5,
  BE: 6,
  A: 7,
  S: 8,
  NS: 9,
  P: 10,
  NP: 11,
  L: 12,
  GE: 13,
  LE: 14,
  G: 15,
} as const;
/** Mnemonic suffix of each condition code. */
export const CONDITION_NAMES = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;

const SIZES: readonly Size[] = [1, 2, 4, 8];

export class Flags {
  /** CC_OP as statically known; -1: the global cc_op holds it. */
  private op = -1;
  /** The global cc_op holds `op` already. */
  private synced = true;
  /** Left operand of the last SUB, while it is known. */
  private left: TempId | undefined;
  private readonly owned: TempId[] = [];

  constructor(private readonly l: Lifter) {}

  get staticOp(): number {
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
    const oldOp = this.op >= 0 ? l.i32(this.op) : G.ccOp;
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
    this.left = undefined;
  }

  /** Brings the global cc_op in step. Needed before labels and exits. */
  sync(): void {
    if (this.op >= 0 && !this.synced) {
      this.l.emit('mov_i32', [G.ccOp, this.l.i32(this.op)]);
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
    this.left = undefined;
  }

  /** Frees what outlived its instruction; at the end of the TB. */
  release(): void {
    for (const t of this.owned) this.l.b.free(t);
    this.owned.length = 0;
  }

  /** All six flags at their EFLAGS positions, i64. */
  all(): TempId {
    if (this.op === CC.EFLAGS) return G.ccSrc;
    const op = this.op >= 0 ? this.l.i32(this.op) : G.ccOp;
    return this.l.callFor('cc_compute_all', [op, G.ccDst, G.ccSrc, G.ccSrc2]);
  }

  /** CF as 0 or 1, i64. */
  carry(): TempId {
    if (this.op < 0) return this.l.callFor('cc_compute_c', [G.ccOp, G.ccDst, G.ccSrc, G.ccSrc2]);
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
    const family = this.op & ~3;
    if (this.op > CC.EFLAGS) {
      const size = SIZES[this.op & 3] ?? 8;
      const known = family === CC.SUB ? this.afterSub(cc, size) : this.afterResult(family, cc, size);
      if (known !== undefined) return known;
    }
    return this.fromEflags(cc, this.all());
  }

  private afterSub(cc: number, size: Size): Comparison | undefined {
    const { l } = this;
    const left = (): TempId => this.left ?? l.add(G.ccDst, G.ccSrc);
    const unsigned = (cond: Cond): Comparison => ({ cond, a: l.zext(left(), size), b: l.zext(G.ccSrc, size) });
    const signed = (cond: Cond): Comparison => ({ cond, a: l.sext(left(), size), b: l.sext(G.ccSrc, size) });
    switch (cc) {
      case CCODE.B:
        return unsigned('ltu');
      case CCODE.BE:
        return unsigned('leu');
      case CCODE.E:
        return this.left === undefined ? this.zero(size) : unsigned('eq');
      case CCODE.L:
        return signed('lt');
      case CCODE.LE:
        return signed('le');
      case CCODE.O: {
        // Overflow: the operands' signs differ and the result's sign is not the left one's.
        const a = left();
        const v = l.and(l.xor(a, G.ccSrc), l.xor(a, G.ccDst));
        return { cond: 'lt', a: l.sext(v, size), b: l.i64(0) };
      }
      default:
        return this.ofResult(cc, size);
    }
  }

  /** Conditions of the other families, where they are cheap. */
  private afterResult(family: number, cc: number, size: Size): Comparison | undefined {
    const { l } = this;
    const never: Comparison = { cond: 'ne', a: l.i64(0), b: l.i64(0) };
    if (family === CC.LOGIC) {
      switch (cc) {
        case CCODE.O:
        case CCODE.B:
          return never;
        case CCODE.BE:
          return this.zero(size);
        case CCODE.L:
          return this.sign(size);
        case CCODE.LE:
          return { cond: 'le', a: l.sext(G.ccDst, size), b: l.i64(0) };
        default:
          return this.ofResult(cc, size);
      }
    }
    if (family === CC.ZERO) {
      if (cc === CCODE.E || cc === CCODE.BE || cc === CCODE.LE) return this.zero(size);
      return never;
    }
    if (family === CC.COMI) return this.afterComi(cc, size) ?? never;
    if (cc === CCODE.B) return this.carryOf(family, size);
    if (cc === CCODE.O && family === CC.MUL) return this.carryOf(family, size);
    return this.ofResult(cc, size);
  }

  /** Undefined for conditions that never hold. */
  private afterComi(cc: number, size: Size): Comparison | undefined {
    const { l } = this;
    const type = size === 4 ? 'f32' : 'f64';
    const float = (bits: TempId): TempId => l.e(`frombits_${type}`, [size === 4 ? l.lo(bits) : bits]);
    const a = float(G.ccDst);
    const b = float(G.ccSrc);
    const test = (cond: Cond, flag: TempId): Comparison => ({ cond, a: l.up(flag), b: l.i64(0) });
    const set = (op: string, x: TempId, y: TempId): TempId => l.e(`set${op}_${type}`, [x, y]);
    switch (cc) {
      case CCODE.B:
        return test('eq', set('le', b, a));
      case CCODE.BE:
        return test('eq', set('lt', b, a));
      case CCODE.E:
      case CCODE.LE:
        return test('eq', l.e('or_i32', [set('lt', a, b), set('lt', b, a)]));
      case CCODE.P:
        return test('ne', l.e('or_i32', [set('ne', a, a), set('ne', b, b)]));
      default:
        return undefined;
    }
  }

  private carryOf(family: number, size: Size): Comparison | undefined {
    const { l } = this;
    switch (family) {
      case CC.ADD:
        return { cond: 'ltu', a: l.zext(G.ccDst, size), b: l.zext(G.ccSrc, size) };
      case CC.INC:
      case CC.DEC:
        return { cond: 'ne', a: G.ccSrc, b: l.i64(0) };
      case CC.SHL:
        return { cond: 'tstne', a: G.ccSrc, b: l.i64(1n << BigInt(bits(size) - 1)) };
      case CC.SAR:
        return { cond: 'tstne', a: G.ccSrc, b: l.i64(1) };
      case CC.MUL:
        return { cond: 'ne', a: G.ccSrc, b: l.i64(0) };
      default:
        return undefined;
    }
  }

  /** ZF, SF, PF of the result in cc_dst. */
  private ofResult(cc: number, size: Size): Comparison | undefined {
    const { l } = this;
    switch (cc) {
      case CCODE.E:
        return this.zero(size);
      case CCODE.S:
        return this.sign(size);
      case CCODE.P:
        return { cond: 'tsteq', a: l.e('popcnt_i64', [l.zext(G.ccDst, 1)]), b: l.i64(1) };
      default:
        return undefined;
    }
  }

  private zero(size: Size): Comparison {
    return { cond: 'eq', a: this.l.zext(G.ccDst, size), b: this.l.i64(0) };
  }

  private sign(size: Size): Comparison {
    return { cond: 'lt', a: this.l.sext(G.ccDst, size), b: this.l.i64(0) };
  }

  private fromEflags(cc: number, flags: TempId): Comparison {
    const { l } = this;
    const test = (mask: number): Comparison => ({ cond: 'tstne', a: flags, b: l.i64(mask) });
    /** SF xor OF at bit 0 of the result. */
    const signXorOverflow = (): TempId => l.xor(l.shr(flags, l.i64(7)), l.shr(flags, l.i64(11)));
    switch (cc) {
      case CCODE.O:
        return test(FLAG.OF);
      case CCODE.B:
        return test(FLAG.CF);
      case CCODE.E:
        return test(FLAG.ZF);
      case CCODE.BE:
        return test(FLAG.CF | FLAG.ZF);
      case CCODE.S:
        return test(FLAG.SF);
      case CCODE.P:
        return test(FLAG.PF);
      case CCODE.L:
        return { cond: 'tstne', a: signXorOverflow(), b: l.i64(1) };
      default:
        // LE: ZF at bit 6 joined with SF xor OF at bit 0.
        return {
          cond: 'tstne',
          a: l.or(l.and(signXorOverflow(), l.i64(1)), l.and(flags, l.i64(FLAG.ZF))),
          b: l.i64(FLAG.ZF | 1),
        };
    }
  }
}
