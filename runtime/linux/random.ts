/**
 * Random bytes for guests: the host's, or with -seed a sequence that is the same in every run of a single-threaded guest. In: the kernel. Out: bytes.
 * Source: man 2 getrandom; SplitMix64 (Steele, Lea, Flood, 2014) for the seeded sequence.
 */
import { nodeModules } from './node-modules.js';
import { HEAD } from '../process/layout.js';
import type { Kernel } from '../process/kernel.js';

const STEP = 0x9e37_79b9_7f4a_7c15n;

/** `seed` 0 means the host's random numbers. */
export function seedRandom(kernel: Kernel, seed: bigint): void {
  Atomics.store(kernel.i64, HEAD.SEED / 2, BigInt.asIntN(64, seed));
}

export function randomBytes(kernel: Kernel, count: number): Uint8Array {
  const out = new Uint8Array(count);
  if (Atomics.load(kernel.i64, HEAD.SEED / 2) === 0n) return nodeModules.crypto().randomFillSync(out);
  for (let i = 0; i < count; i += 8) {
    let z = BigInt.asUintN(64, Atomics.add(kernel.i64, HEAD.SEED / 2, BigInt.asIntN(64, STEP)) + STEP);
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    z ^= z >> 31n;
    for (let b = 0; b < 8 && i + b < count; b++) out[i + b] = Number((z >> BigInt(8 * b)) & 0xffn);
  }
  return out;
}
