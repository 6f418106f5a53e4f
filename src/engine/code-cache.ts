/**
 * TBs of a guest process in shared memory: hash table, lists by guest page, invalidation. In: guest pcs and encoded TBs. Out: TB header addresses.
 * All state is in the memory, so every worker of the process sees the same TBs; what changes them holds PCB.TRANSLATE_LOCK (see mutex.ts for the lock order).
 */
import {
  CODE_ARENA,
  CODE_ARENA_END,
  GUEST_END,
  INVAL_ALL,
  INVAL_LOG,
  INVAL_LOG_SIZE,
  PAGE_SHIFT,
  PAGE_TBS,
  PCB,
  PCB_BASE,
  PERM,
  PERM_TABLE,
  TB_HASH,
  TB_HASH_BITS,
  TB_HASH_SIZE,
} from '../guest/memory-map.js';
import { pcHash, TB, TB_STATE } from '../guest/tb-header.js';
import { eachTb, type MemoryViews, tbPc } from './memory-views.js';

/** Bytes of a node in a page's list: { i32 next node, i32 TB header }. */
const NODE_SIZE = 8;
/** The arena counts as full while a TB of this size might not fit. */
const ARENA_RESERVE = 1 << 20;

export class CodeCache {
  private readonly i32: Int32Array<SharedArrayBuffer>;

  /** @param setCode sets or clears PERM.CODE of a page and keeps the derived bits (runtime/memory) */
  constructor(
    private readonly views: MemoryViews,
    private readonly setCode: (page: number, on: boolean) => void,
  ) {
    this.i32 = views.i32;
  }

  /** Once a process: an empty arena. */
  static initialise(views: MemoryViews): void {
    views.i32[(PCB_BASE + PCB.ARENA_NEXT) / 4] = CODE_ARENA | 0;
  }

  /** Header of the valid TB at `pc`; 0 none. Needs no lock. */
  lookup(pc: number): number {
    const want = BigInt(pc);
    let header = Atomics.load(this.i32, TB_HASH / 4 + pcHash(pc, TB_HASH_BITS)) >>> 0;
    while (header !== 0) {
      if (this.views.i64[(header + TB.PC) / 8] === want && this.word(header + TB.STATE) === TB_STATE.VALID)
        return header;
      header = this.word(header + TB.HASH_NEXT) >>> 0;
    }
    return 0;
  }

  /** Takes `bytes` (rounded up to 16) from the arena and gives their address. */
  allocate(bytes: number): number {
    const at = (PCB_BASE + PCB.ARENA_NEXT) / 4;
    const address = (this.i32[at] ?? 0) >>> 0;
    this.i32[at] = (address + ((bytes + 15) & ~15)) | 0;
    return address;
  }

  /** True when the arena must be flushed before the next TB. */
  get full(): boolean {
    return (this.i32[(PCB_BASE + PCB.ARENA_NEXT) / 4] ?? 0) >>> 0 > CODE_ARENA_END - ARENA_RESERVE;
  }

  /** Enters an encoded TB into the hash table and the lists of its pages. */
  insert(header: number, pc: number, size: number): void {
    const id = this.i32[(PCB_BASE + PCB.TB_COUNT) / 4] ?? 0;
    this.i32[(PCB_BASE + PCB.TB_COUNT) / 4] = id + 1;
    this.set(header + TB.ID, id);
    for (
      let page = pc >>> PAGE_SHIFT, last = (pc + Math.max(size, 1) - 1) >>> PAGE_SHIFT;
      page <= last && pc < GUEST_END;
      page++
    ) {
      const node = this.allocate(NODE_SIZE);
      this.set(node, this.word(PAGE_TBS + 4 * page));
      this.set(node + 4, header);
      this.set(PAGE_TBS + 4 * page, node);
    }
    const bucket = TB_HASH + 4 * pcHash(pc, TB_HASH_BITS);
    this.set(header + TB.HASH_NEXT, this.word(bucket));
    Atomics.store(this.i32, bucket / 4, header | 0);
  }

  /** True when the page (number) holds translated code. */
  isCode(page: number): boolean {
    return (Atomics.load(this.views.u8, PERM_TABLE + page) & PERM.CODE) !== 0;
  }

  /** True when TBs have bytes on the page, marked or checking themselves. */
  hasCode(page: number): boolean {
    return this.isCode(page) || this.word(PAGE_TBS + 4 * page) !== 0;
  }

  /** Kills the TB at `pc`. The caller holds the lock. */
  retire(pc: number): void {
    const header = this.lookup(pc);
    if (header === 0) return;
    Atomics.store(this.i32, (header + TB.STATE) / 4, TB_STATE.DEAD);
    this.unhash(header);
  }

  /** Kills the TBs on the page and clears its CODE bit. The caller has stopped the world and holds the lock. Gives the number of TBs killed. */
  invalidatePage(page: number): number {
    let killed = 0;
    for (let node = this.word(PAGE_TBS + 4 * page) >>> 0; node !== 0; node = this.word(node) >>> 0) {
      const header = this.word(node + 4) >>> 0;
      if (this.word(header + TB.STATE) !== TB_STATE.VALID) continue;
      Atomics.store(this.i32, (header + TB.STATE) / 4, TB_STATE.DEAD);
      Atomics.store(this.i32, (header + TB.SLOT) / 4, 0);
      this.unhash(header);
      killed++;
    }
    this.set(PAGE_TBS + 4 * page, 0);
    this.setCode(page, false);
    this.logInvalidation(page);
    return killed;
  }

  /** Drops every TB and starts the arena anew. The caller has stopped the world and holds the lock. */
  flush(): void {
    eachTb(this.views, (header) => {
      this.set(header + TB.STATE, TB_STATE.DEAD);
    });
    this.i32.fill(0, TB_HASH / 4, TB_HASH / 4 + TB_HASH_SIZE);
    for (let page = 0; page < GUEST_END >>> PAGE_SHIFT; page++) {
      if (this.word(PAGE_TBS + 4 * page) === 0) continue;
      this.set(PAGE_TBS + 4 * page, 0);
      this.setCode(page, false);
    }
    CodeCache.initialise(this.views);
    this.logInvalidation(INVAL_ALL);
  }

  /** Number of invalidations so far; a thread compares it with its own before it runs translated code. */
  get generation(): number {
    return Atomics.load(this.i32, (PCB_BASE + PCB.CODE_GENERATION) / 4);
  }

  /** Pages invalidated in generations [since, now); undefined when the ring has gone past them or all code was flushed. */
  invalidatedSince(since: number, now: number): ReadonlySet<number> | undefined {
    if (now - since > INVAL_LOG_SIZE) return undefined;
    const pages = new Set<number>();
    for (let g = since; g < now; g++) {
      const page = this.word(INVAL_LOG + 4 * (g % INVAL_LOG_SIZE)) >>> 0;
      if (page === INVAL_ALL) return undefined;
      pages.add(page);
    }
    return pages;
  }

  private logInvalidation(page: number): void {
    const at = (PCB_BASE + PCB.CODE_GENERATION) / 4;
    const g = this.i32[at] ?? 0;
    this.set(INVAL_LOG + 4 * (g % INVAL_LOG_SIZE), page);
    Atomics.store(this.i32, at, g + 1);
  }

  private unhash(header: number): void {
    const pc = tbPc(this.views, header);
    let link = TB_HASH + 4 * pcHash(pc, TB_HASH_BITS);
    for (let h = this.word(link) >>> 0; h !== 0; h = this.word(link) >>> 0) {
      if (h === header) {
        Atomics.store(this.i32, link / 4, this.word(header + TB.HASH_NEXT));
        return;
      }
      link = h + TB.HASH_NEXT;
    }
  }

  private word(address: number): number {
    return this.i32[address / 4] ?? 0;
  }

  private set(address: number, value: number): void {
    this.i32[address / 4] = value | 0;
  }
}
