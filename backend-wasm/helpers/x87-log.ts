/**
 * F2XM1 FYL2X FYL2XP1. In: ST(0), ST(1). Out: the stack and the status word; results rounded from at least 100 exact bits, as RC says, at full precision.
 * Logarithms by the series of atanh in 128-bit fractions, powers by that of exp. Source: SDM volume 2A, F2XM1, FYL2X, FYL2XP1 (tables of special values).
 */
import { alsoRaise, classify, DENORMAL, exponentOf, INFINITE, INTEGER_BIT, invalid, propagate, QNAN, roundTo, setOut, ZERO } from './x87-float';
import { deliver } from './x87-arith';
import { missing } from './x87-math';
import { clearC1, control, DE, empty, INDEFINITE_SE, INDEFINITE_SIG, PE, pending, pop, put, st, underflow, ZE } from './x87-state';
import { addWide, divideSmall, divideWide, multiplyHigh, multiplyWide, normalise, roundWide, shiftRight, squareFraction, subtractWide, toFraction, wideExp, wideHi, wideLo } from './x87-wide';

/** ln 2, a float with exponent -1. */
const LN2_HI: u64 = 0xb17217f7d1cf79ab;
const LN2_LO: u64 = 0xc9e3b39803f2f6af;
/** 2 log2(e), a float with exponent 1. */
const TWO_LOG2E_HI: u64 = 0xb8aa3b295c17f0bb;
const TWO_LOG2E_LO: u64 = 0xbe87fed0691d3e89;

/** log2((1 + s) / (1 - s)) of the float s, at most 0.18: 2 log2(e) s (1 + s^2/3 + s^4/5 + ...). */
function logOfRatio(h: u64, l: u64, e: i32): void {
  squareFraction(h, l, e);
  const zh = wideHi;
  const zl = wideLo;
  let ah: u64 = 0;
  let al: u64 = 0;
  for (let d: u64 = 51; d >= 3; d -= 2) {
    multiplyHigh(zh, zl, ah, al);
    const ph = wideHi;
    const pl = wideLo;
    divideSmall(~(<u64>0), ~(<u64>0), d);
    addWide(wideHi, wideLo, ph, pl);
    ah = wideHi;
    al = wideLo;
  }
  multiplyHigh(zh, zl, ah, al);
  shiftRight(wideHi, wideLo, 1);
  multiplyWide(wideHi | INTEGER_BIT, wideLo, 0, h, l, e);
  multiplyWide(wideHi, wideLo, wideExp, TWO_LOG2E_HI, TWO_LOG2E_LO, 1);
}

let logNegative: bool = false;
let logExact: bool = false;

/** log2 of a positive finite value m * 2^(exp - 63), as a float with its sign; zero for 1. */
function log2(m: u64, exp: i32): void {
  // m is brought into sqrt(1/2)..sqrt(2).
  const high = m > 0xb504f333f9de6484;
  if (high) exp++;
  logExact = m == INTEGER_BIT;
  // Units of 2^-126: m as a number in them, and 1.
  const mh = high ? m >> 2 : m >> 1;
  const ml = high ? m << 62 : m << 63;
  const one: u64 = 0x4000000000000000;
  let below = false;
  if (!logExact) {
    below = mh < one;
    if (below) subtractWide(one, 0, mh, ml);
    else subtractWide(mh, ml, one, 0);
    normalise(wideHi, wideLo, 1);
    const nh = wideHi;
    const nl = wideLo;
    const ne = wideExp;
    addWide(mh, ml, one, 0);
    normalise(wideHi, wideLo, 1);
    divideWide(nh, nl, ne, wideHi, wideLo, wideExp);
    logOfRatio(wideHi, wideLo, wideExp);
    logNegative = below;
    if (exp == 0) return;
    // Units of 2^-112.
    shiftRight(wideHi, wideLo, 15 - wideExp);
  } else shiftRight(0, 0, 0);
  logNegative = exp < 0;
  const whole = <u64>(exp < 0 ? -exp : exp) << 48;
  if (below == logNegative) addWide(whole, 0, wideHi, wideLo);
  else subtractWide(whole, 0, wideHi, wideLo);
  normalise(wideHi, wideLo, 15);
}

/** The float in wide times y, rounded. */
function timesY(cw: i32, sign: u32, ySe: u32, ySig: u64): void {
  multiplyWide(wideHi, wideLo, wideExp, ySig << clz(ySig), 0, exponentOf(ySe, ySig) - 16383);
  if (logExact) {
    roundTo(cw, sign, wideExp + 16383, wideHi, wideLo, 0, 0x7fff);
    // Inexact all the same, as the processor has it.
    alsoRaise(PE);
  } else roundWide(cw, sign);
}

function yLog2x(cw: i32, ySe: u32, ySig: u64, xSe: u32, xSig: u64): void {
  const yc = classify(ySe, ySig);
  const xc = classify(xSe, xSig);
  if (yc >= QNAN || xc >= QNAN) {
    propagate(xSe, xSig, xc, ySe, ySig, yc);
    return;
  }
  const ySign = ySe & 0x8000;
  const denormal = yc == DENORMAL || xc == DENORMAL ? DE : 0;
  if ((xSe & 0x8000) != 0 && xc != ZERO) {
    invalid();
    return;
  }
  if (xc == ZERO) {
    if (yc == ZERO) invalid();
    else setOut((ySign ^ 0x8000) | 0x7fff, INTEGER_BIT, yc == INFINITE ? 0 : ZE);
    return;
  }
  if (xc == INFINITE) {
    if (yc == ZERO) invalid();
    else setOut(ySign | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  const one = xSe == 0x3fff && xSig == INTEGER_BIT;
  const below: u32 = (xSe & 0x7fff) < 0x3fff ? 0x8000 : 0;
  if (yc == INFINITE) {
    if (one) invalid();
    else setOut((ySign ^ below) | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (yc == ZERO || one) {
    setOut(ySign ^ below, 0, denormal);
    return;
  }
  log2(xSig << clz(xSig), exponentOf(xSe, xSig) - 16383);
  timesY(cw, logNegative ? ySign ^ 0x8000 : ySign, ySe, ySig);
  alsoRaise(denormal);
}

/** Sets the float log2(1 + x), x of magnitude m * 2^(exp - 63), below 1/2 or positive and below 1. */
function logOnePlus(m: u64, exp: i32, negative: bool): void {
  logExact = false;
  logNegative = negative;
  // 2 + x in units of 2^-125.
  shiftRight(m, 0, 2 - exp);
  if (negative) subtractWide(INTEGER_BIT >> 1, 0, wideHi, wideLo);
  else addWide(INTEGER_BIT >> 1, 0, wideHi, wideLo);
  normalise(wideHi, wideLo, 2);
  divideWide(m, 0, exp, wideHi, wideLo, wideExp);
  logOfRatio(wideHi, wideLo, wideExp);
}

function yLog2xPlus1(cw: i32, ySe: u32, ySig: u64, xSe: u32, xSig: u64): void {
  const yc = classify(ySe, ySig);
  const xc = classify(xSe, xSig);
  if (yc >= QNAN || xc >= QNAN) {
    propagate(xSe, xSig, xc, ySe, ySig, yc);
    return;
  }
  const ySign = ySe & 0x8000;
  const xSign = xSe & 0x8000;
  const sign = ySign ^ xSign;
  const denormal = yc == DENORMAL || xc == DENORMAL ? DE : 0;
  if (xc == ZERO) {
    if (yc == INFINITE) invalid();
    else setOut(sign, 0, denormal);
    return;
  }
  if (xc == INFINITE) {
    if (yc == ZERO || xSign != 0) invalid();
    else setOut(sign | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (yc == INFINITE || yc == ZERO) {
    setOut(yc == ZERO ? sign : sign | 0x7fff, yc == ZERO ? 0 : INTEGER_BIT, denormal);
    return;
  }
  const exp = exponentOf(xSe, xSig) - 16383;
  const m = xSig << clz(xSig);
  if (exp < -1 || (exp < 0 && xSign == 0)) logOnePlus(m, exp, xSign != 0);
  else if (xSign != 0) {
    // Results are undefined beyond the range; -1 and below give themselves.
    if (exp >= 0) {
      setOut(xSe, xSig, PE | denormal);
      return;
    }
    const rest = 0 - m;
    log2(rest << clz(rest), -1 - <i32>clz(rest));
  } else {
    // 1 + x to 64 bits.
    const one: u64 = exp <= 63 ? INTEGER_BIT >> exp : 0;
    if (m + one < m) log2(((m + one) >> 1) | INTEGER_BIT, exp + 1);
    else log2(m + one, exp);
  }
  timesY(cw, logNegative ? ySign ^ 0x8000 : ySign, ySe, ySig);
  alsoRaise(denormal);
}

/** FYL2X (0), FYL2XP1 (1): ST(1) = ST(1) * log2(ST(0)), popped. */
export function x87_fyl2x(cpu: i32, plusOne: i32): void {
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
  const cw = control(c);
  if (plusOne) yLog2xPlus1(cw, load<u16>(y + 8), load<u64>(y), load<u16>(x + 8), load<u64>(x));
  else yLog2x(cw, load<u16>(y + 8), load<u64>(y), load<u16>(x + 8), load<u64>(x));
  if (deliver(c, 1)) pop(c);
}

/** 2^x - 1 for a finite x that is not 0, magnitude m * 2^(exp - 63) below 1. */
function powerMinus1(cw: i32, sign: u32, m: u64, exp: i32): void {
  multiplyWide(m, 0, exp, LN2_HI, LN2_LO, -1);
  const th = wideHi;
  const tl = wideLo;
  const te = wideExp;
  toFraction(th, tl, te);
  const fh = wideHi;
  const fl = wideLo;
  let ah: u64 = 0;
  let al: u64 = 0;
  // acc = t/k (1 + acc), down to k = 2; exp(t) - 1 = t (1 + acc).
  for (let k: u64 = 32; k >= 2; k--) {
    multiplyHigh(fh, fl, ah, al);
    addWide(fh, fl, wideHi, wideLo);
    divideSmall(wideHi, wideLo, k);
    ah = wideHi;
    al = wideLo;
  }
  shiftRight(ah, al, 1);
  multiplyWide(wideHi | INTEGER_BIT, wideLo, 0, th, tl, te);
  if (sign) {
    // 2^-a - 1 = -E / (1 + E), E = 2^a - 1.
    const h = wideHi;
    const l = wideLo;
    const e = wideExp;
    shiftRight(h, l, 1 - e);
    addWide(INTEGER_BIT >> 1, 0, wideHi, wideLo);
    normalise(wideHi, wideLo, 1);
    divideWide(h, l, e, wideHi, wideLo, wideExp);
  }
  roundWide(cw, sign);
}

export function x87_f2xm1(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (missing(c, false)) return;
  const at = st(c, 0);
  const se = <u32>load<u16>(at + 8);
  const sig = load<u64>(at);
  const k = classify(se, sig);
  const sign = se & 0x8000;
  if (k >= QNAN) propagate(se, sig, k, 0, 0, ZERO);
  else if (k == ZERO) setOut(se, sig, 0);
  else if (k == INFINITE) {
    // 2^-inf - 1 = -1.
    if (sign) setOut(0xbfff, INTEGER_BIT, 0);
    else setOut(se, sig, 0);
  } else {
    const exp = exponentOf(se, sig) - 16383;
    // Beyond -1..1 the result is undefined: the operand stays. Inexact even at -1 and 1.
    if (exp >= 0) setOut(sign && sig == INTEGER_BIT && exp == 0 ? 0xbffe : se, sig, PE);
    else powerMinus1(control(c), sign, sig << clz(sig), exp);
    if (k == DENORMAL) alsoRaise(DE);
  }
  deliver(c, 0);
}
