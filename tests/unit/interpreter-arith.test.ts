/** Helpers of integer arithmetic, against BigInt: flags of every CC_OP, high halves of products, truncation, division. */
import { describe, expect, test } from '@jest/globals';
import { CC, CC_OP_COUNT, FLAG } from '../../src/guest/flags.js';
import { CoreMachine } from '../support/core-machine.js';

const { exports } = new CoreMachine().core;
type I64Function = (...args: bigint[]) => bigint;
const all = exports['cc_compute_all'] as (op: number, ...args: bigint[]) => bigint;
const carry = exports['cc_compute_c'] as (op: number, ...args: bigint[]) => bigint;

/** xorshift64: the same values in every run. */
let state = 0x1234_5678_9abc_def1n;
function random64(): bigint {
  state ^= BigInt.asUintN(64, state << 13n);
  state ^= state >> 7n;
  state ^= BigInt.asUintN(64, state << 17n);
  return state;
}
const EDGES = [0n, 1n, 2n, 0xfn, 0x10n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n];
const MORE = [0xffff_ffffn, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, (1n << 64n) - 2n];
const values = [...EDGES, ...MORE, ...Array.from({ length: 12 }, random64)];
const signed = (v: bigint): bigint => BigInt.asIntN(64, v);
const bit = (set: boolean, flag: number): number => (set ? flag : 0);

const top = (bits: number, v: bigint): boolean => ((v >> BigInt(bits - 1)) & 1n) !== 0n;
const sx = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);

/** PF, ZF and SF of a result. */
function resultFlags(bits: number, r: bigint): number {
  let ones = 0;
  for (let i = 0n; i < 8n; i++) ones += Number((r >> i) & 1n);
  return bit(ones % 2 === 0, FLAG.PF) | bit(r === 0n, FLAG.ZF) | bit(top(bits, r), FLAG.SF);
}

/** What an operation leaves in the lazy state, and its flags by definition (SDM volume 1, 3.4.3.1). */
interface Sample {
  readonly dst: bigint;
  readonly src: bigint;
  readonly src2: bigint;
  readonly flags: number;
}

/** a + b + c, or a - b - c. */
function addition(bits: number, a: bigint, b: bigint, c: bigint, subtract: boolean): Sample {
  const u = (v: bigint): bigint => BigInt.asUintN(bits, v);
  const sign = subtract ? -1n : 1n;
  const exact = a + sign * (b + c);
  const exactSigned = sx(bits, a) + sign * (sx(bits, b) + c);
  const nibble = (a & 15n) + sign * ((b & 15n) + c);
  const dst = u(exact);
  const flags =
    resultFlags(bits, dst) |
    bit(exact !== dst, FLAG.CF) |
    bit(nibble < 0n || nibble > 15n, FLAG.AF) |
    bit(exactSigned !== sx(bits, dst), FLAG.OF);
  return { dst, src: b, src2: c, flags };
}

const FAMILIES: Record<string, (bits: number, a: bigint, b: bigint) => Sample | undefined> = {
  ADD: (bits, a, b) => addition(bits, a, b, 0n, false),
  ADC: (bits, a, b) => addition(bits, a, b, random64() & 1n, false),
  SUB: (bits, a, b) => addition(bits, a, b, 0n, true),
  SBB: (bits, a, b) => addition(bits, a, b, random64() & 1n, true),
  LOGIC: (bits, a, b) => ({ dst: a & b, src: b, src2: b, flags: resultFlags(bits, a & b) }),
  INC: (bits, a) => {
    const { dst, flags } = addition(bits, a, 1n, 0n, false);
    const cf = random64() & 1n;
    return { dst, src: cf, src2: 0n, flags: (flags & ~FLAG.CF) | Number(cf) };
  },
  DEC: (bits, a) => {
    const { dst, flags } = addition(bits, a, 1n, 0n, true);
    const cf = random64() & 1n;
    return { dst, src: cf, src2: 0n, flags: (flags & ~FLAG.CF) | Number(cf) };
  },
  SHL: (bits, a, b) => {
    const n = (b % BigInt(bits - 1)) + 1n;
    const dst = BigInt.asUintN(bits, a << n);
    const cf = ((a << n) >> BigInt(bits)) & 1n;
    const overflow = top(bits, dst) !== (cf !== 0n);
    const flags = resultFlags(bits, dst) | FLAG.AF | Number(cf) | bit(overflow, FLAG.OF);
    return { dst, src: BigInt.asUintN(bits, a << (n - 1n)), src2: 0n, flags };
  },
  SAR: (bits, a, b) => {
    const n = (b % BigInt(bits - 1)) + 1n;
    const logical = (b & 64n) !== 0n;
    const value = logical ? a : sx(bits, a);
    const dst = BigInt.asUintN(bits, value >> n);
    const src = BigInt.asUintN(bits, value >> (n - 1n));
    const overflow = top(bits, dst) !== top(bits, src);
    const flags = resultFlags(bits, dst) | FLAG.AF | Number(src & 1n) | bit(overflow, FLAG.OF);
    return { dst, src, src2: 0n, flags };
  },
  MUL: (bits, a, b) => {
    const product = a * b;
    const dst = BigInt.asUintN(bits, product);
    const high = product >> BigInt(bits);
    return { dst, src: high, src2: 0n, flags: resultFlags(bits, dst) | bit(high !== 0n, FLAG.CF | FLAG.OF) };
  },
  ZERO: (_bits, a) => ({ dst: a, src: 0n, src2: 0n, flags: bit(a === 0n, FLAG.ZF) }),
};

/** Garbage above the width, which must not matter. */
const above = (bits: number, v: bigint): bigint => (bits === 64 ? v : (random64() << BigInt(bits)) | v);

describe('flags', () => {
  test.each(Object.keys(FAMILIES))('of %s', (name) => {
    const family = CC[name as keyof typeof CC];
    for (const [log, bits] of [8, 16, 32, 64].entries()) {
      for (const x of values) {
        for (const y of values) {
          const sample = FAMILIES[name]?.(bits, BigInt.asUintN(bits, x), BigInt.asUintN(bits, y));
          if (sample === undefined) continue;
          // INC, DEC and MUL have a truth value in src, not a value of the width.
          const plain = ['INC', 'DEC', 'MUL'].includes(name);
          const args = [above(bits, sample.dst), plain ? sample.src : above(bits, sample.src), sample.src2].map(signed);
          const what = `${name}${bits} ${x.toString(16)} ${y.toString(16)}`;
          expect(`${what} ${all(family + log, ...args).toString(16)}`).toBe(`${what} ${sample.flags.toString(16)}`);
          expect(`${what} ${carry(family + log, ...args)}`).toBe(`${what} ${sample.flags & 1}`);
        }
      }
    }
  });

  test('of EFLAGS are the bits of src', () => {
    for (const v of values) {
      expect(all(CC.EFLAGS, 5n, signed(v), 7n)).toBe(v & BigInt(FLAG.ARITH));
      expect(carry(CC.EFLAGS, 5n, signed(v), 7n)).toBe(v & 1n);
    }
  });

  test.each([
    [32, 2],
    [64, 3],
  ])('of float comparisons, %d bits', (bits, log) => {
    const floats = [0, -0, 1, -1, 1.5, 1e-40, -1e-40, 3e38, Infinity, -Infinity, NaN];
    const view = new DataView(new ArrayBuffer(8));
    const pattern = (f: number): bigint => {
      if (bits === 64) view.setFloat64(0, f);
      else view.setFloat32(0, f);
      return bits === 64 ? view.getBigInt64(0) : BigInt(view.getInt32(0));
    };
    for (const a of floats) {
      for (const b of floats) {
        const unordered = Number.isNaN(a) || Number.isNaN(b);
        const want = unordered ? FLAG.CF | FLAG.PF | FLAG.ZF : a < b ? FLAG.CF : a === b ? FLAG.ZF : 0;
        const what = `${a} ${b}`;
        expect(`${what} ${all(CC.COMI + log, pattern(a), pattern(b), 0n)}`).toBe(`${what} ${want}`);
        expect(carry(CC.COMI + log, pattern(a), pattern(b), 0n)).toBe(BigInt(want & 1));
      }
    }
  });

  test('every CC_OP has a family here', () => {
    const covered = ['EFLAGS', 'COMI', ...Object.keys(FAMILIES)];
    expect([...covered].sort()).toEqual(Object.keys(CC).sort());
    expect(CC_OP_COUNT).toBe(4 * covered.length);
  });
});

describe('products', () => {
  test('high halves', () => {
    const mulhu = exports['mulhu'] as I64Function;
    const mulhs = exports['mulhs'] as I64Function;
    for (const a of values) {
      for (const b of values) {
        expect(BigInt.asUintN(64, mulhu(signed(a), signed(b)))).toBe((a * b) >> 64n);
        expect(mulhs(signed(a), signed(b))).toBe(signed((signed(a) * signed(b)) >> 64n));
      }
    }
  });
});

describe('128-bit division', () => {
  const f = (name: string): I64Function => exports[name] as I64Function;
  test('unsigned', () => {
    for (const d of values) {
      if (d === 0n) continue;
      for (const high of values) {
        for (const low of values.slice(0, 20)) {
          const hi = high % d;
          const n = (hi << 64n) | low;
          const args = [hi, low, d].map(signed);
          expect(BigInt.asUintN(64, f('div128u')(...args))).toBe(n / d);
        }
      }
    }
  });

  test('signed', () => {
    for (const d of values.map(signed)) {
      for (const high of values) {
        for (const low of values.slice(0, 20)) {
          // Small dividends too, whose quotients fit.
          const hi = high % 3n === 0n ? signed(high) >> 60n : signed(high);
          const n = (hi << 64n) | low;
          const fits = d !== 0n && n / d === signed(n / d);
          const args = [hi, signed(low), d];
          expect(f('div128s_fits')(...args)).toBe(fits ? 1n : 0n);
          if (!fits) continue;
          expect(f('div128s')(...args)).toBe(n / d);
        }
      }
    }
  });
});

describe('truncation gives the integer indefinite out of range', () => {
  const near = (limit: number): number[] =>
    [-1, -0.75, 0, 0.25, 1, 2 ** 8, 2 ** 11].flatMap((d) => [limit + d, limit - d]);
  const floats = [0, -0, 0.99, -0.99, 1.5, NaN, Infinity, -Infinity, 1e300, -1e300, 5e-324];
  const limits = [2 ** 31, -(2 ** 31), 2 ** 63, -(2 ** 63)].flatMap(near);
  test.each([
    ['f32', 'i32'],
    ['f64', 'i32'],
    ['f32', 'i64'],
    ['f64', 'i64'],
  ])('%s to %s', (from, to) => {
    const f = exports[`truncIndefinite_${from}_${to}`] as (v: number) => number | bigint;
    const bound = to === 'i32' ? 2n ** 31n : 2n ** 63n;
    for (const v of [...floats, ...limits].map((x) => (from === 'f32' ? Math.fround(x) : x))) {
      const whole = Number.isFinite(v) ? BigInt(Math.trunc(v)) : bound;
      const want = whole >= -bound && whole < bound ? whole : -bound;
      expect(`${v} ${f(v)}`).toBe(`${v} ${want}`);
    }
  });
});
