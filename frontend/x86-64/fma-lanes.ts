/**
 * FMA3 and F16C on one vector of 128 bits: lane functions. In: v128 temps. Out: a v128 temp. Helpers compute (backend-wasm/helpers/fma.ts, half.ts), rounded to nearest, or, once the guest has
 * loaded MXCSR, as that says (float-lanes.ts). Source: SDM 2C, VFMADD132PD and relatives, VCVTPH2PS, VCVTPS2PH.
 */
import type { TempId } from '../../src/base/ids.js';
import { FMA_NEGATE } from '../../src/guest/float-ops.js';
import { codeOf, type FloatType, isPrecise } from './float-lanes.js';
import type { Lifter } from './lifter.js';

/** What is negated, by mnemonic. */
export const FMA_SIGNS = {
  vfmadd: 0,
  vfmsub: FMA_NEGATE.EVEN | FMA_NEGATE.ODD,
  vfnmadd: FMA_NEGATE.PRODUCT,
  vfnmsub: FMA_NEGATE.PRODUCT | FMA_NEGATE.EVEN | FMA_NEGATE.ODD,
  vfmaddsub: FMA_NEGATE.EVEN,
  vfmsubadd: FMA_NEGATE.ODD,
} as const;

/** a * b + c with the signs of `code`; of scalar types the low element is the result, what stands above it is unspecified. */
export function fmaLane(l: Lifter, t: FloatType, code: number, a: TempId, b: TempId, c: TempId): TempId {
  if (isPrecise(l)) return l.callFor(`sse_fma_${t}`, [codeOf(l, code), a, b, c]);
  const name = t === 'ps' || t === 'pd' ? `fma_${t}` : `fma_low_p${t.slice(1)}`;
  return l.callFor(name, [l.i32(code), a, b, c]);
}

/** VCVTPH2PS: the four halves in the low half. */
export function halfToSingleLane(l: Lifter, a: TempId): TempId {
  return isPrecise(l) ? l.callFor('sse_half_to_single', [codeOf(l, 0), a]) : l.callFor('half_to_single', [a]);
}

/** VCVTPS2PH: to the low half, the upper half zero. */
export function singleToHalfLane(l: Lifter, a: TempId, imm: number): TempId {
  const code = imm & 7;
  return isPrecise(l)
    ? l.callFor('sse_single_to_half', [codeOf(l, code), a])
    : l.callFor('single_to_half', [l.i32(code), a]);
}
