/**
 * Arithmetic and comparisons on the x87 stack. In: stack positions, memory values. Out: the stack, the status word, EFLAGS for FCOMI.
 * An unmasked IE, DE or ZE leaves operands and stack as they are; OE, UE and PE store and pop (SDM volume 1, 8.5). Source: SDM volume 2A, FADD FMUL FSUB FDIV FCOM FCOMI FUCOM FTST FXAM FCHS FABS.
 */
import { CPU_FPSW } from '../interpreter/gen/constants';
import { add, divide, multiply } from './x87-basic';
import { classify, DENORMAL, INFINITE, NORMAL, outEx, outSe, outSig, QNAN, SNAN, UNSUPPORTED, ZERO } from './x87-float';
import { fromMemory } from './x87-format';
import { C0, C1, C2, C3, clearC1, control, DE, empty, IE, INDEFINITE_SE, INDEFINITE_SIG, pending, pop, put, raise, setCodes, st, underflow, ZE } from './x87-state';

/** a op b, `op` as the reg field of D8 numbers it: 0 add, 1 mul, 4 sub, 5 reversed sub, 6 div, 7 reversed div. */
function operate(cw: i32, op: i32, aSe: u32, aSig: u64, bSe: u32, bSig: u64): void {
  switch (op) {
    case 0:
      add(cw, aSe, aSig, bSe, bSig, 0);
      return;
    case 1:
      multiply(cw, aSe, aSig, bSe, bSig);
      return;
    case 4:
      add(cw, aSe, aSig, bSe, bSig, 0x8000);
      return;
    case 5:
      add(cw, bSe, bSig, aSe, aSig, 0x8000);
      return;
    case 6:
      divide(cw, aSe, aSig, bSe, bSig);
      return;
    default:
      divide(cw, bSe, bSig, aSe, aSig);
  }
}

/** Records the exceptions of the result and writes it to ST(i); false when an unmasked one forbids it. */
export function deliver(c: usize, i: i32): bool {
  if (outEx != 0) {
    let ex = outEx;
    const blocked = (ex & ~control(c) & (IE | DE | ZE)) != 0;
    if (blocked) ex &= IE | DE | ZE;
    raise(c, ex);
    if (blocked) return false;
  }
  put(c, i, outSe, outSig);
  return true;
}

/** ST(dst) = ST(dst) op ST(src); one of them is ST(0). */
export function x87_arith_st(cpu: i32, op: i32, dst: i32, src: i32, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, dst) || empty(c, src)) {
    if (underflow(c)) return;
    put(c, dst, INDEFINITE_SE, INDEFINITE_SIG);
  } else {
    const a = st(c, dst);
    const b = st(c, src);
    operate(control(c), op, load<u16>(a + 8), load<u64>(a), load<u16>(b + 8), load<u64>(b));
    if (!deliver(c, dst)) return;
  }
  if (pops) pop(c);
}

/** ST(0) = ST(0) op memory. */
export function x87_arith_mem(cpu: i32, op: i32, format: i32, bits: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0)) {
    if (!underflow(c)) put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  fromMemory(format, bits);
  const denormal = outEx;
  const a = st(c, 0);
  const ase = <u32>load<u16>(a + 8);
  const asig = load<u64>(a);
  const nan = classify(ase, asig) >= QNAN || classify(outSe, outSig) >= QNAN;
  operate(control(c), op, ase, asig, outSe, outSig);
  deliverWith(c, nan || (outEx & (IE | ZE)) != 0 ? 0 : denormal);
}

function deliverWith(c: usize, more: i32): void {
  if (more != 0 && raise(c, more)) return;
  deliver(c, 0);
}

/** Comparison as C3 C2 C0 bits; exceptions go to compareEx. */
let compareEx: i32 = 0;
function compare(quiet: bool, aSe: u32, aSig: u64, bSe: u32, bSig: u64): i32 {
  const ac = classify(aSe, aSig);
  const bc = classify(bSe, bSig);
  compareEx = 0;
  if (ac >= QNAN || bc >= QNAN) {
    if (!quiet || ac >= SNAN || bc >= SNAN) compareEx = IE;
    return C3 | C2 | C0;
  }
  if (ac == DENORMAL || bc == DENORMAL) compareEx = DE;
  if (ac == ZERO && bc == ZERO) return C3;
  const aNegative = (aSe & 0x8000) != 0;
  if (aNegative != ((bSe & 0x8000) != 0)) return aNegative ? C0 : 0;
  let ea = aSe & 0x7fff;
  let eb = bSe & 0x7fff;
  if (ea == 0 && ac != ZERO) ea = 1;
  if (eb == 0 && bc != ZERO) eb = 1;
  if (ea == eb && aSig == bSig) return C3;
  const less = ea != eb ? ea < eb : aSig < bSig;
  return less != aNegative ? C0 : 0;
}

/** Compares ST(0) with a value; false when an unmasked exception forbids pops. The condition codes are set in any case, as processors do. */
function compareTop(c: usize, quiet: bool, bSe: u32, bSig: u64): bool {
  const a = st(c, 0);
  const codes = compare(quiet, load<u16>(a + 8), load<u64>(a), bSe, bSig);
  setCodes(c, codes);
  return compareEx == 0 || !raise(c, compareEx);
}

/** FCOM (quiet 0), FUCOM (quiet 1) with ST(i), popping 0, 1 or 2 registers. */
export function x87_com_st(cpu: i32, quiet: i32, i: i32, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0) || empty(c, i)) {
    setCodes(c, C3 | C2 | C0);
    if (underflow(c)) return;
  } else {
    const b = st(c, i);
    if (!compareTop(c, quiet != 0, load<u16>(b + 8), load<u64>(b))) return;
  }
  for (let n = 0; n < pops; n++) pop(c);
}

/** FCOM, FICOM with memory. */
export function x87_com_mem(cpu: i32, format: i32, bits: i64, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0)) {
    setCodes(c, C3 | C2 | C0);
    if (underflow(c)) return;
  } else {
    fromMemory(format, bits);
    const a = st(c, 0);
    const denormal = classify(load<u16>(a + 8), load<u64>(a)) < QNAN ? outEx : 0;
    if (!compareTop(c, false, outSe, outSig)) return;
    if (denormal != 0 && raise(c, denormal)) return;
  }
  if (pops) pop(c);
}

/** FTST: ST(0) against 0.0. */
export function x87_ftst(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0)) {
    setCodes(c, C3 | C2 | C0);
    underflow(c);
    return;
  }
  compareTop(c, false, 0, 0);
}

/** FCOMI, FUCOMI: the comparison as ZF PF CF at their EFLAGS positions; OF SF AF are 0. C1 changes on underflow of the stack only. */
export function x87_comi(cpu: i32, quiet: i32, i: i32, pops: i32): i64 {
  const c = <usize>cpu;
  if (pending(c)) return 0;
  let codes = C3 | C2 | C0;
  if (empty(c, 0) || empty(c, i)) {
    if (underflow(c)) return 0x45;
  } else {
    const a = st(c, 0);
    const b = st(c, i);
    codes = compare(quiet != 0, load<u16>(a + 8), load<u64>(a), load<u16>(b + 8), load<u64>(b));
    const c1 = load<i32>(c + CPU_FPSW) & C1;
    if (compareEx != 0 && raise(c, compareEx | c1)) return (codes >> 8) & 0x45;
  }
  if (pops) pop(c);
  return (codes >> 8) & 0x45;
}

/** FXAM: the class of ST(0), empty included; C1 is its sign. */
export function x87_fxam(cpu: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  const a = st(c, 0);
  const se = <u32>load<u16>(a + 8);
  const sign = se & 0x8000 ? C1 : 0;
  let codes = C3 | C0;
  if (!empty(c, 0)) {
    switch (classify(se, load<u64>(a))) {
      case ZERO:
        codes = C3;
        break;
      case DENORMAL:
        codes = C3 | C2;
        break;
      case NORMAL:
        codes = C2;
        break;
      case INFINITE:
        codes = C2 | C0;
        break;
      case UNSUPPORTED:
        codes = 0;
        break;
      default:
        codes = C0;
    }
  }
  setCodes(c, codes | sign);
}

/** FCHS (0) and FABS (1): any bits, no exception but underflow of the stack. */
export function x87_sign(cpu: i32, absolute: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0)) {
    if (!underflow(c)) put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  const at = st(c, 0) + 8;
  const se = load<u16>(at);
  store<u16>(at, absolute ? se & 0x7fff : se ^ 0x8000);
}
