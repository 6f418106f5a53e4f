/**
 * PCLMULQDQ: the carry-less product of two 64-bit halves. In: v128 whose low halves are the factors. Out: 128 bits. Source: SDM 2B, PCLMULQDQ.
 *
 * Ordinary products of factors with three of every four bits cleared: a sum of at most 15 bits does not reach the next bit that counts. Only the lowest sum of 16 would, and its carry
 * leaves the 64 bits. The high half is the low half of the product of the factors with their bits reversed.
 */

const M0: u64 = 0x1111111111111111;
const M1: u64 = 0x2222222222222222;
const M2: u64 = 0x4444444444444444;
const M3: u64 = 0x8888888888888888;

/** The low 64 bits of a carry-less product. */
// @ts-ignore: decorator
@inline
function lowProduct(a: u64, b: u64): u64 {
  const a0 = a & M0;
  const a1 = a & M1;
  const a2 = a & M2;
  const a3 = a & M3;
  const b0 = b & M0;
  const b1 = b & M1;
  const b2 = b & M2;
  const b3 = b & M3;
  return (
    (((a0 * b0) ^ (a1 * b3) ^ (a2 * b2) ^ (a3 * b1)) & M0) |
    (((a0 * b1) ^ (a1 * b0) ^ (a2 * b3) ^ (a3 * b2)) & M1) |
    (((a0 * b2) ^ (a1 * b1) ^ (a2 * b0) ^ (a3 * b3)) & M2) |
    (((a0 * b3) ^ (a1 * b2) ^ (a2 * b1) ^ (a3 * b0)) & M3)
  );
}

/** The bits of each half in reverse order, halves exchanged. */
// @ts-ignore: decorator
@inline
function reversed(v: v128): v128 {
  const nibbles = i8x16(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
  const bytes = v128.shuffle<i8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const low = v128.swizzle(nibbles, v128.and(bytes, v128.splat<i8>(15)));
  const high = v128.swizzle(nibbles, v128.and(v128.shr<u16>(bytes, 4), v128.splat<i8>(15)));
  return v128.or(v128.shl<i16>(low, 4), high);
}

export function pclmul(a: v128, b: v128): v128 {
  const factors = v128.shuffle<i64>(a, b, 0, 2);
  const mirrored = reversed(factors);
  const low = lowProduct(v128.extract_lane<u64>(factors, 0), v128.extract_lane<u64>(factors, 1));
  // Mirrored, the product of 127 bits is one bit too far to the left.
  const high = lowProduct(v128.extract_lane<u64>(mirrored, 0), v128.extract_lane<u64>(mirrored, 1));
  const turned = v128.extract_lane<u64>(reversed(v128.splat<i64>(<i64>high)), 0) >> 1;
  return v128.replace_lane<i64>(v128.splat<i64>(<i64>low), 1, <i64>turned);
}
