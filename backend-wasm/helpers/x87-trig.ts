/**
 * FSIN FCOS FSINCOS FPTAN. In: ST(0). Out: the stack and the status word; results rounded from at least 100 exact bits, as RC says, at full precision.
 * The argument is reduced exactly by the processor's pi of 66 bits (SDM volume 1, 8.3.8). Then Taylor series in 128-bit fractions.
 */
import { alsoRaise, classify, DENORMAL, exponentOf, INFINITE, INTEGER_BIT, invalid, outSe, outSig, propagate, setOut, ZERO } from './x87-float';
import { deliver } from './x87-arith';
import { C2, clearC1, control, DE, empty, grow, INDEFINITE_SE, INDEFINITE_SIG, overflow, pending, push, put, setCodes, st, underflow } from './x87-state';
import { divideSmall, divideWide, multiplyHigh, normalise, roundWide, shiftRight, squareFraction, subtractWide, wideExp, wideHi, wideLo } from './x87-wide';
import { CPU_FPSW } from '../interpreter/gen/constants';

/** pi * 2^64 in 66 bits: the upper two and the lower 64. */
const PI_HI: u64 = 3;
const PI_LO: u64 = 0x243f6a8885a308d3;

// The reduced argument: a float in 0..pi/4, the octant's parities.
let argHi: u64 = 0;
let argLo: u64 = 0;
let argExp: i32 = 0;
/** Quarter turns, modulo 4. */
let quarter: i32 = 0;
/** The argument stands for its negative. */
let argNegative: bool = false;

/** |x| = sig * 2^(exp - 63), exp below 63, into the reduced argument. */
function reduce(sig: u64, exp: i32): void {
  quarter = 0;
  argNegative = false;
  const shift = exp + 2;
  if (shift < 0) {
    argHi = sig;
    argLo = 0;
    argExp = exp;
    return;
  }
  // Units of 2^-65, in which pi/2 is the 66-bit number itself.
  let rh: u64 = 0;
  let rl = sig;
  for (let i = 0; i < shift; i++) {
    rh = (rh << 1) | (rl >> 63);
    rl <<= 1;
    quarter <<= 1;
    if (rh > PI_HI || (rh == PI_HI && rl >= PI_LO)) {
      rh = rh - PI_HI - <u64>(rl < PI_LO);
      rl -= PI_LO;
      quarter |= 1;
    }
  }
  subtractWide(PI_HI, PI_LO, rh, rl);
  if (wideHi < rh || (wideHi == rh && wideLo < rl)) {
    rh = wideHi;
    rl = wideLo;
    quarter++;
    argNegative = true;
  }
  quarter &= 3;
  normalise(rh, rl, 127 - 65);
  argHi = wideHi;
  argLo = wideLo;
  argExp = wideExp;
}

/** 1 - (z/(d(d+1)) (1 - z/((d+2)(d+3)) (1 - ...))) subtracted from 1: the u of 1 - u, as a fraction; z the argument's square. */
function series(first: u64): void {
  squareFraction(argHi, argLo, argExp);
  const zh = wideHi;
  const zl = wideLo;
  let h: u64 = 0;
  let l: u64 = 0;
  for (let d = first + 30; ; d -= 2) {
    if ((h | l) == 0) shiftRight(zh, zl, 0);
    else multiplyHigh(zh, zl, ~h + <u64>(l == 0), 0 - l);
    divideSmall(wideHi, wideLo, d * (d + 1));
    h = wideHi;
    l = wideLo;
    if (d == first) return;
  }
}

/** Sine of the reduced argument, as a float. */
function sineOfArg(): void {
  series(2);
  const h = wideHi;
  const l = wideLo;
  if ((h | l) == 0) subtractWide(argHi, argLo, 0, 1);
  else multiplyHigh(argHi, argLo, ~h + <u64>(l == 0), 0 - l);
  normalise(wideHi, wideLo, argExp);
}

function cosineOfArg(): void {
  series(1);
  const h = wideHi;
  const l = wideLo;
  if ((h | l) == 0) normalise(~(<u64>0), ~(<u64>0), -1);
  else normalise(~h + <u64>(l == 0), 0 - l, -1);
}

/** sin(x + turns * pi/2) of the reduced x, rounded; `negative`: of -x. */
function sine(cw: i32, turns: i32, negative: bool): void {
  const q = (turns + (negative ? -quarter : quarter)) & 3;
  const flipped = argNegative != negative;
  if (q & 1) cosineOfArg();
  else sineOfArg();
  const sign = ((q & 2) != 0) != ((q & 1) == 0 && flipped);
  roundWide(cw, sign ? 0x8000 : 0);
}

/** tan(x). */
function tangent(cw: i32, negative: bool): void {
  const flipped = argNegative != negative;
  if (quarter == 0 && argExp < -64) {
    // Just above x.
    normalise(argHi, argLo, argExp);
    roundWide(cw, flipped ? 0x8000 : 0);
    return;
  }
  sineOfArg();
  const sh = wideHi;
  const sl = wideLo;
  const se = wideExp;
  cosineOfArg();
  if (quarter & 1) divideWide(wideHi, wideLo, wideExp, sh, sl, se);
  else divideWide(sh, sl, se, wideHi, wideLo, wideExp);
  roundWide(cw, flipped != ((quarter & 1) != 0) ? 0x8000 : 0);
}

/** Kinds: 0 FSIN, 1 FCOS, 2 FSINCOS, 3 FPTAN. The last two push a second result. */
export function x87_trig(cpu: i32, kind: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  const two = kind >= 2;
  if (two && !empty(c, 0) && !empty(c, 7)) {
    clearC2(c);
    if (overflow(c)) return;
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    grow(c);
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  if (empty(c, 0)) {
    clearC2(c);
    if (underflow(c)) return;
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    if (two) {
      grow(c);
      put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    }
    return;
  }
  const at = st(c, 0);
  const se = <u32>load<u16>(at + 8);
  const sig = load<u64>(at);
  const k = classify(se, sig);
  clearC2(c);
  if (k >= INFINITE) {
    if (k == INFINITE) invalid();
    else propagate(se, sig, k, 0, 0, ZERO);
    if (deliver(c, 0) && two) push(c, outSe, outSig);
    return;
  }
  const cw = control(c);
  if (k == ZERO) {
    if (kind == 1) put(c, 0, 0x3fff, INTEGER_BIT);
    if (two) push(c, 0x3fff, INTEGER_BIT);
    return;
  }
  const exp = exponentOf(se, sig) - 16383;
  if (exp >= 63) {
    setCodes(c, (load<i32>(c + CPU_FPSW) & 0x4100) | C2);
    return;
  }
  const negative = (se & 0x8000) != 0;
  const denormal = k == DENORMAL ? DE : 0;
  reduce(sig << clz(sig), exp);
  if (kind == 3) tangent(cw, negative);
  else sine(cw, kind == 1 ? 1 : 0, negative);
  alsoRaise(denormal);
  if (!deliver(c, 0) || !two) return;
  if (kind == 3) push(c, 0x3fff, INTEGER_BIT);
  else {
    sine(cw, 1, negative);
    grow(c);
    deliver(c, 0);
  }
}

function clearC2(c: usize): void {
  store<i32>(c + CPU_FPSW, load<i32>(c + CPU_FPSW) & ~C2);
}
