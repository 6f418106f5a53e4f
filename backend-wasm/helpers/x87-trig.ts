/**
 * FSIN FCOS FSINCOS FPTAN FPATAN. In: ST(0), ST(1). Out: the stack and the status word; results rounded from at least 100 exact bits, as RC says, at full precision.
 * The argument is reduced exactly by the processor's pi of 66 bits (SDM volume 1, 8.3.8). Then Taylor series in 128-bit fractions; the arc tangent is first reduced by atan(k/8).
 */
import { classify, DENORMAL, exponentOf, INFINITE, INTEGER_BIT, invalid, outEx, outSe, outSig, propagate, QNAN, roundTo, setOut, ZERO } from './x87-float';
import { deliver } from './x87-arith';
import { missing } from './x87-math';
import { C1, C2, clearC1, control, DE, empty, grow, IE, INDEFINITE_SE, INDEFINITE_SIG, overflow, PE, pending, pop, push, put, raise, setCodes, st, underflow } from './x87-state';
import { addWide, divideSmall, divideWide, multiplyHigh, normalise, shiftRight, squareFraction, subtractWide, wideExp, wideHi, wideLo } from './x87-wide';
import { CPU_FPSW } from '../interpreter/gen/constants';

/** pi * 2^64 in 66 bits: the upper two and the lower 64. */
const PI_HI: u64 = 3;
const PI_LO: u64 = 0x243f6a8885a308d3;

/** Rounds the float in wideHi:wideLo, wideExp, which is never exact. */
export function roundWide(cw: i32, sign: u32): void {
  roundTo(cw, sign, wideExp + 16383, wideHi, wideLo | 1, 0, 0x7fff);
}

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
  setOut(outSe, outSig, outEx | denormal);
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

/** atan(k/8) * 2^125. */
const ATAN = memory.data<u64>([
  0x0, 0x0, 0x03fab7535585edb8, 0xcb225e627cfa223c, 0x07d6dd7e4b203758, 0xab6e3cf7afbd10bf, 0x0b7b0ca0f26f7847,
  0x38aa32122dcfe448, 0x0ed63382b0dda7b4, 0x56fe445ecbc3a8d0, 0x11e00babdefeb3f3, 0x6b906bc2ccb886e9, 0x14978fa3269ee124,
  0x83350fe548afb594, 0x1700a7c5784633ce, 0x7965b4aa42148888, 0x1921fb54442d1846, 0x9898cc51701b839a,
]);
const PI_125_HI: u64 = 0x6487ed5110b4611a;
const PI_125_LO: u64 = 0x62633145c06e0e69;

/** atan of the float h:l * 2^(e - 127), at most 1/16, as a float. */
function smallArcTangent(h: u64, l: u64, e: i32): void {
  squareFraction(h, l, e);
  const zh = wideHi;
  const zl = wideLo;
  let ah: u64 = 0;
  let al: u64 = 0;
  // acc = 1/d - z * acc, down to d = 3; the result is x (1 - z * acc).
  for (let d: u64 = 35; d >= 3; d -= 2) {
    multiplyHigh(zh, zl, ah, al);
    const ph = wideHi;
    const pl = wideLo;
    divideSmall(~(<u64>0), ~(<u64>0), d);
    subtractWide(wideHi, wideLo, ph, pl);
    ah = wideHi;
    al = wideLo;
  }
  multiplyHigh(zh, zl, ah, al);
  const uh = wideHi;
  const ul = wideLo;
  if ((uh | ul) == 0) subtractWide(h, l, 0, 1);
  else multiplyHigh(h, l, ~uh + <u64>(ul == 0), 0 - ul);
  normalise(wideHi, wideLo, e);
}

/** Angle of (x, y), both finite and not zero, magnitudes only; `left`: x is negative. Leaves a float. */
function angle(xSig: u64, xExp: i32, left: bool, ySig: u64, yExp: i32): void {
  const swapped = yExp > xExp || (yExp == xExp && ySig > xSig);
  if (swapped) divideWide(xSig, 0, xExp, ySig, 0, yExp);
  else divideWide(ySig, 0, yExp, xSig, 0, xExp);
  let h = wideHi;
  let l = wideLo;
  let e = wideExp;
  let k: u64 = 0;
  let below = false;
  if (e >= -4) {
    // Units of 2^-123.
    shiftRight(h, l, 4 - e);
    const qh = wideHi;
    const ql = wideLo;
    k = ((qh >> 55) + 1) >> 1;
    if (k != 0) {
      const nh = (qh << 3) | (ql >> 61);
      const nl = ql << 3;
      const kh = k << 59;
      below = nh < kh;
      if (below) subtractWide(kh, 0, nh, nl);
      else subtractWide(nh, nl, kh, 0);
      normalise(wideHi, wideLo, 4);
      const mh = wideHi;
      const ml = wideLo;
      const me = wideExp;
      // 8 + k * z: z is at most 1 and k at most 8.
      const low = (ql & 0xffffffff) * k;
      const mid = (ql >> 32) * k + (low >> 32);
      addWide(qh * k + (mid >> 32), (mid << 32) | (low & 0xffffffff), (<u64>8) << 59, 0);
      normalise(wideHi, wideLo, 4);
      if ((mh | ml) != 0) divideWide(mh, ml, me, wideHi, wideLo, wideExp);
      else normalise(0, 0, 0);
      h = wideHi;
      l = wideLo;
      e = wideExp;
    }
  }
  if ((h | l) != 0) smallArcTangent(h, l, e);
  else normalise(0, 0, 0);
  if (k == 0 && !swapped && !left) return;
  // Units of 2^-125.
  shiftRight(wideHi, wideLo, 2 - wideExp);
  const th = load<u64>(ATAN + (<usize>k << 4));
  const tl = load<u64>(ATAN + (<usize>k << 4) + 8);
  if (below) subtractWide(th, tl, wideHi, wideLo);
  else addWide(th, tl, wideHi, wideLo);
  if (swapped) {
    const hh = PI_125_HI >> 1;
    const hl = (PI_125_LO >> 1) | (PI_125_HI << 63);
    if (left) addWide(hh, hl, wideHi, wideLo);
    else subtractWide(hh, hl, wideHi, wideLo);
  } else if (left) subtractWide(PI_125_HI, PI_125_LO, wideHi, wideLo);
  normalise(wideHi, wideLo, 2);
}

/** Rounds pi * eighths / 8. */
function piEighths(cw: i32, sign: u32, eighths: u64): void {
  // Units of 2^-121 leave room for the factor; with it, of 2^-124.
  shiftRight(PI_125_HI, PI_125_LO, 4);
  const h = wideHi * eighths;
  const l0 = (wideLo & 0xffffffff) * eighths;
  const l1 = (wideLo >> 32) * eighths + (l0 >> 32);
  normalise(h + (l1 >> 32), (l1 << 32) | (l0 & 0xffffffff), 3);
  roundWide(cw, sign);
}

function arcTangent(cw: i32, ySe: u32, ySig: u64, xSe: u32, xSig: u64): void {
  const yc = classify(ySe, ySig);
  const xc = classify(xSe, xSig);
  if (yc >= QNAN || xc >= QNAN) {
    propagate(xSe, xSig, xc, ySe, ySig, yc);
    return;
  }
  const sign = ySe & 0x8000;
  const left = (xSe & 0x8000) != 0;
  const denormal = yc == DENORMAL || xc == DENORMAL ? DE : 0;
  if (yc == INFINITE) piEighths(cw, sign, xc == INFINITE ? (left ? 6 : 2) : 4);
  else if (yc == ZERO || xc == INFINITE) {
    if (left) piEighths(cw, sign, 8);
    else setOut(sign, 0, 0);
  } else if (xc == ZERO) piEighths(cw, sign, 4);
  else {
    angle(xSig << clz(xSig), exponentOf(xSe, xSig), left, ySig << clz(ySig), exponentOf(ySe, ySig));
    roundWide(cw, sign);
  }
  setOut(outSe, outSig, outEx | denormal);
}

/** FPATAN: ST(1) = atan2(ST(1), ST(0)), popped. */
export function x87_fpatan(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0) || empty(c, 1)) {
    if (underflow(c)) return;
    put(c, 1, INDEFINITE_SE, INDEFINITE_SIG);
    pop(c);
    return;
  }
  const x = st(c, 0);
  const y = st(c, 1);
  arcTangent(control(c), load<u16>(y + 8), load<u64>(y), load<u16>(x + 8), load<u64>(x));
  if (deliver(c, 1)) pop(c);
}
