/**
 * SSE arithmetic and comparisons with MXCSR: sse_ps, sse_pd on all elements, sse_ss, sse_sd on the lowest with the rest from `a`. In: FLOAT_OP, two vectors. Out: the result; MXCSR; #XM.
 * Usual values (neither zero, denormal, infinite nor NaN) go through the host's operation once PE is set and the rounding is to nearest: nothing else can change then. The rest is exact, by integers.
 * Source: SDM volume 1, 11.5; predicates: SDM 2A, CMPPD, table 3-1; EFLAGS of COMISD: SDM 2A.
 */
import {
  FLOAT_OP_ADD, FLOAT_OP_ADDSUB, FLOAT_OP_CMP, FLOAT_OP_DEFER, FLOAT_OP_DIV, FLOAT_OP_MAX, FLOAT_OP_MIN, FLOAT_OP_MUL, FLOAT_OP_ROUND, FLOAT_OP_SQRT, FLOAT_OP_SUB, OUTCOME_EQUAL, OUTCOME_GREATER,
  OUTCOME_LESS, OUTCOME_UNORDERED, PREDICATE_HOLDS,
} from '../interpreter/gen/constants';
import {
  add, divide, extreme, infinity, isNan, magnitude, multiply, nanOf, operand, relation, signBit, squareRoot,
} from './sse-exact';
import { begin, finish, isQuick, nothingWaits, PE, raisePost, roundBy } from './sse-state';
import { roundedDouble } from './sse-round';

/** Magnitudes from twice the smallest normal number on, and below infinity. */
const USUAL_F64: f64 = 4.450147717014403e-308;
const USUAL_F32: f32 = 2.3509887e-38;
/** The smallest normal numbers. */
const NORMAL_F64: f64 = 2.2250738585072014e-308;
const NORMAL_F32: f32 = 1.17549435e-38;

// ---------------------------------------------------------------- usual values

// @ts-ignore: decorator
@inline
function usual_pd(x: v128): v128 {
  const m = v128.abs<f64>(x);
  return v128.and(v128.ge<f64>(m, v128.splat<f64>(USUAL_F64)), v128.lt<f64>(m, v128.splat<f64>(Infinity)));
}
// @ts-ignore: decorator
@inline
function usual_ps(x: v128): v128 {
  const m = v128.abs<f32>(x);
  return v128.and(v128.ge<f32>(m, v128.splat<f32>(USUAL_F32)), v128.lt<f32>(m, v128.splat<f32>(<f32>Infinity)));
}
// @ts-ignore: decorator
@inline
function usual_sd(x: f64): bool {
  const m = abs<f64>(x);
  return m >= USUAL_F64 && m < Infinity;
}
// @ts-ignore: decorator
@inline
function usual_ss(x: f32): bool {
  const m = abs<f32>(x);
  return m >= USUAL_F32 && m < <f32>Infinity;
}
/** Neither NaN nor denormal. */
// @ts-ignore: decorator
@inline
function ordered_sd(x: f64): bool {
  return x == 0 || abs<f64>(x) >= NORMAL_F64;
}
// @ts-ignore: decorator
@inline
function ordered_ss(x: f32): bool {
  return x == 0 || abs<f32>(x) >= NORMAL_F32;
}

/** ADD to DIV as the host does them. */
// @ts-ignore: decorator
@inline
function host<T>(op: i32, a: T, b: T): T {
  switch (op) {
    case FLOAT_OP_ADD:
      return <T>(a + b);
    case FLOAT_OP_SUB:
      return <T>(a - b);
    case FLOAT_OP_MUL:
      return <T>(a * b);
    default:
      return <T>(a / b);
  }
}
// @ts-ignore: decorator
@inline
function hostVector<T>(op: i32, a: v128, b: v128): v128 {
  switch (op) {
    case FLOAT_OP_ADD:
      return v128.add<T>(a, b);
    case FLOAT_OP_SUB:
      return v128.sub<T>(a, b);
    case FLOAT_OP_MUL:
      return v128.mul<T>(a, b);
    default:
      return v128.div<T>(a, b);
  }
}

/** MIN, MAX and comparisons when no element is a NaN or denormal: nothing of MXCSR counts then. */
// @ts-ignore: decorator
@inline
function isOrdering(op: i32): bool {
  return op == FLOAT_OP_MIN || op == FLOAT_OP_MAX || (op >= FLOAT_OP_CMP && op < FLOAT_OP_ROUND);
}
// @ts-ignore: decorator
@inline
function ordered_pd(x: v128): v128 {
  return v128.or(v128.eq<f64>(x, v128.splat<f64>(0)), v128.ge<f64>(v128.abs<f64>(x), v128.splat<f64>(NORMAL_F64)));
}
// @ts-ignore: decorator
@inline
function ordered_ps(x: v128): v128 {
  return v128.or(v128.eq<f32>(x, v128.splat<f32>(0)), v128.ge<f32>(v128.abs<f32>(x), v128.splat<f32>(NORMAL_F32)));
}
// @ts-ignore: decorator
@inline
function hostOrdering<T>(op: i32, a: v128, b: v128): v128 {
  if (op == FLOAT_OP_MIN) return v128.pmin<T>(b, a);
  if (op == FLOAT_OP_MAX) return v128.pmax<T>(b, a);
  const holds = <i32>(PREDICATE_HOLDS >> (4 * ((op - FLOAT_OP_CMP) & 15)));
  let r = v128.splat<i64>(0);
  if (holds & OUTCOME_LESS) r = v128.lt<T>(a, b);
  if (holds & OUTCOME_EQUAL) r = v128.or(r, v128.eq<T>(a, b));
  if (holds & OUTCOME_GREATER) r = v128.or(r, v128.gt<T>(a, b));
  return r;
}

// ---------------------------------------------------------------- one element

function compares<T>(predicate: i32, a: u64, b: u64): u64 {
  const inner = ((predicate + 1) & 2) != 0;
  const signals = inner != ((predicate & 16) != 0);
  const holds = <i32>(PREDICATE_HOLDS >> (4 * (predicate & 15))) & 15;
  return (relation<T>(a, b, signals) & holds) != 0 ? signBit<T>() | (signBit<T>() - 1) : 0;
}

/** ROUNDSD's immediate: rounding or 4 for MXCSR's; 8: never inexact. */
function roundsToIntegral<T>(control: i32, x: u64): u64 {
  x = operand<T>(x);
  if (isNan<T>(x)) return nanOf<T>(x, x);
  if (magnitude<T>(x) == infinity<T>()) return x;
  if ((control & 4) == 0) roundBy(control & 3);
  const r = sizeof<T>() == 8
    ? reinterpret<u64>(roundedDouble(reinterpret<f64>(x)))
    : <u64>reinterpret<u32>(<f32>roundedDouble(<f64>reinterpret<f32>(<u32>x)));
  if (r != x && (control & 8) == 0) raisePost(PE);
  return r;
}

/** Element `i`. */
function element<T>(op: i32, i: i32, a: u64, b: u64): u64 {
  switch (op) {
    case FLOAT_OP_ADD:
      return add<T>(a, b, false);
    case FLOAT_OP_SUB:
      return add<T>(a, b, true);
    case FLOAT_OP_MUL:
      return multiply<T>(a, b);
    case FLOAT_OP_DIV:
      return divide<T>(a, b);
    case FLOAT_OP_MIN:
      return extreme<T>(a, b, OUTCOME_LESS);
    case FLOAT_OP_MAX:
      return extreme<T>(a, b, OUTCOME_GREATER);
    case FLOAT_OP_SQRT:
      return squareRoot<T>(b);
    case FLOAT_OP_ADDSUB:
      return add<T>(a, b, (i & 1) == 0);
    default:
      return op < FLOAT_OP_ROUND ? compares<T>(op - FLOAT_OP_CMP, a, b) : roundsToIntegral<T>(op - FLOAT_OP_ROUND, b);
  }
}

// ---------------------------------------------------------------- helpers

export function sse_pd(cpu: i32, code: i32, a: v128, b: v128): v128 {
  const c = <usize>cpu;
  const op = code & ~FLOAT_OP_DEFER;
  if (op <= FLOAT_OP_DIV && isQuick(c)) {
    const r = hostVector<f64>(op, a, b);
    if (v128.all_true<i64>(v128.and(v128.and(usual_pd(a), usual_pd(b)), usual_pd(r)))) return r;
  } else if (isOrdering(op) && nothingWaits(c)) {
    if (v128.all_true<i64>(v128.and(ordered_pd(a), ordered_pd(b)))) return hostOrdering<f64>(op, a, b);
  }
  begin(c);
  const low = element<f64>(op, 0, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0));
  const high = element<f64>(op, 1, v128.extract_lane<u64>(a, 1), v128.extract_lane<u64>(b, 1));
  finish(c, code);
  return v128.replace_lane<u64>(v128.splat<u64>(low), 1, high);
}

export function sse_ps(cpu: i32, code: i32, a: v128, b: v128): v128 {
  const c = <usize>cpu;
  const op = code & ~FLOAT_OP_DEFER;
  if (op <= FLOAT_OP_DIV && isQuick(c)) {
    const r = hostVector<f32>(op, a, b);
    if (v128.all_true<i32>(v128.and(v128.and(usual_ps(a), usual_ps(b)), usual_ps(r)))) return r;
  } else if (isOrdering(op) && nothingWaits(c)) {
    if (v128.all_true<i32>(v128.and(ordered_ps(a), ordered_ps(b)))) return hostOrdering<f32>(op, a, b);
  }
  begin(c);
  let r = v128.splat<u32>(<u32>element<f32>(op, 0, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0)));
  r = v128.replace_lane<u32>(r, 1, <u32>element<f32>(op, 1, v128.extract_lane<u32>(a, 1), v128.extract_lane<u32>(b, 1)));
  r = v128.replace_lane<u32>(r, 2, <u32>element<f32>(op, 2, v128.extract_lane<u32>(a, 2), v128.extract_lane<u32>(b, 2)));
  r = v128.replace_lane<u32>(r, 3, <u32>element<f32>(op, 3, v128.extract_lane<u32>(a, 3), v128.extract_lane<u32>(b, 3)));
  finish(c, code);
  return r;
}

export function sse_sd(cpu: i32, op: i32, a: v128, b: v128): v128 {
  const c = <usize>cpu;
  if (op <= FLOAT_OP_DIV && isQuick(c)) {
    const x = v128.extract_lane<f64>(a, 0);
    const y = v128.extract_lane<f64>(b, 0);
    const r = host<f64>(op, x, y);
    if (usual_sd(x) && usual_sd(y) && usual_sd(r)) return v128.replace_lane<f64>(a, 0, r);
  } else if (op == FLOAT_OP_SQRT && isQuick(c)) {
    const y = v128.extract_lane<f64>(b, 0);
    if (y >= USUAL_F64 && y < Infinity) return v128.replace_lane<f64>(a, 0, sqrt<f64>(y));
  } else if (isOrdering(op)) {
    if (ordered_sd(v128.extract_lane<f64>(a, 0)) && ordered_sd(v128.extract_lane<f64>(b, 0)))
      return v128.replace_lane<u64>(a, 0, v128.extract_lane<u64>(hostOrdering<f64>(op, a, b), 0));
  }
  begin(c);
  const r = element<f64>(op, 0, v128.extract_lane<u64>(a, 0), v128.extract_lane<u64>(b, 0));
  finish(c, op);
  return v128.replace_lane<u64>(a, 0, r);
}

export function sse_ss(cpu: i32, op: i32, a: v128, b: v128): v128 {
  const c = <usize>cpu;
  if (op <= FLOAT_OP_DIV && isQuick(c)) {
    const x = v128.extract_lane<f32>(a, 0);
    const y = v128.extract_lane<f32>(b, 0);
    const r = host<f32>(op, x, y);
    if (usual_ss(x) && usual_ss(y) && usual_ss(r)) return v128.replace_lane<f32>(a, 0, r);
  } else if (op == FLOAT_OP_SQRT && isQuick(c)) {
    const y = v128.extract_lane<f32>(b, 0);
    if (y >= USUAL_F32 && y < <f32>Infinity) return v128.replace_lane<f32>(a, 0, sqrt<f32>(y));
  } else if (isOrdering(op)) {
    if (ordered_ss(v128.extract_lane<f32>(a, 0)) && ordered_ss(v128.extract_lane<f32>(b, 0)))
      return v128.replace_lane<u32>(a, 0, v128.extract_lane<u32>(hostOrdering<f32>(op, a, b), 0));
  }
  begin(c);
  const r = element<f32>(op, 0, v128.extract_lane<u32>(a, 0), v128.extract_lane<u32>(b, 0));
  finish(c, op);
  return v128.replace_lane<u32>(a, 0, <u32>r);
}

/** ZF PF CF at their EFLAGS positions; the other flags are 0. */
// @ts-ignore: decorator
@inline
function eflags(outcome: i32): i64 {
  return outcome == OUTCOME_UNORDERED ? 0x45 : outcome == OUTCOME_EQUAL ? 0x40 : outcome == OUTCOME_LESS ? 1 : 0;
}

/** COMISD, UCOMISD (`quiet`). */
export function sse_comi_sd(cpu: i32, quiet: i32, a: v128, b: v128): i64 {
  const c = <usize>cpu;
  const x = v128.extract_lane<f64>(a, 0);
  const y = v128.extract_lane<f64>(b, 0);
  if (ordered_sd(x) && ordered_sd(y)) return x < y ? 1 : x == y ? 0x40 : 0;
  begin(c);
  const outcome = relation<f64>(reinterpret<u64>(x), reinterpret<u64>(y), quiet == 0);
  finish(c, 0);
  return eflags(outcome);
}

export function sse_comi_ss(cpu: i32, quiet: i32, a: v128, b: v128): i64 {
  const c = <usize>cpu;
  const x = v128.extract_lane<f32>(a, 0);
  const y = v128.extract_lane<f32>(b, 0);
  if (ordered_ss(x) && ordered_ss(y)) return x < y ? 1 : x == y ? 0x40 : 0;
  begin(c);
  const outcome = relation<f32>(reinterpret<u32>(x), reinterpret<u32>(y), quiet == 0);
  finish(c, 0);
  return eflags(outcome);
}
