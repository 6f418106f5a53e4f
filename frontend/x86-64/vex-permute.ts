/**
 * What AVX and AVX2 do across the 128-bit halves, and by variable indices and counts: broadcasts, permutations, insertions, shifts of each element by its own count, VZEROUPPER.
 * In: a Lifter. Out: writes of operand 0, or lane functions. Source: SDM 2C, VBROADCAST, VPERM*, VPERMIL*, VPSLLV, VINSERTF128, VEXTRACTF128, VTESTPS, VZEROALL, VZEROUPPER.
 */
import type { TempId } from '../../src/base/ids.js';
import { G } from '../../src/ir/globals.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { fields2, type Halves, imm8, lanes, shuffle, splat, storeVec, vec } from './vector.js';
import type { Binary } from './vector-lift.js';
import { testFlags } from './vector-sse41.js';
import { half, halves, setHalves } from './vex-lift.js';

const REGISTERS = 16;

/** Both halves of operand 0 alike. */
function setBoth(l: Lifter, value: TempId): void {
  const o = l.op(0);
  setHalves(l, 0, o.kind === 'xmm' && o.size === 32 ? [value, value] : [value]);
}

/** The low element of operand 1 in every element. */
export function broadcast(size: 1 | 2 | 4 | 8): LiftFn {
  const shape = { 1: 'i8x16', 2: 'i16x8', 4: 'i32x4', 8: 'i64x2' }[size];
  const zeros = lanes(size, new Array<number>(16 / size).fill(0));
  return (l) => {
    if (l.op(1).kind === 'mem') {
      const value = l.load(1);
      setBoth(l, l.e(`v_splat_${shape}`, [size === 8 ? value : l.lo(value)]));
    } else {
      const a = vec(l, 1);
      setBoth(l, shuffle(l, a, a, zeros));
    }
  };
}

/** VBROADCASTF128, VBROADCASTI128. */
export function broadcastHalf(l: Lifter): void {
  setBoth(l, vec(l, 1));
}

/** Of VINSERTF128 and VEXTRACTF128: which half. */
const halfOf = (imm: number): 0 | 1 => ((imm & 1) === 0 ? 0 : 1);

export function insertHalf(l: Lifter): void {
  const value = vec(l, 2);
  const a = halves(l, 1);
  setHalves(l, 0, halfOf(imm8(l, 3)) === 0 ? [value, half(a, 1)] : [half(a, 0), value]);
}

export function extractHalf(l: Lifter): void {
  const value = half(halves(l, 1), halfOf(imm8(l, 2)));
  if (l.op(0).kind === 'mem') storeVec(l, 0, value);
  else setHalves(l, 0, [value]);
}

/** VPERM2F128, VPERM2I128: each half of the result is one of the four halves, or zero. */
export function permuteHalves(l: Lifter): void {
  const b = halves(l, 2);
  const all = [...halves(l, 1), ...b];
  const imm = imm8(l, 3);
  const pick = (field: number): TempId => ((field & 8) === 0 ? (all[field & 3] ?? all[0] ?? b[0]) : l.v128(0n));
  setHalves(l, 0, [pick(imm), pick(imm >> 4)]);
}

/** VPERMQ, VPERMPD. */
export function permuteQuads(l: Lifter): void {
  const a = halves(l, 1);
  const [i = 0, j = 0, k = 0, m = 0] = fields2(imm8(l, 2));
  const pick = (list: readonly number[]): TempId => shuffle(l, a[0], half(a, 1), lanes(8, list));
  setHalves(l, 0, [pick([i, j]), pick([k, m])]);
}

/** Byte numbers of the dwords that bits 1:0 of each dword of `index` name. */
function dwordBytes(l: Lifter, index: TempId): TempId {
  const first = l.e('v_shl_i32x4', [l.e('v_and', [index, splat(l, 3n, 32)]), l.i32(2)]);
  return l.e('v_add_i32x4', [l.e('v_mul_i32x4', [first, splat(l, 0x0101_0101n, 32)]), splat(l, 0x0302_0100n, 32)]);
}

/** All ones in the lanes whose bit `bit` is set. */
function bitMask(l: Lifter, a: TempId, bit: number, laneBits: 32 | 64): TempId {
  const shape = laneBits === 32 ? 'i32x4' : 'i64x2';
  const top = l.e(`v_shl_${shape}`, [a, l.i32(laneBits - 1 - bit)]);
  return l.e(`v_sar_${shape}`, [top, l.i32(laneBits - 1)]);
}

/** VPERMD, VPERMPS: operand 1 are indices into the eight elements of operand 2. */
export function permuteDwords(l: Lifter): void {
  const a = halves(l, 2);
  const index = halves(l, 1);
  const pick = (n: 0 | 1): TempId => {
    const bytes = dwordBytes(l, half(index, n));
    const [low, high] = [l.e('v_swizzle', [a[0], bytes]), l.e('v_swizzle', [half(a, 1), bytes])];
    return l.e('v_bitsel', [high, low, bitMask(l, half(index, n), 2, 32)]);
  };
  const result: Halves = [pick(0), pick(1)];
  setHalves(l, 0, result);
}

/** VPERMILPS with a vector of indices. */
export const permuteSingles: Binary = (l, a, b) => l.e('v_swizzle', [a, dwordBytes(l, b)]);

/** VPERMILPD with a vector of indices: bit 1 counts. */
export const permuteDoubles: Binary = (l, a, b) =>
  l.e('v_bitsel', [shuffle(l, a, a, lanes(8, [1, 1])), shuffle(l, a, a, lanes(8, [0, 0])), bitMask(l, b, 1, 64)]);

/** VPSLLV, VPSRLV, VPSRAV: each element of a by the count in b; counts of the width or more give 0, or the sign. */
export function shiftEach(kind: 'shl' | 'shr' | 'sar', laneBits: 32 | 64): Binary {
  return laneBits === 32 ? (l, a, b) => shiftDwords(l, kind, a, b) : (l, a, b) => shiftQuads(l, kind, a, b);
}

/** Step by step: by 1, 2, 4, 8, 16 where the count has that bit. */
function shiftDwords(l: Lifter, kind: 'shl' | 'shr' | 'sar', a: TempId, b: TempId): TempId {
  const count = kind === 'sar' ? l.e('v_min_u_i32x4', [b, splat(l, 31n, 32)]) : b;
  let r = a;
  for (let bit = 0; bit < 5; bit++) {
    const shifted = l.e(`v_${kind}_i32x4`, [r, l.i32(1 << bit)]);
    r = l.e('v_bitsel', [shifted, r, bitMask(l, count, bit, 32)]);
  }
  if (kind === 'sar') return r;
  const fits = l.e('v_eq_i32x4', [l.e('v_and', [b, splat(l, ~31n, 32)]), l.v128(0n)]);
  return l.e('v_and', [r, fits]);
}

function shiftQuads(l: Lifter, kind: 'shl' | 'shr' | 'sar', a: TempId, b: TempId): TempId {
  return [0, 1].reduce<TempId>((r, lane) => {
    const count = l.e('v_extract_i64x2', [b], [lane]);
    const limited = l.and(count, l.i64(63));
    const shifted = l.e(`${kind}_i64`, [l.e('v_extract_i64x2', [a], [lane]), limited]);
    const kept = l.movcond('gtu', count, l.i64(63), l.i64(0), shifted);
    return l.e('v_replace_i64x2', [r, kept], [lane]);
  }, a);
}

/** VTESTPS, VTESTPD: PTEST of the sign bits. */
export function signFlags(shape: 'i32x4' | 'i64x2'): (l: Lifter, a: TempId, b: TempId) => TempId {
  const [sign, laneBits] = shape === 'i32x4' ? [1n << 31n, 32] : [1n << 63n, 64];
  return (l, a, b) => {
    const signs = splat(l, sign, laneBits);
    return testFlags(l, l.e('v_and', [a, signs]), l.e('v_and', [b, signs]));
  };
}

export function zeroUpper(l: Lifter): void {
  for (let n = 0; n < REGISTERS; n++) l.emit('mov_v128', [G.ymmh(n), l.v128(0n)]);
}

export function zeroAll(l: Lifter): void {
  for (let n = 0; n < REGISTERS; n++) l.emit('mov_v128', [G.xmm(n), l.v128(0n)]);
  zeroUpper(l);
}
