/**
 * Operand values of the floating-point vectors: 128 bits each. In: nothing. Out: the pool and where each kind stands in it.
 * Edge values (zeros, denormals, limits, NaNs, halves, limits of conversions) and values whose sums, products and quotients come to lie at the edges. Source: SDM volume 1, 4.8.
 */
import { seededRandom } from '../fuzz/decoder-generate.js';

export type FloatKind = 'f32' | 'f64' | 'int';

interface Format {
  readonly bits: number;
  readonly fraction: number;
  readonly bias: number;
}
const F32: Format = { bits: 32, fraction: 23, bias: 127 };
const F64: Format = { bits: 64, fraction: 52, bias: 1023 };

/** Entries of each kind. */
const SIZE = 700;

const random = seededRandom(1985);
const random64 = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;

/** One element. */
function value({ bits, fraction, bias }: Format): bigint {
  const f = BigInt(fraction);
  const sign = BigInt(random(2)) << BigInt(bits - 1);
  const ones = (1n << f) - 1n;
  const limit = BigInt(2 * bias + 1);
  const make = (exponent: bigint, low: bigint): bigint => sign | (exponent << f) | (low & ones);
  // Few bits, at either end of the fraction: exact results, halves, carries.
  const low = (): bigint =>
    pick([0n, 0n, 1n, ones, ones - 1n, 1n << (f - 1n), (1n << (f - 1n)) + 1n, 3n << (f - 2n), random64(), random64()]);
  switch (random(12)) {
    case 0:
      return make(0n, 0n);
    case 1:
      return make(0n, low() | 1n);
    case 2:
      return make(0n, 1n << BigInt(random(fraction)));
    case 3:
      return make(1n + BigInt(random(3)), low());
    case 4:
      return make(limit - 1n - BigInt(random(3)), low());
    case 5:
      return make(limit, pick([0n, 0n, 1n << (f - 1n), (1n << (f - 1n)) | random64(), 1n, random64() >> 14n]));
    case 6:
      // Products and quotients that are tiny or huge.
      return make(BigInt(Math.floor(bias / 2) + random(4)), low());
    case 7:
      return make(BigInt(bias + Math.floor(bias / 2) + random(4)), low());
    case 8:
      return make(BigInt(bias - 1 + random(4)), low());
    case 9:
      // Around the limits of integers.
      return make(BigInt(bias + 29 + random(4) + 32 * random(2)), low());
    case 10:
      return make(BigInt(bias - 30 + random(60)), low());
    default:
      return BigInt.asUintN(bits, random64());
  }
}

/** Doubles at the limits of single precision. */
function nearSingles(): bigint {
  const sign = BigInt(random(2)) << 63n;
  const exponent = BigInt(pick([1023 + 127, 1023 + 128, 1023 - 126, 1023 - 127, 1023 - 149, 1023 - 150, 1023 - 151]));
  const low = pick([0n, 1n, (1n << 29n) - 1n, 1n << 28n, (1n << 28n) + 1n, (1n << 52n) - 1n, 0xfffffefffffffn, random64()]);
  return sign | (exponent << 52n) | (low & ((1n << 52n) - 1n));
}

const integer = (): bigint =>
  pick([
    BigInt(random(100)),
    -BigInt(random(100)),
    0x7fffffffn,
    0x80000000n,
    0x7fffffffffffffffn,
    0x8000000000000000n,
    0x1000001n,
    0x1000003n << BigInt(random(38)),
    0x20000000000001n,
    0x20000000000003n << BigInt(random(9)),
    random64(),
    random64() >> BigInt(random(63)),
  ]);

function build(): { pool: bigint[]; range: Record<FloatKind, readonly [number, number]> } {
  const pool: bigint[] = [];
  const kind = (bits: number, make: () => bigint): readonly [number, number] => {
    const start = pool.length;
    for (let i = 0; i < SIZE; i++) {
      let v = 0n;
      for (let at = 0; at < 128; at += bits) v |= BigInt.asUintN(bits, make()) << BigInt(at);
      pool.push(v);
    }
    return [start, SIZE];
  };
  const range = {
    f32: kind(32, () => value(F32)),
    f64: kind(64, () => (random(6) === 0 ? nearSingles() : value(F64))),
    int: kind(64, integer),
  };
  return { pool, range };
}

const built = build();
export const FLOAT_POOL: readonly bigint[] = built.pool;
/** First index and number of entries. */
export const FLOAT_RANGE = built.range;
