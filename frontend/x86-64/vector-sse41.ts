/**
 * SSE4.1's and SSE4.2's packed integer operations, blends and lane moves as lane functions. In: v128. Out: v128, or a lane.
 * Source: SDM 2A/2B, BLENDPS BLENDVPS INSERTPS MPSADBW PACKUSDW PBLENDVB PBLENDW PCMPEQQ PCMPGTQ PHMINPOSUW PINSRB PMAXSB PMOVSX PMOVZX PMULDQ PMULLD PTEST.
 */
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle } from './vector.js';
import type { Binary, BinaryImm, Unary } from './vector-lift.js';

const op =
  (name: string): Binary =>
  (l, a, b) =>
    l.e(name, [a, b]);

/** Signed products of the even 32-bit lanes. */
const multiplyEven: Binary = (l, a, b) => {
  const even = lanes(4, [0, 2, 0, 2]);
  return l.e('v_extmul_low_i32x4_s', [shuffle(l, a, a, even), shuffle(l, b, b, even)]);
};

/** By mnemonic: destination op source. */
export const SSE41 = {
  packusdw: op('v_narrow_u_i16x8'),
  pcmpeqq: op('v_eq_i64x2'),
  pcmpgtq: op('v_gt_s_i64x2'),
  pmuldq: multiplyEven,
  pmulld: op('v_mul_i32x4'),
  pminsb: op('v_min_s_i8x16'),
  pminsd: op('v_min_s_i32x4'),
  pminuw: op('v_min_u_i16x8'),
  pminud: op('v_min_u_i32x4'),
  pmaxsb: op('v_max_s_i8x16'),
  pmaxsd: op('v_max_s_i32x4'),
  pmaxuw: op('v_max_u_i16x8'),
  pmaxud: op('v_max_u_i32x4'),
} as const satisfies Record<string, Binary>;

/** The low lanes, widened step by step. */
function widen(signed: 's' | 'u', ...shapes: readonly string[]): Unary {
  return (l, a) => shapes.reduce((v, shape) => l.e(`v_extend_low_${shape}_${signed}`, [v]), a);
}

/** The least unsigned word in lane 0, its number in lane 1: words and numbers as one 32-bit number are compared at once. */
const minimumPosition: Unary = (l, a) => {
  const numbers = l.v128(0x0007_0006_0005_0004_0003_0002_0001_0000n);
  const halves = [0, 4].map((from) =>
    shuffle(
      l,
      numbers,
      a,
      lanes(
        2,
        [0, 1, 2, 3].flatMap((i) => [from + i, 8 + from + i]),
      ),
    ),
  );
  const least = (x: TempId, y: TempId): TempId => l.e('v_min_u_i32x4', [x, y]);
  const four = halves.reduce(least);
  const two = least(four, shuffle(l, four, four, lanes(4, [2, 3, 0, 1])));
  const one = least(two, shuffle(l, two, two, lanes(4, [1, 0, 3, 2])));
  // Words exchanged by shifts, and the rest masked: V8 has no short form of a shuffle with zeros.
  const sixteen = l.i32(16);
  const exchanged = l.e('v_or', [l.e('v_shl_i32x4', [one, sixteen]), l.e('v_shr_i32x4', [one, sixteen])]);
  return l.e('v_and', [exchanged, l.v128(0xffff_ffffn)]);
};

/** By mnemonic: of the source alone. */
export const SSE41_UNARY = {
  pmovsxbw: widen('s', 'i8x16'),
  pmovsxbd: widen('s', 'i8x16', 'i16x8'),
  pmovsxbq: widen('s', 'i8x16', 'i16x8', 'i32x4'),
  pmovsxwd: widen('s', 'i16x8'),
  pmovsxwq: widen('s', 'i16x8', 'i32x4'),
  pmovsxdq: widen('s', 'i32x4'),
  pmovzxbw: widen('u', 'i8x16'),
  pmovzxbd: widen('u', 'i8x16', 'i16x8'),
  pmovzxbq: widen('u', 'i8x16', 'i16x8', 'i32x4'),
  pmovzxwd: widen('u', 'i16x8'),
  pmovzxwq: widen('u', 'i16x8', 'i32x4'),
  pmovzxdq: widen('u', 'i32x4'),
  phminposuw: minimumPosition,
} as const satisfies Record<string, Unary>;

/** Lanes of b where the immediate has a bit, of a elsewhere. */
function blend(size: 2 | 4 | 8): BinaryImm {
  const count = 16 / size;
  return (l, a, b, imm) =>
    shuffle(
      l,
      a,
      b,
      lanes(
        size,
        Array.from({ length: count }, (_, i) => (((imm >> i) & 1) === 1 ? count + i : i)),
      ),
    );
}

/** Sums of absolute differences of four bytes of b with each of eight neighbouring groups of four bytes of a. Bits 2 and 1:0 of the immediate choose where in a and in b. */
const sumsOfDifferences: BinaryImm = (l, a, b, imm) => {
  const [fromA, fromB] = [imm & 4, 4 * (imm & 3)];
  const indices = Array.from({ length: 16 }, (_, i) => i);
  // Rotations and splats are shuffles that V8 has a short form of.
  const eight = (from: number): TempId => {
    const rotated = indices.map((i) => (from + i) % 16);
    return l.e('v_extend_low_i8x16_u', [shuffle(l, a, a, rotated)]);
  };
  const one = (at: number): TempId => {
    const same = indices.map(() => at);
    return l.e('v_shr_i16x8', [shuffle(l, b, b, same), l.i32(8)]);
  };
  return [0, 1, 2, 3]
    .map((k) => l.e('v_sub_i16x8', [eight(fromA + k), one(fromB + k)]))
    .map((difference) => l.e('v_abs_i16x8', [difference]))
    .reduce((x, y) => l.e('v_add_i16x8', [x, y]));
};

/** By mnemonic: destination, source and an immediate. */
export const SSE41_IMM = {
  blendps: blend(4),
  blendpd: blend(8),
  pblendw: blend(2),
  mpsadbw: sumsOfDifferences,
} as const satisfies Record<string, BinaryImm>;

/** Lanes of b where the lane of `mask` has its top bit set, of a elsewhere: PBLENDVB, BLENDVPS, BLENDVPD. */
export function blendByMask(l: Lifter, a: TempId, b: TempId, mask: TempId, shape: 'i8x16' | 'i32x4' | 'i64x2'): TempId {
  return l.e('v_bitsel', [b, a, l.e(`v_gt_s_${shape}`, [l.v128(0n), mask])]);
}

/** INSERTPS: lane `from` of b becomes the lane of a that bits 5:4 name; bits 3:0 clear lanes. */
export function insertSingle(l: Lifter, a: TempId, b: TempId, from: number, imm: number): TempId {
  const to = (imm >> 4) & 3;
  const kept = [0, 1, 2, 3].filter((i) => ((imm >> i) & 1) === 0);
  const inserted = shuffle(
    l,
    a,
    b,
    lanes(
      4,
      [0, 1, 2, 3].map((i) => (i === to ? 4 + from : i)),
    ),
  );
  if (kept.length === 4) return inserted;
  return l.e('v_and', [inserted, l.v128(kept.reduce((mask, i) => mask | (0xffff_ffffn << BigInt(32 * i)), 0n))]);
}

/** Bytes of a lane of PINSR and PEXTR. */
export type LaneSize = 1 | 2 | 4 | 8;
const SHAPE = { 1: 'i8x16', 2: 'i16x8', 4: 'i32x4', 8: 'i64x2' } as const satisfies Record<LaneSize, string>;
const laneOf = (size: LaneSize, imm: number): number => imm & (16 / size - 1);

/** PINSR: `a` with one lane from the low bits of `value` (i64). */
export function insertLane(l: Lifter, a: TempId, value: TempId, size: LaneSize, imm: number): TempId {
  return l.e(`v_replace_${SHAPE[size]}`, [a, size === 8 ? value : l.lo(value)], [laneOf(size, imm)]);
}

/** PEXTR: a lane, zero-extended to i64. */
export function extractLane(l: Lifter, a: TempId, size: LaneSize, imm: number): TempId {
  const lane = l.e(`v_extract${size < 4 ? 'u' : ''}_${SHAPE[size]}`, [a], [laneOf(size, imm)]);
  return size === 8 ? lane : l.up(lane);
}

/** EFLAGS of PTEST (i64): ZF when a & b is zero, CF when b has no bit that a lacks. */
export function testFlags(l: Lifter, a: TempId, b: TempId): TempId {
  const none = (v: TempId): TempId => l.setcond('eq', l.up(l.e('v_any_true', [v])), l.i64(0));
  return l.or(l.shl(none(l.e('v_and', [a, b])), l.i64(6)), none(l.e('v_andc', [b, a])));
}
