/**
 * FSIN FCOS FSINCOS FPTAN. In: ST(0). Out: the stack; C2 set, and nothing done, for arguments of 2^63 and more. Results come from 128-bit series and are rounded as RC says.
 * Source: SDM volume 1, 8.3.7 to 8.3.10 (accuracy; a pi of 66 bits in argument reduction), volume 2A, one section each.
 */
import { deliver } from './x87-arith';
import { COS, COS_TERMS, REDUCE_HI, REDUCE_LO, SIN, SIN_TERMS } from './x87-constants';
import { classify, DENORMAL, exponentOf, INFINITE, invalid, outEx, outSe, outSig, pack, propagate, QNAN, setOut, ZERO } from './x87-float';
import { C1, C2, control, DE, empty, grow, INDEFINITE_SE, INDEFINITE_SIG, overflow, pending, push, put, raise, st, underflow } from './x87-state';
import { CPU_FPSW } from '../interpreter/gen/constants';
import { divideWide, multiplyWide, normalise, series, setWide, squareFraction, TOP, wideExp, wideHi, wideLo } from './x87-wide';

const BIAS: i32 = 16383;
const ONE_SE: u32 = 0x3fff;
/** Rounding to 64 bits whatever the precision control says. */
const PC_64: i32 = 0x300;

/** The argument after reduction: |r| at most pi / 4 as a wide number, its sign, and the multiple of pi / 2 taken off. */
let rHi: u64 = 0;
let rLo: u64 = 0;
let rExp: i32 = 0;
let rNegative: bool = false;
let quadrant: i32 = 0;

/** Reduces |x| = sig * 2^(exp - 63) below 2^63 by multiples of pi / 2, exactly (REDUCE is odd, so that nothing comes out as 0). */
function reduce(exp: i32, sig: u64): void {
  rNegative = false;
  quadrant = 0;
  if (exp < -1) {
    rHi = sig;
    rLo = 0;
    rExp = exp;
    return;
  }
  // x is sig * 2^(exp + 2) units of 2^-65: long division, bit by bit.
  let hi: u64 = 0;
  let lo = sig;
  for (let i = exp + 2; i > 0; i--) {
    hi = (hi << 1) | (lo >> 63);
    lo <<= 1;
    quadrant <<= 1;
    if (hi > REDUCE_HI || (hi == REDUCE_HI && lo >= REDUCE_LO)) {
      hi = hi - REDUCE_HI - <u64>(lo < REDUCE_LO);
      lo -= REDUCE_LO;
      quadrant |= 1;
    }
  }
  const restLo = REDUCE_LO - lo;
  const restHi = REDUCE_HI - hi - <u64>(REDUCE_LO < lo);
  if (hi > restHi || (hi == restHi && lo > restLo)) {
    hi = restHi;
    lo = restLo;
    rNegative = true;
    quadrant++;
  }
  normalise(hi, lo, 127 - 65);
  rHi = wideHi;
  rLo = wideLo;
  rExp = wideExp;
}

/** A series that came out as 1 is a little less: keeps the rounding directions right. */
// @ts-ignore: decorator
@inline
function belowOne(hi: u64, lo: u64, exp: i32): void {
  normalise(hi - <u64>(lo == 0), lo - 1, exp);
}

/** sin |r|. */
function sine(): void {
  squareFraction(rHi, rLo, rExp);
  series(wideHi, wideLo, SIN, SIN_TERMS, true);
  if (wideHi == TOP) belowOne(rHi, rLo, rExp);
  else multiplyWide(rHi, rLo, rExp, wideHi, wideLo, 0);
}

/** cos r. */
function cosine(): void {
  squareFraction(rHi, rLo, rExp);
  series(wideHi, wideLo, COS, COS_TERMS, true);
  if (wideHi == TOP) belowOne(TOP, 0, 0);
  else normalise(wideHi, wideLo, 0);
}

/** Rounds the wide number; results of these instructions are inexact. */
export function roundWide(cw: i32, sign: u32, denormal: i32): void {
  pack(cw | PC_64, sign, wideExp + BIAS, wideHi, wideLo);
  setOut(outSe, outSig, outEx | denormal);
}

function setC2(c: usize, on: bool): void {
  const sw = load<i32>(c + CPU_FPSW) & ~(C1 | C2);
  store<i32>(c + CPU_FPSW, on ? sw | C2 : sw);
}

/** sin of the reduced argument, for x of sign `sign`. */
function roundSine(cw: i32, sign: u32, denormal: i32): void {
  let s = sign;
  if (quadrant & 1) cosine();
  else {
    sine();
    if (rNegative) s ^= 0x8000;
  }
  if (quadrant & 2) s ^= 0x8000;
  roundWide(cw, s, denormal);
}

function roundCosine(cw: i32, denormal: i32): void {
  let s: u32 = 0;
  if (quadrant & 1) {
    sine();
    if (!rNegative) s = 0x8000;
  } else cosine();
  if (quadrant & 2) s ^= 0x8000;
  roundWide(cw, s, denormal);
}

function roundTangent(cw: i32, sign: u32, denormal: i32): void {
  // For a tiny r, tan r is a little more than r.
  if (rExp < -64 && (quadrant & 1) == 0) setWide(rHi, rLo | 1, rExp);
  else {
    sine();
    const sh = wideHi;
    const sl = wideLo;
    const se = wideExp;
    cosine();
    if (quadrant & 1) divideWide(wideHi, wideLo, wideExp, sh, sl, se);
    else divideWide(sh, sl, se, wideHi, wideLo, wideExp);
  }
  let s = sign;
  if (rNegative) s ^= 0x8000;
  if (quadrant & 1) s ^= 0x8000;
  roundWide(cw, s, denormal);
}

/** Functions: what ST(0) becomes, and what is pushed. */
const SINE: i32 = 0;
const COSINE: i32 = 1;
const SINE_COSINE: i32 = 2;
const TANGENT: i32 = 3;

function trigonometric(c: usize, f: i32): void {
  setC2(c, false);
  const pushes = f >= SINE_COSINE;
  const missing = empty(c, 0);
  if (missing || (pushes && !empty(c, 7))) {
    if (missing ? underflow(c) : overflow(c)) return;
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    if (pushes) pushOver(c, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  const at = st(c, 0);
  const se = <u32>load<u16>(at + 8);
  const sig = load<u64>(at);
  const k = classify(se, sig);
  const cw = control(c);
  if (k >= INFINITE) {
    if (k == INFINITE) invalid();
    else propagate(se, sig, k, 0, 0, ZERO);
    if (deliver(c, 0) && pushes) push(c, outSe, outSig);
    return;
  }
  if (k == ZERO) {
    if (f == COSINE) setOut(ONE_SE, TOP, 0);
    else setOut(se, sig, 0);
    deliver(c, 0);
    if (pushes) push(c, ONE_SE, TOP);
    return;
  }
  const exp = exponentOf(se, sig) - BIAS;
  if (exp >= 63) {
    setC2(c, true);
    return;
  }
  const denormal = k == DENORMAL ? DE : 0;
  if (denormal & ~cw) {
    raise(c, DE);
    return;
  }
  reduce(exp, sig << clz(sig));
  const sign = se & 0x8000;
  if (f == COSINE) roundCosine(cw, denormal);
  else if (f == TANGENT) roundTangent(cw, sign, denormal);
  else roundSine(cw, sign, denormal);
  deliver(c, 0);
  if (f == TANGENT) push(c, ONE_SE, TOP);
  if (f == SINE_COSINE) {
    const first = outEx;
    roundCosine(cw, denormal);
    raise(c, first | (outEx & ~C1));
    push(c, outSe, outSig);
  }
}

/** Push whatever ST(7) holds. */
function pushOver(c: usize, se: u32, sig: u64): void {
  grow(c);
  put(c, 0, se, sig);
}

export function x87_fsin(cpu: i32): void {
  if (!pending(<usize>cpu)) trigonometric(<usize>cpu, SINE);
}
export function x87_fcos(cpu: i32): void {
  if (!pending(<usize>cpu)) trigonometric(<usize>cpu, COSINE);
}
export function x87_fsincos(cpu: i32): void {
  if (!pending(<usize>cpu)) trigonometric(<usize>cpu, SINE_COSINE);
}
export function x87_fptan(cpu: i32): void {
  if (!pending(<usize>cpu)) trigonometric(<usize>cpu, TANGENT);
}
