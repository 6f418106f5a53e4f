/**
 * PCMPISTRI and relatives as lane functions. In: both operands, the lengths, the immediate. Out: the helper's packed result, and from it index, mask and flags.
 * Source: SDM 2B, section 4.1 and PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM.
 */
import type { TempId } from '../../src/base/ids.js';
import { G } from '../../src/ir/globals.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle, splat } from './vector.js';

/** Explicit lengths: those in rax and rdx (size 8), or eax and edx (4). */
export function compareExplicit(l: Lifter, a: TempId, b: TempId, imm: number, size: 4 | 8): TempId {
  const [la, lb] = [l.sext(G.reg(0), size), l.sext(G.reg(2), size)];
  return l.callFor('pcmpestr', [a, b, la, lb, l.i32(imm)]);
}

export function compareImplicit(l: Lifter, a: TempId, b: TempId, imm: number): TempId {
  return l.callFor('pcmpistr', [a, b, l.i32(imm)]);
}

/** Index (i64). */
export const indexOf = (l: Lifter, result: TempId): TempId => l.e('extract_i64', [result], [16, 16]);
/** EFLAGS (i64). */
export const flagsOf = (l: Lifter, result: TempId): TempId => l.shr(result, l.i64(32));

/** The mask: bits, or with bit 6 of the immediate whole elements. */
export function maskOf(l: Lifter, result: TempId, imm: number): TempId {
  if ((imm & 0x40) === 0) return l.e('v_replace_i64x2', [l.v128(0n), l.e('extract_i64', [result], [0, 16])], [0]);
  const all = l.e('v_splat_i16x8', [l.lo(result)]);
  const words = (imm & 1) === 1;
  const bits = words ? l.v128(0x0080_0040_0020_0010_0008_0004_0002_0001n) : splat(l, 0x8040_2010_0804_0201n, 64);
  const spread = words ? all : shuffle(l, all, all, lanes(1, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]));
  return l.e(`v_eq_${words ? 'i16x8' : 'i8x16'}`, [l.e('v_and', [spread, bits]), bits]);
}
