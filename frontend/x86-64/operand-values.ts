/**
 * Makes operand values; register operands and small immediates are shared. In: register numbers, immediates. Out: `Operand`s, never to be written.
 * Source: Intel SDM 1, section 3.4.1 (registers in 64-bit mode).
 * Sharing them and plain integers for displacements carry the decoder's speed: see tests/fuzz/decoder-bench.ts.
 */
import type { Operand, SegName } from './insn.js';

type GprSize = 1 | 2 | 4 | 8;

/** Registers 0..15 of each size; 16..19 of size 1 are ah, ch, dh, bh. */
function gprsOf(size: GprSize): readonly Operand[] {
  return Array.from({ length: 20 }, (_, n): Operand =>
    n < 16 ? { kind: 'gpr', reg: n, size, high8: false } : { kind: 'gpr', reg: n - 16, size, high8: true },
  );
}

const gprs: Readonly<Record<GprSize, readonly Operand[]>> = { 1: gprsOf(1), 2: gprsOf(2), 4: gprsOf(4), 8: gprsOf(8) };

function item(list: readonly Operand[], index: number): Operand {
  const operand = list[index];
  if (operand === undefined) throw new RangeError(`no shared operand ${index}`);
  return operand;
}

/** A general register, 0..15; with size 1 also 16..19 for ah, ch, dh, bh. */
export function gprOperand(size: GprSize, reg: number): Operand {
  return item(gprs[size], reg);
}

type RegKind = 'xmm' | 'mmx' | 'st' | 'seg' | 'cr' | 'dr';

/** Shared operands by kind, size in bytes and register; made at first use. */
const registers: Readonly<Record<RegKind, (Operand | undefined)[]>> = {
  xmm: [],
  mmx: [],
  st: [],
  seg: [],
  cr: [],
  dr: [],
};

/** A register of another file, 0..15; `size` in bytes (at most 16) for xmm and mmx. */
export function regOperand(kind: RegKind, reg: number, size = 0): Operand {
  const list = registers[kind];
  const index = size * 16 + reg;
  const known = list[index];
  if (known !== undefined) return known;
  const made: Operand = kind === 'xmm' || kind === 'mmx' ? { kind, reg, size } : { kind, reg };
  list[index] = made;
  return made;
}

const SMALL_MIN = -128;
const SMALL_MAX = 255;
const smallBigints = Array.from({ length: SMALL_MAX - SMALL_MIN + 1 }, (_, n) => BigInt(n + SMALL_MIN));

/** The bigint of a safe integer. */
export function bigintOf(n: number): bigint {
  // The range check comes first: reading an array out of its bounds is slow.
  if (n < SMALL_MIN || n > SMALL_MAX) return BigInt(n);
  return smallBigints[n - SMALL_MIN] ?? BigInt(n);
}

/** Small immediates by size: made at first use. */
const smallImms: Readonly<Record<GprSize, (Operand | undefined)[]>> = { 1: [], 2: [], 4: [], 8: [] };

/** An immediate, extended as the form says, that stands for `size` bytes. */
export function immOperand(value: number, size: GprSize): Operand {
  if (value < SMALL_MIN || value > SMALL_MAX) return { kind: 'imm', value: BigInt(value), size };
  const list = smallImms[size];
  const index = value - SMALL_MIN;
  const known = list[index];
  if (known !== undefined) return known;
  const made: Operand = { kind: 'imm', value: bigintOf(value), size };
  list[index] = made;
  return made;
}

/** One shape for all memory operands, so that the code that reads them stays monomorphic. */
export function memOperand(
  base: number,
  index: number,
  scale: 1 | 2 | 4 | 8,
  disp: bigint,
  seg: SegName,
  addrSize: 4 | 8,
  size: number,
): Operand {
  return { kind: 'mem', base, index, scale, disp, seg, addrSize, size };
}
