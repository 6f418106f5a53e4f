/**
 * The 4 GiB WebAssembly.Memory of a guest process: guest addresses are offsets from GUEST_START to GUEST_END, the rest is the emulator's.
 * In: nothing. Out: constants (bytes) shared by the lifter, both backends, the engine and the AssemblyScript sources (through scripts/gen).
 * Source: DESIGN.md section 5.
 */

/** Bytes of a guest page. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
/** Wasm pages (64 KiB) of the memory: all of 4 GiB. */
export const WASM_PAGES = 65536;
/** First byte that is the emulator's: 3.5 GiB. */
export const GUEST_END = 0xe000_0000;
/** Guest pages below GUEST_END. */
export const GUEST_PAGES = GUEST_END / PAGE_SIZE;

/**
 * One permission byte a page of the whole 4 GiB (1 MiB); the emulator's own pages, and those of this table, stay 0. It lies below what a guest may map, since V8 adds an offset of
 * 2 GiB or more in two instructions of its own at each check.
 */
export const PERM_TABLE = 0x8000;
/** Lowest address that a guest may map (vm.mmap_min_addr): valgrind maps position-independent clients at this one. */
export const GUEST_START = 0x10_8000;
/** u32 a page: head of the list of TBs that have bytes on it (index into the TB list arena, 0 none). 4 MiB. */
export const PAGE_TBS = 0xe020_0000;
/** Process control block: see PCB. 64 KiB. */
export const PCB_BASE = 0xe060_0000;
/** TB hash table: TB_HASH_SIZE u32 heads of TB header addresses. */
export const TB_HASH = 0xe070_0000;
export const TB_HASH_BITS = 18;
export const TB_HASH_SIZE = 1 << TB_HASH_BITS;
/** Static data of the AssemblyScript module (--memoryBase), constants only. 4 MiB. */
export const AS_STATIC_BASE = 0xe0c0_0000;
/** CPU blocks, one a thread slot. */
export const CPU_BASE = 0xe100_0000;
export const CPU_BLOCK_SIZE = 0x1_0000;
/** Guest threads that one memory can hold at a time. */
export const MAX_THREADS = 1024;
/**
 * Radix page table of the guest pages from GUEST_END up: three levels of HIGH_TABLE_SIZE u32, indexed by bits 35..24, 23..12 and 11..0 of the page number. The root lies here;
 * root and middle entries are addresses of tables (0 none), leaf entries are `backing page | permission byte << 24` (0: not present). Adjacent pages that are present have adjacent
 * backing pages. Translated code is marked on the backing page (PERM.CODE). Tables lie between HIGH_TABLES and HIGH_MAP_END.
 */
export const HIGH_MAP_BASE = 0xe500_0000;
export const HIGH_TABLE_BITS = 12;
export const HIGH_TABLE_SIZE = 1 << HIGH_TABLE_BITS;
/** i32: number of tables handed out so far; i32: address of the first free one, which holds the address of the next. */
export const HIGH_STATE = 0xe500_4000;
export const HIGH_TABLES = 0xe500_8000;
export const HIGH_MAP_END = 0xe600_0000;
/** VMA table of runtime/memory: VMA_MAX entries of VMA_BYTES, sorted by address. 3 MiB. */
export const VMA_TABLE = 0xe680_0000;
export const VMA_BYTES = 48;
export const VMA_MAX = 65530;
/** Files that mappings name: FILE_MAX records of FILE_BYTES (runtime/memory/mapped-files.ts). 4 MiB. */
export const MAPPED_FILES = 0xe700_0000;
export const FILE_BYTES = 1024;
export const FILE_MAX = 4096;
/** One byte a guest page: 1 when it may hold something else than zeros. 896 KiB. */
export const PAGE_USED = 0xe740_0000;
/** Table slots of compiled regions by guest pc: SLOT_HASH_SIZE entries of 16 bytes { i64 pc, i32 slot (0: free entry), i32 unused }, open addressing. 2 MiB. */
export const SLOT_TABLE = 0xe600_0000;
export const SLOT_HASH_BITS = 17;
export const SLOT_HASH_SIZE = 1 << SLOT_HASH_BITS;
/** Ring of invalidated guest pages: entry g % INVAL_LOG_SIZE is the u32 page number of generation g, INVAL_ALL for a flush. 256 KiB. */
export const INVAL_LOG = 0xe640_0000;
export const INVAL_LOG_SIZE = 1 << 16;
export const INVAL_ALL = 0xffff_ffff;
/** IR bytecode, TB headers, instruction tables. */
export const CODE_ARENA = 0xe800_0000;
export const CODE_ARENA_END = 0xffff_0000;

/** Permission byte: what the page allows, and what an access may do without a second look. */
export const PERM = {
  R: 0x01,
  W: 0x02,
  X: 0x04,
  /** Holds translated code: a write must invalidate it first. */
  CODE: 0x08,
  /** Needs the slow helper (page backed elsewhere, shared between processes). */
  SLOW: 0x10,
  /** Derived: this page and the next are readable and not SLOW: any access of up to 4096 bytes that starts here is allowed. */
  RFAST: 0x40,
  /** Derived: this page and the next are writable, not SLOW and hold no translated code. */
  WFAST: 0x80,
} as const;

/** Fields of the process control block, offsets from PCB_BASE. All i32 unless said. */
export const PCB = {
  /** Mutex of translation and invalidation: 0 free, 1 held, 2 held with waiters (futex style). */
  TRANSLATE_LOCK: 0x00,
  /** Next free byte of the code arena. */
  ARENA_NEXT: 0x04,
  /** TBs translated so far: the next TbId. */
  TB_COUNT: 0x08,
  /** Incremented by every invalidation and by every flush: jump caches compare it. */
  CODE_GENERATION: 0x0c,
  /** Spin lock of unaligned, split and 16-byte atomics. */
  SPLIT_LOCK: 0x10,
  /** Thread slots in use: high-water mark of CPU blocks. */
  CPU_HIGH: 0x14,
  /** Stop-the-world: number of requests under way. */
  STOP_COUNT: 0x18,
  /** Mutex of the address space (mmap, munmap, mprotect, brk). */
  MM_LOCK: 0x1c,
  /** Heat at which a TB is handed to the compile worker; 0: never. */
  HOT_THRESHOLD: 0x20,
  /** Table slots handed out so far, slot 0 unused. */
  SLOT_COUNT: 0x24,
  /** 1 once the guest has shown that it cares for MXCSR: floating-point instructions are lifted to precise forms. Never goes back; written with the world stopped. */
  FLOAT_PRECISE: 0x28,
  /** Exits with EXIT.CLOSE_LOOK so far; not 0 in PLAIN_GUARDS: there were too many, and regions are compiled with a check an access. */
  CLOSE_LOOKS: 0x2c,
  PLAIN_GUARDS: 0x30,
  /** 1 in the copy that fork makes: its code is the parent's to keep (src/engine/code-store.ts). */
  COPIED: 0x34,
  /** Of the TBs so far, those that the code store gave. */
  STORED_TBS: 0x38,
  /** Pages for whose content the code store had nothing, but had something for another content; or whose code was damaged. */
  REFUSED_PAGES: 0x3c,
  /** Guest threads that have begun to run, and those that have left their guest code for good. */
  THREADS_BEGUN: 0x40,
  THREADS_LEFT: 0x44,
  /** Guest address of the page before the vDSO (runtime/process/vdso/vvar.ts), 0 none. */
  VVAR: 0x48,
  /** Copies that fork has made of the process, those made of the processes that it is a copy of included. Written with TRANSLATE_LOCK held. */
  COPIES: 0x4c,
  /** Processes that had the memory before: incremented, with TRANSLATE_LOCK held, where it is emptied for the next (src/engine/memory-life.ts). */
  LIFE: 0x50,
  /** Address-space bookkeeping of runtime/memory (VMA table and brk), 32 KiB from here. */
  MM_AREA: 0x4000,
  /** CPUID leaves in CPUID_TABLE; XCR0, 0 without XSAVE. Constant once threads run. */
  CPUID_COUNT: 0xc000,
  XCR0: 0xc004,
  /** Entries of CPUID_ENTRY bytes: leaf, subleaf (-1: every one), eax, ebx, ecx, edx. */
  CPUID_TABLE: 0xc010,
} as const;
export const CPUID_ENTRY = 24;
export const CPUID_MAX = 64;
