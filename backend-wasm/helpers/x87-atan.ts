/**
 * FPATAN. In: ST(0), ST(1). Out: the stack and the status word; results rounded from at least 100 exact bits, as RC says, at full precision.
 * The quotient is reduced by atan(k/8), then a Taylor series in 128-bit fractions. Source: SDM volume 2A, FPATAN (table of special values).
 */
import { alsoRaise, classify, DENORMAL, exponentOf, INFINITE, propagate, QNAN, setOut, ZERO } from './x87-float';
import { deliver } from './x87-arith';
import { clearC1, control, DE, empty, INDEFINITE_SE, INDEFINITE_SIG, pending, pop, put, st, underflow } from './x87-state';
import { addWide, divideSmall, divideWide, multiplyHigh, normalise, roundWide, shiftRight, squareFraction, subtractWide, wideExp, wideHi, wideLo } from './x87-wide';

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
  alsoRaise(denormal);
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
