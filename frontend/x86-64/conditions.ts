/**
 * Conditions from the lazy state: each as one comparison of two i64, without the flags themselves where that is cheap. In: a static CC_OP and a condition code. Out: a Comparison.
 * Source: src/guest/flags.ts (what the globals hold); SDM volume 1, appendix B (condition codes).
 */
import type { TempId } from '../../src/base/ids.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import { G } from '../../src/ir/globals.js';
import type { Cond } from '../../src/ir/types.js';
import type { Lifter } from './lifter.js';
import { bits, type Size } from './operands.js';

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
const SIZES: readonly Size[] = [1, 2, 4, 8];

/**
 * Condition code `cc`, of the even ones, when CC_OP is `op`; undefined where the flags are better computed. `left` is the left operand of the last SUB, while it is known.
 */
export function conditionOf(l: Lifter, op: number, cc: number, left?: TempId): Comparison | undefined {
  if (op <= CC.EFLAGS) return undefined;
  return new Conditions(l, op & ~3, SIZES[op & 3] ?? 8, left).of(cc);
}

class Conditions {
  constructor(
    private readonly l: Lifter,
    private readonly family: number,
    private readonly size: Size,
    private readonly left: TempId | undefined,
  ) {}

  of(cc: number): Comparison | undefined {
    switch (this.family) {
      case CC.SUB:
        return this.afterSub(cc);
      case CC.LOGIC:
        return this.afterLogic(cc);
      case CC.ZERO:
        return cc === CCODE.E || cc === CCODE.BE || cc === CCODE.LE ? this.zero() : this.never();
      case CC.COMI:
        return this.afterComi(cc);
    }
    switch (cc) {
      case CCODE.B:
        return this.carry();
      case CCODE.O:
        return this.overflow();
      case CCODE.L:
        return this.negative();
      case CCODE.LE:
        return this.notPositive();
      case CCODE.BE:
        return undefined;
      default:
        return this.ofResult(cc);
    }
  }

  private afterSub(cc: number): Comparison {
    const { l, size } = this;
    const left = (): TempId => this.left ?? l.add(G.ccDst, G.ccSrc);
    const unsigned = (cond: Cond): Comparison => ({ cond, a: l.zext(left(), size), b: l.zext(G.ccSrc, size) });
    const signed = (cond: Cond): Comparison => ({ cond, a: l.sext(left(), size), b: l.sext(G.ccSrc, size) });
    switch (cc) {
      case CCODE.B:
        return unsigned('ltu');
      case CCODE.BE:
        return unsigned('leu');
      case CCODE.E:
        return this.left === undefined ? this.zero() : unsigned('eq');
      case CCODE.L:
        return signed('lt');
      case CCODE.LE:
        return signed('le');
      case CCODE.O: {
        // Overflow: the operands' signs differ and the result's sign is not the left one's.
        const a = left();
        return this.signOf(l.and(l.xor(a, G.ccSrc), l.xor(a, G.ccDst)));
      }
      default:
        return this.ofResult(cc);
    }
  }

  private afterLogic(cc: number): Comparison {
    switch (cc) {
      case CCODE.O:
      case CCODE.B:
        return this.never();
      case CCODE.BE:
        return this.zero();
      case CCODE.L:
        return this.signOf(G.ccDst);
      case CCODE.LE:
        return { cond: 'le', a: this.l.sext(G.ccDst, this.size), b: this.l.i64(0) };
      default:
        return this.ofResult(cc);
    }
  }

  private afterComi(cc: number): Comparison {
    const { l } = this;
    const type = this.size === 4 ? 'f32' : 'f64';
    const float = (pattern: TempId): TempId => l.e(`frombits_${type}`, [this.size === 4 ? l.lo(pattern) : pattern]);
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
        return this.never();
    }
  }

  private carry(): Comparison | undefined {
    const { l, size } = this;
    const narrow = (v: TempId): TempId => l.zext(v, size);
    switch (this.family) {
      case CC.ADD:
        return { cond: 'ltu', a: narrow(G.ccDst), b: narrow(G.ccSrc) };
      case CC.ADC:
        return this.carryWith(narrow(G.ccDst), narrow(G.ccSrc));
      case CC.SBB:
        return this.carryWith(narrow(l.add(l.add(G.ccDst, G.ccSrc), G.ccSrc2)), narrow(G.ccSrc));
      case CC.INC:
      case CC.DEC:
      case CC.MUL:
        return { cond: 'ne', a: G.ccSrc, b: l.i64(0) };
      case CC.SHL:
        return { cond: 'tstne', a: G.ccSrc, b: l.i64(1n << BigInt(bits(size) - 1)) };
      case CC.SAR:
        return { cond: 'tstne', a: G.ccSrc, b: l.i64(1) };
      default:
        return undefined;
    }
  }

  /** a < b, or a = b with a carry in. */
  private carryWith(a: TempId, b: TempId): Comparison {
    const { l } = this;
    const equal = l.and(l.setcond('eq', a, b), G.ccSrc2);
    return { cond: 'ne', a: l.or(l.setcond('ltu', a, b), equal), b: l.i64(0) };
  }

  private overflow(): Comparison | undefined {
    const { l, size } = this;
    const top = 1n << BigInt(bits(size) - 1);
    switch (this.family) {
      case CC.ADD:
        return this.signOf(this.addOverflow());
      case CC.INC:
        return { cond: 'eq', a: l.zext(G.ccDst, size), b: l.i64(top) };
      case CC.DEC:
        return { cond: 'eq', a: l.zext(G.ccDst, size), b: l.i64(top - 1n) };
      case CC.MUL:
        return this.carry();
      case CC.SHL:
      case CC.SAR:
        return this.signOf(l.xor(G.ccSrc, G.ccDst));
      default:
        return undefined;
    }
  }

  /** Its sign is OF: both operands of the addition have a sign that the result has not. */
  private addOverflow(): TempId {
    const { l } = this;
    const a = l.sub(G.ccDst, G.ccSrc);
    return l.and(l.xor(a, G.ccDst), l.xor(G.ccSrc, G.ccDst));
  }

  /** SF is not OF: the exact result is negative. */
  private negative(): Comparison | undefined {
    switch (this.family) {
      case CC.ADD:
        return this.signOf(this.l.xor(G.ccDst, this.addOverflow()));
      case CC.INC:
      case CC.DEC:
        return this.stepped('lt');
      default:
        return undefined;
    }
  }

  private notPositive(): Comparison | undefined {
    return this.family === CC.INC || this.family === CC.DEC ? this.stepped('le') : undefined;
  }

  /** The exact result of INC or DEC against 0: what it was made from against -1 or 1. */
  private stepped(cond: Cond): Comparison {
    const { l } = this;
    const step = this.family === CC.INC ? -1 : 1;
    return { cond, a: l.sext(l.add(G.ccDst, l.i64(step)), this.size), b: l.i64(step) };
  }

  /** ZF, SF or PF of the result in cc_dst. */
  private ofResult(cc: number): Comparison {
    const { l } = this;
    if (cc === CCODE.E) return this.zero();
    if (cc === CCODE.S) return this.signOf(G.ccDst);
    return { cond: 'tsteq', a: l.e('popcnt_i64', [l.zext(G.ccDst, 1)]), b: l.i64(1) };
  }

  private never(): Comparison {
    return { cond: 'ne', a: this.l.i64(0), b: this.l.i64(0) };
  }

  private zero(): Comparison {
    return { cond: 'eq', a: this.l.zext(G.ccDst, this.size), b: this.l.i64(0) };
  }

  private signOf(v: TempId): Comparison {
    return { cond: 'lt', a: this.l.sext(v, this.size), b: this.l.i64(0) };
  }
}

/** Condition code `cc`, of the even ones, from the flags at their EFLAGS positions. */
export function conditionOfEflags(l: Lifter, cc: number, flags: TempId): Comparison {
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
