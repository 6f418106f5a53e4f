/**
 * AESENC and relatives. In: state and round key. Out: the state after the round. No table is looked up by a secret in memory: the S-box is computed with byte shuffles (scripts/gen/aes-tables.js).
 * Source: SDM 2A, AESENC AESENCLAST AESDEC AESDECLAST AESIMC AESKEYGENASSIST; FIPS 197, section 5.
 */
import {
  A_OVER,
  ADDED,
  DEC_IN_HIGH,
  DEC_IN_LOW,
  DEC_OUT_IO,
  DEC_OUT_JO,
  ENC_IN_HIGH,
  ENC_IN_LOW,
  ENC_OUT_IO,
  ENC_OUT_JO,
  INV_SHIFT_ROWS,
  INVERSE,
  NIBBLE,
  REDUCTION,
  SHIFT_ROWS,
} from '../interpreter/gen/aes-tables';

/** 16 lookups in the table at `table`. */
// @ts-ignore: decorator
@inline
function look(table: usize, index: v128): v128 {
  return v128.swizzle(v128.load(table), index);
}

/** The inverse of each byte in GF(2**8), between a linear map before and one behind (scripts/gen/aes-tables.js has the formulas and the names). */
// @ts-ignore: decorator
@inline
function invert(a: v128, inLow: usize, inHigh: usize, outIo: usize, outJo: usize): v128 {
  const low = v128.load(NIBBLE);
  const pair = v128.xor(look(inLow, v128.and(a, low)), look(inHigh, v128.and(v128.shr<u16>(a, 4), low)));
  const k = v128.and(pair, low);
  const i = v128.and(v128.shr<u16>(pair, 4), low);
  const j = v128.xor(i, k);
  const ak = look(A_OVER, k);
  const iak = v128.xor(look(INVERSE, i), ak);
  const jak = v128.xor(look(INVERSE, j), ak);
  const io = v128.xor(look(INVERSE, iak), j);
  const jo = v128.xor(look(INVERSE, jak), i);
  return v128.xor(look(outIo, io), look(outJo, jo));
}

// @ts-ignore: decorator
@inline
function subBytes(a: v128): v128 {
  return v128.xor(invert(a, ENC_IN_LOW, ENC_IN_HIGH, ENC_OUT_IO, ENC_OUT_JO), v128.load(ADDED));
}

// @ts-ignore: decorator
@inline
function invSubBytes(a: v128): v128 {
  return invert(a, DEC_IN_LOW, DEC_IN_HIGH, DEC_OUT_IO, DEC_OUT_JO);
}

// @ts-ignore: decorator
@inline
function shiftRows(a: v128): v128 {
  return v128.swizzle(a, v128.load(SHIFT_ROWS));
}

// @ts-ignore: decorator
@inline
function invShiftRows(a: v128): v128 {
  return v128.swizzle(a, v128.load(INV_SHIFT_ROWS));
}

/** Bytes times z. */
// @ts-ignore: decorator
@inline
function timesZ(a: v128): v128 {
  const over = v128.and(v128.lt<i8>(a, v128.splat<i8>(0)), v128.load(REDUCTION));
  return v128.xor(v128.add<i8>(a, a), over);
}

/** Each column's bytes one and two rows on. */
// @ts-ignore: decorator
@inline
function nextRow(a: v128): v128 {
  return v128.or(v128.shr<u32>(a, 8), v128.shl<i32>(a, 24));
}
// @ts-ignore: decorator
@inline
function secondRow(a: v128): v128 {
  return v128.shuffle<i16>(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
}

/** 2a + 3b + c + d, with b, c and d the rows that follow. */
// @ts-ignore: decorator
@inline
function mixColumns(a: v128): v128 {
  const b = nextRow(a);
  const sum = v128.xor(a, b);
  return v128.xor(v128.xor(timesZ(sum), b), secondRow(sum));
}

/** The INVERSE matrix is that of mixColumns times (5 0 4 0). */
// @ts-ignore: decorator
@inline
function invMixColumns(a: v128): v128 {
  const four = timesZ(timesZ(v128.xor(a, secondRow(a))));
  return mixColumns(v128.xor(a, four));
}

export function aesenc(a: v128, key: v128): v128 {
  return v128.xor(mixColumns(subBytes(shiftRows(a))), key);
}

export function aesenclast(a: v128, key: v128): v128 {
  return v128.xor(subBytes(shiftRows(a)), key);
}

export function aesdec(a: v128, key: v128): v128 {
  return v128.xor(invMixColumns(invSubBytes(invShiftRows(a))), key);
}

export function aesdeclast(a: v128, key: v128): v128 {
  return v128.xor(invSubBytes(invShiftRows(a)), key);
}

export function aesimc(a: v128): v128 {
  return invMixColumns(a);
}

/** Words 1 and 3: substituted; then rotated by a byte and `constant` added. */
export function aeskeygenassist(a: v128, constant: i32): v128 {
  const s = subBytes(a);
  const words = v128.shuffle<i8>(s, s, 4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12);
  return v128.xor(words, v128.replace_lane<i32>(v128.replace_lane<i32>(i32x4(0, 0, 0, 0), 1, constant), 3, constant));
}
