/**
 * SSE conversions with MXCSR. In: FLOAT_CONVERT, two vectors (scalar results stand in the low element, the rest from `a`), integers. Out: the result; MXCSR; #XM.
 * Source: SDM 2A, CVT*; integer indefinite: SDM volume 1, table E-1.
 */
import {
  FLOAT_CONVERT_DQ_PS, FLOAT_CONVERT_PD_PS, FLOAT_CONVERT_PI_PS, FLOAT_CONVERT_PS_DQ, FLOAT_CONVERT_PS_PD, FLOAT_CONVERT_PS_PI, FLOAT_CONVERT_SD_SS,
  FLOAT_CONVERT_SS_SD, FLOAT_OP_DEFER, FLOAT_TRUNCATE,
} from '../interpreter/gen/constants';
import { fromInteger, narrow, operand, widen } from './sse-exact';
import { roundedDouble } from './sse-round';
import { begin, finish, IE, PE, raisePost, raisePre, roundBy } from './sse-state';

const TOWARD_ZERO: i32 = 3;

/** 2^31 and 2^63. */
const LIMIT_32: f64 = 2147483648.0;
const LIMIT_64: f64 = 9223372036854775808.0;

function toInteger32(x: f64): i32 {
  const whole = roundedDouble(x);
  if (whole >= -LIMIT_32 && whole < LIMIT_32) {
    if (whole != x) raisePost(PE);
    return <i32>whole;
  }
  raisePre(IE);
  return i32.MIN_VALUE;
}

function toInteger64(x: f64): i64 {
  const whole = roundedDouble(x);
  if (whole >= -LIMIT_64 && whole < LIMIT_64) {
    if (whole != x) raisePost(PE);
    return <i64>whole;
  }
  raisePre(IE);
  return i64.MIN_VALUE;
}

// @ts-ignore: decorator
@inline
function single(x: u32): f64 {
  return <f64>reinterpret<f32>(<u32>operand<f32>(x));
}
// @ts-ignore: decorator
@inline
function double(x: u64): f64 {
  return reinterpret<f64>(operand<f64>(x));
}
// @ts-ignore: decorator
@inline
function magnitudeOf(x: i64): u64 {
  return x < 0 ? 0 - <u64>x : <u64>x;
}
// @ts-ignore: decorator
@inline
function singleOf(x: i32): u32 {
  return <u32>fromInteger<f32>(x < 0, magnitudeOf(x));
}

/** Elements 0 and 1, or all four, of `b` to integers. */
function singlesToIntegers(b: v128, all: bool): v128 {
  let r = v128.splat<i64>(0);
  r = v128.replace_lane<i32>(r, 0, toInteger32(single(v128.extract_lane<u32>(b, 0))));
  r = v128.replace_lane<i32>(r, 1, toInteger32(single(v128.extract_lane<u32>(b, 1))));
  if (!all) return r;
  r = v128.replace_lane<i32>(r, 2, toInteger32(single(v128.extract_lane<u32>(b, 2))));
  return v128.replace_lane<i32>(r, 3, toInteger32(single(v128.extract_lane<u32>(b, 3))));
}

function integersToSingles(a: v128, b: v128, all: bool): v128 {
  let r = v128.replace_lane<u32>(a, 0, singleOf(v128.extract_lane<i32>(b, 0)));
  r = v128.replace_lane<u32>(r, 1, singleOf(v128.extract_lane<i32>(b, 1)));
  if (!all) return r;
  r = v128.replace_lane<u32>(r, 2, singleOf(v128.extract_lane<i32>(b, 2)));
  return v128.replace_lane<u32>(r, 3, singleOf(v128.extract_lane<i32>(b, 3)));
}

function convert(kind: i32, a: v128, b: v128): v128 {
  const zero = v128.splat<i64>(0);
  switch (kind) {
    case FLOAT_CONVERT_SS_SD:
      return v128.replace_lane<u64>(a, 0, widen(v128.extract_lane<u32>(b, 0)));
    case FLOAT_CONVERT_SD_SS:
      return v128.replace_lane<u32>(a, 0, <u32>narrow(v128.extract_lane<u64>(b, 0)));
    case FLOAT_CONVERT_PS_PD: {
      const low = v128.splat<u64>(widen(v128.extract_lane<u32>(b, 0)));
      return v128.replace_lane<u64>(low, 1, widen(v128.extract_lane<u32>(b, 1)));
    }
    case FLOAT_CONVERT_PD_PS: {
      const low = v128.replace_lane<u32>(zero, 0, <u32>narrow(v128.extract_lane<u64>(b, 0)));
      return v128.replace_lane<u32>(low, 1, <u32>narrow(v128.extract_lane<u64>(b, 1)));
    }
    case FLOAT_CONVERT_DQ_PS:
      return integersToSingles(a, b, true);
    case FLOAT_CONVERT_PI_PS:
      return integersToSingles(a, b, false);
    case FLOAT_CONVERT_PS_DQ:
      return singlesToIntegers(b, true);
    case FLOAT_CONVERT_PS_PI:
      return singlesToIntegers(b, false);
    default: {
      const low = v128.replace_lane<i32>(zero, 0, toInteger32(double(v128.extract_lane<u64>(b, 0))));
      return v128.replace_lane<i32>(low, 1, toInteger32(double(v128.extract_lane<u64>(b, 1))));
    }
  }
}

/** Conversions from vector to vector. */
export function sse_convert(cpu: i32, code: i32, a: v128, b: v128): v128 {
  const c = <usize>cpu;
  begin(c);
  if (code & FLOAT_TRUNCATE) roundBy(TOWARD_ZERO);
  const r = convert(code & ~(FLOAT_OP_DEFER | FLOAT_TRUNCATE), a, b);
  finish(c, code);
  return r;
}

function integerOf(c: usize, code: i32, x: f64, wide: i32): i64 {
  if (code & FLOAT_TRUNCATE) roundBy(TOWARD_ZERO);
  const r = wide ? toInteger64(x) : <i64>toInteger32(x);
  finish(c, 0);
  return r;
}

/** CVTSS2SI and CVTTSS2SI (FLOAT_TRUNCATE in `code`), to 64 bits or, sign-extended, 32. */
export function sse_to_integer_ss(cpu: i32, code: i32, wide: i32, b: v128): i64 {
  begin(<usize>cpu);
  return integerOf(<usize>cpu, code, single(v128.extract_lane<u32>(b, 0)), wide);
}
export function sse_to_integer_sd(cpu: i32, code: i32, wide: i32, b: v128): i64 {
  begin(<usize>cpu);
  return integerOf(<usize>cpu, code, double(v128.extract_lane<u64>(b, 0)), wide);
}

/** Integers of at most so much are floats. */
const EXACT_F32: u64 = 1 << 24;
const EXACT_F64: u64 = (<u64>1) << 53;

/** CVTSI2SS, CVTSI2SD of a 64-bit integer. */
export function sse_from_integer_ss(cpu: i32, a: v128, value: i64): v128 {
  if (magnitudeOf(value) <= EXACT_F32) return v128.replace_lane<f32>(a, 0, <f32>value);
  begin(<usize>cpu);
  const r = fromInteger<f32>(value < 0, magnitudeOf(value));
  finish(<usize>cpu, 0);
  return v128.replace_lane<u32>(a, 0, <u32>r);
}
export function sse_from_integer_sd(cpu: i32, a: v128, value: i64): v128 {
  if (magnitudeOf(value) <= EXACT_F64) return v128.replace_lane<f64>(a, 0, <f64>value);
  begin(<usize>cpu);
  const r = fromInteger<f64>(value < 0, magnitudeOf(value));
  finish(<usize>cpu, 0);
  return v128.replace_lane<u64>(a, 0, r);
}
