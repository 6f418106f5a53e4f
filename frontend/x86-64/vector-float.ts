/**
 * SSE and SSE2 floating point, packed and scalar. In: v128 of f32 or f64 lanes. Out: v128. Source: SDM 2A/2B; NaN rules: SDM volume 1, table 4-7; MIN and MAX: SDM 2B, MINPS.
 * Scalars are computed on all lanes (host SSE gives the guest's NaNs that way) and the low lane is put into the destination.
 * MXCSR: conversions to integers round as it says; arithmetic rounds to nearest with denormals kept and exceptions masked, whatever it says.
 */
import type { TempId } from '../../src/base/ids.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { imm8, lanes, setGeneral32, setVec, shuffle, splat, vec, withLow } from './vector.js';

export type FloatType = 'ps' | 'pd' | 'ss' | 'sd';
const shapeOf = (t: FloatType): 'f32x4' | 'f64x2' => (t === 'ps' || t === 'ss' ? 'f32x4' : 'f64x2');
const scalarOf = (t: FloatType): 'f32' | 'f64' => (shapeOf(t) === 'f32x4' ? 'f32' : 'f64');

/** Writes a result: whole, or its low lane. */
function put(l: Lifter, t: FloatType, value: TempId): void {
  if (t === 'ss' || t === 'sd') setVec(l, 0, withLow(l, vec(l, 0), value, t === 'ss' ? 4 : 8));
  else setVec(l, 0, value);
}

const BINARY = {
  add: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_add_${s}`, [a, b]),
  sub: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_sub_${s}`, [a, b]),
  mul: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_mul_${s}`, [a, b]),
  div: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_div_${s}`, [a, b]),
  // a < b ? a : b, and b when either is NaN or both are zero.
  min: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_pmin_${s}`, [b, a]),
  max: (l: Lifter, s: string, a: TempId, b: TempId) => l.e(`v_pmax_${s}`, [b, a]),
} as const;

export function arithmetic(op: keyof typeof BINARY, t: FloatType): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    put(l, t, BINARY[op](l, shapeOf(t), vec(l, 0), b));
  };
}

export function squareRoot(t: FloatType): LiftFn {
  return (l) => {
    put(l, t, l.e(`v_sqrt_${shapeOf(t)}`, [vec(l, 1)]));
  };
}

export function reciprocal(t: 'ps' | 'ss', ofRoot: boolean): LiftFn {
  return (l) => {
    put(l, t, l.callFor(ofRoot ? 'rsqrt_f32x4' : 'rcp_f32x4', [vec(l, 1)]));
  };
}

/** CMPPS and relatives, predicates 0 to 7. */
export function compare(t: FloatType): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    const a = vec(l, 0);
    const s = shapeOf(t);
    const predicate = imm8(l, 2) & 7;
    const ordered = (): TempId => l.e('v_and', [l.e(`v_eq_${s}`, [a, a]), l.e(`v_eq_${s}`, [b, b])]);
    const base = [
      (): TempId => l.e(`v_eq_${s}`, [a, b]),
      (): TempId => l.e(`v_lt_${s}`, [a, b]),
      (): TempId => l.e(`v_le_${s}`, [a, b]),
    ][predicate & 3];
    // 3 is unordered, 7 ordered; 4 to 6 are the negations of 0 to 2.
    if (base === undefined) put(l, t, predicate === 7 ? ordered() : l.e('v_not', [ordered()]));
    else put(l, t, predicate < 4 ? base() : l.e('v_not', [base()]));
  };
}

/** COMISS, UCOMISS, COMISD, UCOMISD. */
export function compareFlags(t: 'ss' | 'sd'): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    l.flags.setComi(t === 'ss' ? 4 : 8, vec(l, 0), b);
  };
}

/** Horizontal add or subtract of neighbours: those of the destination, then those of the source. */
export function horizontal(op: 'add' | 'sub', t: 'ps' | 'pd'): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    const a = vec(l, 0);
    const [even, odd] =
      t === 'ps' ? [lanes(4, [0, 2, 4, 6]), lanes(4, [1, 3, 5, 7])] : [lanes(8, [0, 2]), lanes(8, [1, 3])];
    setVec(l, 0, l.e(`v_${op}_${shapeOf(t)}`, [shuffle(l, a, b, even), shuffle(l, a, b, odd)]));
  };
}

/** ADDSUB: even lanes subtract, odd lanes add. */
export function addSub(t: 'ps' | 'pd'): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    const a = vec(l, 0);
    const s = shapeOf(t);
    setVec(
      l,
      0,
      shuffle(
        l,
        l.e(`v_sub_${s}`, [a, b]),
        l.e(`v_add_${s}`, [a, b]),
        t === 'ps' ? lanes(4, [0, 5, 2, 7]) : lanes(8, [0, 3]),
      ),
    );
  };
}

// ---------------------------------------------------------------- conversions

/** CVTSI2SS and CVTSI2SD. */
export function fromInteger(t: 'ss' | 'sd'): LiftFn {
  const type = scalarOf(t);
  return (l) => {
    const size = l.size(1);
    const value = l.load(1);
    const f = size === 8 ? l.e(`cvts_i64_${type}`, [value]) : l.e(`cvts_i32_${type}`, [l.lo(value)]);
    setVec(l, 0, l.e(`v_replace_${shapeOf(t)}`, [vec(l, 0), f], [0]));
  };
}

/** CVTSS2SI, CVTSD2SI and their truncating forms. */
export function toInteger(t: 'ss' | 'sd', truncate: boolean): LiftFn {
  const type = scalarOf(t);
  return (l) => {
    const whole = truncate ? vec(l, 1) : rounded(l, shapeOf(t), vec(l, 1));
    const f = l.e(`v_extract_${shapeOf(t)}`, [whole], [0]);
    if (l.size(0) === 8) l.dest(0).store(l.e(`trunc_${type}_i64`, [f]));
    else setGeneral32(l, 0, l.e(`trunc_${type}_i32`, [f]));
  };
}

/** Lanes rounded to integral values by MXCSR.RC. */
function rounded(l: Lifter, shape: 'f32x4' | 'f64x2', a: TempId): TempId {
  return l.callFor(`round_${shape}`, [a]);
}

export function singleToDouble(l: Lifter): void {
  const f = l.e('v_extract_f32x4', [vec(l, 1)], [0]);
  setVec(l, 0, l.e('v_replace_f64x2', [vec(l, 0), l.e('cvt_f32_f64', [f])], [0]));
}

export function doubleToSingle(l: Lifter): void {
  const f = l.e('v_extract_f64x2', [vec(l, 1)], [0]);
  setVec(l, 0, l.e('v_replace_f32x4', [vec(l, 0), l.e('cvt_f64_f32', [f])], [0]));
}

/** Conversions of whole vectors by one op. */
export function convert(
  op: 'v_promote_low_f32x4' | 'v_demote_f64x2' | 'v_cvt_i32x4_f32x4' | 'v_cvt_low_i32x4_f64x2',
): LiftFn {
  return (l) => {
    setVec(l, 0, l.e(op, [vec(l, 1)]));
  };
}

const INDEFINITE = 0x80000000n;

/** f32 lanes to i32, the integer indefinite where they do not fit. */
export function singlesToIntegers(l: Lifter, a: TempId, truncate: boolean): TempId {
  const whole = truncate ? a : rounded(l, 'f32x4', a);
  const fits = l.e('v_lt_f32x4', [whole, splat(l, 0x4f000000n, 32)]);
  return l.e('v_bitsel', [l.e('v_trunc_sat_f32x4', [whole]), splat(l, INDEFINITE, 32), fits]);
}

/** f64 lanes to i32 in the low half, the upper half zero. */
export function doublesToIntegers(l: Lifter, a: TempId, truncate: boolean): TempId {
  const whole = truncate ? a : rounded(l, 'f64x2', a);
  const fits = l.e('v_lt_f64x2', [whole, splat(l, 0x41e0000000000000n, 64)]);
  const narrow = shuffle(l, fits, fits, lanes(4, [0, 2, 0, 2]));
  return l.e('v_bitsel', [l.e('v_trunc_sat_f64x2', [whole]), l.v128((INDEFINITE << 32n) | INDEFINITE), narrow]);
}

export function toIntegers(from: 'ps' | 'pd', truncate: boolean): LiftFn {
  return (l) => {
    const a = vec(l, 1);
    setVec(l, 0, from === 'ps' ? singlesToIntegers(l, a, truncate) : doublesToIntegers(l, a, truncate));
  };
}
