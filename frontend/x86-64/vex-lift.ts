/**
 * Lifters of VEX rows from lane functions. In: a function over 128-bit vectors. Out: a LiftFn that fetches the sources in halves of 128 bits, applies it to each, and writes operand 0.
 * With 128 bits the upper half of the destination becomes zero. Memory needs no alignment. Source: SDM 2A, 2.3 (VEX), SDM volume 1, 14.1 (lanes of 128 bits).
 */
import type { TempId } from '../../src/base/ids.js';
import { InternalError } from '../../src/base/errors.js';
import { G } from '../../src/ir/globals.js';
import { inHalves } from './float-lanes.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { type Halves, imm8, setGeneral32, vec } from './vector.js';
import type { Binary, BinaryImm, Unary, UnaryImm } from './vector-lift.js';

/** Bytes of operand `i`. */
function bytesOf(l: Lifter, i: number): number {
  const o = l.op(i);
  return 'size' in o ? o.size : 0;
}

/** Value of a vector operand. Registers are their globals: copy them where they are written before the last use. `aligned`: #GP for memory that is not. */
export function halves(l: Lifter, i: number, aligned = false): Halves {
  const o = l.op(i);
  if (o.kind === 'xmm') return o.size === 32 ? [G.xmm(o.reg), G.ymmh(o.reg)] : [G.xmm(o.reg)];
  if (o.kind !== 'mem') throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no vector`);
  if (o.size < 16) return [vec(l, i)];
  const host = l.guardRead(l.ea(o), o.size, aligned ? o.size : 1);
  const low = l.e('gld_v128', [host], [0]);
  return o.size === 32 ? [low, l.e('gld_v128', [host], [16])] : [low];
}

/** Writes a register; without `high`, its upper half becomes zero. */
export function setHalves(l: Lifter, i: number, [low, high]: Halves): void {
  const o = l.op(i);
  if (o.kind !== 'xmm') throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no vector register`);
  let upper = high ?? l.v128(0n);
  if (upper === G.xmm(o.reg)) {
    upper = l.temp('v128');
    l.emit('mov_v128', [upper, G.xmm(o.reg)]);
  }
  l.emit('mov_v128', [G.xmm(o.reg), low]);
  l.emit('mov_v128', [G.ymmh(o.reg), upper]);
}

/** Stores to memory operand `i`, of 16 or 32 bytes. */
export function storeHalves(l: Lifter, i: number, [low, high]: Halves, aligned = false): void {
  const m = l.mem(i);
  const host = l.guardWrite(l.ea(m), m.size, aligned ? m.size : 1);
  l.emit('gst_v128', [host, low], [0]);
  if (high !== undefined) l.emit('gst_v128', [host, high], [16]);
}

/** Half `n` of a vector that has it: of a shorter one, the low half. */
export const half = (v: Halves, n: 0 | 1): TempId => v[n] ?? v[0];

/** `lane` for each half that operand 0 has. */
export function forHalves(l: Lifter, lane: (n: 0 | 1) => TempId): Halves {
  return bytesOf(l, 0) === 32 ? inHalves(l, lane) : [lane(0)];
}

/** dst = f(first source, second source). */
export function vexBinary(f: Binary): LiftFn {
  return (l) => {
    const b = halves(l, 2);
    const a = halves(l, 1);
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, half(a, n), half(b, n), false)),
    );
  };
}

/** dst = f(source). */
export function vexUnary(f: Unary): LiftFn {
  return (l) => {
    const a = halves(l, 1);
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, half(a, n))),
    );
  };
}

/** dst = f(first source, second source, imm8). `step`: bits of the immediate that the low half takes, so that the high half's are above them. */
export function vexBinaryImm(f: BinaryImm, step = 0): LiftFn {
  return (l) => {
    const b = halves(l, 2);
    const a = halves(l, 1);
    const imm = imm8(l, 3);
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, half(a, n), half(b, n), imm >> (step * n), false)),
    );
  };
}

/** dst = f(source, imm8), likewise. */
export function vexUnaryImm(f: UnaryImm, step = 0): LiftFn {
  return (l) => {
    const a = halves(l, 1);
    const imm = imm8(l, 2);
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, half(a, n), imm >> (step * n))),
    );
  };
}

/** dst = f(first source, second source, mask): the mask is operand 3. */
export function vexBlend(f: (l: Lifter, a: TempId, b: TempId, mask: TempId) => TempId): LiftFn {
  return (l) => {
    const b = halves(l, 2);
    const [a, mask] = [halves(l, 1), halves(l, 3)];
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, half(a, n), half(b, n), half(mask, n))),
    );
  };
}

/** dst = f(source), where f widens the low `1 / share` of a vector: the high half is that of the source's next bytes. */
export function vexWiden(f: Unary, share: 2 | 4 | 8): LiftFn {
  const next = Array.from({ length: 16 }, (_, i) => (i + 16 / share) % 16);
  return (l) => {
    const [a] = halves(l, 1);
    setHalves(
      l,
      0,
      forHalves(l, (n) => f(l, n === 0 ? a : l.e('v_shuffle', [a, a], [next]))),
    );
  };
}

/** dst = f(source), where f gives the low 64 bits of a vector whose upper half is zero: both halves' results side by side. */
export function vexNarrow(f: Unary): LiftFn {
  const both = Array.from({ length: 16 }, (_, i) => (i < 8 ? i : i + 8));
  return (l) => {
    const [a, b] = halves(l, 1);
    if (b === undefined) setHalves(l, 0, [f(l, a)]);
    else {
      const parts = inHalves(l, (n) => f(l, n === 0 ? a : b));
      setHalves(l, 0, [l.e('v_shuffle', parts, [both])]);
    }
  };
}

/** Whole vectors moved, either way; `aligned`: memory must be. */
export function vexMove(aligned: boolean): LiftFn {
  return (l) => {
    const value = halves(l, 1, aligned);
    if (l.op(0).kind === 'mem') storeHalves(l, 0, value, aligned);
    else setHalves(l, 0, value);
  };
}

/** Top bits of the lanes to a general register: `count` lanes a half. */
export function vexMask(shape: 'i8x16' | 'i32x4' | 'i64x2'): LiftFn {
  const count = { i8x16: 16, i32x4: 4, i64x2: 2 }[shape];
  return (l) => {
    const [low, high] = halves(l, 1);
    const bits = l.e(`v_bitmask_${shape}`, [low]);
    if (high === undefined) setGeneral32(l, 0, bits);
    else setGeneral32(l, 0, l.e('or_i32', [bits, l.e('shl_i32', [l.e(`v_bitmask_${shape}`, [high]), l.i32(count)])]));
  };
}

/** EFLAGS of a test that sets them for all halves: each flag when it holds for every half. */
export function vexTest(flags: (l: Lifter, a: TempId, b: TempId) => TempId): LiftFn {
  return (l) => {
    const b = halves(l, 1);
    const a = halves(l, 0);
    const low = flags(l, a[0], b[0]);
    l.flags.setEflags(b[1] === undefined ? low : l.and(low, flags(l, half(a, 1), b[1])));
  };
}
