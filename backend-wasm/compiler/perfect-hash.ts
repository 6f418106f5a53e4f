/**
 * A hash of guest pcs without collisions, for switches on them. In: pcs, all different. Out: how to hash, and which pc is where.
 */
import { InternalError } from '../../src/base/errors.js';

/** The hash of a pc: its low word times `factor`, the upper `bits` bits of the product's low word. */
export interface PerfectHash {
  readonly factor: number;
  readonly bits: number;
  /** Index among the pcs by hash; undefined where no pc has it. */
  readonly at: readonly (number | undefined)[];
}

/** Factors tried for each number of bits; random ones, so that a table of n * n entries has a chance of a half each. */
const TRIES = 500;

/** @param pcs at least one. Throws InternalError when two have the same low word. */
export function perfectHash(pcs: readonly number[]): PerfectHash {
  let factor = 0x9e37_79b1 | 0;
  for (let bits = Math.max(1, Math.ceil(Math.log2(pcs.length))); bits <= 16; bits++) {
    for (let i = 0; i < TRIES; i++) {
      const at = place(pcs, factor, bits);
      if (at !== undefined) return { factor, bits, at };
      // Numerical Recipes' generator; odd factors.
      factor = (Math.imul(factor, 1664525) + 1013904223) | 1;
    }
  }
  throw new InternalError('no perfect hash: two pcs have the same low word');
}

function place(pcs: readonly number[], factor: number, bits: number): (number | undefined)[] | undefined {
  const at = new Array<number | undefined>(1 << bits).fill(undefined);
  for (const [i, pc] of pcs.entries()) {
    const hash = Math.imul(pc, factor) >>> (32 - bits);
    if (at[hash] !== undefined) return undefined;
    at[hash] = i;
  }
  return at;
}
