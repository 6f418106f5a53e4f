/**
 * Lifters of legacy vector rows from lane functions. In: a lane function over 128-bit vectors. Out: a LiftFn that fetches the operands, computes, and writes operand 0. Memory must be aligned, unless `unaligned`.
 * Source: SDM 2A, 3.1.1.3 (two-operand forms: the first is source and destination).
 */
import type { TempId } from '../../src/base/ids.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { imm8, isMmx, setVec, vec } from './vector.js';

/** destination op source. With `mmx`, the operands stand in the low half, and what the upper half becomes is not read. */
export type Binary = (l: Lifter, a: TempId, b: TempId, mmx: boolean) => TempId;
/** Of the source alone. */
export type Unary = (l: Lifter, a: TempId) => TempId;
/** With an immediate, 0..255. */
export type BinaryImm = (l: Lifter, a: TempId, b: TempId, imm: number, mmx: boolean) => TempId;
export type UnaryImm = (l: Lifter, a: TempId, imm: number) => TempId;

/** dst = f(dst, src). */
export function binary(f: Binary, unaligned = false): LiftFn {
  return (l) => {
    const b = vec(l, 1, unaligned);
    setVec(l, 0, f(l, vec(l, 0), b, isMmx(l, 0)));
  };
}

/** dst = f(src). */
export function unary(f: Unary): LiftFn {
  return (l) => {
    setVec(l, 0, f(l, vec(l, 1)));
  };
}

/** dst = f(dst, src, imm8). */
export function binaryImm(f: BinaryImm, unaligned = false): LiftFn {
  return (l) => {
    const b = vec(l, 1, unaligned);
    setVec(l, 0, f(l, vec(l, 0), b, imm8(l, 2), isMmx(l, 0)));
  };
}

/** dst = f(src, imm8). */
export function unaryImm(f: UnaryImm): LiftFn {
  return (l) => {
    setVec(l, 0, f(l, vec(l, 1), imm8(l, 2)));
  };
}
