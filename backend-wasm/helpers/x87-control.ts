/**
 * Control and state of the x87 unit: FLDCW FNCLEX FNINIT FFREE FINCSTP FDECSTP FNSTENV FLDENV FNSAVE FRSTOR FXSAVE FXRSTOR. In: host addresses of guarded memory. Out: CPU state, memory.
 * Source: SDM volume 1, 8.1 (tag word, figures 8-9 to 8-12), 10.5 (FXSAVE image, table 10-2); volume 2A.
 */
import { CPU_FPCW, CPU_FPDP, CPU_FPIP, CPU_FPOP, CPU_FPSW, CPU_FPTAG, CPU_FPTOP, CPU_MXCSR, CPU_ST, CPU_XMM, EXC_GP } from '../interpreter/gen/constants';
import { exception } from './guard';
import { classify, NORMAL, ZERO } from './x87-float';
import { clearC1, pending, pop, setEmpty, st, summarise } from './x87-state';

const TOP_MASK: i32 = 0x3800;
const INIT_CW: i32 = 0x37f;
const MXCSR_MASK: u32 = 0xffff;

/** The control word as it reads back: bit 6 is always set, bits 7 and 13 to 15 never. */
function setControl(c: usize, cw: u32): void {
  store<i32>(c + CPU_FPCW, (cw & 0x1f3f) | 0x40);
}

/** Status word with TOP. */
function statusWord(c: usize): i32 {
  return load<i32>(c + CPU_FPSW) | (load<i32>(c + CPU_FPTOP) << 11);
}

function setStatus(c: usize, sw: i32): void {
  store<i32>(c + CPU_FPTOP, (sw >> 11) & 7);
  store<i32>(c + CPU_FPSW, sw & 0x47ff);
  summarise(c);
}

/** FWAIT, FNOP: nothing but the check for a pending exception. */
export function x87_check(cpu: i32): void {
  pending(<usize>cpu);
}

export function x87_fldcw(cpu: i32, cw: i64): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  setControl(c, <u32>cw);
  summarise(c);
}

export function x87_fninit(cpu: i32): void {
  const c = <usize>cpu;
  store<i32>(c + CPU_FPCW, INIT_CW);
  store<i32>(c + CPU_FPSW, 0);
  store<i32>(c + CPU_FPTOP, 0);
  store<i32>(c + CPU_FPTAG, 0xff);
  store<i64>(c + CPU_FPIP, 0);
  store<i64>(c + CPU_FPDP, 0);
  store<i32>(c + CPU_FPOP, 0);
}

/** FFREE (pops 0) and FFREEP (pops 1). */
export function x87_ffree(cpu: i32, i: i32, pops: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  setEmpty(c, i);
  if (pops) pop(c);
}

/** FINCSTP (1) and FDECSTP (-1): tags stay. */
export function x87_rotate(cpu: i32, by: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  clearC1(c);
  store<i32>(c + CPU_FPTOP, (load<i32>(c + CPU_FPTOP) + by) & 7);
}

/** Two bits a physical register: valid, zero, special, empty. */
function fullTags(c: usize): i32 {
  let tags = 0;
  const bits = load<i32>(c + CPU_FPTAG);
  for (let p = 0; p < 8; p++) {
    let tag = 3;
    if (((bits >> p) & 1) == 0) {
      const at = c + CPU_ST + ((<usize>p) << 4);
      const k = classify(load<u16>(at + 8), load<u64>(at));
      tag = k == NORMAL ? 0 : k == ZERO ? 1 : 2;
    }
    tags |= tag << (2 * p);
  }
  return tags;
}

function setFullTags(c: usize, tags: i32): void {
  let bits = 0;
  for (let p = 0; p < 8; p++) if (((tags >> (2 * p)) & 3) == 3) bits |= 1 << p;
  store<i32>(c + CPU_FPTAG, bits);
}

/** The environment; `small`: 14 bytes, else 28. */
function storeEnvironment(c: usize, p: usize, small: bool): void {
  const ip = load<u64>(c + CPU_FPIP);
  const dp = load<u64>(c + CPU_FPDP);
  const cw = load<i32>(c + CPU_FPCW);
  if (small) {
    store<u16>(p, <u16>cw);
    store<u16>(p + 2, <u16>statusWord(c));
    store<u16>(p + 4, <u16>fullTags(c));
    store<u16>(p + 6, <u16>ip);
    store<u16>(p + 8, 0);
    store<u16>(p + 10, <u16>dp);
    store<u16>(p + 12, 0);
    return;
  }
  store<u32>(p, 0xffff0000 | cw);
  store<u32>(p + 4, 0xffff0000 | statusWord(c));
  store<u32>(p + 8, 0xffff0000 | fullTags(c));
  store<u32>(p + 12, <u32>ip);
  store<u32>(p + 16, (load<u32>(c + CPU_FPOP) & 0x7ff) << 16);
  store<u32>(p + 20, <u32>dp);
  store<u32>(p + 24, 0xffff0000);
}

function loadEnvironment(c: usize, p: usize, small: bool): void {
  const step: usize = small ? 2 : 4;
  setControl(c, load<u16>(p));
  setFullTags(c, load<u16>(p + 2 * step));
  if (small) {
    store<u64>(c + CPU_FPIP, load<u16>(p + 6));
    store<u64>(c + CPU_FPDP, load<u16>(p + 10));
  } else {
    store<u64>(c + CPU_FPIP, load<u32>(p + 12));
    store<u32>(c + CPU_FPOP, (load<u32>(p + 16) >> 16) & 0x7ff);
    store<u64>(c + CPU_FPDP, load<u32>(p + 20));
  }
  setStatus(c, load<u16>(p + step));
}

/** FNSTENV: then all exceptions are masked. */
export function x87_fnstenv(cpu: i32, host: i32, small: i32): void {
  const c = <usize>cpu;
  storeEnvironment(c, <usize>host, small != 0);
  store<i32>(c + CPU_FPCW, load<i32>(c + CPU_FPCW) | 0x3f);
  summarise(c);
}

export function x87_fldenv(cpu: i32, host: i32, small: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  loadEnvironment(c, <usize>host, small != 0);
}

/** FNSAVE: environment and registers from ST(0) on, ten bytes each; then FNINIT. */
export function x87_fnsave(cpu: i32, host: i32, small: i32): void {
  const c = <usize>cpu;
  storeEnvironment(c, <usize>host, small != 0);
  let p = <usize>host + (small ? 14 : 28);
  for (let i = 0; i < 8; i++) {
    const at = st(c, i);
    store<u64>(p, load<u64>(at));
    store<u16>(p + 8, load<u16>(at + 8));
    p += 10;
  }
  x87_fninit(cpu);
}

export function x87_frstor(cpu: i32, host: i32, small: i32): void {
  const c = <usize>cpu;
  if (pending(c)) return;
  loadEnvironment(c, <usize>host, small != 0);
  let p = <usize>host + (small ? 14 : 28);
  for (let i = 0; i < 8; i++) {
    const at = st(c, i);
    store<u64>(at, load<u64>(p));
    store<u16>(at + 8, load<u16>(p + 8));
    p += 10;
  }
}

/** The x87 state of an FXSAVE or XSAVE area: bytes 0 to 23 and 32 to 159. `wide` with REX.W: 64-bit pointers instead of 32 bits and a selector. */
export function storeX87(c: usize, p: usize, wide: i32): void {
  store<u16>(p, load<u16>(c + CPU_FPCW));
  store<u16>(p + 2, <u16>statusWord(c));
  store<u16>(p + 4, <u16>(~load<i32>(c + CPU_FPTAG) & 0xff));
  store<u16>(p + 6, load<u16>(c + CPU_FPOP) & 0x7ff);
  const ip = load<u64>(c + CPU_FPIP);
  const dp = load<u64>(c + CPU_FPDP);
  store<u64>(p + 8, wide ? ip : ip & 0xffffffff);
  store<u64>(p + 16, wide ? dp : dp & 0xffffffff);
  for (let i = 0; i < 8; i++) {
    const at = st(c, i);
    store<u64>(p + 32 + ((<usize>i) << 4), load<u64>(at));
    store<u64>(p + 40 + ((<usize>i) << 4), load<u16>(at + 8));
  }
}

/** MXCSR and its mask: bytes 24 to 31. */
export function storeMxcsr(c: usize, p: usize): void {
  store<u32>(p + 24, load<u32>(c + CPU_MXCSR));
  store<u32>(p + 28, MXCSR_MASK);
}

/** FXSAVE. Bytes 416 to 511 stay. */
export function x87_fxsave(cpu: i32, host: i32, wide: i32): void {
  const c = <usize>cpu;
  const p = <usize>host;
  storeX87(c, p, wide);
  storeMxcsr(c, p);
  memory.copy(p + 160, c + CPU_XMM, 256);
}

/** The x87 state of an FXSAVE or XSAVE area. */
export function loadX87(c: usize, p: usize, wide: i32): void {
  setControl(c, load<u16>(p));
  store<i32>(c + CPU_FPTAG, ~(<i32>load<u8>(p + 4)) & 0xff);
  store<i32>(c + CPU_FPOP, load<u16>(p + 6) & 0x7ff);
  store<u64>(c + CPU_FPIP, wide ? load<u64>(p + 8) : <u64>load<u32>(p + 8));
  store<u64>(c + CPU_FPDP, wide ? load<u64>(p + 16) : <u64>load<u32>(p + 16));
  setStatus(c, load<u16>(p + 2));
  for (let i = 0; i < 8; i++) {
    const at = st(c, i);
    store<u64>(at, load<u64>(p + 32 + ((<usize>i) << 4)));
    store<u16>(at + 8, load<u16>(p + 40 + ((<usize>i) << 4)));
  }
}

/** True when MXCSR in an area has reserved bits set. */
export function mxcsrIsBad(p: usize): bool {
  return (load<u32>(p + 24) & ~MXCSR_MASK) != 0;
}

/** FXRSTOR: #GP when MXCSR has reserved bits set. */
export function x87_fxrstor(cpu: i32, host: i32, wide: i32): void {
  const c = <usize>cpu;
  const p = <usize>host;
  if (mxcsrIsBad(p)) {
    exception(c, EXC_GP);
    return;
  }
  store<u32>(c + CPU_MXCSR, load<u32>(p + 24));
  loadX87(c, p, wide);
  memory.copy(c + CPU_XMM, p + 160, 256);
}
