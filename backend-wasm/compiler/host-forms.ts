/**
 * Helpers as the host's own instructions, where those do the same (host-simd.ts). In: the helper's name, its operands. Out: an expression.
 *
 * FMA leaves NaNs to the helper, which knows which of several wins, and the sign of a new one:
 *
 *     r = a * b + c;  any lane that counts is a NaN ? helper(code, a, b, c) : r
 *
 * Source: SDM 2A to 2C, CVTTPS2DQ, PMADDUBSW, PMULHRSW, VFMADD132PD and relatives.
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { FMA_NEGATE } from '../../src/guest/float-ops.js';
import type { Expr } from './flow.js';
import type { HostSimd } from './host-simd.js';

export interface FormContext {
  readonly m: binaryen.Module;
  readonly twice: (value: Expr) => readonly [Expr, Expr];
  /** Value of operand `i`, a constant. */
  readonly constant: (i: number) => number;
  /** The helper, of the same operands. */
  readonly helper: () => Expr;
}

/** `operands` give a new expression each time; each of them is taken. */
type Form = (c: FormContext, operands: readonly (() => Expr)[]) => Expr;

// Binaryen's JavaScript API has the op codes and no methods for them: its C API is there too, untyped.
interface RawBinaryen {
  readonly RelaxedSwizzleVecI8x16: number;
  readonly RelaxedTruncSVecF32x4ToVecI32x4: number;
  readonly RelaxedTruncZeroSVecF64x2ToVecI32x4: number;
  readonly RelaxedQ15MulrSVecI16x8: number;
  readonly RelaxedDotI8x16I7x16SToVecI16x8: number;
  readonly RelaxedMaddVecF64x2: number;
  readonly RelaxedNmaddVecF64x2: number;
  readonly RelaxedMaddVecF32x4: number;
  readonly RelaxedNmaddVecF32x4: number;
  readonly _BinaryenUnary: (m: number, op: number, a: Expr) => Expr;
  readonly _BinaryenBinary: (m: number, op: number, a: Expr, b: Expr) => Expr;
  readonly _BinaryenSIMDTernary: (m: number, op: number, a: Expr, b: Expr, c: Expr) => Expr;
}
const raw = binaryen as unknown as RawBinaryen;
const pointer = (m: binaryen.Module): number => (m as unknown as { readonly ptr: number }).ptr;

/** i8x16.relaxed_swizzle. */
export const relaxedSwizzle = (m: binaryen.Module, a: Expr, b: Expr): Expr =>
  raw._BinaryenBinary(pointer(m), raw.RelaxedSwizzleVecI8x16, a, b);

const operand = (operands: readonly (() => Expr)[], i: number): Expr => {
  const make = operands[i];
  if (make === undefined) throw new InternalError(`no operand ${i}`);
  return make();
};
const unary =
  (op: number): Form =>
  ({ m }, o) =>
    raw._BinaryenUnary(pointer(m), op, operand(o, 0));

interface FmaShape {
  readonly lanes: 'f64x2' | 'f32x4';
  /** The lowest lane alone counts. */
  readonly low: boolean;
}

const MADD = { f64x2: raw.RelaxedMaddVecF64x2, f32x4: raw.RelaxedMaddVecF32x4 } as const;
const NMADD = { f64x2: raw.RelaxedNmaddVecF64x2, f32x4: raw.RelaxedNmaddVecF32x4 } as const;
const BOTH = FMA_NEGATE.EVEN | FMA_NEGATE.ODD;
/** Sign bits of every second lane, the even ones. */
const EVEN_SIGNS = {
  f64x2: [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
  f32x4: [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0],
} as const;

const fma =
  ({ lanes, low }: FmaShape): Form =>
  ({ m, twice, constant, helper }, o) => {
    const code = constant(0);
    const op = (code & FMA_NEGATE.PRODUCT) === 0 ? MADD[lanes] : NMADD[lanes];
    const c = addend(m, lanes, code & BOTH, operand(o, 3));
    const [first, again] = twice(raw._BinaryenSIMDTernary(pointer(m), op, operand(o, 1), operand(o, 2), c));
    const isNan = low
      ? m[lanes === 'f64x2' ? 'f64' : 'f32'].ne(m[lanes].extract_lane(first, 0), m[lanes].extract_lane(again, 0))
      : m.v128.any_true(m[lanes].ne(first, again));
    return m.if(isNan, helper(), m.copyExpression(again));
  };

function addend(m: binaryen.Module, lanes: FmaShape['lanes'], negated: number, c: Expr): Expr {
  if (negated === 0) return c;
  const value = negated === FMA_NEGATE.ODD || negated === BOTH ? m[lanes].neg(c) : c;
  // Of the odd lanes alone: all of them, and the even ones once more.
  return negated === BOTH ? value : m.v128.xor(value, m.v128.const(EVEN_SIGNS[lanes]));
}

const forms: ReadonlyMap<string, { readonly needs: keyof HostSimd; readonly form: Form }> = new Map([
  ['fma_pd', { needs: 'fusedMadd', form: fma({ lanes: 'f64x2', low: false }) }],
  ['fma_ps', { needs: 'fusedMadd', form: fma({ lanes: 'f32x4', low: false }) }],
  ['fma_low_pd', { needs: 'fusedMadd', form: fma({ lanes: 'f64x2', low: true }) }],
  ['fma_low_ps', { needs: 'fusedMadd', form: fma({ lanes: 'f32x4', low: true }) }],
  ['truncate_ps', { needs: 'truncates', form: unary(raw.RelaxedTruncSVecF32x4ToVecI32x4) }],
  ['truncate_pd', { needs: 'truncates', form: unary(raw.RelaxedTruncZeroSVecF64x2ToVecI32x4) }],
  [
    'multiply_round',
    {
      needs: 'multipliesRounding',
      form: ({ m }, o) => raw._BinaryenBinary(pointer(m), raw.RelaxedQ15MulrSVecI16x8, operand(o, 0), operand(o, 1)),
    },
  ],
  [
    'multiply_add_bytes',
    {
      needs: 'multipliesBytes',
      // The helper's first operand is the unsigned one.
      form: ({ m }, o) =>
        raw._BinaryenBinary(pointer(m), raw.RelaxedDotI8x16I7x16SToVecI16x8, operand(o, 1), operand(o, 0)),
    },
  ],
] as const);

/** How the host does what the helper does; undefined where it does not. */
export function hostForm(host: HostSimd, helper: string): Form | undefined {
  const found = forms.get(helper);
  return found !== undefined && host[found.needs] ? found.form : undefined;
}
