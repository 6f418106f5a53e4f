/**
 * SSE4.1's ROUND and dot products as lane functions. In: v128 of f32 or f64 lanes. Out: v128. Source: SDM 2A, DPPS and DPPD (order of the sums); 2B, ROUNDPS (immediate).
 * MXCSR: rounding by it is what the immediate may ask for; arithmetic rounds to nearest, whatever it says, and no exception flags are set.
 */
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle } from './vector.js';

export type FloatShape = 'f32x4' | 'f64x2';

/** Ops by bits 1:0 of the immediate. */
const ROUNDINGS = ['nearest', 'floor', 'ceil', 'trunc'] as const;
/** Bit 2 of the immediate: round as MXCSR.RC says. */
const BY_MXCSR = 4;

/** ROUNDPS and ROUNDPD of all lanes. */
export function roundLanes(l: Lifter, a: TempId, imm: number, shape: FloatShape): TempId {
  if ((imm & BY_MXCSR) !== 0) return l.callFor(`round_${shape}`, [a]);
  return l.e(`v_${ROUNDINGS[imm & 3] ?? 'nearest'}_${shape}`, [a]);
}

/** Lanes of a mask by the bits of `bits`. */
function maskOf(l: Lifter, bits: number, laneBits: number): TempId {
  const lane = (1n << BigInt(laneBits)) - 1n;
  let mask = 0n;
  for (let i = 0; i * laneBits < 128; i++) if (((bits >> i) & 1) === 1) mask |= lane << BigInt(i * laneBits);
  return l.v128(mask);
}

/** DPPS and DPPD: the products of the lanes that bits 7:4 choose, summed pair by pair; the sum in the lanes that bits 3:0 choose, 0 in the others. */
export function dotProduct(l: Lifter, a: TempId, b: TempId, imm: number, shape: FloatShape): TempId {
  const laneBits = shape === 'f32x4' ? 32 : 64;
  const products = l.e('v_and', [l.e(`v_mul_${shape}`, [a, b]), maskOf(l, imm >> 4, laneBits)]);
  const sumWith = (v: TempId, neighbours: readonly number[]): TempId =>
    l.e(`v_add_${shape}`, [v, shuffle(l, v, v, lanes(laneBits / 8, neighbours))]);
  const sum = shape === 'f64x2' ? sumWith(products, [1, 0]) : sumWith(sumWith(products, [1, 0, 3, 2]), [2, 3, 0, 1]);
  // NaN operands make the other lanes' sums differ from lane 0's, which is in the SDM's order.
  const count = 128 / laneBits;
  const places = Array.from({ length: count }, (_, i) => (((imm >> i) & 1) === 1 ? 0 : count));
  return shuffle(l, sum, l.v128(0n), lanes(laneBits / 8, places));
}
