/**
 * FBLD and FBSTP: 18 decimal digits, two a byte, sign in bit 79. In: the ten bytes, or a guarded host address. Out: the stack, memory.
 * Source: SDM volume 1, 4.7 (packed BCD, BCD indefinite); volume 2A, FBLD, FBSTP. Digits above 9 are undefined there: they count with their value.
 */
import { classify, INFINITE } from './x87-float';
import { fromInteger, intCarry, intEx, roundMagnitude } from './x87-format';
import { outSe, outSig } from './x87-float';
import { clearC1, control, empty, IE, pending, pop, push, raise, st, underflow } from './x87-state';

const LIMIT: u64 = 999999999999999999;

export function x87_fbld(cpu: i32, low: i64, high: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  let value: u64 = 0;
  for (let i = 17; i >= 0; i--) {
    const digit = i >= 16 ? (<u64>high >> (4 * (i - 16))) & 15 : (<u64>low >> (4 * i)) & 15;
    value = value * 10 + digit;
  }
  fromInteger(<i64>value);
  push(c, outSe | <u32>(high & 0x8000), outSig);
}

export function x87_fbstp(cpu: i32, host: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  let bad = empty(c, 0);
  let se: u32 = 0;
  let m: u64 = 0;
  if (bad) {
    if (underflow(c)) return;
  } else {
    const at = st(c, 0);
    se = load<u16>(at + 8);
    const sig = load<u64>(at);
    bad = classify(se, sig) >= INFINITE || <i32>(se & 0x7fff) - 16383 > 63;
    if (!bad) {
      m = roundMagnitude((control(c) >> 10) & 3, se, sig);
      bad = intCarry || m > LIMIT;
    }
    if (bad) {
      if (raise(c, IE)) return;
    } else if (intEx != 0) raise(c, intEx);
  }
  const p = <usize>host;
  if (bad) {
    store<u64>(p, 0xc000000000000000);
    store<u16>(p + 8, 0xffff);
  } else {
    for (let i = 0; i < 9; i++) {
      const pair = m % 100;
      m /= 100;
      store<u8>(p + i, <u8>(((pair / 10) << 4) | (pair % 10)));
    }
    store<u8>(p + 9, <u8>((se >> 8) & 0x80));
  }
  pop(c);
}
