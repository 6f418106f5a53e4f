/**
 * Operand values of the SSE and MMX vectors: 128 bits each, lanes filled from lists of edge values. In: nothing. Out: the pool and where each kind stands in it.
 * Source: SDM volume 1, 4.8.3 (special values), table E-1 (limits of conversions).
 */
import { seededRandom } from '../fuzz/decoder-generate.js';
import { FLOAT_POOL, FLOAT_RANGE } from './float-pool.js';

export type ValueKind = 'f32' | 'f64' | 'int' | 'wide' | 'count' | 'mxcsr' | 'text';

const F32: readonly number[] = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000,
  0x80800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0xffd54321,
  0x7f800001, 0xff812345, 0x7fa00000, 0x4f000000, 0xcf000000, 0x4effffff, 0xcf000001, 0x5f000000, 0xdf000000,
  0x3f000000, 0x3fc00000, 0x40200000, 0xbf000000, 0xbfc00000, 0xc0200000, 0x3effffff, 0x501502f9, 0x40490fdb,
  0x1e3ce508, 0xa1234567, 0x33800000, 0x7e800000, 0xfe800001, 0x7e000000, 0x42c80a3d, 0xc61c3f9a,
];

const F64: readonly bigint[] = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x0000000000000001n,
  0x8000000000000001n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x8010000000000000n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff8123456789abcn,
  0xfffdcba987654321n,
  0x7ff0000000000001n,
  0xfff4000020000000n,
  // 2**31 and around, 2**63 and around, halves.
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0x41dfffffffc00000n,
  0x41dfffffffe00000n,
  0x41dfffffffdfffffn,
  0xc1e0000000100000n,
  0xc1e0000000200000n,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0x43dfffffffffffffn,
  0x3fe0000000000000n,
  0x3ff8000000000000n,
  0x4004000000000000n,
  0xbfe0000000000000n,
  0xbff8000000000000n,
  0xc004000000000000n,
  0x3fdfffffffffffffn,
  // Limits of single precision: rounding up to infinity, denormals, ties.
  0x47efffffe0000000n,
  0x47efffffefffffffn,
  0x47effffff0000000n,
  0x3810000000000000n,
  0x380fffffffffffffn,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x3ff0000010000000n,
  0x3ff0000030000000n,
  0x400921fb54442d18n,
  0xc0c387f334d6a161n,
];

const INT64: readonly bigint[] = [
  0n,
  0xffffffffffffffffn,
  0x8000000000000000n,
  0x7fffffffffffffffn,
  0x0000000080000000n,
  0x000000007fffffffn,
  0x00000000ffffffffn,
  0xffffffff80000000n,
  0xffffffff7fffffffn,
  0x8000800080008000n,
  0x7fff7fff80008001n,
  0x80808080807f807fn,
  0x7f7f7f7f01ff0100n,
  0x0001000200ff0100n,
  0xff00ff0000ff00ffn,
  0x0020000000400001n,
  0x0000000001000001n,
  0xfedcba9876543210n,
];

/** Low halves of shift counts. */
const COUNTS: readonly bigint[] = [
  0n,
  1n,
  7n,
  8n,
  15n,
  16n,
  17n,
  31n,
  32n,
  33n,
  63n,
  64n,
  65n,
  255n,
  0x100000000n,
  0xffffffffffffffffn,
];

/** MXCSR, reserved bits among them. */
const MXCSR: readonly bigint[] = [0x1f80n, 0x3f80n, 0x9fc0n, 0xffc0n, 0x10000n, 0x80001f80n, 0x7f80n, 0n];

/** Bytes and words of few kinds, with ends in many places: operands of PCMPISTRI, whose characters are to meet. Ranges, too. */
function texts(random: (n: number) => number): bigint[] {
  const filled = (size: number, alphabet: readonly number[]): bigint => {
    const lanes = Array.from({ length: 128 / size }, () => BigInt(alphabet[random(alphabet.length)] ?? 0));
    // Two in three end somewhere.
    const end = random(Math.ceil((1.5 * 128) / size));
    return join(
      lanes.map((lane, i) => (i === end ? 0n : lane)),
      size,
    );
  };
  const bytes = [...Array.from({ length: 8 }, () => filled(8, [0x61, 0x62])), ...Array.from({ length: 8 }, () => filled(8, [0x61, 0x7a, 0x80, 0xfe]))];
  const words = Array.from({ length: 10 }, () => filled(16, [0x61, 0x62, 0x8061]));
  return [...bytes, ...words, 0n, 0x3930_5a41_7a61n, 0x8170_6161n, (1n << 128n) - 1n];
}

/** Values per kind of the plain integer entries: edges, then random ones. */
const RANDOM_INTEGERS = 22;

/** Joins lanes of `bits` bits, lane 0 lowest. */
function join(lanes: readonly bigint[], bits: number): bigint {
  return lanes.reduce((v, lane, i) => v | (lane << BigInt(bits * i)), 0n);
}

const at = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;

/** More values of a type, besides the edges: entries of each. */
const DENSE = 256;
/** Elements at the ends of their ranges, of 8, 16 and 32 bits. */
const SATURATING = [
  [8, [0, 1, 0x7f, 0x80, 0x81, 0xff, 0xfe]],
  [16, [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0xff80, 0xff7f]],
  [32, [0, 1, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_8000, 0xffff_7fff]],
] as const;

function dense(random: (n: number) => number): bigint {
  const [bits, ends] = at(SATURATING, random(SATURATING.length));
  // Few ends, many, or none.
  const share = random(3);
  const lanes = Array.from({ length: 128 / bits }, () => BigInt(random(2) < share ? at(ends, random(ends.length)) : random(2 ** bits)));
  return join(lanes, bits);
}

/** A part of the values of float-pool.ts. */
function floats(kind: 'f32' | 'f64'): bigint[] {
  const [first] = FLOAT_RANGE[kind];
  return FLOAT_POOL.slice(first, first + DENSE);
}

type Range = readonly [number, number];
function build(): { pool: bigint[]; range: Record<ValueKind, Range>; denseRange: Partial<Record<ValueKind, Range>> } {
  const pool: bigint[] = [];
  const random = seededRandom(64);
  const random64 = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  const kind = (values: readonly bigint[]): Range => {
    pool.push(...values);
    return [pool.length - values.length, values.length];
  };
  const range = {
    f32: kind(F32.map((v, i) => join([v, at(F32, 5 * i + 3), at(F32, 11 * i + 14), at(F32, 17 * i + 20)].map(BigInt), 32))),
    f64: kind(F64.map((v, i) => join([v, at(F64, 7 * i + 13)], 64))),
    int: kind([
      ...INT64.map((v, i) => join([v, at(INT64, 5 * i + 2)], 64)),
      ...Array.from({ length: RANDOM_INTEGERS }, () => join([random64(), random64()], 64)),
    ]),
    wide: kind(INT64.map((v, i) => join([v ^ 0x5555_0000_0000_0000n, at(INT64, 7 * i + 5)], 64))),
    mxcsr: kind(MXCSR),
    count: kind(COUNTS.map((v) => join([v, random64()], 64))),
    text: kind(texts(random)),
  };
  const int = kind(Array.from({ length: DENSE }, () => dense(random)));
  const masks = kind(Array.from({ length: 32 }, () => BigInt(random(0x10000))));
  return {
    pool,
    range,
    denseRange: { f32: kind(floats('f32')), f64: kind(floats('f64')), int, wide: int, mxcsr: masks },
  };
}

const built = build();
export const SSE_POOL: readonly bigint[] = built.pool;
/** First index and number of entries. */
export const SSE_RANGE = built.range;
/** The same of more values, for kinds that have them. */
export const DENSE_RANGE = built.denseRange;
