/**
 * Double extended values, their classes and rounding: a value is `se` (u16: sign 0x8000, exponent biased by 16383) and `sig` (u64 with explicit integer bit).
 * In: operands and the control word. Out: outSe, outSig, and outEx (exception bits, with C1 when the result was rounded up), globals of this module (one set a thread).
 * Source: SDM volume 1, 4.8 (NaN rules: table 4-7), 8.2 (formats), 8.5 (exceptions and masked responses), 4.9.1.5 (tininess after rounding).
 */
import { C1, DE, IE, INDEFINITE_SE, INDEFINITE_SIG, OE, PE, UE, ZE } from './x87-state';

export let outSe: u32 = 0;
export let outSig: u64 = 0;
export let outEx: i32 = 0;

export const INTEGER_BIT: u64 = 0x8000000000000000;
export const QUIET_BIT: u64 = 0x4000000000000000;
export const BIAS: i32 = 16383;
/** What an unmasked overflow or underflow adds to the exponent (SDM volume 1, 8.5.4 and 8.5.5). */
const WRAP: i32 = 24576;
/** Rounding and precision control, and their usual value. */
const ROUNDING: i32 = 0xf00;
const NEAREST_64: i32 = 0x300;

/** Classes of values, in order. */
export const ZERO: i32 = 0;
export const DENORMAL: i32 = 1;
export const NORMAL: i32 = 2;
export const INFINITE: i32 = 3;
export const QNAN: i32 = 4;
export const SNAN: i32 = 5;
export const UNSUPPORTED: i32 = 6;

export function classify(se: u32, sig: u64): i32 {
  const exp = se & 0x7fff;
  if (exp == 0) return sig == 0 ? ZERO : DENORMAL;
  if (<i64>sig >= 0) return UNSUPPORTED;
  if (exp != 0x7fff) return NORMAL;
  if (sig << 1 == 0) return INFINITE;
  return sig & QUIET_BIT ? QNAN : SNAN;
}

export function setOut(se: u32, sig: u64, ex: i32): void {
  outSe = se;
  outSig = sig;
  outEx = ex;
}

export function invalid(): void {
  setOut(INDEFINITE_SE, INDEFINITE_SIG, IE);
}

/** Result when one operand at least is a NaN or unsupported. */
export function propagate(aSe: u32, aSig: u64, ac: i32, bSe: u32, bSig: u64, bc: i32): void {
  if (ac == UNSUPPORTED || bc == UNSUPPORTED) {
    invalid();
    return;
  }
  const ex = ac == SNAN || bc == SNAN ? IE : 0;
  let first: bool;
  if (bc < QNAN) first = true;
  else if (ac < QNAN) first = false;
  else if (ac != bc) first = ac == QNAN;
  else if (aSig != bSig) first = aSig > bSig;
  else first = (aSe & 0x8000) == 0;
  if (first) setOut(aSe, aSig | QUIET_BIT, ex);
  else setOut(bSe, bSig | QUIET_BIT, ex);
}

let inexact: bool = false;
let roundedUp: bool = false;
let carried: bool = false;

/** hi:lo rounded to a multiple of 2^drop units of hi; carried when it got past 64 bits (the result is then the integer bit). */
function roundSig(hi: u64, lo: u64, drop: i32, negative: bool, rc: i32): u64 {
  const unit = <u64>1 << drop;
  const rest = hi & (unit - 1);
  carried = false;
  roundedUp = false;
  inexact = (rest | lo) != 0;
  if (!inexact) return hi;
  if (rc == 0) {
    if (drop == 0) roundedUp = lo > INTEGER_BIT || (lo == INTEGER_BIT && (hi & 1) != 0);
    else {
      const half = unit >> 1;
      roundedUp = rest > half || (rest == half && (lo != 0 || (hi & unit) != 0));
    }
  } else if (rc == 1) roundedUp = negative;
  else if (rc == 2) roundedUp = !negative;
  let r = hi - rest;
  if (roundedUp) {
    r += unit;
    if (r == 0) {
      carried = true;
      r = INTEGER_BIT;
    }
  }
  return r;
}

/** Bits of the significand that the precision control drops. */
// @ts-ignore: decorator
@inline
function droppedBits(cw: i32): i32 {
  const pc = (cw >> 8) & 3;
  return pc == 0 ? 40 : pc == 2 ? 11 : 0;
}

/**
 * Rounds hi:lo (integer bit set) with biased exponent `exp` to a format that drops `drop` bits and whose largest exponent is limit - 1.
 * outSe gets sign and exponent in that format; unmasked overflow and underflow give the wrapped exponent (extended format only).
 */
export function roundTo(cw: i32, sign: u32, exp: i32, hi: u64, lo: u64, drop: i32, limit: i32): void {
  const rc = (cw >> 10) & 3;
  const negative = sign != 0;
  let r = roundSig(hi, lo, drop, negative, rc);
  let e = exp + <i32>carried;
  let ex = 0;
  if (e >= limit) {
    if (cw & OE) {
      const toInfinity = rc == 0 || (rc == 1 && negative) || (rc == 2 && !negative);
      if (toInfinity) setOut(sign | limit, INTEGER_BIT, OE | PE | C1);
      else setOut(sign | (limit - 1), ~(((<u64>1) << drop) - 1), OE | PE);
      return;
    }
    ex = OE;
    e -= WRAP;
    // FSCALE can pass even the wrapped range.
    if (e >= limit) {
      setOut(sign | limit, INTEGER_BIT, OE | PE | C1);
      return;
    }
  } else if (e < 1) {
    if (cw & UE) {
      const shift = 1 - exp;
      if (shift < 64) {
        lo = (hi << (64 - shift)) | (lo >> shift) | <u64>(lo << (64 - shift) != 0);
        hi >>= shift;
      } else {
        lo = shift == 64 ? hi | <u64>(lo != 0) : 1;
        hi = 0;
      }
      r = roundSig(hi, lo, drop, negative, rc);
      e = <i32>(r >> 63);
      if (inexact) ex = UE;
    } else {
      ex = UE;
      e += WRAP;
      if (e < 1) {
        setOut(sign, 0, UE | PE);
        return;
      }
    }
  }
  if (inexact) ex |= PE;
  if (roundedUp) ex |= C1;
  setOut(sign | (e & 0x7fff), r, ex);
}

/** Normalises a non-zero hi:lo and rounds it as the control word says. */
export function pack(cw: i32, sign: u32, exp: i32, hi: u64, lo: u64): void {
  if (<i64>hi >= 0) {
    if (hi == 0) {
      hi = lo;
      lo = 0;
      exp -= 64;
    }
    const n = <i32>clz(hi);
    if (n != 0) {
      hi = (hi << n) | (lo >> (64 - n));
      lo <<= n;
      exp -= n;
    }
  }
  if ((cw & ROUNDING) == NEAREST_64 && <u32>(exp - 1) < 0x7ffd) {
    // The usual case: nothing can overflow or underflow, not even by a carry.
    let ex = 0;
    if (lo != 0) {
      ex = PE;
      if (lo > INTEGER_BIT || (lo == INTEGER_BIT && (hi & 1) != 0)) {
        ex = PE | C1;
        hi++;
        if (hi == 0) {
          hi = INTEGER_BIT;
          exp++;
        }
      }
    }
    setOut(sign | exp, hi, ex);
    return;
  }
  roundTo(cw, sign, exp, hi, lo, droppedBits(cw), 0x7fff);
}

/** Biased exponent of a finite non-zero value once its significand is shifted left by clz(sig). */
// @ts-ignore: decorator
@inline
export function exponentOf(se: u32, sig: u64): i32 {
  const e = <i32>(se & 0x7fff);
  return (e == 0 ? 1 : e) - <i32>clz(sig);
}

/** Adds exceptions to those of the result. */
export function alsoRaise(bits: i32): void {
  outEx |= bits;
}
