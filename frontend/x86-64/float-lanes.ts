/**
 * Floating-point arithmetic and comparisons on one vector of 128 bits: lane functions, which know nothing of operands. In: v128 temps. Out: a v128 temp.
 * Packed types work on all elements; `ss` and `sd` on the lowest, with the rest of the result from `a` (the destination of legacy SSE, the first source of VEX).
 * Two ways: operations of the host, which round to nearest and set no flags; or, once the guest has loaded MXCSR (LiftOptions.preciseFloat), helpers that do what MXCSR says.
 * Scalars are computed on all lanes: host SSE gives the guest's NaNs that way. Source: SDM 2A/2B; NaN rules: SDM volume 1, table 4-7; MIN and MAX: SDM 2B, MINPS; predicates: SDM 2A, CMPPD, table 3-1.
 */
import type { TempId } from '../../src/base/ids.js';
import { FLOAT_OP, OUTCOME, PREDICATE_HOLDS } from '../../src/guest/float-ops.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle, withLow } from './vector.js';

export type FloatType = 'ps' | 'pd' | 'ss' | 'sd';
export type FloatShape = 'f32x4' | 'f64x2';
/** A function of two vectors; functions of one operand take it as `b`. */
export type Lane = (l: Lifter, a: TempId, b: TempId) => TempId;

export const shapeOf = (t: FloatType): FloatShape => (t === 'ps' || t === 'ss' ? 'f32x4' : 'f64x2');

/** `value` as the result of type `t`: whole, or its low element above which `a` stays. */
export function placed(l: Lifter, t: FloatType, a: TempId, value: TempId): TempId {
  return t === 'ss' || t === 'sd' ? withLow(l, a, value, t === 'ss' ? 4 : 8) : value;
}

/**
 * A float operation on 256 bits: `lane` for half 0 (low), then for half 1; gives both. One instruction's exceptions are those of both halves, so the first leaves them to the second:
 * apply lane functions to halves through this alone.
 */
export function inHalves(l: Lifter, lane: (half: 0 | 1) => TempId): readonly [TempId, TempId] {
  l.deferExceptions = true;
  const low = lane(0);
  l.deferExceptions = false;
  return [low, lane(1)];
}

const BINARY = {
  add: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_add_${s}`, [a, b]),
  sub: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_sub_${s}`, [a, b]),
  mul: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_mul_${s}`, [a, b]),
  div: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_div_${s}`, [a, b]),
  // a < b ? a : b, and b when either is NaN or both are zero.
  min: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_pmin_${s}`, [b, a]),
  max: (l: Lifter, s: FloatShape, a: TempId, b: TempId) => l.e(`v_pmax_${s}`, [b, a]),
} as const;
export type FloatOp = keyof typeof BINARY;

const CODE = {
  add: FLOAT_OP.ADD,
  sub: FLOAT_OP.SUB,
  mul: FLOAT_OP.MUL,
  div: FLOAT_OP.DIV,
  min: FLOAT_OP.MIN,
  max: FLOAT_OP.MAX,
} as const;

export const isPrecise = (l: Lifter): boolean => l.options.preciseFloat === true;

/** A helper's first argument: an operation, which in the first of two halves leaves its exceptions. */
export const codeOf = (l: Lifter, op: number): TempId => l.i32(l.deferExceptions ? op | FLOAT_OP.DEFER : op);

/** An operation (FLOAT_OP) by helper. */
export const preciseLane = (l: Lifter, t: FloatType, op: number, a: TempId, b: TempId): TempId =>
  l.callFor(`sse_${t}`, [codeOf(l, op), a, b]);

/** ADD SUB MUL DIV MIN MAX. */
export function binaryLane(op: FloatOp, t: FloatType): Lane {
  return (l, a, b) =>
    isPrecise(l) ? preciseLane(l, t, CODE[op], a, b) : placed(l, t, a, BINARY[op](l, shapeOf(t), a, b));
}

/** SQRT of `b`. */
export function sqrtLane(t: FloatType): Lane {
  return (l, a, b) =>
    isPrecise(l) ? preciseLane(l, t, FLOAT_OP.SQRT, a, b) : placed(l, t, a, l.e(`v_sqrt_${shapeOf(t)}`, [b]));
}

/** RCP and RSQRT of `b`: no exceptions, no rounding control. */
export function reciprocalLane(t: 'ps' | 'ss', ofRoot: boolean): Lane {
  return (l, a, b) => placed(l, t, a, l.callFor(ofRoot ? 'rsqrt_f32x4' : 'rcp_f32x4', [b]));
}

const [LT, EQ, GT, UN] = [OUTCOME.LESS, OUTCOME.EQUAL, OUTCOME.GREATER, OUTCOME.UNORDERED] as const;

/** CMP with a predicate of 0 to 31: elements all ones or zero. */
export function compareLane(t: FloatType, predicate: number): Lane {
  return (l, a, b) =>
    isPrecise(l)
      ? preciseLane(l, t, FLOAT_OP.CMP + (predicate & 31), a, b)
      : placed(l, t, a, compared(l, shapeOf(t), PREDICATE_HOLDS[predicate & 15] ?? 0, a, b));
}

function compared(l: Lifter, s: FloatShape, holds: number, a: TempId, b: TempId): TempId {
  // What holds for NaNs is the negation of what does not.
  if ((holds & UN) !== 0) return l.e('v_not', [compared(l, s, holds ^ (LT | EQ | GT | UN), a, b)]);
  const self = (x: TempId): TempId => l.e(`v_eq_${s}`, [x, x]);
  switch (holds) {
    case 0:
      return l.v128(0n);
    case LT:
      return l.e(`v_lt_${s}`, [a, b]);
    case LT | EQ:
      return l.e(`v_le_${s}`, [a, b]);
    case EQ:
      return l.e(`v_eq_${s}`, [a, b]);
    case GT:
      return l.e(`v_lt_${s}`, [b, a]);
    case GT | EQ:
      return l.e(`v_le_${s}`, [b, a]);
    case LT | GT:
      return l.e('v_or', [l.e(`v_lt_${s}`, [a, b]), l.e(`v_lt_${s}`, [b, a])]);
    default:
      return l.e('v_and', [self(a), self(b)]);
  }
}

/** COMI and UCOMI (`quiet`) of the low elements: EFLAGS. */
export function compareFlagsLane(l: Lifter, t: 'ss' | 'sd', quiet: boolean, a: TempId, b: TempId): void {
  if (isPrecise(l)) l.flags.setEflags(l.callFor(`sse_comi_${t}`, [l.i32(quiet ? 1 : 0), a, b]));
  else l.flags.setComi(t === 'ss' ? 4 : 8, a, b);
}

/** HADD, HSUB: sums or differences of neighbours, those of `a`, then those of `b`. */
export function horizontalLane(op: 'add' | 'sub', t: 'ps' | 'pd'): Lane {
  const [even, odd] =
    t === 'ps' ? [lanes(4, [0, 2, 4, 6]), lanes(4, [1, 3, 5, 7])] : [lanes(8, [0, 2]), lanes(8, [1, 3])];
  return (l, a, b) => binaryLane(op, t)(l, shuffle(l, a, b, even), shuffle(l, a, b, odd));
}

/** ADDSUB: even elements subtract, odd ones add. */
export function addSubLane(t: 'ps' | 'pd'): Lane {
  const list = t === 'ps' ? lanes(4, [0, 5, 2, 7]) : lanes(8, [0, 3]);
  return (l, a, b) =>
    isPrecise(l)
      ? preciseLane(l, t, FLOAT_OP.ADDSUB, a, b)
      : shuffle(l, binaryLane('sub', t)(l, a, b), binaryLane('add', t)(l, a, b), list);
}
