/**
 * Operand access: effective addresses, registers with their partial forms, memory places. In: a Lifter and operands. Out: temps, and places to write.
 * Source: SDM volume 1, 3.4.1.1 (32-bit writes zero the upper half, 8- and 16-bit writes keep the rest), 3.7.5 (addresses).
 */
import { InternalError } from '../../src/base/errors.js';
import type { TempId } from '../../src/base/ids.js';
import { G } from '../../src/ir/globals.js';
import type { MemOperand } from './insn.js';
import type { Lifter } from './lifter.js';

/** General operand widths in bytes. */
export type Size = 1 | 2 | 4 | 8;
export const bits = (size: number): number => 8 * size;

/** log2 of a width: the index of CC families. */
export const LOG2: Readonly<Record<Size, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 };

/** `size` as a general width. */
export function wide(size: number): Size {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8)
    throw new InternalError(`${size} bytes are no general width`);
  return size;
}

/** Something that can be read and written; its guard has been emitted. */
export interface Place {
  readonly size: Size;
  /** Host address of a memory place, for atomics. */
  readonly host: TempId | undefined;
  /** As Lifter.load: bits above the size are unspecified. */
  load(): TempId;
  /** Writes the low `size` bytes. */
  store(value: TempId): void;
}

export function regPlace(l: Lifter, r: { readonly reg: number; readonly size: Size; readonly high8: boolean }): Place {
  const g = G.reg(r.reg);
  return {
    size: r.size,
    host: undefined,
    load: () => (r.high8 ? l.e('extract_i64', [g], [8, 8]) : g),
    store: (value) => {
      if (r.size === 8) l.mov(g, value);
      else if (r.size === 4) l.emit('ext32u_i64', [g, value]);
      else l.emit('deposit_i64', [g, g, value], [r.high8 ? 8 : 0, bits(r.size)]);
    },
  };
}

export function memPlace(l: Lifter, host: TempId, size: Size): Place {
  return {
    size,
    host,
    load: () => l.ld(host, size),
    store: (value) => {
      l.st(host, value, size);
    },
  };
}

/** base + index * scale + disp (+ extra), cut to 32 bits with address size 4, plus the segment base. */
export function effectiveAddress(l: Lifter, m: MemOperand, extra?: TempId): TempId {
  let sum: TempId | undefined = m.base >= 0 ? G.reg(m.base) : undefined;
  if (m.index >= 0) {
    const scaled = m.scale === 1 ? G.reg(m.index) : l.shl(G.reg(m.index), l.i64(Math.log2(m.scale)));
    sum = sum === undefined ? scaled : l.add(sum, scaled);
  }
  if (m.disp !== 0n || sum === undefined) sum = sum === undefined ? l.i64(m.disp) : l.add(sum, l.i64(m.disp));
  if (extra !== undefined) sum = l.add(sum, extra);
  if (m.addrSize === 4) sum = l.zext(sum, 4);
  if (m.seg === 'fs') sum = l.add(sum, G.fsBase);
  if (m.seg === 'gs') sum = l.add(sum, G.gsBase);
  return sum;
}
