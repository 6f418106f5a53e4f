/**
 * The fma helpers as the host's own instruction, where that rounds once (host-simd.ts). In: the helper's name, its code and operands. Out: an expression.
 *
 *     r = a * b + c;  any lane that counts is a NaN ? helper(code, a, b, c) : r
 *
 * Which of several NaNs wins, and the sign of a new one, is the helper's to say. Source: SDM 2C, VFMADD132PD and relatives.
 */
import binaryen from 'binaryen';
import { FMA_NEGATE } from '../../src/guest/float-ops.js';
import type { Expr } from './flow.js';

interface Shape {
  readonly lanes: 'f64x2' | 'f32x4';
  /** The lowest lane alone counts. */
  readonly low: boolean;
}

/** Helpers that have such a form, by name. */
export const FUSED: ReadonlyMap<string, Shape> = new Map([
  ['fma_pd', { lanes: 'f64x2', low: false }],
  ['fma_ps', { lanes: 'f32x4', low: false }],
  ['fma_low_pd', { lanes: 'f64x2', low: true }],
  ['fma_low_ps', { lanes: 'f32x4', low: true }],
]);

const BOTH = FMA_NEGATE.EVEN | FMA_NEGATE.ODD;
/** Sign bits of every second lane, the even ones. */
const EVEN_SIGNS = {
  f64x2: [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
  f32x4: [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0],
} as const;

export interface FusedContext {
  readonly m: binaryen.Module;
  readonly twice: (value: Expr) => readonly [Expr, Expr];
  /** The helper, of the same operands. */
  readonly helper: () => Expr;
}

/** `operands` give a new expression each time. */
export function fusedMadd(
  { m, twice, helper }: FusedContext,
  { lanes, low }: Shape,
  code: number,
  [a, b, c]: readonly [() => Expr, () => Expr, () => Expr],
): Expr {
  const op = (code & FMA_NEGATE.PRODUCT) === 0 ? MADD[lanes] : NMADD[lanes];
  const [first, again] = twice(ternary(m, op, a(), b(), addend(m, lanes, code & BOTH, c())));
  const isNan = low
    ? m[lanes === 'f64x2' ? 'f64' : 'f32'].ne(m[lanes].extract_lane(first, 0), m[lanes].extract_lane(again, 0))
    : m.v128.any_true(m[lanes].ne(first, again));
  return m.if(isNan, helper(), m.copyExpression(again));
}

function addend(m: binaryen.Module, lanes: Shape['lanes'], negated: number, c: Expr): Expr {
  if (negated === 0) return c;
  const value = negated === FMA_NEGATE.ODD || negated === BOTH ? m[lanes].neg(c) : c;
  // Of the odd lanes alone: all of them, and the even ones once more.
  return negated === BOTH ? value : m.v128.xor(value, m.v128.const(EVEN_SIGNS[lanes]));
}

// Binaryen's JavaScript API has the op codes and no methods for them: its C API is there too, untyped.
interface RawBinaryen {
  readonly RelaxedMaddVecF64x2: number;
  readonly RelaxedNmaddVecF64x2: number;
  readonly RelaxedMaddVecF32x4: number;
  readonly RelaxedNmaddVecF32x4: number;
  _BinaryenSIMDTernary(m: number, op: number, a: Expr, b: Expr, c: Expr): Expr;
}
const raw = binaryen as unknown as RawBinaryen;
const MADD = { f64x2: raw.RelaxedMaddVecF64x2, f32x4: raw.RelaxedMaddVecF32x4 } as const;
const NMADD = { f64x2: raw.RelaxedNmaddVecF64x2, f32x4: raw.RelaxedNmaddVecF32x4 } as const;

function ternary(m: binaryen.Module, op: number, a: Expr, b: Expr, c: Expr): Expr {
  return raw._BinaryenSIMDTernary((m as unknown as { readonly ptr: number }).ptr, op, a, b, c);
}
