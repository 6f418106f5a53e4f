/**
 * FSQRT FRNDINT FSCALE FXTRACT FPREM FPREM1. In: ST(0), ST(1). Out: the stack and the status word. Source: SDM volume 2A, one section each; the square root is Newton's iteration on integers.
 */
import { CPU_FPSW } from '../interpreter/gen/constants';
import { div128u } from './div';
import { mulhu } from './mul';
import { deliver } from './x87-arith';
import { alsoRaise, classify, DENORMAL, exponentOf, INFINITE, INTEGER_BIT, invalid, outSe, outSig, pack, propagate, QNAN, setOut, ZERO } from './x87-float';
import { fromInteger, intEx, roundMagnitude } from './x87-format';
import { C0, C1, C2, C3, clearC1, control, DE, empty, grow, INDEFINITE_SE, INDEFINITE_SIG, overflow, pending, put, push, setCodes, st, underflow, ZE } from './x87-state';

/** Full precision whatever the control word says. */
const PC_64: i32 = 0x300;

/** True when ST(0) (and ST(1) with `two`) can't be read: the masked response has been given. */
export function missing(c: usize, two: bool): bool {
  if (!empty(c, 0) && !(two && empty(c, 1))) return false;
  if (!underflow(c)) put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
  return true;
}

/** Largest q with q * q <= hi:lo, for hi:lo of at least 2^126. */
export function root128(hi: u64, lo: u64): u64 {
  const guess = Math.sqrt(<f64>hi) * 4294967296.0;
  let q: u64 = guess >= 18446744073709549568.0 ? 0xffffffffffffffff : <u64>guess;
  if (q > hi) q = (q >> 1) + (<u64>div128u(hi, lo, q) >> 1) + 1;
  // Now within a few units.
  while (true) {
    const h = <u64>mulhu(q, q);
    if (h > hi || (h == hi && q * q > lo)) q--;
    else break;
  }
  while (q != 0xffffffffffffffff) {
    const h = <u64>mulhu(q + 1, q + 1);
    if (h < hi || (h == hi && (q + 1) * (q + 1) <= lo)) q++;
    else break;
  }
  return q;
}

function squareRoot(cw: i32, se: u32, sig: u64): void {
  const c = classify(se, sig);
  if (c >= QNAN) {
    propagate(se, sig, c, 0, 0, ZERO);
    return;
  }
  if (c == ZERO) {
    setOut(se, sig, 0);
    return;
  }
  if (se & 0x8000) {
    invalid();
    return;
  }
  if (c == INFINITE) {
    setOut(se, sig, 0);
    return;
  }
  const e = exponentOf(se, sig) - 16383;
  const m = sig << clz(sig);
  const odd = (e & 1) != 0;
  const hi = odd ? m : m >> 1;
  const lo = odd ? 0 : m << 63;
  const q = root128(hi, lo);
  const rest = lo - q * q;
  const above = hi - <u64>mulhu(q, q) - <u64>(lo < q * q);
  const tail: u64 = (rest | above) == 0 ? 0 : above != 0 || rest > q ? 0xc000000000000000 : 0x4000000000000000;
  pack(cw, 0, (e >> 1) + 16383, q, tail);
  if (c == DENORMAL) alsoRaise(DE);
}

export function x87_fsqrt(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (missing(c, false)) return;
  const at = st(c, 0);
  squareRoot(control(c), load<u16>(at + 8), load<u64>(at));
  deliver(c, 0);
}

export function x87_frndint(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (missing(c, false)) return;
  const at = st(c, 0);
  const se = <u32>load<u16>(at + 8);
  const sig = load<u64>(at);
  const k = classify(se, sig);
  if (k >= QNAN) propagate(se, sig, k, 0, 0, ZERO);
  else if (k == ZERO || k == INFINITE || <i32>(se & 0x7fff) - 16383 >= 63) setOut(se, sig, 0);
  else {
    const m = roundMagnitude((control(c) >> 10) & 3, se, sig);
    const ex = intEx | (k == DENORMAL ? DE : 0);
    const sign = se & 0x8000;
    if (m == 0) setOut(sign, 0, ex);
    else {
      const n = <i32>clz(m);
      setOut(sign | (16383 + 63 - n), m << n, ex);
    }
  }
  deliver(c, 0);
}

function scale(cw: i32, aSe: u32, aSig: u64, bSe: u32, bSig: u64): void {
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  if (ac >= QNAN || bc >= QNAN) {
    propagate(aSe, aSig, ac, bSe, bSig, bc);
    return;
  }
  const sign = aSe & 0x8000;
  const denormal = ac == DENORMAL || bc == DENORMAL ? DE : 0;
  if (bc == INFINITE) {
    const down = (bSe & 0x8000) != 0;
    if (ac == (down ? INFINITE : ZERO)) invalid();
    else if (down) setOut(sign, 0, denormal);
    else setOut(sign | 0x7fff, INTEGER_BIT, denormal);
    return;
  }
  if (ac == ZERO || ac == INFINITE) {
    setOut(aSe, aSig, denormal);
    return;
  }
  const e = <i32>(bSe & 0x7fff) - 16383;
  let n: i32 = 0;
  if (e > 16) n = 0x20000;
  else if (e >= 0) n = <i32>(bSig >> (63 - e));
  if (bSe & 0x8000) n = -n;
  pack(cw | PC_64, sign, exponentOf(aSe, aSig) + n, aSig << clz(aSig), 0);
  alsoRaise(denormal);
}

export function x87_fscale(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (missing(c, true)) return;
  const a = st(c, 0);
  const b = st(c, 1);
  scale(control(c), load<u16>(a + 8), load<u64>(a), load<u16>(b + 8), load<u64>(b));
  deliver(c, 0);
}

/** FXTRACT: the exponent replaces ST(0), the significand is pushed. */
export function x87_fxtract(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  const none = empty(c, 0);
  if (none || !empty(c, 7)) {
    if (none ? underflow(c) : overflow(c)) return;
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    // The stack may be full: no second overflow.
    grow(c);
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  const at = st(c, 0);
  const se = <u32>load<u16>(at + 8);
  const sig = load<u64>(at);
  const k = classify(se, sig);
  if (k >= QNAN) {
    propagate(se, sig, k, 0, 0, ZERO);
    if (deliver(c, 0)) push(c, outSe, outSig);
    return;
  }
  if (k == ZERO) {
    setOut(0xffff, INTEGER_BIT, ZE);
    if (deliver(c, 0)) push(c, se, sig);
    return;
  }
  if (k == INFINITE) {
    setOut(0x7fff, INTEGER_BIT, 0);
    if (deliver(c, 0)) push(c, se, sig);
    return;
  }
  fromInteger(exponentOf(se, sig) - 16383);
  if (k == DENORMAL) alsoRaise(DE);
  if (deliver(c, 0)) push(c, (se & 0x8000) | 0x3fff, sig << clz(sig));
}

let quotient: u64 = 0;
let partial: bool = false;
/** C0 and C3 stay as they were: there is no quotient. */
let special: bool = false;

/** ST(0) rem ST(1): the quotient truncated (nearest 0) or rounded to nearest even (nearest 1). */
function remainder(cw: i32, nearest: bool, aSe: u32, aSig: u64, bSe: u32, bSig: u64): void {
  quotient = 0;
  partial = false;
  special = true;
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  if (ac >= QNAN || bc >= QNAN) {
    propagate(aSe, aSig, ac, bSe, bSig, bc);
    return;
  }
  const denormal = ac == DENORMAL || bc == DENORMAL ? DE : 0;
  if (ac == INFINITE || bc == ZERO) {
    invalid();
    return;
  }
  if (ac == ZERO || bc == INFINITE) {
    special = false;
    setOut(aSe, aSig, denormal);
    return;
  }
  special = false;
  let sign = aSe & 0x8000;
  const ea = exponentOf(aSe, aSig);
  const eb = exponentOf(bSe, bSig);
  const b = bSig << clz(bSig);
  let r = aSig << clz(aSig);
  let e = ea;
  const d = ea - eb;
  if (d >= 0) {
    partial = d >= 64;
    const steps = partial ? (d & 31) + 32 : d;
    e = ea - steps;
    if (r >= b) {
      r -= b;
      quotient = 1;
    }
    for (let i = 0; i < steps; i++) {
      const over = <i64>r < 0;
      r <<= 1;
      quotient <<= 1;
      if (over || r >= b) {
        r -= b;
        quotient |= 1;
      }
    }
    if (nearest && !partial && (r > b - r || (r == b - r && (quotient & 1) != 0))) {
      r = b - r;
      sign ^= 0x8000;
      quotient++;
    }
  } else if (nearest && d == -1 && r > b) {
    r = (b << 1) - r;
    sign ^= 0x8000;
    quotient = 1;
  }
  if (r == 0) setOut(aSe & 0x8000, 0, denormal);
  else {
    pack(cw | PC_64, sign, e, r, 0);
    alsoRaise(denormal);
  }
}

/** FPREM (0), FPREM1 (1): C2 reduction incomplete, else C0 C3 C1 are bits 2 1 0 of the quotient. */
export function x87_fprem(cpu: i32, nearest: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (missing(c, true)) {
    store<i32>(c + CPU_FPSW, load<i32>(c + CPU_FPSW) & ~C2);
    return;
  }
  const a = st(c, 0);
  const b = st(c, 1);
  remainder(control(c), nearest != 0, load<u16>(a + 8), load<u64>(a), load<u16>(b + 8), load<u64>(b));
  const done = deliver(c, 0);
  if (special || !done) {
    store<i32>(c + CPU_FPSW, load<i32>(c + CPU_FPSW) & ~C2);
    return;
  }
  let codes = 0;
  if (partial) codes = C2;
  else {
    if (quotient & 4) codes |= C0;
    if (quotient & 2) codes |= C3;
    if (quotient & 1) codes |= C1;
  }
  setCodes(c, codes);
}
