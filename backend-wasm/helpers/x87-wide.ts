/**
 * Numbers with 128-bit significands for the transcendental instructions. In: halves of significands, exponents. Out: wideHi, wideLo, wideExp, globals of this module (one set a thread).
 * A number is (hi:lo / 2^127) * 2^exp with the top bit of hi set; a fraction is hi:lo / 2^128. Errors stay within a few units of the last of 128 bits.
 * Source: Knuth, TAOCP volume 2, 4.3.1 (multiplication, division D with digits of 64 bits).
 */
import { div128u } from './div';
import { mulhu } from './mul';

export let wideHi: u64 = 0;
export let wideLo: u64 = 0;
export let wideExp: i32 = 0;

export const TOP: u64 = 0x8000000000000000;

export function setWide(hi: u64, lo: u64, exp: i32): void {
  wideHi = hi;
  wideLo = lo;
  wideExp = exp;
}

/** hi:lo, not 0, shifted left until its top bit is set. */
export function normalise(hi: u64, lo: u64, exp: i32): void {
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
  setWide(hi, lo, exp);
}

/** wideHi:wideLo = high 128 bits of the product of two 128-bit integers. */
export function multiplyHigh(ah: u64, al: u64, bh: u64, bl: u64): void {
  let lo = ah * bh;
  let hi = <u64>mulhu(ah, bh);
  const x = <u64>mulhu(ah, bl);
  const y = <u64>mulhu(al, bh);
  const p = ah * bl;
  const carry = <u64>(p + al * bh < p);
  lo += x;
  hi += <u64>(lo < x);
  lo += y;
  hi += <u64>(lo < y);
  lo += carry;
  hi += <u64>(lo < carry);
  wideHi = hi;
  wideLo = lo;
}

/** Product of two numbers (the second may have its top bit clear: a series). */
export function multiplyWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  multiplyHigh(ah, al, bh, bl);
  normalise(wideHi, wideLo, ae + be + 1);
}

let restHi: u64 = 0;
let restLo: u64 = 0;

/** One digit of n2:n1:n0 / bh:bl, with n2:n1 < bh:bl and bh normalised; the remainder goes to restHi:restLo. */
function digit(n2: u64, n1: u64, n0: u64, bh: u64, bl: u64): u64 {
  let q: u64 = n2 >= bh ? 0xffffffffffffffff : <u64>div128u(n2, n1, bh);
  let p0 = q * bl;
  const t = <u64>mulhu(q, bl);
  let p1 = q * bh + t;
  let p2 = <u64>mulhu(q, bh) + <u64>(p1 < t);
  while (p2 > n2 || (p2 == n2 && (p1 > n1 || (p1 == n1 && p0 > n0)))) {
    q--;
    const b0 = <u64>(p0 < bl);
    p0 -= bl;
    const b1 = <u64>(p1 < bh) | <u64>(p1 - bh < b0);
    p1 = p1 - bh - b0;
    p2 -= b1;
  }
  restLo = n0 - p0;
  restHi = n1 - p1 - <u64>(n0 < p0);
  return q;
}

/** Quotient of two normalised numbers, truncated. */
export function divideWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32): void {
  let exp = ae - be;
  let n1 = ah;
  let n0 = al;
  let tail: u64 = 0;
  if (ah > bh || (ah == bh && al >= bl)) {
    tail = al << 63;
    n0 = (al >> 1) | (ah << 63);
    n1 = ah >> 1;
  } else exp--;
  const q1 = digit(n1, n0, tail, bh, bl);
  const q0 = digit(restHi, restLo, 0, bh, bl);
  normalise(q1, q0, exp);
}

/** Sum (negative false) or difference of two normalised numbers, the first not smaller in magnitude; 0:0 when they cancel. */
export function addWide(ah: u64, al: u64, ae: i32, bh: u64, bl: u64, be: i32, negative: bool): void {
  shiftRight(bh, bl, ae - be);
  const lo = wideLo;
  const hi = wideHi;
  if (!negative) {
    const l = al + lo;
    const carry = <u64>(l < lo);
    const h = ah + hi;
    const over = h < ah || h + carry < carry;
    if (over) setWide(TOP | ((h + carry) >> 1), ((h + carry) << 63) | (l >> 1) | (l & 1), ae + 1);
    else setWide(h + carry, l, ae);
    return;
  }
  const h = ah - hi - <u64>(al < lo);
  const l = al - lo;
  if ((h | l) == 0) setWide(0, 0, 0);
  else normalise(h, l, ae);
}

/** wideHi:wideLo = hi:lo >> n (0 or more), with the bits shifted out in the lowest bit. */
export function shiftRight(hi: u64, lo: u64, n: i32): void {
  if (n == 0) {
    wideHi = hi;
    wideLo = lo;
  } else if (n < 64) {
    wideLo = (hi << (64 - n)) | (lo >> n) | <u64>(lo << (64 - n) != 0);
    wideHi = hi >> n;
  } else if (n < 128) {
    const rest = (n == 64 ? 0 : hi << (128 - n)) | lo;
    wideLo = (hi >> (n - 64)) | <u64>(rest != 0);
    wideHi = 0;
  } else {
    wideHi = 0;
    wideLo = 1;
  }
}

/** The fraction (scaled by 2^128) of a number below 1; 0 when it is below 2^-128. */
export function fraction(hi: u64, lo: u64, exp: i32): void {
  const n = -1 - exp;
  if (n >= 128) {
    wideHi = 0;
    wideLo = 0;
  } else if (n >= 64) {
    wideLo = hi >> (n - 64);
    wideHi = 0;
  } else if (n > 0) {
    wideLo = (hi << (64 - n)) | (lo >> n);
    wideHi = hi >> n;
  } else {
    wideHi = hi;
    wideLo = lo;
  }
}

/** The fraction of the square of a number below 1. */
export function squareFraction(hi: u64, lo: u64, exp: i32): void {
  multiplyHigh(hi, lo, hi, lo);
  // The product is scaled by 2^126.
  fraction(wideHi, wideLo, 2 * exp + 1);
}

/** c[0] + z * (c[1] + z * (c[2] + ...)), or with alternating signs, for a fraction z and `terms` coefficients scaled by 2^127; the result is scaled so, too. */
export function series(zh: u64, zl: u64, table: usize, terms: i32, alternate: bool): void {
  let at = table + ((<usize>(terms - 1)) << 4);
  let hi = load<u64>(at);
  let lo = load<u64>(at, 8);
  while (at != table) {
    at -= 16;
    multiplyHigh(zh, zl, hi, lo);
    const ch = load<u64>(at);
    const cl = load<u64>(at, 8);
    if (alternate) {
      hi = ch - wideHi - <u64>(cl < wideLo);
      lo = cl - wideLo;
    } else {
      lo = cl + wideLo;
      hi = ch + wideHi + <u64>(lo < cl);
    }
  }
  wideHi = hi;
  wideLo = lo;
}
