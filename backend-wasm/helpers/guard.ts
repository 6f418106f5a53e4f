/**
 * Permission checks outside of the fast path. In: a guest address and a size. Out: the address in the memory, or 0 with the exit recorded in CPU state:
 * page fault at the first byte that lacks the permission, #GP for a non-canonical address, CODE_WRITE for a store to translated code.
 * Source: src/guest/memory-map.ts (PERM), SDM volume 3, 4.7 (error code).
 */
import { CPU_EXIT_ARG0, CPU_EXIT_ARG1, CPU_EXIT_REASON, EXC_GP, EXIT_CODE_WRITE, EXIT_EXCEPTION, EXIT_PAGE_FAULT, GUEST_END, HIGH_MAP_BASE, PERM_CODE, PERM_R, PERM_RFAST, PERM_TABLE, PERM_W, PERM_WFAST, PF_PRESENT, PF_USER, PF_WRITE } from '../interpreter/gen/constants';

// @ts-ignore: decorator
@inline
function fast(addr: u64, bits: u32): bool {
  return addr < <u64>0x100000000 && (load<u8>(PERM_TABLE + <usize>(addr >> 12)) & bits) == bits;
}

/** Readable memory of `size` (1..4096) bytes at `addr`. */
// @ts-ignore: decorator
@inline
export function guardRead(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_RFAST) ? <usize>addr : slow(cpu, addr, size, PERM_R);
}

// @ts-ignore: decorator
@inline
export function guardWrite(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_WFAST) ? <usize>addr : slow(cpu, addr, size, PERM_W);
}

// @ts-ignore: decorator
@inline
export function guardRW(cpu: usize, addr: u64, size: u32): usize {
  return fast(addr, PERM_RFAST | PERM_WFAST) ? <usize>addr : slow(cpu, addr, size, PERM_R | PERM_W);
}

/** First page number outside of the 47 bits that user space has. */
const USER_PAGES: u64 = 0x800000000;

/** Leaf entry of a guest page in the radix table (src/guest/memory-map.ts, HIGH_MAP_BASE): backing page | permission byte << 24; 0 not present. */
function highEntry(page: u64): u32 {
  if (page >= USER_PAGES) return 0;
  const middle = <usize>load<u32>(HIGH_MAP_BASE + (<usize>(page >> 24) << 2));
  if (middle == 0) return 0;
  const leaf = <usize>load<u32>(middle + ((<usize>(page >> 12) & 0xfff) << 2));
  return leaf == 0 ? 0 : load<u32>(leaf + ((<usize>page & 0xfff) << 2));
}

/** The exact check, page by page. Pages from GUEST_END up lie where the radix table says; those of one access are adjacent there too (runtime/memory/backing.ts). */
function slow(cpu: usize, addr: u64, size: u32, need: u32): usize {
  const last = addr + size - 1;
  if (addr >= 0x0000800000000000 || last >= 0x0000800000000000) {
    const canonical = <i64>(addr << 16) >> 16 == <i64>addr && <i64>(last << 16) >> 16 == <i64>last;
    if (!canonical) {
      exception(cpu, EXC_GP);
      return 0;
    }
  }
  let code = false;
  let host = <usize>addr;
  for (let page = addr >> 12; page <= last >> 12; page++) {
    let perm: u32 = 0;
    if (page < <u64>GUEST_END >> 12) perm = load<u8>(PERM_TABLE + <usize>page);
    else {
      const entry = highEntry(page);
      const backing = <usize>(entry & 0xffffff);
      // Translated code is marked on the backing page.
      perm = (entry >> 24) | (<u32>load<u8>(PERM_TABLE + backing) & PERM_CODE);
      if (page == addr >> 12) host = (backing << 12) | (<usize>addr & 0xfff);
    }
    if ((perm & need) != need) {
      const at = page == addr >> 12 ? addr : page << 12;
      pageFault(cpu, at, (need & PERM_W ? PF_WRITE : 0) | PF_USER | (perm & (PERM_R | PERM_W) ? PF_PRESENT : 0));
      return 0;
    }
    if (perm & PERM_CODE && need & PERM_W) code = true;
  }
  if (code) {
    store<i32>(cpu + CPU_EXIT_REASON, EXIT_CODE_WRITE);
    store<u64>(cpu + CPU_EXIT_ARG0, <u64>host);
    store<u64>(cpu + CPU_EXIT_ARG1, size);
    return 0;
  }
  return host;
}

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
