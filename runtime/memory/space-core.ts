/**
 * What the memory calls share: the lock, the tables, contents and permissions of mappings. In: page ranges. Out: changed tables.
 * Everything but locked, exclusive and attempt is called under PCB.MM_LOCK; what says "world" needs the world stopped too. A mapping lies wholly below or wholly above the border
 * at GUEST_END; a low page that is still to be read from its file (VMA_FLAG.LAZY) has PERM.SLOW and nothing else, a high one has no entry.
 * Lock order: stop the world, PCB.MM_LOCK, PCB.TRANSLATE_LOCK. A worker that is ended by force while it holds the lock belongs to a process that ends.
 */
import { InternalError } from '../../src/base/errors.js';
import { PAGE_SIZE, PCB, PCB_BASE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { aliasesOf, flushFile, isShared, takeAway } from './aliases.js';
import { Backing, type Run } from './backing.js';
import { markUsed, zeroPages } from './clean-pages.js';
import { fileSize, readPages, writePages } from './file-pages.js';
import { MappedFiles } from './mapped-files.js';
import {
  HIGH_PAGE,
  HIGH_TOP_PAGE,
  LOW_TOP,
  MAP,
  MIN_ADDR,
  MIN_PAGE,
  MMAP_TOP,
  pagesOf,
  PROT,
  STACK_PAGES,
  USER_PAGES,
  WINDOW_PAGES,
} from './mman.js';
import { findCode, permOf, setPerms } from './perms.js';
import type { Sharing } from './sharing.js';
import { cut, TAG, type Vma, VMA_FLAG, VmaTable } from './vma-table.js';

export interface SpaceHooks {
  /** Runs `fn` while the other threads of the memory are parked; may be nested. */
  stopWorld<T>(fn: () => T): T;
  /** Kills translated code on [addr, addr + size): offsets in the memory (of the backing, for guest pages above GUEST_END). Called with the world stopped. */
  invalidate(addr: number, size: number): void;
  /** Pages that processes share; without it each has its own copies of a file's pages. */
  readonly sharing?: Sharing | undefined;
  /** RLIMIT_AS and RLIMIT_DATA, bytes; Infinity none. */
  readonly limits?: () => { readonly as: number; readonly data: number };
}

/** i32 words of PCB.MM_AREA; word 0 is the VMA table's count. */
export const WORD = {
  BRK_START: 2,
  BRK_NOW: 3,
  /** First page above mmap's own area; 0: MMAP_TOP. */
  TOP: 4,
  /** RLIMIT_STACK in pages; 0: STACK_PAGES. */
  STACK: 5,
  /** 1 once there has been a shared file mapping. */
  SHARED: 6,
} as const;

const AREA = (PCB_BASE + PCB.MM_AREA) / 4;
const LOCK = (PCB_BASE + PCB.MM_LOCK) / 4;
/** Mappings of up to this many pages are backed as a whole when they are first touched; larger ones by chunks. */
const WHOLE_PAGES = 1024;
const LEAST_CHUNK = 16;
const MOST_CHUNK = 4096;

export class SpaceCore {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly table: VmaTable;
  readonly files: MappedFiles;
  readonly backing: Backing;

  constructor(
    buffer: SharedArrayBuffer,
    private readonly hooks: SpaceHooks,
  ) {
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.table = new VmaTable(buffer);
    this.files = new MappedFiles(this.words, this.bytes, this.table);
    this.backing = new Backing({
      bytes: this.bytes,
      table: this.table,
      top: () => this.top,
      dropCode: (start, end) => {
        this.dropLowCode(start, end);
      },
    });
  }

  // ---------------------------------------------------------------- locking

  /** Under the lock; nothing in it stops the world. */
  locked<T>(fn: () => T): T {
    const { words } = this;
    if (Atomics.compareExchange(words, LOCK, 0, 1) !== 0) {
      while (Atomics.exchange(words, LOCK, 2) !== 0) Atomics.wait(words, LOCK, 2);
    }
    try {
      return fn();
    } finally {
      if (Atomics.exchange(words, LOCK, 0) === 2) Atomics.notify(words, LOCK, 1);
    }
  }

  /** With the world stopped and under the lock, in this order: for what takes permissions or pages away. */
  exclusive<T>(fn: () => T): T {
    return this.hooks.stopWorld(() => this.locked(fn));
  }

  /** `fn(false)` under the lock; where that gives undefined (having changed nothing), `fn(true)` with the world stopped. */
  attempt<T>(fn: (world: boolean) => T | undefined): T {
    const first = this.locked(() => fn(false));
    if (first !== undefined) return first;
    const second = this.exclusive(() => fn(true));
    if (second === undefined) throw new InternalError('a memory call asked for a stopped world that it had');
    return second;
  }

  // ---------------------------------------------------------------- sharing

  get sharing(): Sharing | undefined {
    return this.hooks.sharing;
  }

  /** True when another process has a shared mapping of the file that `v` shows: its pages are got by page-claims.ts. */
  isContended(v: Vma): boolean {
    const { sharing } = this.hooks;
    if (sharing === undefined || !isShared(v)) return false;
    const object = this.files.object(v.file);
    return object !== 0 && sharing.objects.isContended(object, sharing.mm);
  }

  // ---------------------------------------------------------------- state

  word(i: number): number {
    return (this.words[AREA + i] ?? 0) >>> 0;
  }

  setWord(i: number, value: number): void {
    this.words[AREA + i] = value | 0;
  }

  get top(): number {
    return this.word(WORD.TOP) || MMAP_TOP / PAGE_SIZE;
  }

  /** True once there has been a shared mapping of a file. */
  get sharesFiles(): boolean {
    return this.word(WORD.SHARED) !== 0;
  }

  get stackPages(): number {
    return this.word(WORD.STACK) || STACK_PAGES;
  }

  /** True when the limits allow `pages` more; `data`: private ones to be written to. */
  mayGrow(pages: number, data: boolean): boolean {
    const limits = this.hooks.limits?.();
    if (limits === undefined || (limits.as === Infinity && limits.data === Infinity)) return true;
    let [all, written] = [pages, data ? pages : 0];
    for (const v of this.table.all()) {
      if (v.tag === TAG.BACKING) continue;
      all += v.end - v.start;
      if (isData(v.prot, v.flags)) written += v.end - v.start;
    }
    return all * PAGE_SIZE <= limits.as && (!data || written * PAGE_SIZE <= limits.data);
  }

  // ---------------------------------------------------------------- ranges

  /** The guest's mapping that covers `page`. */
  covering(page: number): Vma | undefined {
    const v = this.table.covering(page);
    return v?.tag === TAG.BACKING ? undefined : v;
  }

  /** The guest's mappings that overlap [start, end), cut to it. */
  pieces(start: number, end: number): Vma[] {
    return this.table
      .overlapping(start, end)
      .filter((v) => v.tag !== TAG.BACKING)
      .map((v) => cut(v, Math.max(v.start, start), Math.min(v.end, end)));
  }

  /** The first page of [start, end) that is not mapped; `end` when all are. */
  mappedUpTo(start: number, end: number): number {
    let at = start;
    for (const v of this.table.overlapping(start, end)) {
      if (v.start > at || v.tag === TAG.BACKING) break;
      at = v.end;
    }
    return Math.min(at, end);
  }

  /** True when [start, end) lies in the address space, and not on both sides of GUEST_END. */
  allowed(start: number, end: number): boolean {
    return end <= USER_PAGES && (end <= HIGH_PAGE || start >= HIGH_PAGE);
  }

  /** First page of a free range for a mapping that is not fixed; -1 none. Hints above GUEST_END are not followed: low memory is the fast one. */
  place(addr: number, pages: number, flags: number, prot: number): number {
    const only32 = (flags & MAP.MAP_32BIT) !== 0;
    const top = only32 ? Math.min(this.top, LOW_TOP / PAGE_SIZE) : this.top;
    const hint = pagesOf(addr);
    if (addr >= MIN_ADDR && hint + pages <= top && this.table.free(hint, hint + pages)) return hint;
    const low = this.table.gap(pages, MIN_PAGE, top);
    // What only reserves addresses may lie high, and so may what could never lie low.
    if (low >= 0 || only32 || (prot !== PROT.NONE && (flags & MAP.NORESERVE) === 0 && pages < HIGH_PAGE)) return low;
    if (hint >= HIGH_PAGE && hint + pages <= HIGH_TOP_PAGE && this.table.free(hint, hint + pages)) return hint;
    return this.table.gap(pages, HIGH_PAGE, HIGH_TOP_PAGE);
  }

  // ---------------------------------------------------------------- mappings

  /** Enters a mapping where nothing is: contents from its file or zeros, then permissions. The caller has seen to code on its pages. @param fd descriptor to read from now; -1: all is zero */
  add(mapping: Vma, fd: number): void {
    flushFile(this, mapping.file);
    // A page of which another mapping has a copy comes at the first touch.
    const late =
      this.files.hostFd(mapping.file) >= 0 &&
      (this.isContended(mapping) || aliasesOf(this, mapping, mapping.start, mapping.end).length > 0);
    if (late || (mapping.flags & VMA_FLAG.LAZY) !== 0) {
      this.addAbsent(mapping);
      return;
    }
    const { start } = mapping;
    if (start < HIGH_PAGE) zeroPages(this.bytes, start, mapping.end);
    this.table.insert(mapping);
    if (start < HIGH_PAGE && mapping.file !== 0 && fd >= 0)
      this.read(mapping, { page: start, pages: present(mapping) - start, at: start * PAGE_SIZE }, fd);
    this.applyPerms(mapping);
  }

  /** Enters a mapping where nothing is, of pages that come at the first touch. */
  addAbsent(mapping: Vma): void {
    const v = { ...mapping, flags: mapping.flags | VMA_FLAG.LAZY };
    if (v.start < HIGH_PAGE) zeroPages(this.bytes, v.start, v.end);
    this.table.insert(v);
    if (v.start < HIGH_PAGE && v.file !== 0) setPerms(this.bytes, v.start, present(v), PERM.SLOW);
    this.applyPerms(v);
  }

  /** Unmaps [start, end): shared file pages are written back, code is dropped. World. */
  clear(start: number, end: number): void {
    const pieces = this.pieces(start, end);
    this.writeBack(start, end);
    for (const v of pieces) {
      if (v.start >= HIGH_PAGE) {
        this.backing.release(v.start, v.end);
      } else {
        this.dropLowCode(v.start, v.end);
        setPerms(this.bytes, v.start, v.end, 0);
      }
    }
    this.table.update(start, end, (v) => (v.tag === TAG.BACKING ? v : undefined));
    if (pieces.some((v) => v.file !== 0)) this.releaseFiles(new Set(pieces.map((v) => v.file)));
  }

  private releaseFiles(files: ReadonlySet<number>): void {
    const { sharing } = this.hooks;
    for (const object of this.files.release(files)) sharing?.objects.leave(object, sharing.mm);
  }

  /** Makes [start, end) free for a mapping that insists on it. False when the backing that lies there can't be moved. World. */
  makeRoom(start: number, end: number): boolean {
    this.clear(start, end);
    this.dropLowCode(start, Math.min(end, HIGH_PAGE));
    return start >= HIGH_PAGE || this.backing.vacate(start, end);
  }

  /** Permissions of the present pages of `v`. */
  applyPerms(v: Vma): void {
    const perm = permOf(v.prot);
    if (v.start >= HIGH_PAGE) {
      this.backing.protect(v.start, v.end, perm);
      return;
    }
    // Others may have copies of a page without W: that comes with the next store to it.
    const keepsW = (perm & PERM.W) !== 0 && this.isContended(v);
    for (const r of this.resident(v)) {
      if (keepsW) this.applyButW(r, perm);
      else setPerms(this.bytes, r.page, r.page + r.pages, perm);
      if ((v.prot & PROT.WRITE) !== 0) markUsed(this.bytes, r.page, r.page + r.pages);
    }
    setPerms(this.bytes, present(v), v.end, 0);
  }

  private applyButW(r: Run, perm: number): void {
    for (let page = r.page; page < r.page + r.pages; page++) {
      const has = (this.bytes[PERM_TABLE + page] ?? 0) & PERM.W;
      setPerms(this.bytes, page, page + 1, (perm & ~PERM.W) | has);
    }
  }

  /** The present pages of `v`, in order. */
  resident(v: Vma): Run[] {
    const end = present(v);
    if (v.start >= end) return [];
    if (v.start >= HIGH_PAGE) return this.backing.runs(v.start, end);
    if ((v.flags & VMA_FLAG.LAZY) === 0) return [{ page: v.start, pages: end - v.start, at: v.start * PAGE_SIZE }];
    return this.stretches(v.start, end, (perm) => (perm & PERM.SLOW) === 0);
  }

  /** The present pages of `v` that may have been stored to since they were read. */
  private dirty(v: Vma): Run[] {
    if (v.start >= HIGH_PAGE) return this.resident(v);
    return this.stretches(v.start, present(v), (perm) => (perm & PERM.W) !== 0);
  }

  // ---------------------------------------------------------------- contents

  /**
   * Makes the pages of [start, end) that their mapping promises present, and writable for `write`. False when there is no memory for it; undefined when it needs the world stopped; 'shared':
   * nothing is done, some of them are to be got from other processes (page-claims.ts).
   */
  materialise(start: number, end: number, world: boolean, write: boolean): boolean | 'shared' | undefined {
    const pieces = this.pieces(start, end);
    if (this.sharing !== undefined && pieces.some((v) => this.isContended(v))) return 'shared';
    for (const v of pieces) {
      if (v.prot === PROT.NONE || v.start >= present(v)) continue;
      const whole = this.table.covering(v.start) ?? v;
      if (write && isShared(v) && v.start < HIGH_PAGE) this.strengthen(whole);
      const made =
        v.start >= HIGH_PAGE
          ? this.back(whole, v.start, present(v), world)
          : (v.flags & VMA_FLAG.LAZY) === 0 || this.readWindow(whole, v.start, present(v), world);
      if (made !== true) return made;
    }
    return true;
  }

  /** No other process shows the pages of the low mapping `v` any more: what is present gets W where the mapping allows it. */
  private strengthen(v: Vma): void {
    const perm = permOf(v.prot);
    if ((perm & PERM.W) === 0) return;
    for (const r of this.stretches(v.start, present(v), (now) => (now & (PERM.SLOW | PERM.W)) === 0))
      setPerms(this.bytes, r.page, r.page + r.pages, perm);
  }

  /** Makes mapped low pages [start, end) read as zero. */
  zero(start: number, end: number): void {
    zeroPages(this.bytes, start, end);
    for (const v of this.pieces(start, end)) if ((v.prot & PROT.WRITE) !== 0) markUsed(this.bytes, v.start, v.end);
  }

  /** Reads the pages of `run` from the file of `v`. */
  read(v: Vma, run: Run, fd = this.files.hostFd(v.file)): void {
    readPages(this.bytes, run, fd, v.filePage + run.page - v.start);
    markUsed(this.bytes, run.at / PAGE_SIZE, run.at / PAGE_SIZE + run.pages);
  }

  /** Shared file mappings in [start, end) to their files. */
  writeBack(start: number, end: number): void {
    for (const v of this.pieces(start, end)) {
      if ((v.flags & VMA_FLAG.WRITTEN) === 0) continue;
      const fd = this.files.hostFd(v.file);
      if (fd < 0) continue;
      const size = fileSize(fd);
      for (const r of this.dirty(v)) writePages(this.bytes, r, fd, v.filePage + r.page - v.start, size);
    }
  }

  /** The file behind `v` may have grown: its pages past the old end become present when they are touched. True when there are any. */
  followGrowth(v: Vma): boolean {
    const fd = v.file === 0 ? -1 : this.files.hostFd(v.file);
    if (fd < 0) return false;
    const bus = Math.max(v.start, v.start + pagesOf(fileSize(fd)) - v.filePage);
    if (bus <= v.busFrom) return false;
    this.table.update(v.start, v.end, (p) => ({ ...p, busFrom: bus, flags: p.flags | VMA_FLAG.LAZY }));
    if (v.start < HIGH_PAGE) setPerms(this.bytes, present(v), Math.min(bus, v.end), PERM.SLOW);
    return true;
  }

  // ---------------------------------------------------------------- code

  /** True when translated code lies on [start, end). */
  hasCode(start: number, end: number): boolean {
    if (start < HIGH_PAGE) return findCode(this.bytes, this.words, start, Math.min(end, HIGH_PAGE)) >= 0;
    return this.backing
      .runs(start, end)
      .some((r) => findCode(this.bytes, this.words, r.at / PAGE_SIZE, r.at / PAGE_SIZE + r.pages) >= 0);
  }

  /** Kills translated code on [start, end). World. */
  dropCode(start: number, end: number): void {
    if (start < HIGH_PAGE) {
      this.dropLowCode(start, Math.min(end, HIGH_PAGE));
      return;
    }
    for (const r of this.backing.runs(start, end)) this.dropLowCode(r.at / PAGE_SIZE, r.at / PAGE_SIZE + r.pages);
  }

  private dropLowCode(start: number, end: number): void {
    const first = findCode(this.bytes, this.words, start, end);
    if (first >= 0) this.hooks.invalidate(first * PAGE_SIZE, (end - first) * PAGE_SIZE);
  }

  /** Backs the pages [start, end) of the high mapping `v`, and some around them. */
  back(v: Vma, start: number, end: number, world: boolean): boolean | undefined {
    const shared = this.claim(v, start, end, world);
    if (shared === undefined) return undefined;
    const perm = permOf(v.prot);
    const fill =
      v.file === 0
        ? undefined
        : (run: Run): void => {
            this.read(v, run);
          };
    let chunk = LEAST_CHUNK;
    const near = Math.max(this.backing.runLength(start - 1), this.backing.runLength(end));
    while (chunk < MOST_CHUNK && chunk < near) chunk *= 2;
    const last = present(v);
    if (shared || this.isContended(v)) return this.backing.ensure(start, end, perm, world, fill);
    const whole = last - v.start <= WHOLE_PAGES;
    const from = whole ? v.start : Math.max(v.start, Math.floor(start / chunk) * chunk);
    const to = whole ? last : Math.min(last, Math.ceil(end / chunk) * chunk);
    const made = this.backing.ensure(from, to, perm, world, fill);
    return made === false ? this.backing.ensure(start, end, perm, world, fill) : made;
  }

  /** Reads the pages [start, end) of the low mapping `v` that are still absent, and some around them. */
  private readWindow(v: Vma, start: number, end: number, world: boolean): boolean | undefined {
    const shared = this.claim(v, start, end, world);
    if (shared === undefined) return undefined;
    const from = shared ? start : Math.max(v.start, Math.floor(start / WINDOW_PAGES) * WINDOW_PAGES);
    const to = shared ? end : Math.min(present(v), Math.ceil(end / WINDOW_PAGES) * WINDOW_PAGES);
    const absent = this.stretches(from, to, (perm) => (perm & PERM.SLOW) !== 0);
    // A fetch may have failed here: that it does is translated too.
    if (absent.some((r) => findCode(this.bytes, this.words, r.page, r.page + r.pages) >= 0)) {
      if (!world) return undefined;
      this.dropLowCode(from, to);
    }
    for (const r of absent) {
      this.read(v, r);
      setPerms(this.bytes, r.page, r.page + r.pages, permOf(v.prot));
    }
    return true;
  }

  /** The pages [start, end) of `v` are about to be read from its file: other shared mappings of them lose theirs, and what they hold is in the file. True when there are any; undefined: World. */
  private claim(v: Vma, start: number, end: number, world: boolean): boolean | undefined {
    if (v.file === 0) return false;
    if (!isShared(v)) flushFile(this, v.file);
    if (aliasesOf(this, v, v.start, v.end).length === 0) return false;
    const aliases = aliasesOf(this, v, start, end).filter((o) => this.resident(o).length > 0);
    if (aliases.length > 0 && !world) return undefined;
    for (const o of aliases) takeAway(this, o);
    return true;
  }

  /** Stretches of low pages whose permission bytes `match`. */
  private stretches(start: number, end: number, match: (perm: number) => boolean): Run[] {
    const list: { page: number; pages: number; at: number }[] = [];
    for (let page = start; page < end; page++) {
      if (!match(this.bytes[PERM_TABLE + page] ?? 0)) continue;
      const last = list.at(-1);
      if (last !== undefined && last.page + last.pages === page) last.pages++;
      else list.push({ page, pages: 1, at: page * PAGE_SIZE });
    }
    return list;
  }
}

/** What RLIMIT_DATA counts: private mappings to be written to, but for stacks. */
export const isData = (prot: number, flags: number): boolean =>
  (prot & PROT.WRITE) !== 0 && (flags & (MAP.TYPE | MAP.GROWSDOWN)) === MAP.PRIVATE;

/** First page of `v` that lies past its file's end; its own end when none does. */
export function present(v: Vma): number {
  return Math.max(v.start, Math.min(v.end, v.busFrom));
}
