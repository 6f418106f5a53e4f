/**
 * SSE4.1's ROUND and dot products as lane functions. In: v128 of f32 or f64 lanes. Out: v128. Source: SDM 2A, DPPS and DPPD (order of the sums); 2B, ROUNDPS (immediate).
 * MXCSR: see float-lanes.ts.
 */
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { FLOAT_OP } from '../../src/guest/float-ops.js';
import { binaryLane, type FloatType, inHalves, isPrecise, placed, preciseLane, shapeOf } from './float-lanes.js';
import { type Halves, lanes, shuffle } from './vector.js';

/** Ops by bits 1:0 of the immediate. */
const ROUNDINGS = ['nearest', 'floor', 'ceil', 'trunc'] as const;
/** Bit 2 of the immediate: round as MXCSR.RC says. */
const BY_MXCSR = 4;

/** ROUND of `b`; the rest of a scalar result is from `a`. */
export function roundLane(l: Lifter, t: FloatType, a: TempId, b: TempId, imm: number): TempId {
  if (isPrecise(l)) return preciseLane(l, t, FLOAT_OP.ROUND + (imm & 15), a, b);
  const shape = shapeOf(t);
  if ((imm & BY_MXCSR) !== 0) return placed(l, t, a, l.callFor(`round_${shape}`, [b]));
  return placed(l, t, a, l.e(`v_${ROUNDINGS[imm & 3] ?? 'nearest'}_${shape}`, [b]));
}

/** Lanes of a mask by the bits of `bits`. */
function maskOf(l: Lifter, bits: number, laneBits: number): TempId {
  const lane = (1n << BigInt(laneBits)) - 1n;
  let mask = 0n;
  for (let i = 0; i * laneBits < 128; i++) if (((bits >> i) & 1) === 1) mask |= lane << BigInt(i * laneBits);
  return l.v128(mask);
}

/** Products of the lanes in the mask, 0 in the others. What is not chosen raises nothing: where that counts, it is zeros that are multiplied. */
function maskedProducts(l: Lifter, t: 'ps' | 'pd', a: TempId, b: TempId, mask: TempId): TempId {
  const product = binaryLane('mul', t);
  return isPrecise(l)
    ? product(l, l.e('v_and', [a, mask]), l.e('v_and', [b, mask]))
    : l.e('v_and', [product(l, a, b), mask]);
}

/** DPPS and DPPD: the products of the lanes that bits 7:4 choose, summed pair by pair; the sum in the lanes that bits 3:0 choose, 0 in the others. */
export function dotProduct(l: Lifter, t: 'ps' | 'pd', a: TempId, b: TempId, imm: number): TempId {
  return dotProducts(l, t, [a], [b], imm)[0];
}

/** The same of both halves of 256 bits: each step's exceptions are those of both. */
export function dotProducts(l: Lifter, t: 'ps' | 'pd', a: Halves, b: Halves, imm: number): Halves {
  const step = (lane: (n: 0 | 1) => TempId): Halves => (a.length === 1 ? [lane(0)] : inHalves(l, lane));
  const laneBits = t === 'ps' ? 32 : 64;
  const mask = maskOf(l, imm >> 4, laneBits);
  const products = step((n) => maskedProducts(l, t, a[n] ?? a[0], b[n] ?? b[0], mask));
  const sumsWith = (v: Halves, neighbours: readonly number[]): Halves =>
    step((n) => {
      const x = v[n] ?? v[0];
      return binaryLane('add', t)(l, x, shuffle(l, x, x, lanes(laneBits / 8, neighbours)));
    });
  const sums = t === 'pd' ? sumsWith(products, [1, 0]) : sumsWith(sumsWith(products, [1, 0, 3, 2]), [2, 3, 0, 1]);
  // NaN operands make the other lanes' sums differ from lane 0's, which is in the SDM's order.
  const all = (1 << (128 / laneBits)) - 1;
  const placedSum = (sum: TempId): TempId => {
    const everywhere = shuffle(l, sum, sum, lanes(laneBits / 8, t === 'ps' ? [0, 0, 0, 0] : [0, 0]));
    return (imm & all) === all ? everywhere : l.e('v_and', [everywhere, maskOf(l, imm & all, laneBits)]);
  };
  return sums[1] === undefined ? [placedSum(sums[0])] : [placedSum(sums[0]), placedSum(sums[1])];
}
