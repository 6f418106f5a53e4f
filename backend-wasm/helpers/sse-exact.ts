/**
 * IEEE arithmetic by integers, rounded once as MXCSR says, with all exceptions. In: bits of f32 or f64 (the type parameter) in a u64. Out: bits; exceptions in sse-state.ts.
 * Source: SDM volume 1, 4.8 (NaNs: table 4-7), 4.9.1 (tininess after rounding: 4.9.1.5), 11.5; the algorithms are schoolbook arithmetic on 64-bit significands with what lies below in a second word.
 */
import { OUTCOME_EQUAL, OUTCOME_GREATER, OUTCOME_LESS, OUTCOME_UNORDERED } from '../interpreter/gen/constants';
import { div128u } from './div';
import { mulhu } from './mul';
import {
  DE, denormalsAreZero, DOWN, flushToZero, IE, NEAREST, OE, overflowIsMasked, PE, raisePost, raisePre, rc, UE, underflowIsMasked, UP, ZE,
} from './sse-state';

const TOP: u64 = 0x8000000000000000;

// ---------------------------------------------------------------- the formats

// @ts-ignore: decorator
@inline
export function fractionBits<T>(): i32 {
  return sizeof<T>() == 8 ? 52 : 23;
}
// @ts-ignore: decorator
@inline
function exponentLimit<T>(): i32 {
  return sizeof<T>() == 8 ? 0x7ff : 0xff;
}
// @ts-ignore: decorator
@inline
function bias<T>(): i32 {
  return exponentLimit<T>() >> 1;
}
// @ts-ignore: decorator
@inline
export function signBit<T>(): u64 {
  return (<u64>1) << (8 * sizeof<T>() - 1);
}
// @ts-ignore: decorator
@inline
export function infinity<T>(): u64 {
  return (<u64>exponentLimit<T>()) << fractionBits<T>();
}
// @ts-ignore: decorator
@inline
export function quietBit<T>(): u64 {
  return (<u64>1) << (fractionBits<T>() - 1);
}
/** The default NaN. */
// @ts-ignore: decorator
@inline
export function indefinite<T>(): u64 {
  return signBit<T>() | infinity<T>() | quietBit<T>();
}
// @ts-ignore: decorator
@inline
export function magnitude<T>(x: u64): u64 {
  return x & (signBit<T>() - 1);
}
// @ts-ignore: decorator
@inline
export function isNan<T>(x: u64): bool {
  return magnitude<T>(x) > infinity<T>();
}
// @ts-ignore: decorator
@inline
export function isSignaling<T>(x: u64): bool {
  return isNan<T>(x) && (x & quietBit<T>()) == 0;
}
// @ts-ignore: decorator
@inline
export function isDenormal<T>(x: u64): bool {
  const m = magnitude<T>(x);
  return m != 0 && m >> fractionBits<T>() == 0;
}

/** An operand as the instruction sees it: with DAZ a denormal is a zero of its sign. */
// @ts-ignore: decorator
@inline
export function operand<T>(x: u64): u64 {
  return denormalsAreZero && isDenormal<T>(x) ? x & signBit<T>() : x;
}

/** The result when an operand is a NaN: the first that is one, quiet. */
export function nanOf<T>(a: u64, b: u64): u64 {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raisePre(IE);
  return (isNan<T>(a) ? a : b) | quietBit<T>();
}

export function invalid<T>(): u64 {
  raisePre(IE);
  return indefinite<T>();
}

/** What unpack found: the value is sig * 2^(exp - 63), bit 63 of sig set. */
export let unpackedExp: i32 = 0;
export let unpackedSig: u64 = 0;

/** Takes a finite value that is not zero apart. */
export function unpack<T>(x: u64): void {
  const m = magnitude<T>(x);
  const e = <i32>(m >> fractionBits<T>());
  const sig = m << (63 - fractionBits<T>());
  if (e != 0) {
    unpackedSig = sig | TOP;
    unpackedExp = e - bias<T>();
    return;
  }
  const n = <i32>clz(sig);
  unpackedSig = sig << n;
  unpackedExp = 1 - bias<T>() - n;
}

// ---------------------------------------------------------------- rounding

let inexact: bool = false;

/** hi:lo without its low `drop` bits of hi, rounded; 0 when it got past 64 bits. */
function roundBits(hi: u64, lo: u64, drop: i32, negative: bool): u64 {
  const unit = (<u64>1) << drop;
  const rest = hi & (unit - 1);
  const low = hi - rest;
  inexact = (rest | lo) != 0;
  if (!inexact) return low;
  let up: bool;
  if (rc == NEAREST) {
    const half = unit >> 1;
    up = rest > half || (rest == half && (lo != 0 || (hi & unit) != 0));
  } else up = rc == (negative ? DOWN : UP);
  return up ? low + unit : low;
}

/** hi:lo * 2^(exp - 127), bit 63 of hi set, in the format T; the lowest bit of lo stands for all below it. */
export function round<T>(sign: u64, exp: i32, hi: u64, lo: u64): u64 {
  const drop = 63 - fractionBits<T>();
  const negative = sign != 0;
  let e = exp + bias<T>();
  let r = roundBits(hi, lo, drop, negative);
  if (r == 0) {
    r = TOP;
    e++;
  }
  if (e >= exponentLimit<T>()) {
    raisePost(overflowIsMasked || inexact ? OE | PE : OE);
    const away = rc == NEAREST || rc == (negative ? DOWN : UP);
    return sign | (infinity<T>() - <u64>!away);
  }
  if (e < 1) {
    if (!underflowIsMasked) {
      raisePost(inexact ? UE | PE : UE);
      return sign;
    }
    if (flushToZero) {
      raisePost(UE | PE);
      return sign;
    }
    const shift = 1 - (exp + bias<T>());
    if (shift < 64) {
      lo = (hi << (64 - shift)) | (lo >> shift) | <u64>(lo << (64 - shift) != 0);
      hi >>= shift;
    } else {
      lo = shift == 64 ? hi | <u64>(lo != 0) : 1;
      hi = 0;
    }
    r = roundBits(hi, lo, drop, negative);
    if (inexact) raisePost(UE | PE);
    // A carry into bit 63 is the exponent 1.
    return sign | (r >> drop);
  }
  if (inexact) raisePost(PE);
  return sign | ((<u64>e << fractionBits<T>()) + ((r & ~TOP) >> drop));
}

/** As round, of a hi:lo that is not normalised; not zero. */
export function normaliseAndRound<T>(sign: u64, exp: i32, hi: u64, lo: u64): u64 {
  if (hi == 0) {
    hi = lo;
    lo = 0;
    exp -= 64;
  }
  const n = <i32>clz(hi);
  if (n != 0) {
    hi = (hi << n) | (lo >> (64 - n));
    lo <<= n;
  }
  return round<T>(sign, exp - n, hi, lo);
}

// ---------------------------------------------------------------- arithmetic

/** a + b of finite values; `b` may have its sign changed by the caller. */
function addFinite<T>(a: u64, b: u64): u64 {
  let sign = a & signBit<T>();
  const other = b & signBit<T>();
  if (magnitude<T>(a) == 0) {
    if (magnitude<T>(b) == 0) return sign == other ? a : rc == DOWN ? signBit<T>() : 0;
    unpack<T>(b);
    return round<T>(other, unpackedExp, unpackedSig, 0);
  }
  unpack<T>(a);
  let ea = unpackedExp;
  let sa = unpackedSig;
  if (magnitude<T>(b) == 0) return round<T>(sign, ea, sa, 0);
  unpack<T>(b);
  let eb = unpackedExp;
  let sb = unpackedSig;
  const isDifference = sign != other;
  if (eb > ea || (eb == ea && sb > sa)) {
    const e = ea;
    ea = eb;
    eb = e;
    const s = sa;
    sa = sb;
    sb = s;
    sign = other;
  }
  const shift = ea - eb;
  let lo: u64 = 0;
  if (shift >= 128) {
    sb = 0;
    lo = 1;
  } else if (shift >= 64) {
    const far = shift - 64;
    lo = far == 0 ? sb : (sb >> far) | <u64>(sb << (64 - far) != 0);
    sb = 0;
  } else if (shift != 0) {
    lo = sb << (64 - shift);
    sb >>= shift;
  }
  if (isDifference) {
    const hi = sa - sb - <u64>(lo != 0);
    lo = 0 - lo;
    if ((hi | lo) == 0) return rc == DOWN ? signBit<T>() : 0;
    return normaliseAndRound<T>(sign, ea, hi, lo);
  }
  const hi = sa + sb;
  if (hi < sa) return round<T>(sign, ea + 1, (hi >> 1) | TOP, (hi << 63) | (lo >> 1) | (lo & 1));
  return round<T>(sign, ea, hi, lo);
}

function denormalOperands<T>(a: u64, b: u64): void {
  if (isDenormal<T>(a) || isDenormal<T>(b)) raisePre(DE);
}

export function add<T>(a: u64, b: u64, negate: bool): u64 {
  a = operand<T>(a);
  b = operand<T>(b);
  if (isNan<T>(a) || isNan<T>(b)) return nanOf<T>(a, b);
  if (negate) b ^= signBit<T>();
  if (magnitude<T>(a) == infinity<T>() && magnitude<T>(b) == infinity<T>() && a != b) return invalid<T>();
  denormalOperands<T>(a, b);
  if (magnitude<T>(a) == infinity<T>()) return a;
  if (magnitude<T>(b) == infinity<T>()) return b;
  return addFinite<T>(a, b);
}

export function multiply<T>(a: u64, b: u64): u64 {
  a = operand<T>(a);
  b = operand<T>(b);
  if (isNan<T>(a) || isNan<T>(b)) return nanOf<T>(a, b);
  const sign = (a ^ b) & signBit<T>();
  const ma = magnitude<T>(a);
  const mb = magnitude<T>(b);
  const isInfinite = ma == infinity<T>() || mb == infinity<T>();
  const isZero = ma == 0 || mb == 0;
  if (isInfinite && isZero) return invalid<T>();
  denormalOperands<T>(a, b);
  if (isInfinite) return sign | infinity<T>();
  if (isZero) return sign;
  unpack<T>(a);
  const ea = unpackedExp;
  const sa = unpackedSig;
  unpack<T>(b);
  return normaliseAndRound<T>(sign, ea + unpackedExp + 1, <u64>mulhu(sa, unpackedSig), sa * unpackedSig);
}

export function divide<T>(a: u64, b: u64): u64 {
  a = operand<T>(a);
  b = operand<T>(b);
  if (isNan<T>(a) || isNan<T>(b)) return nanOf<T>(a, b);
  const sign = (a ^ b) & signBit<T>();
  const ma = magnitude<T>(a);
  const mb = magnitude<T>(b);
  if (ma == mb && (ma == 0 || ma == infinity<T>())) return invalid<T>();
  if (mb == 0 && ma != infinity<T>()) {
    raisePre(ZE);
    return sign | infinity<T>();
  }
  denormalOperands<T>(a, b);
  if (ma == infinity<T>()) return sign | ma;
  if (ma == 0 || mb == infinity<T>()) return sign;
  unpack<T>(a);
  const ea = unpackedExp;
  const sa = unpackedSig;
  unpack<T>(b);
  const sb = unpackedSig;
  // The quotient's first bit is bit 63 either way.
  const isLess = sa < sb;
  const hi = isLess ? sa : sa >> 1;
  const lo = isLess ? 0 : sa << 63;
  const q = <u64>div128u(hi, lo, sb);
  return round<T>(sign, ea - unpackedExp - <i32>isLess, q, <u64>(lo - q * sb != 0));
}

export function squareRoot<T>(b: u64): u64 {
  b = operand<T>(b);
  if (isNan<T>(b)) return nanOf<T>(b, b);
  if (magnitude<T>(b) == 0) return b;
  if ((b & signBit<T>()) != 0) return invalid<T>();
  denormalOperands<T>(b, b);
  if (b == infinity<T>()) return b;
  unpack<T>(b);
  const odd = unpackedExp & 1;
  const sig = unpackedSig;
  // m in [1, 4), exact; its root as the host rounds it, times 2^52; what the square of that lacks.
  const m = <f64>(sig >> 11) * (odd ? 2.0 / 4503599627370496.0 : 1.0 / 4503599627370496.0);
  const s = <u64>(sqrt<f64>(m) * 4503599627370496.0);
  const restHi = (sig >> (23 - odd)) - <u64>mulhu(s, s) - <u64>(sig << (41 + odd) < s * s);
  const restLo = (sig << (41 + odd)) - s * s;
  const exp = (unpackedExp - odd) >> 1;
  if ((restHi | restLo) == 0) return round<T>(0, exp, s << 11, 0);
  return <i64>restHi < 0 ? round<T>(0, exp, (s << 11) - 1, ~(<u64>0)) : round<T>(0, exp, s << 11, 1);
}

/** An integer, `magnitude` with its sign, in the format T. */
export function fromInteger<T>(isNegative: bool, size: u64): u64 {
  if (size == 0) return 0;
  const n = <i32>clz(size);
  return round<T>(isNegative ? signBit<T>() : 0, 63 - n, size << n, 0);
}

/** A double in single precision. */
export function narrow(x: u64): u64 {
  x = operand<f64>(x);
  const sign = (x & signBit<f64>()) >> 32;
  const m = magnitude<f64>(x);
  if (m > infinity<f64>()) {
    if (isSignaling<f64>(x)) raisePre(IE);
    return sign | infinity<f32>() | quietBit<f32>() | ((m >> 29) & (quietBit<f32>() - 1));
  }
  if (m == infinity<f64>()) return sign | infinity<f32>();
  if (m == 0) return sign;
  denormalOperands<f64>(x, x);
  unpack<f64>(x);
  return round<f32>(sign, unpackedExp, unpackedSig, 0);
}

/** A single in double precision. */
export function widen(x: u64): u64 {
  x = operand<f32>(x);
  const sign = (x & signBit<f32>()) << 32;
  const m = magnitude<f32>(x);
  if (m > infinity<f32>()) {
    if (isSignaling<f32>(x)) raisePre(IE);
    return sign | infinity<f64>() | quietBit<f64>() | ((m & (quietBit<f32>() - 1)) << 29);
  }
  denormalOperands<f32>(x, x);
  return reinterpret<u64>(<f64>reinterpret<f32>(<u32>x));
}

// ---------------------------------------------------------------- comparisons

/** Order of values that are no NaNs: both zeros are 0. */
// @ts-ignore: decorator
@inline
function key<T>(x: u64): i64 {
  const m = <i64>magnitude<T>(x);
  return (x & signBit<T>()) != 0 ? -m : m;
}

/** Compares: an OUTCOME; a NaN is invalid when it signals, or always with `signals`. */
export function relation<T>(a: u64, b: u64, signals: bool): i32 {
  a = operand<T>(a);
  b = operand<T>(b);
  if (isNan<T>(a) || isNan<T>(b)) {
    if (signals || isSignaling<T>(a) || isSignaling<T>(b)) raisePre(IE);
    return OUTCOME_UNORDERED;
  }
  denormalOperands<T>(a, b);
  const ka = key<T>(a);
  const kb = key<T>(b);
  return ka < kb ? OUTCOME_LESS : ka == kb ? OUTCOME_EQUAL : OUTCOME_GREATER;
}

/** MIN and MAX: the second operand when they are equal or one is a NaN. */
export function extreme<T>(a: u64, b: u64, wanted: i32): u64 {
  return relation<T>(a, b, true) == wanted ? operand<T>(a) : isNan<T>(b) ? b : operand<T>(b);
}
