/**
 * Conversions between floats and integers on one vector of 128 bits: lane functions, which know nothing of operands. In: v128 temps, integers. Out: a v128 temp or an integer.
 * Scalar results stand in the low element, with the rest from `a`. Source: SDM 2A, CVT*; integer indefinite: SDM volume 1, 4.8.3.7 and table E-1; rounding: MXCSR.RC, SDM volume 1, 4.8.4.
 */
import type { TempId } from '../../src/base/ids.js';
import { FLOAT_CONVERT, FLOAT_TRUNCATE } from '../../src/guest/float-ops.js';
import { codeOf, type FloatShape, isPrecise, shapeOf } from './float-lanes.js';
import type { Lifter } from './lifter.js';
import { withLow } from './vector.js';

const scalarOf = (t: 'ss' | 'sd'): 'f32' | 'f64' => (t === 'ss' ? 'f32' : 'f64');

/** CVTSI2SS, CVTSI2SD of an integer of `size` bytes in an i64. */
export function fromIntegerLane(t: 'ss' | 'sd', size: 4 | 8): (l: Lifter, a: TempId, value: TempId) => TempId {
  const type = scalarOf(t);
  return (l, a, value) => {
    if (isPrecise(l)) return l.callFor(`sse_from_integer_${t}`, [a, size === 8 ? value : l.sext(value, 4)]);
    const f = size === 8 ? l.e(`cvts_i64_${type}`, [value]) : l.e(`cvts_i32_${type}`, [l.lo(value)]);
    return l.e(`v_replace_${shapeOf(t)}`, [a, f], [0]);
  };
}

/** CVTSS2SI, CVTSD2SI of the low element, or their truncating forms: an i64 of 8 bytes, an i32 of 4. */
export function toIntegerLane(t: 'ss' | 'sd', size: 4 | 8, truncate: boolean): (l: Lifter, b: TempId) => TempId {
  const type = scalarOf(t);
  return (l, b) => {
    if (isPrecise(l)) {
      const code = l.i32(truncate ? FLOAT_TRUNCATE : 0);
      const r = l.callFor(`sse_to_integer_${t}`, [code, l.i32(size === 8 ? 1 : 0), b]);
      return size === 8 ? r : l.lo(r);
    }
    const whole = truncate ? b : rounded(l, shapeOf(t), b);
    const f = l.e(`v_extract_${shapeOf(t)}`, [whole], [0]);
    return l.e(size === 8 ? `trunc_${type}_i64` : `trunc_${type}_i32`, [f]);
  };
}

/** Elements rounded to integral values by MXCSR.RC. */
function rounded(l: Lifter, shape: FloatShape, a: TempId): TempId {
  return l.callFor(`round_${shape}`, [a]);
}

const precise = (l: Lifter, kind: number, a: TempId, b: TempId): TempId =>
  l.callFor('sse_convert', [codeOf(l, kind), a, b]);

/** CVTSS2SD. */
export function singleToDoubleLane(l: Lifter, a: TempId, b: TempId): TempId {
  if (isPrecise(l)) return precise(l, FLOAT_CONVERT.SS_SD, a, b);
  const f = l.e('v_extract_f32x4', [b], [0]);
  return l.e('v_replace_f64x2', [a, l.e('cvt_f32_f64', [f])], [0]);
}

/** CVTSD2SS. */
export function doubleToSingleLane(l: Lifter, a: TempId, b: TempId): TempId {
  if (isPrecise(l)) return precise(l, FLOAT_CONVERT.SD_SS, a, b);
  const f = l.e('v_extract_f64x2', [b], [0]);
  return l.e('v_replace_f32x4', [a, l.e('cvt_f64_f32', [f])], [0]);
}

/** CVTPS2PD: two singles in the low half. */
export function promoteLane(l: Lifter, b: TempId): TempId {
  return isPrecise(l) ? precise(l, FLOAT_CONVERT.PS_PD, b, b) : l.e('v_promote_low_f32x4', [b]);
}

/** CVTPD2PS: to the low half, the upper half zero. */
export function demoteLane(l: Lifter, b: TempId): TempId {
  return isPrecise(l) ? precise(l, FLOAT_CONVERT.PD_PS, b, b) : l.e('v_demote_f64x2', [b]);
}

/** CVTDQ2PS, and CVTDQ2PD of the two integers in the low half. */
export function fromIntegersLane(to: 'ps' | 'pd'): (l: Lifter, b: TempId) => TempId {
  return (l, b) => {
    // Every 32-bit integer is a double.
    if (to === 'pd') return l.e('v_cvt_low_i32x4_f64x2', [b]);
    return isPrecise(l) ? precise(l, FLOAT_CONVERT.DQ_PS, b, b) : l.e('v_cvt_i32x4_f32x4', [b]);
  };
}

/** CVTPI2PS: the two integers in the low half of `b` become the low half, the upper half is that of `a`. */
export function pairToSinglesLane(l: Lifter, a: TempId, b: TempId): TempId {
  if (isPrecise(l)) return precise(l, FLOAT_CONVERT.PI_PS, a, b);
  return withLow(l, a, l.e('v_cvt_i32x4_f32x4', [b]), 8);
}

/** CVTPS2PI, CVTTPS2PI: the two singles in the low half; the upper half of the result is unspecified. */
export function pairToIntegersLane(truncate: boolean): (l: Lifter, b: TempId) => TempId {
  const code = FLOAT_CONVERT.PS_PI | (truncate ? FLOAT_TRUNCATE : 0);
  return (l, b) => (isPrecise(l) ? precise(l, code, b, b) : toIntegersLane('ps', truncate)(l, b));
}

/** CVTPS2DQ and CVTPD2DQ (to the low half, the upper half zero), or their truncating forms. */
export function toIntegersLane(from: 'ps' | 'pd', truncate: boolean): (l: Lifter, b: TempId) => TempId {
  const code = (from === 'ps' ? FLOAT_CONVERT.PS_DQ : FLOAT_CONVERT.PD_DQ) | (truncate ? FLOAT_TRUNCATE : 0);
  return (l, b) =>
    isPrecise(l)
      ? precise(l, code, b, b)
      : l.callFor(`truncate_${from}`, [truncate ? b : rounded(l, shapeOf(from), b)]);
}
