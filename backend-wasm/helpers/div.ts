/**
 * 128 by 64 bit division. In: the halves of the dividend and the divisor. Out: the quotient; the remainder is what is left of the low half (frontend/x86-64/insns/muldiv.ts).
 * The lifter has checked that the quotient fits (unsigned: hi < d), or asks div128s_fits. Source: SDM 2A, DIV and IDIV; the algorithm is schoolbook division with 32-bit digits (Knuth, TAOCP volume 2, 4.3.1 D).
 */

/** Quotient of hi:lo / d with hi < d. */
function divide(hi: u64, lo: u64, d: u64): u64 {
  if (hi == 0) return lo / d;
  const s = clz<u64>(d);
  const v = d << s;
  const vh = v >> 32;
  const vl = v & 0xffffffff;
  const uh = s == 0 ? hi : (hi << s) | (lo >> (64 - s));
  const ul = lo << s;
  const u1 = ul >> 32;
  const u0 = ul & 0xffffffff;

  let q1 = uh / vh;
  let r = uh % vh;
  while (q1 >= 0x100000000 || q1 * vl > ((r << 32) | u1)) {
    q1--;
    r += vh;
    if (r >= 0x100000000) break;
  }
  const mid = ((uh << 32) | u1) - q1 * v;
  let q0 = mid / vh;
  r = mid % vh;
  while (q0 >= 0x100000000 || q0 * vl > ((r << 32) | u0)) {
    q0--;
    r += vh;
    if (r >= 0x100000000) break;
  }
  return (q1 << 32) + q0;
}

export function div128u(hi: i64, lo: i64, d: i64): i64 {
  return <i64>divide(<u64>hi, <u64>lo, <u64>d);
}

/** 1 when the signed quotient of hi:lo / d fits in 64 bits and d is not 0. */
export function div128s_fits(hi: i64, lo: i64, d: i64): i64 {
  if (d == 0) return 0;
  // A dividend of 64 bits, as CQO makes them: only the smallest by -1 does not fit.
  if (hi == lo >> 63) return d == -1 && lo == i64.MIN_VALUE ? 0 : 1;
  const negative = hi < 0;
  const nl: u64 = negative ? <u64>0 - <u64>lo : <u64>lo;
  const nh: u64 = negative ? ~(<u64>hi) + (lo == 0 ? 1 : 0) : <u64>hi;
  const m: u64 = d < 0 ? <u64>0 - <u64>d : <u64>d;
  if (nh >= m) return 0;
  const q = divide(nh, nl, m);
  const limit: u64 = negative != d < 0 ? 0x8000000000000000 : 0x7fffffffffffffff;
  return q <= limit ? 1 : 0;
}

export function div128s(hi: i64, lo: i64, d: i64): i64 {
  if (hi == lo >> 63) return lo / d;
  const negative = hi < 0;
  const nl: u64 = negative ? <u64>0 - <u64>lo : <u64>lo;
  const nh: u64 = negative ? ~(<u64>hi) + (lo == 0 ? 1 : 0) : <u64>hi;
  const q = <i64>divide(nh, nl, d < 0 ? <u64>0 - <u64>d : <u64>d);
  return negative != d < 0 ? -q : q;
}
