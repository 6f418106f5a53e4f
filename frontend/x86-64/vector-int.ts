/**
 * Packed integer operations, for xmm and MMX registers alike. In: two v128. Out: one. Source: SDM 2B, P* instructions.
 * MMX operands stand in the low half; what the upper half becomes is not read.
 */
import type { TempId } from '../../src/base/ids.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { fields2, imm8, lanes, setVec, shuffle, splat, vec } from './vector.js';
import { binary, type Binary, type BinaryImm, type UnaryImm } from './vector-lift.js';

const op =
  (name: string): Binary =>
  (l, a, b) =>
    l.e(name, [a, b]);

/** Interleaves the lanes of the low or high halves. */
function unpack(size: number, high: boolean): Binary {
  const half = 8 / size;
  return (l, a, b, mmx) => {
    // The high half of a 64-bit operand is the upper part of the low half's interleaving.
    const from = high && !mmx ? half : 0;
    const list = Array.from({ length: half }, (_, i) => [from + i, 2 * half + from + i]).flat();
    const r = shuffle(l, a, b, lanes(size, list));
    return high && mmx ? shuffle(l, r, r, lanes(8, [1, 1])) : r;
  };
}

/** Narrows the lanes of a, then b. */
function pack(name: string): Binary {
  return (l, a, b, mmx) => {
    if (!mmx) return l.e(name, [a, b]);
    const both = shuffle(l, a, b, lanes(8, [0, 2]));
    return l.e(name, [both, both]);
  };
}

/** High halves of the 16-bit products. */
function mulHigh(sign: 's' | 'u'): Binary {
  return (l, a, b) =>
    shuffle(
      l,
      l.e(`v_extmul_low_i16x8_${sign}`, [a, b]),
      l.e(`v_extmul_high_i16x8_${sign}`, [a, b]),
      lanes(2, [1, 3, 5, 7, 9, 11, 13, 15]),
    );
}

/** Products of the even 32-bit lanes. */
const mulEven: Binary = (l, a, b) => {
  const even = lanes(4, [0, 2, 0, 2]);
  return l.e('v_extmul_low_i32x4_u', [shuffle(l, a, a, even), shuffle(l, b, b, even)]);
};

/** Sums of absolute differences of each eight bytes. */
const sumOfDifferences: Binary = (l, a, b) => {
  const d = l.e('v_or', [l.e('v_sub_sat_u_i8x16', [a, b]), l.e('v_sub_sat_u_i8x16', [b, a])]);
  const ones = splat(l, 1n, 16);
  const sum = (half: 'low' | 'high'): TempId => {
    const s = l.e('v_dot_i16x8', [l.e(`v_extend_${half}_i8x16_u`, [d]), ones]);
    const t = l.e('v_add_i32x4', [s, shuffle(l, s, s, lanes(4, [2, 3, 0, 1]))]);
    return l.e('v_add_i32x4', [t, shuffle(l, t, t, lanes(4, [1, 0, 3, 2]))]);
  };
  return l.e('v_and', [shuffle(l, sum('low'), sum('high'), lanes(8, [0, 2])), splat(l, 0xffffn, 64)]);
};

/** By mnemonic: destination op source. */
export const PACKED = {
  punpcklbw: unpack(1, false),
  punpcklwd: unpack(2, false),
  punpckldq: unpack(4, false),
  punpcklqdq: unpack(8, false),
  punpckhbw: unpack(1, true),
  punpckhwd: unpack(2, true),
  punpckhdq: unpack(4, true),
  punpckhqdq: unpack(8, true),
  packsswb: pack('v_narrow_s_i8x16'),
  packuswb: pack('v_narrow_u_i8x16'),
  packssdw: pack('v_narrow_s_i16x8'),
  pcmpgtb: op('v_gt_s_i8x16'),
  pcmpgtw: op('v_gt_s_i16x8'),
  pcmpgtd: op('v_gt_s_i32x4'),
  pcmpeqb: op('v_eq_i8x16'),
  pcmpeqw: op('v_eq_i16x8'),
  pcmpeqd: op('v_eq_i32x4'),
  paddb: op('v_add_i8x16'),
  paddw: op('v_add_i16x8'),
  paddd: op('v_add_i32x4'),
  paddq: op('v_add_i64x2'),
  psubb: op('v_sub_i8x16'),
  psubw: op('v_sub_i16x8'),
  psubd: op('v_sub_i32x4'),
  psubq: op('v_sub_i64x2'),
  paddsb: op('v_add_sat_s_i8x16'),
  paddsw: op('v_add_sat_s_i16x8'),
  paddusb: op('v_add_sat_u_i8x16'),
  paddusw: op('v_add_sat_u_i16x8'),
  psubsb: op('v_sub_sat_s_i8x16'),
  psubsw: op('v_sub_sat_s_i16x8'),
  psubusb: op('v_sub_sat_u_i8x16'),
  psubusw: op('v_sub_sat_u_i16x8'),
  pmullw: op('v_mul_i16x8'),
  pmulhw: mulHigh('s'),
  pmulhuw: mulHigh('u'),
  pmuludq: mulEven,
  pmaddwd: op('v_dot_i16x8'),
  psadbw: sumOfDifferences,
  pminub: op('v_min_u_i8x16'),
  pmaxub: op('v_max_u_i8x16'),
  pminsw: op('v_min_s_i16x8'),
  pmaxsw: op('v_max_s_i16x8'),
  pavgb: op('v_avgr_u_i8x16'),
  pavgw: op('v_avgr_u_i16x8'),
  pand: op('v_and'),
  por: op('v_or'),
  pxor: op('v_xor'),
  pandn: (l, a, b) => l.e('v_andc', [b, a]),
} as const satisfies Record<string, Binary>;

/** What an operation on equal registers gives, whatever they hold. */
const OF_EQUALS: Readonly<Record<string, bigint>> = {
  pxor: 0n,
  pcmpeqb: (1n << 128n) - 1n,
  pcmpeqw: (1n << 128n) - 1n,
  pcmpeqd: (1n << 128n) - 1n,
};

/** PACKED's operation; one on equal registers is a constant where it does not depend on them. */
export function packedLane(name: keyof typeof PACKED): Binary {
  const constant = OF_EQUALS[name];
  const f: Binary = PACKED[name];
  return (l, a, b, mmx) => (constant !== undefined && a === b ? l.v128(constant) : f(l, a, b, mmx));
}

/** dst = dst op src. */
export const packed = (name: keyof typeof PACKED): LiftFn => binary(packedLane(name));

export type ShiftKind = 'shl' | 'shr' | 'sar';
type ShiftWidth = 16 | 32 | 64;
const SHAPE = { 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const satisfies Record<ShiftWidth, string>;

/** Lanes shifted by an immediate: counts of the lane width or more give 0, or for arithmetic shifts the sign. */
export function shiftByImm(kind: ShiftKind, laneBits: ShiftWidth): UnaryImm {
  return (l, a, n) => {
    if (n >= laneBits && kind !== 'sar') return l.v128(0n);
    return l.e(`v_${kind}_${SHAPE[laneBits]}`, [a, l.i32(Math.min(n, laneBits - 1))]);
  };
}

/** Lanes shifted by the low 64 bits of a vector, likewise. */
export function shiftByVector(kind: ShiftKind, laneBits: ShiftWidth): (l: Lifter, a: TempId, count: TempId) => TempId {
  return (l, a, count) => {
    const n = l.e('v_extract_i64x2', [count], [0]);
    const most = l.i64(laneBits - 1);
    const limited = l.lo(l.movcond('gtu', n, most, most, n));
    const r = l.e(`v_${kind}_${SHAPE[laneBits]}`, [a, limited]);
    if (kind === 'sar') return r;
    return l.e('v_and', [r, l.e('v_splat_i64x2', [l.neg(l.setcond('leu', n, most))])]);
  };
}

/** Legacy shifts: the count is an immediate or a vector. */
export function packedShift(kind: ShiftKind, laneBits: ShiftWidth): LiftFn {
  const [byImm, byVector] = [shiftByImm(kind, laneBits), shiftByVector(kind, laneBits)];
  return (l) => {
    if (l.op(1).kind === 'imm') setVec(l, 0, byImm(l, vec(l, 0), imm8(l, 1)));
    else {
      const count = vec(l, 1);
      setVec(l, 0, byVector(l, vec(l, 0), count));
    }
  };
}

/** PSLLDQ and PSRLDQ: whole bytes. */
export function shiftBytes(left: boolean): UnaryImm {
  return (l, a, imm) => {
    const n = Math.min(imm, 16);
    const list = Array.from({ length: 16 }, (_, i) => {
      const from = left ? i - n : i + n;
      return from < 0 || from > 15 ? 16 : from;
    });
    return shuffle(l, a, l.v128(0n), list);
  };
}

export function byteShift(left: boolean): LiftFn {
  return (l) => {
    setVec(l, 0, shiftBytes(left)(l, vec(l, 0), imm8(l, 1)));
  };
}

/** PSHUFD, PSHUFLW, PSHUFHW. */
export const shuffleDwords: UnaryImm = (l, a, imm) => shuffle(l, a, a, lanes(4, fields2(imm)));
export const shuffleLowWords: UnaryImm = (l, a, imm) => shuffle(l, a, a, lanes(2, [...fields2(imm), 4, 5, 6, 7]));
export const shuffleHighWords: UnaryImm = (l, a, imm) =>
  shuffle(l, a, a, lanes(2, [0, 1, 2, 3, ...fields2(imm).map((f) => 4 + f)]));

/** SHUFPS: two lanes of a, then two of b. */
export const shuffleSingles: BinaryImm = (l, a, b, imm) => {
  const [i = 0, j = 0, k = 0, m = 0] = fields2(imm);
  return shuffle(l, a, b, lanes(4, [i, j, 4 + k, 4 + m]));
};

/** SHUFPD: a lane of a, then one of b, by bits 0 and 1 of the immediate. */
export const shuffleDoubles: BinaryImm = (l, a, b, imm) => shuffle(l, a, b, lanes(8, [imm & 1, 2 + ((imm >> 1) & 1)]));
