/** Pseudo-random integers that are cheap to make, for states by the hundred thousand. In: a seed. Out: a function. Source: mulberry32. */

/** Looked up once: in jest's context every look at a global is slow. */
const { floor, imul } = Math;

/** Uniform integers in 0..n-1, seeded; n up to 2**32. */
export function fastRandom(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), state | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return floor(((t ^ (t >>> 14)) >>> 0) * n * 2 ** -32);
  };
}

/** 64 random bits. */
export const random64 = (random: (n: number) => number): bigint =>
  (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
