/**
 * Vector operands: xmm registers, MMX registers (as the low half of a v128), memory. In: a Lifter and operand numbers. Out: v128 temps.
 * Source: SDM volume 1, 9.6.2 (MMX registers over the x87 registers), 10.2 (SSE); alignment: SDM 2A, 2.4 (exception classes of legacy SSE).
 */
import type { TempId } from '../../src/base/ids.js';
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';

/** The halves of a vector: one of 128 bits, two of 256. */
export type Halves = readonly [TempId] | readonly [TempId, TempId];

/** v128 constant of equal lanes. */
export function splat(l: Lifter, lane: bigint, laneBits: number): TempId {
  let v = 0n;
  for (let i = 0; i < 128; i += laneBits) v |= BigInt.asUintN(laneBits, lane) << BigInt(i);
  return l.v128(v);
}

/** Lists of bytes for v_shuffle from lane numbers: `size` bytes each, lanes of the second operand count on from those of the first. */
export function lanes(size: number, list: readonly number[]): number[] {
  return list.flatMap((lane) => Array.from({ length: size }, (_, i) => lane * size + i));
}

export function shuffle(l: Lifter, a: TempId, b: TempId, list: readonly number[]): TempId {
  return l.e('v_shuffle', [a, b], [list]);
}

const mmxHome = (reg: number): number => CPU.ST + 16 * reg;

/** True when operand `i` is an MMX register. */
export const isMmx = (l: Lifter, i: number): boolean => l.op(i).kind === 'mmx';

/**
 * Value of a vector operand, of at most 128 bits. Memory of 16 bytes must be aligned unless `unaligned` or under a VEX prefix; 8, 4 and 2 bytes are zero-extended. The upper half of an MMX register is unspecified.
 * An xmm register is its global: copy it where it is written before the last use.
 */
export function vec(l: Lifter, i: number, unaligned = false): TempId {
  const o = l.op(i);
  switch (o.kind) {
    case 'xmm':
      return G.xmm(o.reg);
    case 'mmx':
      return l.e('ld_v128', [], [mmxHome(o.reg)]);
    case 'mem': {
      const host = l.guardRead(l.ea(o), o.size, o.size === 16 && !unaligned && l.insn.vexL === 0 ? 16 : 1);
      if (o.size === 2) return l.e('v_replace_i16x8', [l.v128(0n), l.lo(l.ld(host, 2))], [0]);
      return l.e(o.size === 16 ? 'gld_v128' : o.size === 8 ? 'gld64z_v128' : 'gld32z_v128', [host], [0]);
    }
    default:
      throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no vector`);
  }
}

/** Writes a vector register. Under a VEX prefix the upper half of ymm becomes zero. An MMX write makes the x87 tags valid, TOP 0 and the exponent all ones. */
export function setVec(l: Lifter, i: number, value: TempId): void {
  const o = l.op(i);
  if (o.kind === 'xmm') {
    l.emit('mov_v128', [G.xmm(o.reg), value]);
    if (l.insn.vexL !== 0) l.emit('mov_v128', [G.ymmh(o.reg), l.v128(0n)]);
    return;
  }
  if (o.kind !== 'mmx') throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no vector register`);
  l.emit('st_i64', [l.e('v_extract_i64x2', [value], [0])], [mmxHome(o.reg)]);
  l.emit('st16_i32', [l.i32(0xffff)], [mmxHome(o.reg) + 8]);
  enterMmx(l);
}

/** An instruction that raises #MF first when an unmasked x87 exception waits: those with an MMX register, and EMMS. */
export function afterX87(lift: LiftFn): LiftFn {
  return (l, insn) => {
    if (insn.operands.length === 0 || insn.operands.some((o) => o.kind === 'mmx')) l.call('x87_check', []);
    lift(l, insn);
  };
}

/** Every MMX instruction but EMMS: TOP 0, all tags valid. */
export function enterMmx(l: Lifter): void {
  l.setEnv(CPU.FPTOP, l.i32(0));
  l.setEnv(CPU.FPTAG, l.i32(0));
}

/** Stores the low `size` bytes of a vector to memory operand `i`. */
export function storeVec(l: Lifter, i: number, value: TempId, align = 1): void {
  const m = l.mem(i);
  const host = l.guardWrite(l.ea(m), m.size, align);
  if (m.size === 16) l.emit('gst_v128', [host, value], [0]);
  else if (m.size === 8) l.emit('gst_i64', [host, l.e('v_extract_i64x2', [value], [0])], [0]);
  else l.emit('gst_i32', [host, l.e('v_extract_i32x4', [value], [0])], [0]);
}

/** The destination with its low element (4 or 8 bytes) from `low`. */
export function withLow(l: Lifter, dst: TempId, low: TempId, size: 4 | 8): TempId {
  return shuffle(l, low, dst, size === 8 ? lanes(8, [0, 3]) : lanes(4, [0, 5, 6, 7]));
}

/** Sixteen bytes moved, either way: registers, or memory that must be aligned when `aligned`. */
export function moveFull(aligned: boolean): LiftFn {
  return (l) => {
    const value = vec(l, 1, !aligned);
    if (l.op(0).kind === 'mem') storeVec(l, 0, value, aligned ? 16 : 1);
    else setVec(l, 0, value);
  };
}

/** The immediate of a shuffle, as an unsigned byte. */
export function imm8(l: Lifter, i: number): number {
  const o = l.op(i);
  return o.kind === 'imm' ? Number(BigInt.asUintN(8, o.value)) : 0;
}

/** Two-bit fields of an immediate. */
export const fields2 = (imm: number): number[] => [imm & 3, (imm >> 2) & 3, (imm >> 4) & 3, (imm >> 6) & 3];

/** General register or memory operand to the low lane, the rest zero. */
export function fromGeneral(l: Lifter, i: number): TempId {
  return l.e('v_replace_i64x2', [l.v128(0n), l.loadZ(i)], [0]);
}

/** Low lane to a general register or memory operand. */
export function toGeneral(l: Lifter, i: number, value: TempId): void {
  const o = l.op(i);
  if (o.kind === 'mem') storeVec(l, i, value);
  else if (l.size(i) === 8) l.dest(i).store(l.e('v_extract_i64x2', [value], [0]));
  else setGeneral32(l, i, l.e('v_extract_i32x4', [value], [0]));
}

/** A 32-bit result to a general register of 4 or 8 bytes: the upper half becomes zero. */
export function setGeneral32(l: Lifter, i: number, value: TempId): void {
  const o = l.op(i);
  if (o.kind !== 'gpr') throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no general register`);
  l.emit('extu_i32_i64', [G.reg(o.reg), value]);
}

/** An MMX value with its upper half zero. */
export function widened(l: Lifter, value: TempId): TempId {
  return shuffle(l, value, l.v128(0n), lanes(8, [0, 2]));
}
