/**
 * Numbers of the memory calls, and where mappings may lie. In: nothing. Out: constants. Source: man 2 mmap, mprotect, mremap, madvise; asm-generic/mman.h's values.
 */
import { USER_SPACE_END } from '../../src/base/ids.js';
import { GUEST_END, GUEST_START, PAGE_SHIFT, PAGE_SIZE } from '../../src/guest/memory-map.js';

export const PROT = {
  NONE: 0,
  READ: 1,
  WRITE: 2,
  EXEC: 4,
  SEM: 8,
  GROWSDOWN: 0x0100_0000,
  GROWSUP: 0x0200_0000,
} as const;
export const MAP = {
  SHARED: 0x01,
  PRIVATE: 0x02,
  SHARED_VALIDATE: 0x03,
  TYPE: 0x0f,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  MAP_32BIT: 0x40,
  GROWSDOWN: 0x100,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  STACK: 0x20000,
  HUGETLB: 0x40000,
  FIXED_NOREPLACE: 0x100000,
} as const;
/** Flags that MAP_SHARED_VALIDATE lets pass (all of Linux's but MAP_SYNC, which needs a DAX file). */
export const MAP_KNOWN = 0x0417_ffff;
export const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;
export const MADV = {
  DONTNEED: 4,
  FREE: 8,
  REMOVE: 9,
  DONTFORK: 10,
  DOFORK: 11,
  WIPEONFORK: 18,
  KEEPONFORK: 19,
  POPULATE_READ: 22,
  POPULATE_WRITE: 23,
} as const;
/** Advice that changes nothing here: NORMAL RANDOM SEQUENTIAL WILLNEED, MERGEABLE UNMERGEABLE, HUGEPAGE NOHUGEPAGE DONTDUMP DODUMP COLD PAGEOUT. */
export const HARMLESS_ADVICE: ReadonlySet<number> = new Set([0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21]);

/** Lowest address that may be mapped (vm.mmap_min_addr). */
export const MIN_ADDR = GUEST_START;
export const MIN_PAGE = MIN_ADDR >>> PAGE_SHIFT;
/** Highest end of a mapping that is placed by us, when there is no stack that takes more. */
export const MMAP_TOP = 0xdf00_0000;
/** End of the area of MAP_32BIT. */
export const LOW_TOP = 0x8000_0000;
/** Pages at GUEST_END or above are mapped by the radix table. */
export const HIGH_PAGE = GUEST_END / PAGE_SIZE;
/** Where mappings that are too large for the low part are placed, top down. */
export const HIGH_TOP_PAGE = 0x7fff_f000_0000 / PAGE_SIZE;
export const USER_PAGES = USER_SPACE_END / PAGE_SIZE;
/** Pages that a GROWSDOWN mapping keeps free below it (stack_guard_gap). */
export const GUARD_PAGES = 256;
/** RLIMIT_STACK before anyone sets it, pages. */
export const STACK_PAGES = (8 << 20) / PAGE_SIZE;
/** File mappings of more than this many bytes are read page by page as they are touched. */
export const EAGER_BYTES = 16 << 20;
/** Pages read at once then. */
export const WINDOW_PAGES = 64;

export const pageOf = (addr: number): number => Math.floor(addr / PAGE_SIZE);
export const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);
