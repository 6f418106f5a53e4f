/**
 * The four operations on double extended values. In: operands and the control word. Out: outSe, outSig, outEx of x87-float.ts.
 * Source: SDM volume 1, 4.8 and 8.5; volume 2A, FADD, FMUL, FDIV (tables of special operands).
 */
import { div128u } from './div';
import { mulhu } from './mul';
import { alsoRaise, BIAS, classify, DENORMAL, exponentOf, INFINITE, INTEGER_BIT, invalid, pack, propagate, QNAN, QUIET_BIT, setOut, ZERO } from './x87-float';
import { DE, ZE } from './x87-state';

/** True for a normal number: what nearly all operands are. */
// @ts-ignore: decorator
@inline
function isNormal(se: u32, sig: u64): bool {
  // Exponents 0 and 0x7fff give 1 and 0.
  return <i64>sig < 0 && ((se + 1) & 0x7fff) > 1;
}

/** a + b, with b's sign flipped by `flip` (0 or 0x8000). */
export function add(cw: i32, aSe: u32, aSig: u64, bSe: u32, bSig: u64, flip: u32): void {
  if (isNormal(aSe, aSig) && isNormal(bSe, bSig)) {
    bSe ^= flip;
    addFinite(cw, aSe & 0x8000, <i32>(aSe & 0x7fff), aSig, bSe & 0x8000, <i32>(bSe & 0x7fff), bSig);
    return;
  }
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  if (ac >= QNAN || bc >= QNAN) {
    propagate(aSe, aSig, ac, bSe, bSig, bc);
    return;
  }
  bSe ^= flip;
  const aSign = aSe & 0x8000;
  const bSign = bSe & 0x8000;
  const denormal = ac == DENORMAL || bc == DENORMAL ? DE : 0;
  if (ac == INFINITE || bc == INFINITE) {
    if (ac == bc && aSign != bSign) invalid();
    else setOut((ac == INFINITE ? aSign : bSign) | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (ac == ZERO && bc == ZERO) {
    setOut(aSign == bSign ? aSign : zeroSign(cw), 0, 0);
    return;
  }
  let ea = <i32>(aSe & 0x7fff);
  let eb = <i32>(bSe & 0x7fff);
  if (ea == 0) ea = 1;
  if (eb == 0) eb = 1;
  if (ac == ZERO) ea = eb;
  if (bc == ZERO) eb = ea;
  addFinite(cw, aSign, ea, aSig, bSign, eb, bSig);
  alsoRaise(denormal);
}

/** Sign of an exact 0 that comes out of a subtraction. */
function zeroSign(cw: i32): u32 {
  return ((cw >> 10) & 3) == 1 ? 0x8000 : 0;
}

/** Sum of finite values by sign, exponent and significand; not both are 0. */
function addFinite(cw: i32, aSign: u32, ea: i32, aSig: u64, bSign: u32, eb: i32, bSig: u64): void {
  // x is the operand with the larger magnitude.
  let x = aSig;
  let y = bSig;
  let sign = aSign;
  let d = ea - eb;
  let e = ea;
  if (d < 0 || (d == 0 && x < y)) {
    x = bSig;
    y = aSig;
    sign = bSign;
    d = -d;
    e = eb;
  }
  let lo: u64 = 0;
  if (d != 0) {
    if (d < 64) {
      lo = y << (64 - d);
      y >>= d;
    } else {
      lo = d == 64 ? y : d < 128 ? (y >> (d - 64)) | <u64>(y << (128 - d) != 0) : <u64>(y != 0);
      y = 0;
    }
  }
  if (aSign == bSign) {
    const sum = x + y;
    if (sum < x) {
      lo = (lo >> 1) | (lo & 1) | (sum << 63);
      pack(cw, sign, e + 1, (sum >> 1) | INTEGER_BIT, lo);
    } else pack(cw, sign, e, sum, lo);
  } else {
    const hi = x - y - <u64>(lo != 0);
    lo = 0 - lo;
    if ((hi | lo) == 0) {
      setOut(zeroSign(cw), 0, 0);
      return;
    }
    pack(cw, sign, e, hi, lo);
  }
}

export function multiply(cw: i32, aSe: u32, aSig: u64, bSe: u32, bSig: u64): void {
  if (isNormal(aSe, aSig) && isNormal(bSe, bSig)) {
    const e = <i32>(aSe & 0x7fff) + <i32>(bSe & 0x7fff) - BIAS + 1;
    pack(cw, (aSe ^ bSe) & 0x8000, e, <u64>mulhu(aSig, bSig), aSig * bSig);
    return;
  }
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  if (ac >= QNAN || bc >= QNAN) {
    propagate(aSe, aSig, ac, bSe, bSig, bc);
    return;
  }
  const sign = (aSe ^ bSe) & 0x8000;
  const denormal = ac == DENORMAL || bc == DENORMAL ? DE : 0;
  if (ac == INFINITE || bc == INFINITE) {
    if (ac == ZERO || bc == ZERO) invalid();
    else setOut(sign | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (ac == ZERO || bc == ZERO) {
    setOut(sign, 0, denormal);
    return;
  }
  const e = exponentOf(aSe, aSig) + exponentOf(bSe, bSig) - BIAS + 1;
  const a = aSig << clz(aSig);
  const b = bSig << clz(bSig);
  pack(cw, sign, e, <u64>mulhu(a, b), a * b);
  alsoRaise(denormal);
}

/** a / b. */
export function divide(cw: i32, aSe: u32, aSig: u64, bSe: u32, bSig: u64): void {
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  if (ac >= QNAN || bc >= QNAN) {
    propagate(aSe, aSig, ac, bSe, bSig, bc);
    return;
  }
  const sign = (aSe ^ bSe) & 0x8000;
  const denormal = ac == DENORMAL || bc == DENORMAL ? DE : 0;
  if (ac == INFINITE) {
    if (bc == INFINITE) invalid();
    else setOut(sign | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (bc == ZERO) {
    if (ac == ZERO) invalid();
    else setOut(sign | 0x7fff, INTEGER_BIT, ZE);
    return;
  }
  if (bc == INFINITE || ac == ZERO) {
    setOut(sign, 0, denormal);
    return;
  }
  let e = exponentOf(aSe, aSig) - exponentOf(bSe, bSig) + BIAS;
  const a = aSig << clz(aSig);
  const b = bSig << clz(bSig);
  let hi = a >> 1;
  let lo = a << 63;
  if (a < b) {
    hi = a;
    lo = 0;
    e--;
  }
  const q = <u64>div128u(hi, lo, b);
  const r = lo - q * b;
  let tail: u64 = 0;
  if (r != 0) tail = r > b - r ? 0xc000000000000000 : r == b - r ? INTEGER_BIT : QUIET_BIT;
  pack(cw, sign, e, q, tail);
  alsoRaise(denormal);
}
