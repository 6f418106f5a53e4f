/**
 * REP MOVS and REP STOS. In: element and address size in bytes, the source's segment base; registers in CPU state. Out: registers after as many elements as one call does
 * (at most what fits before the next page of either side, so that polls stay frequent). A fault leaves the registers of the elements done, as the SDM wants. Source: SDM 2B, REP, MOVS, STOS.
 */
import { CPU_DF, CPU_REGS } from '../interpreter/gen/constants';
import { guardRead, guardWrite } from './guard';

const RAX: usize = CPU_REGS;
const RCX: usize = CPU_REGS + 8;
const RSI: usize = CPU_REGS + 48;
const RDI: usize = CPU_REGS + 56;

// @ts-ignore: decorator
@inline
function narrow(v: u64, addrSize: i32): u64 {
  return addrSize == 4 ? v & 0xffffffff : v;
}

/** Bytes from `addr` to its page's end (up), or from its page's start to the end of its element (down): at least one element's. */
// @ts-ignore: decorator
@inline
function room(addr: u64, size: u32, up: bool): u32 {
  return up ? 4096 - (<u32>addr & 4095) : (<u32>addr & 4095) + size;
}

export function rep_movs(cpu: i32, size: i32, addrSize: i32, segmentBase: i64): void {
  const c = <usize>cpu;
  const up = load<i32>(c + CPU_DF) > 0;
  let count = narrow(load<u64>(c + RCX), addrSize);
  if (count == 0) return;
  const bytes = <u32>size;
  const from = narrow(load<u64>(c + RSI), addrSize) + <u64>segmentBase;
  const to = narrow(load<u64>(c + RDI), addrSize);
  let n = min(room(from, bytes, up), room(to, bytes, up)) / bytes;
  if (n == 0) n = 1;
  if (<u64>n > count) n = <u32>count;
  const total = n * bytes;
  const first = up ? 0 : <u64>(total - bytes);
  // Downwards, the first element is the one with the highest address: it tells where a fault is.
  if (!up && (guardRead(c, from, bytes) == 0 || guardWrite(c, to, bytes) == 0)) return;
  const source = guardRead(c, from - first, total);
  if (source == 0) return;
  const target = guardWrite(c, to - first, total);
  if (target == 0) return;
  if (up) {
    // memory.copy is as if through a buffer: only where the ranges do not overlap forwards is it the same as element by element.
    if (target - source >= <usize>total) memory.copy(target, source, total);
    else for (let i: u32 = 0; i < total; i += bytes) element(target + i, source + i, bytes);
  } else {
    for (let i = <i32>(total - bytes); i >= 0; i -= <i32>bytes) element(target + i, source + i, bytes);
  }
  const delta: u64 = up ? total : -(<u64>total);
  advance(c, RSI, delta, addrSize);
  advance(c, RDI, delta, addrSize);
  advance(c, RCX, -(<u64>n), addrSize);
}

export function rep_stos(cpu: i32, size: i32, addrSize: i32, segmentBase: i64): void {
  const c = <usize>cpu;
  const up = load<i32>(c + CPU_DF) > 0;
  let count = narrow(load<u64>(c + RCX), addrSize);
  if (count == 0) return;
  const bytes = <u32>size;
  const to = narrow(load<u64>(c + RDI), addrSize);
  let n = room(to, bytes, up) / bytes;
  if (n == 0) n = 1;
  if (<u64>n > count) n = <u32>count;
  const total = n * bytes;
  if (!up && guardWrite(c, to, bytes) == 0) return;
  const target = guardWrite(c, up ? to : to - (total - bytes), total);
  if (target == 0) return;
  const value = load<u64>(c + RAX);
  if (bytes == 1) memory.fill(target, <u8>value, total);
  else if (bytes == 8) for (let i: u32 = 0; i < total; i += 8) store<u64>(target + i, value);
  else if (bytes == 4) for (let i: u32 = 0; i < total; i += 4) store<u32>(target + i, <u32>value);
  else for (let i: u32 = 0; i < total; i += 2) store<u16>(target + i, <u16>value);
  advance(c, RDI, up ? total : -(<u64>total), addrSize);
  advance(c, RCX, -(<u64>n), addrSize);
}

// @ts-ignore: decorator
@inline
function advance(c: usize, reg: usize, by: u64, addrSize: i32): void {
  store<u64>(c + reg, narrow(load<u64>(c + reg) + by, addrSize));
}

// @ts-ignore: decorator
@inline
function element(to: usize, from: usize, bytes: u32): void {
  if (bytes == 8) store<u64>(to, load<u64>(from));
  else if (bytes == 4) store<u32>(to, load<u32>(from));
  else if (bytes == 2) store<u16>(to, load<u16>(from));
  else store<u8>(to, load<u8>(from));
}
