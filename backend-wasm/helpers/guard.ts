/**
 * Permission checks outside of the fast path. In: a guest address and a size. Out: the address in the memory, or 0 with the exit recorded in CPU state:
 * page fault at the first byte that lacks the permission, #GP for a non-canonical address, CODE_WRITE for a store to translated code.
 * Source: src/guest/memory-map.ts (PERM, HIGH_MAP_BASE), SDM volume 1, 3.3.7.1 (canonical addresses), volume 3, 4.7 (error code).
 */
import {
  CPU_CUR_TB, CPU_EXIT_ARG0, CPU_EXIT_ARG1, CPU_EXIT_REASON, CPU_SPLIT_OPEN, CPU_SPLIT_WINDOW, EXC_GP, EXIT_CODE_WRITE, EXIT_EXCEPTION, EXIT_PAGE_FAULT, EXIT_SPLIT_PAGE, GUEST_END, HIGH_MAP_BASE, HIGH_TABLE_BITS,
  CPU_WATCHING, PERM_CODE, PERM_R, PERM_RFAST, PERM_TABLE, PERM_W, PERM_WFAST, PF_PRESENT, PF_USER, PF_WRITE, SPLIT_REACH, TB_EDGES,
} from '../interpreter/gen/constants';
import { note_access } from './watch';

/** First address outside of the lower canonical half. */
const USER_END: u64 = 0x0000800000000000;

// @ts-ignore: decorator
@inline
function fast(addr: u64, bits: u32): bool {
  return addr < <u64>0x100000000 && (load<u8>(PERM_TABLE + <usize>(addr >> 12)) & bits) == bits;
}

/** True where the fast path allows a read of any size up to a page. */
// @ts-ignore: decorator
@inline
export function mayRead(addr: u64): bool {
  return fast(addr, PERM_RFAST);
}

/** True while a tracer watches what the helpers access. */
// @ts-ignore: decorator
@inline
function watching(cpu: usize): bool {
  return load<i32>(cpu + CPU_WATCHING) != 0;
}

/** Readable memory of `size` (1..4096) bytes at `addr`. */
// @ts-ignore: decorator
@inline
export function guardRead(cpu: usize, addr: u64, size: u32): usize {
  if (watching(cpu)) note_access(<i32>cpu, <i64>addr, <i32>size, 0);
  return fast(addr, PERM_RFAST) ? <usize>addr : slow(cpu, addr, size, PERM_R);
}

// @ts-ignore: decorator
@inline
export function guardWrite(cpu: usize, addr: u64, size: u32): usize {
  if (watching(cpu)) note_access(<i32>cpu, <i64>addr, <i32>size, 1);
  return fast(addr, PERM_WFAST) ? <usize>addr : slow(cpu, addr, size, PERM_W);
}

// The guards of the TB that the interpreter is in (CPU.CUR_TB).
// @ts-ignore: decorator
@inline
export function guardReadOfTb(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_RFAST) ? <usize>addr : slowOfTb(cpu, addr, size, PERM_R);
}

// @ts-ignore: decorator
@inline
export function guardWriteOfTb(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_WFAST) ? <usize>addr : slowOfTb(cpu, addr, size, PERM_W);
}

// @ts-ignore: decorator
@inline
export function guardRWOfTb(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_RFAST | PERM_WFAST) ? <usize>addr : slowOfTb(cpu, addr, size, PERM_R | PERM_W);
}

function slow(cpu: usize, addr: u64, size: u32, need: u32): usize {
  return allowedOnPage(addr, size, need) ? <usize>addr : exact(cpu, addr, size, need);
}

function slowOfTb(cpu: usize, addr: u64, size: u32, need: u32): usize {
  if (!allowedOnPage(addr, size, need)) return exact(cpu, addr, size, need);
  const edges = <usize>load<u32>(cpu + CPU_CUR_TB) + TB_EDGES;
  store<i32>(edges, load<i32>(edges) + 1);
  return <usize>addr;
}

/** An access that stays in its page needs that page alone: the last page before one of other permissions comes here all the time. */
// @ts-ignore: decorator
@inline
function allowedOnPage(addr: u64, size: u32, need: u32): bool {
  if (addr >= <u64>GUEST_END || (<u32>addr & 4095) + size > 4096) return false;
  const perm: u32 = load<u8>(PERM_TABLE + <usize>(addr >> 12));
  return (perm & need) == need && (perm & PERM_CODE & codeBit(need)) == 0;
}

/** PERM_CODE for accesses that must not touch translated code. */
// @ts-ignore: decorator
@inline
function codeBit(need: u32): u32 {
  return need & PERM_W ? PERM_CODE : 0;
}

/** Page by page, at most two of them. */
function exact(cpu: usize, addr: u64, size: u32, need: u32): usize {
  const last = addr + size - 1;
  if (!canonical(addr) || !canonical(last)) {
    exception(cpu, EXC_GP);
    return 0;
  }
  // The upper half is the kernel's.
  if (addr >= USER_END) return refuse(cpu, addr, need, 0);
  const page = addr >> 12;
  const entry = leaf(page);
  if ((entry >> 24 & need) != need) return refuse(cpu, addr, need, entry);
  let code = entry >> 24 & codeBit(need);
  if (last >> 12 != page) {
    const next = leaf(page + 1);
    if ((next >> 24 & need) != need) return refuse(cpu, (page + 1) << 12, need, next);
    if ((next & 0xfffff) != (entry & 0xfffff) + 1) {
      // Open while the engine runs this one instruction again (src/engine/execute-loop.ts).
      if (load<i32>(cpu + CPU_SPLIT_OPEN) != 0) return cpu + CPU_SPLIT_WINDOW + <usize>(addr - (GUEST_END - SPLIT_REACH));
      store<i32>(cpu + CPU_EXIT_REASON, EXIT_SPLIT_PAGE);
      store<u64>(cpu + CPU_EXIT_ARG0, addr);
      store<u64>(cpu + CPU_EXIT_ARG1, size);
      return 0;
    }
    code |= next >> 24 & codeBit(need);
  }
  const host = <usize>(entry << 12) + (<usize>addr & 4095);
  if (code != 0) {
    store<i32>(cpu + CPU_EXIT_REASON, EXIT_CODE_WRITE);
    store<u64>(cpu + CPU_EXIT_ARG0, host);
    store<u64>(cpu + CPU_EXIT_ARG1, size);
    return 0;
  }
  return host;
}

// @ts-ignore: decorator
@inline
function canonical(addr: u64): bool {
  return <i64>(addr << 16) >> 16 == <i64>addr;
}

/** Backing page of a guest page | its permissions << 24; 0 when there is none. CODE is that of the backing page. */
function leaf(page: u64): u32 {
  if (page < <u64>(GUEST_END >> 12)) return (<u32>load<u8>(PERM_TABLE + <usize>page) << 24) | <u32>page;
  const mask = (1 << HIGH_TABLE_BITS) - 1;
  const middle = <usize>atomic.load<u32>(HIGH_MAP_BASE + 4 * <usize>(<u32>(page >> (2 * HIGH_TABLE_BITS)) & mask));
  if (middle == 0) return 0;
  const low = <usize>atomic.load<u32>(middle + 4 * <usize>(<u32>(page >> HIGH_TABLE_BITS) & mask));
  if (low == 0) return 0;
  const entry = atomic.load<u32>(low + 4 * <usize>(<u32>page & mask));
  const backing = entry & 0xfffff;
  return entry | ((load<u8>(PERM_TABLE + <usize>backing) & PERM_CODE) << 24);
}

function refuse(cpu: usize, at: u64, need: u32, entry: u32): usize {
  const present: u32 = entry >> 24 & (PERM_R | PERM_W) ? PF_PRESENT : 0;
  pageFault(cpu, at, (need & PERM_W ? PF_WRITE : 0) | PF_USER | present);
  return 0;
}

/** A page fault with PF bits `error`. */
export function pageFault(cpu: usize, addr: u64, error: u32): void {
  store<i32>(cpu + CPU_EXIT_REASON, EXIT_PAGE_FAULT);
  store<u64>(cpu + CPU_EXIT_ARG0, addr);
  store<u64>(cpu + CPU_EXIT_ARG1, error);
}

/** A CPU exception with error code 0. */
export function exception(cpu: usize, vector: i32): void {
  store<i32>(cpu + CPU_EXIT_REASON, EXIT_EXCEPTION);
  store<i64>(cpu + CPU_EXIT_ARG0, vector);
  store<i64>(cpu + CPU_EXIT_ARG1, 0);
}

// For the compiled regions, whose fast path is inline.
export function guardSlow_r(cpu: i32, addr: i64, size: i32): i32 {
  return <i32>slow(<usize>cpu, <u64>addr, <u32>size, PERM_R);
}
export function guardSlow_w(cpu: i32, addr: i64, size: i32): i32 {
  return <i32>slow(<usize>cpu, <u64>addr, <u32>size, PERM_W);
}
export function guardSlow_rw(cpu: i32, addr: i64, size: i32): i32 {
  return <i32>slow(<usize>cpu, <u64>addr, <u32>size, PERM_R | PERM_W);
}
