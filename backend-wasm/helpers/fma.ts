/**
 * Products and sums rounded once. In: FMA_NEGATE, operands (vectors or bits). Out: a * b + c. Two ways: fma_* round to nearest without flags, sse_fma_* do as MXCSR says.
 * Usual values: in f32, the sum in f64 rounded to odd, then to f32; in f64, error-free transformations and the small terms' sum rounded to odd. The rest is exact, by integers.
 * Source: SDM volume 1, 14.5 (FMA), 4.8.3.5 (NaNs), 11.5; S. Boldo, G. Melquiond: Emulation of a FMA and correctly rounded sums (IEEE TC 57, 2008); T. J. Dekker (1971), product in two parts.
 */
import { FLOAT_OP_DEFER, FMA_NEGATE_EVEN, FMA_NEGATE_ODD, FMA_NEGATE_PRODUCT } from '../interpreter/gen/constants';
import { mulhu } from './mul';
import {
  infinity, invalid, isDenormal, isNan, isSignaling, magnitude, normaliseAndRound, operand, quietBit, round, signBit, unpack, unpackedExp, unpackedSig,
} from './sse-exact';
import { begin, beginPlain, DE, DOWN, finish, IE, isQuick, raisePre, rc } from './sse-state';

// ---------------------------------------------------------------- exact, by integers

const TOP: u64 = 0x8000000000000000;

/** A shift of hi:lo to the right whose lost bits stay in the lowest one. */
let jammedHi: u64 = 0;
let jammedLo: u64 = 0;
function jam(hi: u64, lo: u64, shift: i32): void {
  if (shift == 0) {
    jammedHi = hi;
    jammedLo = lo;
  } else if (shift < 64) {
    jammedHi = hi >> shift;
    jammedLo = (hi << (64 - shift)) | (lo >> shift) | <u64>(lo << (64 - shift) != 0);
  } else if (shift < 128) {
    const far = shift - 64;
    jammedHi = 0;
    jammedLo = far == 0 ? hi | <u64>(lo != 0) : (hi >> far) | <u64>((hi << (64 - far) | lo) != 0);
  } else {
    jammedHi = 0;
    jammedLo = 1;
  }
}

/** The exact zero of a sum of opposite signs. */
// @ts-ignore: decorator
@inline
function exactZero<T>(): u64 {
  return rc == DOWN ? signBit<T>() : 0;
}

/** a * b + c of NaNs: the first of them, quiet. */
function nanOfThree<T>(a: u64, b: u64, c: u64): u64 {
  if (isSignaling<T>(a) || isSignaling<T>(b) || isSignaling<T>(c)) raisePre(IE);
  return (isNan<T>(a) ? a : isNan<T>(b) ? b : c) | quietBit<T>();
}

/** a * b + c; `flipProduct` and `flipAddend` are sign bits or 0. */
function exact<T>(a: u64, b: u64, c: u64, flipProduct: u64, flipAddend: u64): u64 {
  a = operand<T>(a);
  b = operand<T>(b);
  c = operand<T>(c);
  const ma = magnitude<T>(a);
  const mb = magnitude<T>(b);
  const isInfinite = ma == infinity<T>() || mb == infinity<T>();
  const isZero = ma == 0 || mb == 0;
  // A quiet NaN as addend hides an invalid product, on the processors that recorded the vectors.
  if (isNan<T>(a) || isNan<T>(b) || isNan<T>(c)) return nanOfThree<T>(a, b, c);
  if (isInfinite && isZero) return invalid<T>();
  let sign = (a ^ b ^ flipProduct) & signBit<T>();
  c ^= flipAddend;
  const other = c & signBit<T>();
  const mc = magnitude<T>(c);
  if (isInfinite && mc == infinity<T>() && sign != other) return invalid<T>();
  if (isDenormal<T>(a) || isDenormal<T>(b) || isDenormal<T>(c)) raisePre(DE);
  if (isInfinite) return sign | infinity<T>();
  if (mc == infinity<T>()) return c;
  if (isZero && mc == 0) return sign == other ? c : exactZero<T>();
  let hi: u64 = 0;
  let lo: u64 = 0;
  let exp = 0;
  if (!isZero) {
    unpack<T>(a);
    exp = unpackedExp + 1;
    const sa = unpackedSig;
    unpack<T>(b);
    exp += unpackedExp;
    hi = <u64>mulhu(sa, unpackedSig);
    lo = sa * unpackedSig;
    if ((hi & TOP) == 0) {
      hi = (hi << 1) | (lo >> 63);
      lo <<= 1;
      exp--;
    }
    if (mc == 0) return round<T>(sign, exp, hi, lo);
  }
  unpack<T>(c);
  if (isZero) return round<T>(other, unpackedExp, unpackedSig, 0);
  // The larger magnitude stays, the smaller one is shifted to it.
  const isDifference = sign != other;
  let smallHi = unpackedSig;
  let smallLo: u64 = 0;
  let shift = exp - unpackedExp;
  if (shift < 0 || (shift == 0 && smallHi > hi)) {
    shift = -shift;
    exp = unpackedExp;
    smallLo = lo;
    smallHi = hi;
    hi = unpackedSig;
    lo = 0;
    sign = other;
  }
  jam(smallHi, smallLo, shift);
  if (isDifference) {
    const borrow = <u64>(lo < jammedLo);
    lo -= jammedLo;
    hi -= jammedHi + borrow;
    return (hi | lo) == 0 ? exactZero<T>() : normaliseAndRound<T>(sign, exp, hi, lo);
  }
  lo += jammedLo;
  const carry = <u64>(lo < jammedLo);
  const sum = hi + jammedHi;
  const total = sum + carry;
  if (sum >= hi && total >= sum) return round<T>(sign, exp, total, lo);
  return round<T>(sign, exp + 1, (total >> 1) | TOP, (total << 63) | (lo >> 1) | (lo & 1));
}

// ---------------------------------------------------------------- usual values

/** x + y rounded to odd: `sum` is x + y to nearest, `error` what that lacks. */
// @ts-ignore: decorator
@inline
function toOdd(sum: f64, error: f64): f64 {
  const bits = reinterpret<i64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return reinterpret<f64>(bits + (error > 0 == sum > 0 ? 1 : -1));
}

/** What fl(x + y) = sum lacks. */
// @ts-ignore: decorator
@inline
function sumError(x: f64, y: f64, sum: f64): f64 {
  const t = sum - x;
  return x - (sum - t) + (y - t);
}

/** NaN where the values are none of the usual. The product of two f32 is exact in f64. */
// @ts-ignore: decorator
@inline
function quickSingle(a: f32, b: f32, c: f32): f32 {
  const p = <f64>a * <f64>b;
  const s = p + <f64>c;
  if (!(abs(s) < Infinity)) return <f32>NaN;
  return <f32>toOdd(s, sumError(p, <f64>c, s));
}

/** 2^-400 to 2^400: products of such values and their rounding errors are normal numbers. */
const LEAST_FACTOR: f64 = 3.872591914849318e-121;
const MOST_FACTOR: f64 = 2.582249878086909e120;
/** 2^-900 to 2^900. */
const LEAST_ADDEND: f64 = 1.1830521861667747e-271;
const MOST_ADDEND: f64 = 8.452712498170644e270;
/** 2^27 + 1. */
const SPLITTER: f64 = 134217729;

// @ts-ignore: decorator
@inline
function isFactor(x: f64): bool {
  const m = abs(x);
  return m > LEAST_FACTOR && m < MOST_FACTOR;
}

/** NaN where the values are none of the usual. */
// @ts-ignore: decorator
@inline
function quickDouble(a: f64, b: f64, c: f64): f64 {
  const m = abs(c);
  if (!isFactor(a) || !isFactor(b) || !(m > LEAST_ADDEND && m < MOST_ADDEND)) return NaN;
  const p = a * b;
  const ta = SPLITTER * a;
  const ah = ta - (ta - a);
  const al = a - ah;
  const tb = SPLITTER * b;
  const bh = tb - (tb - b);
  const bl = b - bh;
  const low = al * bl - (p - ah * bh - al * bh - ah * bl);
  const t = c + low;
  const tLow = sumError(c, low, t);
  const v = p + t;
  const vLow = sumError(p, t, v);
  const rest = tLow + vLow;
  return v + toOdd(rest, sumError(tLow, vLow, rest));
}

// ---------------------------------------------------------------- elements

// @ts-ignore: decorator
@inline
function addendBit(odd: bool): i32 {
  return odd ? FMA_NEGATE_ODD : FMA_NEGATE_EVEN;
}

/** The usual values' result, or else the exact one. */
function double(code: i32, odd: bool, a: u64, b: u64, c: u64): u64 {
  const flipProduct = code & FMA_NEGATE_PRODUCT ? signBit<f64>() : 0;
  const flipAddend = code & addendBit(odd) ? signBit<f64>() : 0;
  const r = quickDouble(reinterpret<f64>(a ^ flipProduct), reinterpret<f64>(b), reinterpret<f64>(c ^ flipAddend));
  return r == r ? reinterpret<u64>(r) : exact<f64>(a, b, c, flipProduct, flipAddend);
}

function single(code: i32, odd: bool, a: u32, b: u32, c: u32): u32 {
  const flipProduct = code & FMA_NEGATE_PRODUCT ? <u32>signBit<f32>() : 0;
  const flipAddend = code & addendBit(odd) ? <u32>signBit<f32>() : 0;
  const r = quickSingle(reinterpret<f32>(a ^ flipProduct), reinterpret<f32>(b), reinterpret<f32>(c ^ flipAddend));
  return r == r ? reinterpret<u32>(r) : <u32>exact<f32>(a, b, c, flipProduct, flipAddend);
}

export function fma_low_pd(code: i32, a: v128, b: v128, c: v128): v128 {
  beginPlain();
  return v128.splat<u64>(double(code, false, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0), v128.extract_lane<u64>(c, 0)));
}

export function fma_low_ps(code: i32, a: v128, b: v128, c: v128): v128 {
  beginPlain();
  return v128.splat<u32>(single(code, false, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0), v128.extract_lane<u32>(c, 0)));
}

export function fma_pd(code: i32, a: v128, b: v128, c: v128): v128 {
  beginPlain();
  const low = double(code, false, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0), v128.extract_lane<u64>(c, 0));
  const high = double(code, true, v128.extract_lane<u64>(a, 1), v128.extract_lane<u64>(b, 1), v128.extract_lane<u64>(c, 1));
  return v128.replace_lane<u64>(v128.splat<u64>(low), 1, high);
}

export function fma_ps(code: i32, a: v128, b: v128, c: v128): v128 {
  beginPlain();
  let r = v128.splat<u32>(single(code, false, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0), v128.extract_lane<u32>(c, 0)));
  r = v128.replace_lane<u32>(r, 1, single(code, true, v128.extract_lane<u32>(a, 1), v128.extract_lane<u32>(b, 1), v128.extract_lane<u32>(c, 1)));
  r = v128.replace_lane<u32>(r, 2, single(code, false, v128.extract_lane<u32>(a, 2), v128.extract_lane<u32>(b, 2), v128.extract_lane<u32>(c, 2)));
  return v128.replace_lane<u32>(r, 3, single(code, true, v128.extract_lane<u32>(a, 3), v128.extract_lane<u32>(b, 3), v128.extract_lane<u32>(c, 3)));
}

// ---------------------------------------------------------------- by MXCSR

/** The smallest normal f32. */
const NORMAL_F32: f32 = 1.17549435e-38;

// @ts-ignore: decorator
@inline
function isNormalSingle(x: u32): bool {
  const m = abs(reinterpret<f32>(x));
  return m >= NORMAL_F32 && m < <f32>Infinity;
}

/** `quick`: usual values can change nothing in MXCSR (isQuick). */
function doubleByMxcsr(code: i32, quick: bool, odd: bool, a: u64, b: u64, c: u64): u64 {
  const flipProduct = code & FMA_NEGATE_PRODUCT ? signBit<f64>() : 0;
  const flipAddend = code & addendBit(odd) ? signBit<f64>() : 0;
  if (quick) {
    const r = quickDouble(reinterpret<f64>(a ^ flipProduct), reinterpret<f64>(b), reinterpret<f64>(c ^ flipAddend));
    if (r == r) return reinterpret<u64>(r);
  }
  return exact<f64>(a, b, c, flipProduct, flipAddend);
}

function singleByMxcsr(code: i32, quick: bool, odd: bool, a: u32, b: u32, c: u32): u32 {
  const flipProduct = code & FMA_NEGATE_PRODUCT ? <u32>signBit<f32>() : 0;
  const flipAddend = code & addendBit(odd) ? <u32>signBit<f32>() : 0;
  if (quick && isNormalSingle(a) && isNormalSingle(b) && isNormalSingle(c)) {
    const r = quickSingle(reinterpret<f32>(a ^ flipProduct), reinterpret<f32>(b), reinterpret<f32>(c ^ flipAddend));
    // At twice the smallest normal number nothing was tiny before rounding.
    if (abs(r) >= 2 * NORMAL_F32 && abs(r) < <f32>Infinity) return reinterpret<u32>(r);
  }
  return <u32>exact<f32>(a, b, c, flipProduct, flipAddend);
}

export function sse_fma_pd(cpu: i32, code: i32, a: v128, b: v128, c: v128): v128 {
  const quick = isQuick(<usize>cpu);
  begin(<usize>cpu);
  const low = doubleByMxcsr(code, quick, false, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0), v128.extract_lane<u64>(c, 0));
  const high = doubleByMxcsr(code, quick, true, v128.extract_lane<u64>(a, 1), v128.extract_lane<u64>(b, 1), v128.extract_lane<u64>(c, 1));
  finish(<usize>cpu, code & FLOAT_OP_DEFER);
  return v128.replace_lane<u64>(v128.splat<u64>(low), 1, high);
}

export function sse_fma_ps(cpu: i32, code: i32, a: v128, b: v128, c: v128): v128 {
  const quick = isQuick(<usize>cpu);
  begin(<usize>cpu);
  let r = v128.splat<u32>(singleByMxcsr(code, quick, false, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0), v128.extract_lane<u32>(c, 0)));
  r = v128.replace_lane<u32>(r, 1, singleByMxcsr(code, quick, true, v128.extract_lane<u32>(a, 1), v128.extract_lane<u32>(b, 1), v128.extract_lane<u32>(c, 1)));
  r = v128.replace_lane<u32>(r, 2, singleByMxcsr(code, quick, false, v128.extract_lane<u32>(a, 2), v128.extract_lane<u32>(b, 2), v128.extract_lane<u32>(c, 2)));
  r = v128.replace_lane<u32>(r, 3, singleByMxcsr(code, quick, true, v128.extract_lane<u32>(a, 3), v128.extract_lane<u32>(b, 3), v128.extract_lane<u32>(c, 3)));
  finish(<usize>cpu, code & FLOAT_OP_DEFER);
  return r;
}

export function sse_fma_sd(cpu: i32, code: i32, a: v128, b: v128, c: v128): v128 {
  const quick = isQuick(<usize>cpu);
  begin(<usize>cpu);
  const r = doubleByMxcsr(code, quick, false, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0), v128.extract_lane<u64>(c, 0));
  finish(<usize>cpu, 0);
  return v128.splat<u64>(r);
}

export function sse_fma_ss(cpu: i32, code: i32, a: v128, b: v128, c: v128): v128 {
  const quick = isQuick(<usize>cpu);
  begin(<usize>cpu);
  const r = singleByMxcsr(code, quick, false, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0), v128.extract_lane<u32>(c, 0));
  finish(<usize>cpu, 0);
  return v128.splat<u32>(r);
}
