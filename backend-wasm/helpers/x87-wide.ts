/**
 * 128-bit arithmetic for the transcendental instructions. In and out: hi:lo pairs; results in wideHi, wideLo, wideExp, globals of this module (one set a thread).
 * A float is hi:lo * 2^(exp - 127) with bit 127 set; a fraction Q128 is hi:lo / 2^128. Source: schoolbook arithmetic (Knuth, TAOCP volume 2, 4.3.1). Results are truncated.
 */
import { div128u } from './div';
import { mulhu } from './mul';
import { roundTo } from './x87-float';

export let wideHi: u64 = 0;
export let wideLo: u64 = 0;
export let wideExp: i32 = 0;

/** hi:lo * 2^(exp - 127) as a float; zero stays zero. */
export function normalise(hi: u64, lo: u64, exp: i32): void {
  if (hi == 0) {
    hi = lo;
    lo = 0;
    exp -= 64;
  }
  const n = <i32>clz(hi);
  if (n != 0 && n != 64) {
    hi = (hi << n) | (lo >> (64 - n));
    lo <<= n;
    exp -= n;
  }
  wideHi = hi;
  wideLo = lo;
  wideExp = exp;
}

/** hi:lo >> n, for any n >= 0. */
export function shiftRight(hi: u64, lo: u64, n: i32): void {
  if (n >= 128) {
    wideHi = 0;
    wideLo = 0;
  } else if (n >= 64) {
    wideHi = 0;
    wideLo = hi >> (n - 64);
  } else if (n == 0) {
    wideHi = hi;
    wideLo = lo;
  } else {
    wideHi = hi >> n;
    wideLo = (lo >> n) | (hi << (64 - n));
  }
}

export function addWide(ah: u64, al: u64, bh: u64, bl: u64): void {
  wideLo = al + bl;
  wideHi = ah + bh + <u64>(wideLo < al);
}

export function subtractWide(ah: u64, al: u64, bh: u64, bl: u64): void {
  wideHi = ah - bh - <u64>(al < bl);
  wideLo = al - bl;
}

/** Upper 128 bits of the 256-bit product: of fractions the product, of floats the product before normalising with exponent a + b + 1. */
export function multiplyHigh(ah: u64, al: u64, bh: u64, bl: u64): void {
  const p10 = ah * bl;
  const p01 = al * bh;
  let mid = <u64>mulhu(al, bl);
  mid += p10;
  let carry = <u64>(mid < p10);
  mid += p01;
  carry += <u64>(mid < p01);
  let lo = ah * bh;
  let hi = <u64>mulhu(ah, bh);
  const h10 = <u64>mulhu(ah, bl);
  lo += h10;
  hi += <u64>(lo < h10);
  const h01 = <u64>mulhu(al, bh);
  lo += h01;
  hi += <u64>(lo < h01);
  lo += carry;
  hi += <u64>(lo < carry);
  wideHi = hi;
  wideLo = lo;
}

/** Product of floats. */
export function multiplyWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  multiplyHigh(ah, al, bh, bl);
  normalise(wideHi, wideLo, ae + be + 1);
}

/** Quotient of floats. */
export function divideWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  let rh = ah;
  let rl = al;
  let qh: u64 = 0;
  let ql: u64 = 0;
  let over = false;
  for (let i = 0; i < 128; i++) {
    qh = (qh << 1) | (ql >> 63);
    ql <<= 1;
    if (over || rh > bh || (rh == bh && rl >= bl)) {
      rh = rh - bh - <u64>(rl < bl);
      rl -= bl;
      ql |= 1;
    }
    over = <i64>rh < 0;
    rh = (rh << 1) | (rl >> 63);
    rl <<= 1;
  }
  normalise(qh, ql, ae - be);
}

/** hi:lo / d. */
export function divideSmall(hi: u64, lo: u64, d: u64): void {
  wideHi = hi / d;
  wideLo = <u64>div128u(hi % d, lo, d);
}

/** A float below 1 as a fraction. */
export function toFraction(hi: u64, lo: u64, exp: i32): void {
  shiftRight(hi, lo, -1 - exp);
}

/** Square of a float below 1 as a fraction. */
export function squareFraction(hi: u64, lo: u64, exp: i32): void {
  multiplyHigh(hi, lo, hi, lo);
  shiftRight(wideHi, wideLo, -2 - 2 * exp);
}

/** Rounds the float in wideHi:wideLo, wideExp, which is not exact, to double extended: outSe, outSig, outEx of x87-float.ts. */
export function roundWide(cw: i32, sign: u32): void {
  roundTo(cw, sign, wideExp + 16383, wideHi, wideLo | 1, 0, 0x7fff);
}
