/**
 * F16C: half precision to single and back. In: four values in a vector, the immediate of VCVTPS2PH. Out: four values; exceptions by MXCSR in the sse_* forms.
 * Halves that are denormal are exact singles and raise nothing; MXCSR.FTZ does not count. Source: SDM 2C, VCVTPH2PS, VCVTPS2PH; volume 1, 14.4.1 (half-precision conversion), 4.9.1.5 (tininess).
 */
import { FLOAT_OP_DEFER } from '../interpreter/gen/constants';
import { infinity, isDenormal, isSignaling, magnitude, operand } from './sse-exact';
import {
  begin, DE, DOWN, finish, IE, NEAREST, OE, overflowIsMasked, PE, raisePost, raisePre, rc, roundBy, UE, underflowIsMasked, UP,
} from './sse-state';

/** Bit of the immediate: round by MXCSR.RC. */
const BY_MXCSR: i32 = 4;

const HALF_INFINITY: u32 = 0x7c00;
const HALF_QUIET: u32 = 0x200;
const HALF_MOST: u32 = 0x7bff;
/** Least exponent of a normal half. */
const HALF_LEAST: i32 = -14;
/** Fraction bits that a half lacks. */
const DROP: i32 = 13;

function toSingle(h: u32): u32 {
  const sign = (h & 0x8000) << 16;
  const m = h & 0x7fff;
  if (m > HALF_INFINITY) {
    if ((m & HALF_QUIET) == 0) raisePre(IE);
    return sign | 0x7fc00000 | (m << DROP);
  }
  if (m == HALF_INFINITY) return sign | 0x7f800000;
  // A half's bits as those of a single, 112 exponents too low: the product is exact, of denormals too.
  return sign | reinterpret<u32>(reinterpret<f32>(m << DROP) * <f32>5192296858534827628530496329220096.0);
}

let inexact: bool = false;

/** sig without its low `drop` bits, which are shifted out, rounded. */
function rounded(sig: u32, drop: i32, negative: bool): u32 {
  const rest = sig & ((1 << drop) - 1);
  const low = sig >> drop;
  inexact = rest != 0;
  if (!inexact) return low;
  const half: u32 = 1 << (drop - 1);
  const up = rc == NEAREST ? rest > half || (rest == half && (low & 1) != 0) : rc == (negative ? DOWN : UP);
  return up ? low + 1 : low;
}

function toHalf(bits: u32): u32 {
  const x = <u32>operand<f32>(bits);
  const sign = (x >> 16) & 0x8000;
  const m = <u32>magnitude<f32>(x);
  if (m > <u32>infinity<f32>()) {
    if (isSignaling<f32>(x)) raisePre(IE);
    return sign | HALF_INFINITY | HALF_QUIET | ((m >> DROP) & 0x1ff);
  }
  if (m == <u32>infinity<f32>()) return sign | HALF_INFINITY;
  if (m == 0) return sign;
  if (isDenormal<f32>(x)) raisePre(DE);
  const shift = m < 0x800000 ? <i32>clz<u32>(m) - 8 : 0;
  const e = m < 0x800000 ? -126 - shift : <i32>(m >> 23) - 127;
  const sig = m < 0x800000 ? m << shift : (m & 0x7fffff) | 0x800000;
  const negative = sign != 0;
  if (e >= HALF_LEAST) {
    // The leading bit of the significand adds 1 to the exponent.
    const r = <u32>((e + 14) << 10) + rounded(sig, DROP, negative);
    if (r >= HALF_INFINITY) {
      raisePost(overflowIsMasked || inexact ? OE | PE : OE);
      const away = rc == NEAREST || rc == (negative ? DOWN : UP);
      return sign | (away ? HALF_INFINITY : HALF_MOST);
    }
    if (inexact) raisePost(PE);
    return sign | r;
  }
  // Tiny, unless rounding to the precision of a normal half makes it one. An unmasked underflow is inexact when that rounding is.
  const isTiny = e < HALF_LEAST - 1 || rounded(sig, DROP, negative) < 0x800;
  if (isTiny && !underflowIsMasked) {
    rounded(sig, DROP, negative);
    raisePost(inexact ? UE | PE : UE);
    return sign;
  }
  const r = rounded(sig, min(DROP + HALF_LEAST - e, 30), negative);
  if (inexact) raisePost(isTiny ? UE | PE : PE);
  return sign | r;
}

// @ts-ignore: decorator
@inline
function widenFour(v: v128): v128 {
  let r = v128.splat<u32>(toSingle(v128.extract_lane<u16>(v, 0)));
  r = v128.replace_lane<u32>(r, 1, toSingle(v128.extract_lane<u16>(v, 1)));
  r = v128.replace_lane<u32>(r, 2, toSingle(v128.extract_lane<u16>(v, 2)));
  return v128.replace_lane<u32>(r, 3, toSingle(v128.extract_lane<u16>(v, 3)));
}

// @ts-ignore: decorator
@inline
function narrowFour(immediate: i32, v: v128): v128 {
  if ((immediate & BY_MXCSR) == 0) roundBy(immediate & 3);
  let r = v128.replace_lane<u16>(v128.splat<u64>(0), 0, <u16>toHalf(v128.extract_lane<u32>(v, 0)));
  r = v128.replace_lane<u16>(r, 1, <u16>toHalf(v128.extract_lane<u32>(v, 1)));
  r = v128.replace_lane<u16>(r, 2, <u16>toHalf(v128.extract_lane<u32>(v, 2)));
  return v128.replace_lane<u16>(r, 3, <u16>toHalf(v128.extract_lane<u32>(v, 3)));
}

export function half_to_single(v: v128): v128 {
  return widenFour(v);
}

export function single_to_half(cpu: i32, immediate: i32, v: v128): v128 {
  begin(<usize>cpu);
  return narrowFour(immediate, v);
}

export function sse_half_to_single(cpu: i32, code: i32, v: v128): v128 {
  begin(<usize>cpu);
  const r = widenFour(v);
  finish(<usize>cpu, code & FLOAT_OP_DEFER);
  return r;
}

export function sse_single_to_half(cpu: i32, code: i32, v: v128): v128 {
  begin(<usize>cpu);
  const r = narrowFour(code, v);
  finish(<usize>cpu, code & FLOAT_OP_DEFER);
  return r;
}
