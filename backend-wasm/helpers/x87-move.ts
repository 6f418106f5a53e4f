/**
 * Loads, stores, exchanges and constants. In: values read by the IR, host addresses of guarded memory. Out: the x87 stack, memory.
 * A store whose exception is unmasked (IE, and OE or UE of FST) writes nothing and pops nothing; PE lets it through. Source: SDM volume 2A, FLD FST FILD FIST FISTTP FXCH FCMOVcc FLD1.
 */
import { classify, outEx, outSe, outSig, SNAN } from './x87-float';
import { FORMAT_F32, fromMemory, intEx, toBinary, toInteger } from './x87-format';
import { C1, clearC1, control, DE, empty, grow, IE, INDEFINITE_SE, INDEFINITE_SIG, OE, PE, pending, pop, push, put, raise, st, UE, underflow } from './x87-state';

/** FLD m32, FLD m64, FILD. */
export function x87_fld_mem(cpu: i32, format: i32, bits: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (!empty(c, 7)) {
    push(c, 0, 0);
    return;
  }
  fromMemory(format, bits);
  const snan = classify(outSe, outSig) == SNAN;
  // A denormal is pushed even when DE is unmasked; a signalling NaN is not when IE is.
  const ex = snan ? IE : outEx;
  if (ex != 0 && raise(c, ex) && snan) return;
  push(c, outSe, snan ? outSig | 0x4000000000000000 : outSig);
}

/** FLD m80: any bits are loaded as they are. */
export function x87_fld_m80(cpu: i32, sig: i64, se: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  push(c, <u32>se & 0xffff, <u64>sig);
}

/** FLD ST(i). */
export function x87_fld_st(cpu: i32, i: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, i)) {
    if (underflow(c)) return;
    // The stack may be full as well: the underflow stands for both.
    grow(c);
    put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  const at = st(c, i);
  push(c, load<u16>(at + 8), load<u64>(at));
}

/** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ, by the low bits of their opcodes: the constant of 67 or more bits rounded by RC. */
export function x87_fld_const(cpu: i32, n: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  const rc = (control(c) >> 10) & 3;
  const down = rc == 1 || rc == 3;
  switch (n) {
    case 0:
      push(c, 0x3fff, 0x8000000000000000);
      return;
    case 1:
      push(c, 0x4000, 0xd49a784bcd1b8afe + <u64>(rc == 2));
      return;
    case 2:
      push(c, 0x3fff, 0xb8aa3b295c17f0bc - <u64>down);
      return;
    case 3:
      push(c, 0x4000, 0xc90fdaa22168c235 - <u64>down);
      return;
    case 4:
      push(c, 0x3ffd, 0x9a209a84fbcff799 - <u64>down);
      return;
    case 5:
      push(c, 0x3ffe, 0xb17217f7d1cf79ac - <u64>down);
      return;
    default:
      push(c, 0, 0);
  }
}

/** FST, FSTP to m32 or m64. */
export function x87_fst_mem(cpu: i32, format: i32, host: i32, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  let bits: u64;
  if (empty(c, 0)) {
    if (underflow(c)) return;
    bits = format == FORMAT_F32 ? 0xffc00000 : 0xfff8000000000000;
  } else {
    const at = st(c, 0);
    const cw = control(c);
    bits = toBinary(cw, format, load<u16>(at + 8), load<u64>(at));
    let ex = outEx;
    if (ex != 0) {
      // Nothing is stored on an unmasked IE, OE or UE, so nothing is inexact either.
      const blocked = ex & ~cw & (IE | OE | UE);
      if (blocked != 0) ex &= ~(PE | C1);
      raise(c, ex);
      if (blocked != 0) return;
    }
  }
  if (format == FORMAT_F32) store<u32>(<usize>host, <u32>bits);
  else store<u64>(<usize>host, bits);
  if (pops) pop(c);
}

/** FSTP m80. */
export function x87_fst_m80(cpu: i32, host: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  let se = INDEFINITE_SE;
  let sig = INDEFINITE_SIG;
  if (empty(c, 0)) {
    if (underflow(c)) return;
  } else {
    const at = st(c, 0);
    se = load<u16>(at + 8);
    sig = load<u64>(at);
  }
  store<u64>(<usize>host, sig);
  store<u16>(<usize>host + 8, <u16>se);
  pop(c);
}

/** FST, FSTP ST(i). */
export function x87_fst_st(cpu: i32, i: i32, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0)) {
    if (underflow(c)) return;
    put(c, i, INDEFINITE_SE, INDEFINITE_SIG);
  } else {
    const at = st(c, 0);
    put(c, i, load<u16>(at + 8), load<u64>(at));
  }
  if (pops) pop(c);
}

/** The undocumented FSTP alias D9 D8+i: an empty ST(0) is popped without exception and nothing is written. */
export function x87_fstpnce(cpu: i32, i: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  if (!empty(c, 0)) {
    x87_fst_st(cpu, i, 1);
    return;
  }
  clearC1(c);
  pop(c);
}

/** FIST, FISTP (truncate 0) and FISTTP (truncate 1) of `bytes` bytes. */
export function x87_fist(cpu: i32, bytes: i32, host: i32, pops: i32, truncate: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  let value: i64;
  if (empty(c, 0)) {
    if (underflow(c)) return;
    value = <i64>((<u64>0x8000000000000000) >> (64 - 8 * bytes));
  } else {
    const at = st(c, 0);
    value = toInteger(truncate ? 3 : (control(c) >> 10) & 3, bytes, load<u16>(at + 8), load<u64>(at));
    if (intEx != 0 && raise(c, intEx) && (intEx & IE) != 0) return;
  }
  if (bytes == 2) store<u16>(<usize>host, <u16>value);
  else if (bytes == 4) store<u32>(<usize>host, <u32>value);
  else store<u64>(<usize>host, value);
  if (pops) pop(c);
}

/** FXCH: an empty register takes part as the default NaN. */
export function x87_fxch(cpu: i32, i: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  if (empty(c, 0) || empty(c, i)) {
    if (underflow(c)) return;
    if (empty(c, 0)) put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    if (empty(c, i)) put(c, i, INDEFINITE_SE, INDEFINITE_SIG);
  }
  const a = st(c, 0);
  const b = st(c, i);
  const sig = load<u64>(a);
  const se = load<u16>(a + 8);
  store<u64>(a, load<u64>(b));
  store<u16>(a + 8, load<u16>(b + 8));
  store<u64>(b, sig);
  store<u16>(b + 8, se);
}

/** FCMOVcc: the condition as 0 or 1. C1 changes on underflow only. Both registers must be in use even when nothing moves. */
export function x87_fcmov(cpu: i32, i: i32, condition: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  if (empty(c, 0) || empty(c, i)) {
    if (!underflow(c)) put(c, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  if (condition == 0) return;
  const at = st(c, i);
  put(c, 0, load<u16>(at + 8), load<u64>(at));
}
