/**
 * The address space of a guest process: mappings, heap, protections. In: what mmap and its relatives ask for. Out: addresses, or negative errnos.
 * All state is in the shared memory, under PCB.MM_LOCK; what takes permissions away happens with the world stopped, and translated code on it is gone before it returns.
 * Source: man 2 mmap, munmap, mprotect, mremap, brk, madvise, msync, mincore; DESIGN.md sections 5 and 6.
 */
import { readSync, writeSync } from 'node:fs';
import {
  GUEST_END,
  GUEST_PAGES,
  PAGE_SHIFT,
  PAGE_SIZE,
  PAGE_TBS,
  PAGE_USED,
  PCB,
  PCB_BASE,
  PERM,
  PERM_TABLE,
} from '../../src/guest/memory-map.js';
import { EEXIST, EFAULT, EINVAL, ENOMEM } from '../linux/errno.js';
import { MappedFiles } from './mapped-files.js';
import { setPerms } from './perms.js';
import { TAG, type Vma, VmaTable } from './vma-table.js';

export const PROT = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const;
export const MAP = {
  SHARED: 0x01,
  PRIVATE: 0x02,
  SHARED_VALIDATE: 0x03,
  TYPE: 0x0f,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  MAP_32BIT: 0x40,
  GROWSDOWN: 0x100,
  STACK: 0x20000,
  FIXED_NOREPLACE: 0x100000,
} as const;
const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;
const MADV = { DONTNEED: 4, FREE: 8 } as const;
/** Advice that Linux takes and that changes nothing here: NORMAL RANDOM SEQUENTIAL WILLNEED, DONTFORK.., MERGEABLE.., HUGEPAGE.., DONTDUMP.., WIPEONFORK.., COLD PAGEOUT POPULATE_*. */
const HARMLESS_ADVICE = new Set([0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);

/** Lowest address that may be mapped (vm.mmap_min_addr). */
const MIN_ADDR = 0x1_0000;
/** Highest byte of mmap's own area: below the stack and its gap. */
const MMAP_TOP = 0xdf00_0000;
/** End of the area of MAP_32BIT. */
const LOW_TOP = 0x8000_0000;

export interface MmapRequest {
  readonly addr: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  /** A regular file of the host; absent for anonymous mappings. */
  readonly file?: { readonly hostFd: number; readonly path: string; readonly offset: number; readonly size: number };
  readonly tag?: number;
}

export interface SpaceHooks {
  stopWorld<T>(fn: () => T): T;
  /** Kills translated code on [addr, addr + size). */
  invalidate(addr: number, size: number): void;
}

/** Heap bounds, i32 words behind the VMA count. */
const BRK_START = (PCB_BASE + PCB.MM_AREA) / 4 + 2;
const BRK_NOW = BRK_START + 1;

const pageOf = (addr: number): number => Math.floor(addr / PAGE_SIZE);
const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);

export class AddressSpace {
  private readonly words: Int32Array<SharedArrayBuffer>;
  private readonly bytes: Uint8Array<SharedArrayBuffer>;
  private readonly table: VmaTable;
  private readonly files: MappedFiles;

  constructor(
    buffer: SharedArrayBuffer,
    private readonly hooks: SpaceHooks,
  ) {
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.table = new VmaTable(this.words);
    this.files = new MappedFiles(this.words, this.bytes);
  }

  mmap(r: MmapRequest): number {
    const type = r.flags & MAP.TYPE;
    if (r.length <= 0 || (type !== MAP.SHARED && type !== MAP.PRIVATE && type !== MAP.SHARED_VALIDATE)) return -EINVAL;
    if (r.file !== undefined && r.file.offset % PAGE_SIZE !== 0) return -EINVAL;
    const pages = pagesOf(r.length);
    if (!(pages < GUEST_PAGES)) return -ENOMEM;
    const fixed = (r.flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0;
    if (fixed && r.addr % PAGE_SIZE !== 0) return -EINVAL;
    return this.guarded(fixed, () => {
      if (this.table.full) return -ENOMEM;
      const start = fixed ? pageOf(r.addr) : this.place(r, pages);
      if (start < 0 || start + pages > GUEST_PAGES || (fixed && r.addr < MIN_ADDR)) return -ENOMEM;
      const occupied = fixed && this.table.overlapping(start, start + pages).length > 0;
      if (occupied && (r.flags & MAP.FIXED_NOREPLACE) !== 0) return -EEXIST;
      if (occupied) this.clear(start, start + pages);
      this.map(r, start, pages);
      return start * PAGE_SIZE;
    });
  }

  munmap(addr: number, length: number): number {
    if (addr % PAGE_SIZE !== 0 || length <= 0) return -EINVAL;
    const start = pageOf(addr);
    const end = Math.min(start + pagesOf(length), GUEST_PAGES);
    if (start >= end) return addr < 2 ** 47 ? 0 : -EINVAL;
    return this.exclusive(() => {
      if (this.table.overlapping(start, end).length > 0) this.clear(start, end);
      return 0;
    });
  }

  mprotect(addr: number, length: number, prot: number): number {
    if (addr % PAGE_SIZE !== 0 || (prot & ~0x0300_0007) !== 0) return -EINVAL;
    if (length === 0) return 0;
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    // With the world stopped: a reduction must be seen by threads that have passed a check.
    return this.exclusive(() => {
      if (!this.covered(start, end)) return -ENOMEM;
      this.dropCode(start, end, (prot & PROT.EXEC) === 0);
      this.table.update(start, end, (v) => ({ ...v, prot: prot & 7 }));
      for (const v of this.table.overlapping(start, end))
        this.applyPerms({ ...v, start: Math.max(v.start, start), end: Math.min(v.end, end) });
      return 0;
    });
  }

  mremap(addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number {
    if (addr % PAGE_SIZE !== 0 || newLength <= 0 || (flags & ~7) !== 0) return -EINVAL;
    if ((flags & (MREMAP.FIXED | MREMAP.DONTUNMAP)) !== 0 && (flags & MREMAP.MAYMOVE) === 0) return -EINVAL;
    const start = pageOf(addr);
    const oldPages = pagesOf(oldLength);
    const newPages = pagesOf(newLength);
    if ((flags & MREMAP.DONTUNMAP) !== 0 && oldPages !== newPages) return -EINVAL;
    if (
      (flags & MREMAP.FIXED) !== 0 &&
      (newAddr % PAGE_SIZE !== 0 || overlaps(start, oldPages, pageOf(newAddr), newPages))
    )
      return -EINVAL;
    return this.exclusive(() => {
      const v = this.table.covering(start);
      if (v === undefined || v.end < start + oldPages) return -EFAULT;
      const stay = (flags & (MREMAP.FIXED | MREMAP.DONTUNMAP)) === 0;
      if (stay && newPages <= oldPages) {
        if (newPages < oldPages) this.clear(start + newPages, start + oldPages);
        return addr;
      }
      const grows = newPages - oldPages;
      if (
        stay &&
        v.end === start + oldPages &&
        v.end + grows <= GUEST_PAGES &&
        this.table.overlapping(v.end, v.end + grows).length === 0 &&
        (v.end + grows) * PAGE_SIZE <= MMAP_TOP
      ) {
        this.extend(v, v.end, grows);
        return addr;
      }
      if ((flags & MREMAP.MAYMOVE) === 0) return -ENOMEM;
      return this.move(v, start, oldPages, newPages, flags, newAddr);
    });
  }

  /** Sets where the heap begins; at program start. */
  initHeap(start: number): void {
    this.words[BRK_START] = start | 0;
    this.words[BRK_NOW] = start | 0;
  }

  /** The new program break, or the current one when `addr` can't be had. */
  brk(addr: number): number {
    return this.guarded(addr < (this.words[BRK_NOW] ?? 0) >>> 0, () => {
      const start = (this.words[BRK_START] ?? 0) >>> 0;
      const now = (this.words[BRK_NOW] ?? 0) >>> 0;
      if (addr < start || addr >= MMAP_TOP) return now;
      const from = pagesOf(now);
      const to = pagesOf(addr);
      if (to > from) {
        if (this.table.overlapping(from, to + 1).length > 0 || this.table.full) return now;
        this.map(
          {
            addr: from * PAGE_SIZE,
            length: (to - from) * PAGE_SIZE,
            prot: PROT.READ | PROT.WRITE,
            flags: MAP.PRIVATE | MAP.ANONYMOUS,
            tag: TAG.HEAP,
          },
          from,
          to - from,
        );
      } else if (to < from) {
        this.clear(to, from);
      }
      this.words[BRK_NOW] = addr | 0;
      return addr;
    });
  }

  madvise(addr: number, length: number, advice: number): number {
    if (addr % PAGE_SIZE !== 0 || (advice !== MADV.DONTNEED && advice !== MADV.FREE && !HARMLESS_ADVICE.has(advice)))
      return -EINVAL;
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    if (length === 0) return 0;
    return this.guarded(advice === MADV.DONTNEED, () => {
      if (end > GUEST_PAGES || !this.covered(start, end)) return -ENOMEM;
      if (advice !== MADV.DONTNEED) return 0;
      for (const v of this.table.overlapping(start, end)) {
        const from = Math.max(v.start, start);
        const to = Math.min(v.end, end);
        if ((v.flags & MAP.TYPE) !== MAP.PRIVATE) continue;
        this.dropCode(from, to, true);
        if (v.file === 0) this.zero(from, to);
      }
      return 0;
    });
  }

  msync(addr: number, length: number): number {
    if (addr % PAGE_SIZE !== 0) return -EINVAL;
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    return this.locked(() => {
      if (length > 0 && !this.covered(start, end)) return -ENOMEM;
      this.writeBack(start, end);
      return 0;
    });
  }

  /** One byte a page into `out`: 1, all pages are in memory. -ENOMEM where a page is not mapped. */
  mincore(addr: number, length: number): Uint8Array | number {
    if (addr % PAGE_SIZE !== 0) return -EINVAL;
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    return this.locked(() => (this.covered(start, end) ? new Uint8Array(end - start).fill(1) : -ENOMEM));
  }

  /** True when every page of [addr, addr + length) is mapped. */
  isMapped(addr: number, length: number): boolean {
    return this.locked(() => this.covered(pageOf(addr), pageOf(addr) + pagesOf(length + (addr % PAGE_SIZE))));
  }

  /** Why an access to `addr` faults. */
  faultKind(addr: bigint | number): 'maperr' | 'accerr' | 'bus' {
    const at = typeof addr === 'bigint' ? Number(BigInt.asUintN(64, addr)) : addr;
    if (!(at >= 0 && at < GUEST_END)) return 'maperr';
    return this.locked(() => {
      const v = this.table.covering(pageOf(at));
      if (v === undefined) return 'maperr';
      return pageOf(at) >= v.busFrom && v.prot !== PROT.NONE ? 'bus' : 'accerr';
    });
  }

  /** True when the page of `addr` has been touched or holds file data: the P bit of a page fault's error code. */
  isPresent(addr: number): boolean {
    if (!(addr >= 0 && addr < GUEST_END)) return false;
    const perm = Atomics.load(this.bytes, PERM_TABLE + pageOf(addr));
    return (perm & (PERM.R | PERM.W | PERM.X)) !== 0 && Atomics.load(this.bytes, PAGE_USED + pageOf(addr)) !== 0;
  }

  /** A GROWSDOWN mapping reaches down to `addr`, which has just faulted: grows it. False when there is none. */
  grow(addr: number): boolean {
    if (!(addr >= MIN_ADDR && addr < GUEST_END)) return false;
    return this.locked(() => {
      const page = pageOf(addr);
      const i = this.table.find(page);
      if (i >= this.table.count) return false;
      const v = this.table.at(i);
      if (v.start <= page || (v.flags & MAP.GROWSDOWN) === 0 || v.start - page > 256) return false;
      this.table.insert({ ...v, start: page, end: v.start, filePage: 0, busFrom: GUEST_PAGES });
      this.zero(page, v.start);
      this.applyPerms({ ...v, start: page, end: v.start, busFrom: GUEST_PAGES });
      return true;
    });
  }

  /** Writes shared file mappings back; at exit. */
  writeAll(): void {
    this.locked(() => {
      this.writeBack(0, GUEST_PAGES);
    });
  }

  /** The file behind the page of `addr`: its path, and the offset in it; undefined for anonymous memory. */
  fileAt(addr: number): { readonly path: string; readonly offset: number } | undefined {
    return this.locked(() => {
      const v = this.table.covering(pageOf(addr));
      if (v === undefined || v.file === 0) return undefined;
      return { path: this.files.get(v.file).path, offset: v.filePage * PAGE_SIZE + addr - v.start * PAGE_SIZE };
    });
  }

  /** Bytes mapped, and bytes touched. */
  usage(): { readonly vsize: number; readonly rss: number } {
    return this.locked(() => {
      let vsize = 0;
      let rss = 0;
      for (const v of this.table.all()) {
        vsize += (v.end - v.start) * PAGE_SIZE;
        for (let page = v.start; page < v.end; page++) rss += this.bytes[PAGE_USED + page] === 0 ? 0 : PAGE_SIZE;
      }
      return { vsize, rss };
    });
  }

  /** Zeroes bytes of mapped memory (the end of a program's data page). */
  zeroRange(addr: number, size: number): void {
    this.bytes.fill(0, addr, addr + size);
  }

  /** Text of /proc/self/maps. */
  maps(): string {
    return this.locked(() =>
      this.table
        .all()
        .map((v) => {
          const f = v.file === 0 ? undefined : this.files.get(v.file);
          const perm =
            (v.prot & 1 ? 'r' : '-') +
            (v.prot & 2 ? 'w' : '-') +
            (v.prot & 4 ? 'x' : '-') +
            ((v.flags & MAP.TYPE) === MAP.PRIVATE ? 'p' : 's');
          const name = f?.path ?? (v.tag === TAG.HEAP ? '[heap]' : v.tag === TAG.STACK ? '[stack]' : '');
          const device = f === undefined ? '00:00' : `${hex(f.device >>> 8, 2)}:${hex(f.device & 255, 2)}`;
          const line = `${hex(v.start * PAGE_SIZE, 8)}-${hex(v.end * PAGE_SIZE, 8)} ${perm} ${hex(v.filePage * PAGE_SIZE, 8)} ${device} ${f?.inode ?? 0}`;
          return name === '' ? `${line} \n` : `${line.padEnd(72)} ${name}\n`;
        })
        .join(''),
    );
  }

  // ---------------------------------------------------------------- under the lock

  /** First page of a free range for a mapping that is not fixed; -1 none. */
  private place(r: MmapRequest, pages: number): number {
    const top = (r.flags & MAP.MAP_32BIT) !== 0 ? LOW_TOP : MMAP_TOP;
    const hint = pageOf(r.addr);
    if (
      r.addr >= MIN_ADDR &&
      (hint + pages) * PAGE_SIZE <= top &&
      this.table.overlapping(hint, hint + pages).length === 0
    )
      return hint;
    // Top down: the highest gap that is large enough.
    let end = top / PAGE_SIZE;
    for (let i = this.table.find(end) - (this.table.find(end) >= this.table.count ? 1 : 0); i >= 0; i--) {
      const v = this.table.at(i);
      if (v.start >= end) continue;
      if (v.end <= end && end - v.end >= pages) return end - pages;
      end = Math.min(end, v.start);
    }
    return end - pages >= MIN_ADDR / PAGE_SIZE ? end - pages : -1;
  }

  private map(r: MmapRequest, start: number, pages: number): void {
    const end = start + pages;
    this.zero(start, end);
    let file = 0;
    let busFrom = GUEST_PAGES;
    if (r.file !== undefined) {
      const shared = (r.flags & MAP.TYPE) !== MAP.PRIVATE;
      file = this.files.intern(r.file.hostFd, r.file.path, shared && (r.prot & PROT.WRITE) !== 0);
      const available = Math.max(0, r.file.size - r.file.offset);
      this.fill(start, Math.min(available, pages * PAGE_SIZE), r.file.hostFd, r.file.offset);
      busFrom = start + pagesOf(available);
    }
    const v: Vma = {
      start,
      end,
      prot: r.prot & 7,
      flags: r.flags & (MAP.TYPE | MAP.GROWSDOWN),
      file,
      filePage: r.file === undefined ? 0 : r.file.offset / PAGE_SIZE,
      busFrom: Math.min(busFrom, GUEST_PAGES),
      tag: r.tag ?? TAG.NONE,
    };
    this.table.insert(v);
    this.applyPerms(v);
  }

  private fill(start: number, bytes: number, hostFd: number, offset: number): void {
    for (let done = 0; done < bytes;) {
      const n = readSync(hostFd, this.bytes, start * PAGE_SIZE + done, Math.min(bytes - done, 1 << 30), offset + done);
      if (n === 0) break;
      done += n;
    }
    this.bytes.fill(1, PAGE_USED + start, PAGE_USED + start + pagesOf(bytes));
  }

  private extend(v: Vma, at: number, pages: number): void {
    this.zero(at, at + pages);
    const added = { ...v, start: at, end: at + pages, filePage: v.filePage + (at - v.start) };
    this.table.insert(added);
    this.applyPerms(added);
  }

  private move(v: Vma, start: number, oldPages: number, newPages: number, flags: number, newAddr: number): number {
    const request: MmapRequest = { addr: 0, length: newPages * PAGE_SIZE, prot: v.prot, flags: v.flags };
    const to = (flags & MREMAP.FIXED) !== 0 ? pageOf(newAddr) : this.place(request, newPages);
    if (to < 0 || to + newPages > GUEST_PAGES || this.table.full) return -ENOMEM;
    if ((flags & MREMAP.FIXED) !== 0) this.clear(to, to + newPages);
    this.zero(to, to + newPages);
    const moved: Vma = {
      ...v,
      start: to,
      end: to + newPages,
      filePage: v.filePage + (start - v.start),
      busFrom: v.busFrom >= GUEST_PAGES ? GUEST_PAGES : Math.max(to, to + (v.busFrom - start)),
    };
    const copy = Math.min(oldPages, newPages);
    this.dropCode(start, start + oldPages, true);
    this.bytes.copyWithin(to * PAGE_SIZE, start * PAGE_SIZE, (start + copy) * PAGE_SIZE);
    this.bytes.copyWithin(PAGE_USED + to, PAGE_USED + start, PAGE_USED + start + copy);
    if ((flags & MREMAP.DONTUNMAP) !== 0) this.zero(start, start + oldPages);
    this.table.insert(moved);
    this.applyPerms(moved);
    if ((flags & MREMAP.DONTUNMAP) === 0) this.clear(start, start + oldPages);
    return to * PAGE_SIZE;
  }

  /** Unmaps [start, end): shared file pages are written back, code is dropped. The world is stopped. */
  private clear(start: number, end: number): void {
    this.writeBack(start, end);
    this.dropCode(start, end, true);
    this.table.update(start, end, () => undefined);
    setPerms(this.bytes, start, end, 0);
  }

  private applyPerms(v: Vma): void {
    const perm =
      (v.prot & PROT.READ || v.prot & (PROT.WRITE | PROT.EXEC) ? PERM.R : 0) |
      (v.prot & PROT.WRITE ? PERM.W : 0) |
      (v.prot & PROT.EXEC ? PERM.X : 0);
    const mapped = Math.max(v.start, Math.min(v.end, v.busFrom));
    setPerms(this.bytes, v.start, mapped, perm);
    setPerms(this.bytes, mapped, v.end, 0);
    if ((v.prot & PROT.WRITE) !== 0) this.bytes.fill(1, PAGE_USED + v.start, PAGE_USED + mapped);
  }

  /** Makes pages read as zero; only those that may hold something else are written. */
  private zero(start: number, end: number): void {
    const { bytes } = this;
    for (let page = start; page < end;) {
      if (bytes[PAGE_USED + page] === 0) {
        page++;
        continue;
      }
      let run = page + 1;
      while (run < end && bytes[PAGE_USED + run] !== 0) run++;
      bytes.fill(0, page * PAGE_SIZE, run * PAGE_SIZE);
      bytes.fill(0, PAGE_USED + page, PAGE_USED + run);
      page = run;
    }
    // What stays mapped writable may be written again.
    for (const v of this.table.overlapping(start, end)) {
      if ((v.prot & PROT.WRITE) !== 0)
        bytes.fill(1, PAGE_USED + Math.max(v.start, start), PAGE_USED + Math.min(v.end, end));
    }
  }

  private covered(start: number, end: number): boolean {
    let at = start;
    for (const v of this.table.overlapping(start, end)) {
      if (v.start > at) return false;
      at = v.end;
    }
    return at >= end;
  }

  private dropCode(start: number, end: number, wanted: boolean): void {
    if (!wanted) return;
    for (let page = start; page < end; page++) {
      if ((Atomics.load(this.bytes, PERM_TABLE + page) & PERM.CODE) !== 0 || this.words[PAGE_TBS / 4 + page] !== 0) {
        this.hooks.invalidate((start << PAGE_SHIFT) >>> 0, (end - start) * PAGE_SIZE);
        return;
      }
    }
  }

  /** Shared file mappings in [start, end) to their files. */
  private writeBack(start: number, end: number): void {
    for (const v of this.table.overlapping(start, end)) {
      if (v.file === 0 || (v.flags & MAP.TYPE) === MAP.PRIVATE) continue;
      const { hostFd } = this.files.get(v.file);
      if (hostFd < 0) continue;
      const from = Math.max(v.start, start);
      const to = Math.min(v.end, end, v.busFrom);
      for (let at = from * PAGE_SIZE; at < to * PAGE_SIZE;) {
        at += writeSync(hostFd, this.bytes, at, to * PAGE_SIZE - at, v.filePage * PAGE_SIZE + at - v.start * PAGE_SIZE);
      }
    }
  }

  /** Under the lock; nothing in it stops the world. */
  private locked<T>(fn: () => T): T {
    const { words } = this;
    const at = (PCB_BASE + PCB.MM_LOCK) / 4;
    if (Atomics.compareExchange(words, at, 0, 1) !== 0) {
      while (Atomics.exchange(words, at, 2) !== 0) Atomics.wait(words, at, 2);
    }
    try {
      return fn();
    } finally {
      if (Atomics.exchange(words, at, 0) === 2) Atomics.notify(words, at, 1);
    }
  }

  /** With the world stopped and under the lock, in this order: for what takes permissions or pages away. */
  private exclusive<T>(fn: () => T): T {
    return this.hooks.stopWorld(() => this.locked(fn));
  }

  private guarded<T>(exclusive: boolean, fn: () => T): T {
    return exclusive ? this.exclusive(fn) : this.locked(fn);
  }
}

const hex = (v: number, digits: number): string => v.toString(16).padStart(digits, '0');
const overlaps = (a: number, an: number, b: number, bn: number): boolean => a < b + bn && b < a + an;
