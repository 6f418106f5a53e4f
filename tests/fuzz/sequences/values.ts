/**
 * States before a sequence: edge values in registers and memory, of the kinds that instructions make something of. In: random numbers, the registers' roles. Out: a SequenceState.
 */
import { FLAG } from '../../../src/guest/flags.js';
import { random64 } from '../../support/random.js';
import { emptyState, SequenceState } from '../../support/sequence-state.js';
import { SSE_POOL } from '../../vectors/sse-pool.js';
import { pick, type Random, type Registers, STACK_START } from './registers.js';

const RSP = 4;
const FLAG_BITS = [FLAG.CF, FLAG.PF, FLAG.AF, FLAG.ZF, FLAG.SF, FLAG.OF] as const;

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  0xfn,
  0x10n,
  0x1fn,
  0x3fn,
  0x40n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ff80n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

/** Sign and exponent of 80-bit values: zero, denormal, small, around one, limits of the integers, large, infinite or NaN. */
const EXPONENTS = [
  0, 0, 1, 0x3c01, 0x3f81, 0x3ffe, 0x3fff, 0x3fff, 0x4000, 0x400e, 0x401e, 0x403e, 0x407f, 0x43fe, 0x7ffe, 0x7fff,
] as const;
const SIGNIFICANDS: readonly bigint[] = [
  0x8000_0000_0000_0000n,
  0xc000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
  0x8000_0000_0000_0001n,
  0xa000_0000_0000_0000n,
];

function integer(random: Random): bigint {
  const kind = random(5);
  if (kind < 2) return pick(random, EDGES);
  if (kind === 2) return (random64(random) << 32n) | (pick(random, EDGES) & 0xffff_ffffn);
  return kind === 3 ? BigInt(random(300)) : random64(random);
}

const vector = (random: Random): bigint =>
  random(4) === 0 ? (random64(random) << 64n) | random64(random) : pick(random, SSE_POOL);

function extended(random: Random): bigint {
  const exponent = pick(random, EXPONENTS);
  const significand = random(2) === 0 ? pick(random, SIGNIFICANDS) : random64(random) | (1n << 63n);
  // Denormals and zeros have no integer bit; a zero exponent with one, and the formats that are no longer supported, come now and then.
  const value =
    exponent === 0 && random(8) > 0 ? (random(2) === 0 ? 0n : significand >> BigInt(1 + random(60))) : significand;
  const odd = random(40) === 0 ? value & ~(1n << 63n) : value;
  return (BigInt(exponent | (random(2) << 15)) << 64n) | odd;
}

function fillMemory(s: SequenceState, random: Random): void {
  const { memory } = s;
  for (let at = 0; at < memory.length; at += 16) {
    const value = random(3) === 0 ? vector(random) : (integer(random) << 64n) | integer(random);
    s.setWide(memory.byteOffset - s.bytes.byteOffset + at, value);
  }
}

function x87(s: SequenceState, random: Random): void {
  const top = random(8);
  s.fsw = (top << 11) | (random(4) === 0 ? random(8) << 8 : 0) | (random(4) === 0 ? random(64) : 0);
  s.fcw = random(4) === 0 ? 0x7f | (pick(random, [0, 2, 3]) << 8) | (random(4) << 10) : 0x37f;
  s.valid = random(3) === 0 ? random(256) : random(3) === 0 ? 0 : 0xff & ~(1 << random(8));
  for (let n = 0; n < 8; n++) s.setExtended(SequenceState.st(n), extended(random));
}

/** @param preciseFloat MXCSR may be any */
export function stateBefore(r: Registers, rip: number, preciseFloat: boolean): SequenceState {
  const { random } = r;
  const s = emptyState();
  for (let n = 0; n < 16; n++) {
    s.setGpr(n, integer(random));
    s.setWide(SequenceState.xmm(n), vector(random));
    s.setWide(SequenceState.ymmh(n), vector(random));
  }
  for (const { reg, value } of [...r.bases, ...r.indices, ...(r.edge === undefined ? [] : [r.edge])])
    s.setGpr(reg, BigInt(value));
  s.setGpr(RSP, BigInt(STACK_START));
  s.rip = rip;
  s.rflags = FLAG.IF | 2;
  for (const bit of FLAG_BITS) if (random(2) === 0) s.rflags |= bit;
  if (random(12) === 0) s.rflags |= FLAG.DF;
  if (preciseFloat && random(2) === 0)
    s.mxcsr = 0x1f80 | (random(4) << 13) | (random(4) === 0 ? 0x8040 : 0) | (random(2) === 0 ? random(64) : 0);
  x87(s, random);
  fillMemory(s, random);
  return s;
}
