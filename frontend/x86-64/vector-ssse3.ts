/**
 * SSSE3's packed operations as lane functions, for xmm and MMX registers alike. In: two v128. Out: one.
 * Source: SDM 2B, PABSB PALIGNR PHADDW PHADDSW PHSUBW PHSUBSW PMADDUBSW PMULHRSW PSHUFB PSIGNB.
 */
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle, splat } from './vector.js';
import type { Binary, Unary } from './vector-lift.js';

/** PSHUFB: bit 7 of an index gives 0; the bits between it and the lane number do not count. */
const shuffleBytes: Binary = (l, a, b, mmx) => l.e('v_look', [a, mmx ? l.e('v_and', [b, splat(l, 0x87n, 8)]) : b]);

/** An operation on neighbours: those of a, then those of b. */
function horizontal(op: string, size: 2 | 4): Binary {
  const count = 16 / size;
  return (l, a, b, mmx) => {
    // The lanes of a and b, numbered through; those of MMX registers fill half a vector each.
    const list = Array.from({ length: count }, (_, i) => 2 * i).map((lane) =>
      mmx && lane >= count / 2 ? lane + count / 2 : lane,
    );
    const pick = (odd: number): TempId =>
      shuffle(
        l,
        a,
        b,
        lanes(
          size,
          list.map((lane) => (lane + odd) % (2 * count)),
        ),
      );
    return l.e(op, [pick(0), pick(1)]);
  };
}

/** PSIGN: a, negated where b is negative, 0 where b is 0. */
function sign(shape: string): Binary {
  return (l, a, b) => {
    const zero = l.v128(0n);
    const negative = l.e(`v_gt_s_${shape}`, [zero, b]);
    const signed = l.e(`v_sub_${shape}`, [l.e('v_xor', [a, negative]), negative]);
    return l.e('v_andc', [signed, l.e(`v_eq_${shape}`, [b, zero])]);
  };
}

/** By mnemonic: destination op source. */
export const SSSE3 = {
  pshufb: shuffleBytes,
  phaddw: horizontal('v_add_i16x8', 2),
  phaddd: horizontal('v_add_i32x4', 4),
  phaddsw: horizontal('v_add_sat_s_i16x8', 2),
  phsubw: horizontal('v_sub_i16x8', 2),
  phsubd: horizontal('v_sub_i32x4', 4),
  phsubsw: horizontal('v_sub_sat_s_i16x8', 2),
  pmaddubsw: (l, a, b) => l.callFor('multiply_add_bytes', [a, b]),
  pmulhrsw: (l, a, b) => l.callFor('multiply_round', [a, b]),
  psignb: sign('i8x16'),
  psignw: sign('i16x8'),
  psignd: sign('i32x4'),
} as const satisfies Record<string, Binary>;

/** By mnemonic: of the source alone. */
export const SSSE3_UNARY = {
  pabsb: (l, a) => l.e('v_abs_i8x16', [a]),
  pabsw: (l, a) => l.e('v_abs_i16x8', [a]),
  pabsd: (l, a) => l.e('v_abs_i32x4', [a]),
} as const satisfies Record<string, Unary>;

/** PALIGNR: `imm` bytes on from the start of b, which a follows; zeros behind a. */
export function alignRight(l: Lifter, a: TempId, b: TempId, imm: number, mmx = false): TempId {
  if (mmx) return alignRight(l, l.v128(0n), shuffle(l, b, a, lanes(8, [0, 2])), imm);
  if (imm >= 32) return l.v128(0n);
  const [low, high, from] = imm < 16 ? [b, a, imm] : [a, l.v128(0n), imm - 16];
  return shuffle(
    l,
    low,
    high,
    Array.from({ length: 16 }, (_, i) => from + i),
  );
}
