/**
 * Ops that are no single Wasm instruction: one function an op. In: the Binaryen module, the op's inputs as expressions, its immediates. Out: the value.
 * Ops with a `wasm` path in the op table are made from it (value.ts); ops that are statements are the emitter's.
 */
import type binaryen from 'binaryen';
import type { Cond, Imm, Type } from '../../src/ir/types.js';
import type { Expr } from './flow.js';
import { relaxedSwizzle } from './host-forms.js';
import type { HostSimd } from './host-simd.js';

export interface LowerContext {
  readonly m: binaryen.Module;
  readonly host: HostSimd;
  /** Evaluates `value` once: the first expression sets a scratch local, the second reads it and must be evaluated after the first. */
  twice(value: Expr, type: Type): readonly [Expr, Expr];
}

export type Lower = (c: LowerContext, args: readonly Expr[], imms: readonly Imm[]) => Expr;

type Int = 'i32' | 'i64';
const BITS: Readonly<Record<Int, number>> = { i32: 32, i64: 64 };
const num = (imm: Imm | undefined): number => Number(imm);

/** An integer constant; `value` may be signed or unsigned. */
export function intConst(m: binaryen.Module, type: Int, value: bigint | number): Expr {
  return type === 'i32'
    ? m.i32.const(Number(BigInt.asIntN(32, BigInt(value))))
    : m.i64.const(BigInt.asIntN(64, BigInt(value)));
}

/** `a <cond> b` as an i32: 0 or 1, or for tstne any value that is not 0 where `truth` is all that is wanted. */
export function compare(m: binaryen.Module, type: Int, cond: Cond, a: Expr, b: Expr, truth = false): Expr {
  const t = m[type];
  switch (cond) {
    case 'eq':
      return t.eq(a, b);
    case 'ne':
      return t.ne(a, b);
    case 'lt':
      return t.lt_s(a, b);
    case 'ge':
      return t.ge_s(a, b);
    case 'le':
      return t.le_s(a, b);
    case 'gt':
      return t.gt_s(a, b);
    case 'ltu':
      return t.lt_u(a, b);
    case 'geu':
      return t.ge_u(a, b);
    case 'leu':
      return t.le_u(a, b);
    case 'gtu':
      return t.gt_u(a, b);
    case 'tsteq':
      return t.eqz(t.and(a, b));
    case 'tstne':
      return truth && type === 'i32' ? t.and(a, b) : t.ne(t.and(a, b), intConst(m, type, 0));
  }
}

const mask = (len: number): bigint => (1n << BigInt(len)) - 1n;

/** Sign extension instructions by width in bits. */
function extendSigned(m: binaryen.Module, type: Int, len: number, a: Expr): Expr | undefined {
  if (len === 8) return m[type].extend8_s(a);
  if (len === 16) return m[type].extend16_s(a);
  if (len === 32 && type === 'i64') return m.i64.extend32_s(a);
  return undefined;
}

const [A, B, C, D] = [0, 1, 2, 3] as const;
const arg = (args: readonly Expr[], i: number): Expr => args[i] as Expr;
const rows = new Map<string, Lower>();

for (const t of ['i32', 'i64'] as const) {
  const bits = BITS[t];
  rows.set(`mov_${t}`, (_c, a) => arg(a, A));
  rows.set(`andc_${t}`, ({ m }, a) => m[t].and(arg(a, A), m[t].xor(arg(a, B), intConst(m, t, -1))));
  rows.set(`not_${t}`, ({ m }, a) => m[t].xor(arg(a, A), intConst(m, t, -1)));
  rows.set(`neg_${t}`, ({ m }, a) => m[t].sub(intConst(m, t, 0), arg(a, A)));
  for (const n of [8, 16, 32]) {
    if (n < bits) rows.set(`ext${n}u_${t}`, ({ m }, a) => m[t].and(arg(a, A), intConst(m, t, mask(n))));
  }
  rows.set(`extract_${t}`, ({ m }, a, imms) => {
    const [pos, len] = [num(imms[0]), num(imms[1])];
    const shifted = pos === 0 ? arg(a, A) : m[t].shr_u(arg(a, A), intConst(m, t, pos));
    return pos + len === bits ? shifted : m[t].and(shifted, intConst(m, t, mask(len)));
  });
  rows.set(`sextract_${t}`, ({ m }, a, imms) => {
    const [pos, len] = [num(imms[0]), num(imms[1])];
    if (pos + len === bits) return pos === 0 ? arg(a, A) : m[t].shr_s(arg(a, A), intConst(m, t, pos));
    const short = pos === 0 ? extendSigned(m, t, len, arg(a, A)) : undefined;
    if (short !== undefined) return short;
    const up = m[t].shl(arg(a, A), intConst(m, t, bits - pos - len));
    return m[t].shr_s(up, intConst(m, t, bits - len));
  });
  rows.set(`deposit_${t}`, ({ m }, a, imms) => {
    const [pos, len] = [num(imms[0]), num(imms[1])];
    if (len === bits) return arg(a, B);
    const kept = m[t].and(arg(a, A), intConst(m, t, ~(mask(len) << BigInt(pos))));
    const field = pos + len === bits ? arg(a, B) : m[t].and(arg(a, B), intConst(m, t, mask(len)));
    return m[t].or(kept, pos === 0 ? field : m[t].shl(field, intConst(m, t, pos)));
  });
  rows.set(`movcond_${t}`, ({ m }, a, imms) =>
    // select evaluates its values before its condition; the inputs have no effects.
    m.select(compare(m, t, imms[0] as Cond, arg(a, A), arg(a, B), true), arg(a, C), arg(a, D)),
  );
}
// Rotations and masks: a vector shuffle is one instruction, but the way to the vector registers and back takes three times as long.
rows.set('bswap_i32', (c, a) => {
  const [first, again] = c.twice(arg(a, A), 'i32');
  return reversedBytes(c.m, first, again);
});
rows.set('bswap_i64', (c, a) => {
  const { m } = c;
  const [first, again] = c.twice(arg(a, A), 'i64');
  const low = (): Expr => m.i32.wrap(m.copyExpression(again));
  const high = (): Expr => m.i32.wrap(m.i64.shr_u(m.copyExpression(again), m.i64.const(32n)));
  const top = m.i64.shl(m.i64.extend_u(reversedBytes(m, m.i32.wrap(first), low())), m.i64.const(32n));
  return m.i64.or(top, m.i64.extend_u(reversedBytes(m, high(), high())));
});

/** An i32 with its bytes reversed; `a` and `same` are the same value. */
function reversedBytes(m: binaryen.Module, a: Expr, same: Expr): Expr {
  const [odd, even] = [0xff00ff, -0xff0100];
  return m.i32.or(
    m.i32.and(m.i32.rotl(a, m.i32.const(8)), m.i32.const(odd)),
    m.i32.and(m.i32.rotl(same, m.i32.const(24)), m.i32.const(even)),
  );
}
rows.set('extrh_i64_i32', ({ m }, a) => m.i32.wrap(m.i64.shr_u(arg(a, A), m.i64.const(32n))));

for (const t of ['f32', 'f64'] as const) {
  rows.set(`mov_${t}`, (_c, a) => arg(a, A));
  for (const s of ['i32', 'i64'] as const) {
    // Saturation gives the integer indefinite below the range; what is not below 2**(bits - 1), NaN among it, is made so.
    rows.set(`trunc_${t}_${s}`, (c, a) => {
      const { m } = c;
      const [first, again] = c.twice(arg(a, A), t);
      const limit = m[t].const(2 ** (BITS[s] - 1));
      return m.select(m[t].lt(again, limit), m[s].trunc_s_sat[t](first), intConst(m, s, 1n << BigInt(BITS[s] - 1)));
    });
  }
}
rows.set('mov_v128', (_c, a) => arg(a, A));
rows.set('v_shuffle', ({ m }, a, imms) => m.i8x16.shuffle(arg(a, A), arg(a, B), imms[0] as readonly number[]));
rows.set('v_look', ({ m, host }, a) =>
  host.shufflesBytes
    ? relaxedSwizzle(m, arg(a, A), arg(a, B))
    : m.i8x16.swizzle(arg(a, A), m.v128.and(arg(a, B), m.v128.const(new Array<number>(16).fill(0x8f)))),
);
for (const shape of ['i8x16', 'i16x8'] as const) {
  rows.set(`v_extractu_${shape}`, ({ m }, a, imms) => m[shape].extract_lane_u(arg(a, A), num(imms[0])));
  rows.set(`v_extracts_${shape}`, ({ m }, a, imms) => m[shape].extract_lane_s(arg(a, A), num(imms[0])));
}
for (const shape of ['i32x4', 'i64x2', 'f32x4', 'f64x2'] as const) {
  rows.set(`v_extract_${shape}`, ({ m }, a, imms) => m[shape].extract_lane(arg(a, A), num(imms[0])));
}
for (const shape of ['i8x16', 'i16x8', 'i32x4', 'i64x2', 'f32x4', 'f64x2'] as const) {
  rows.set(`v_replace_${shape}`, ({ m }, a, imms) => m[shape].replace_lane(arg(a, A), num(imms[0]), arg(a, B)));
}

export const LOWER: ReadonlyMap<string, Lower> = rows;
