/**
 * The mappings of a guest process, in shared memory: sorted, not overlapping. In: page ranges. Out: entries. The caller holds PCB.MM_LOCK.
 * Entry (VMA_BYTES): f64 x 4 first page, end page, page of the file at the first page, first page past the file's end; i32 x 4 prot, flags, file (index into MAPPED_FILES, 0 none), tag.
 */
import { PCB, PCB_BASE, VMA_BYTES, VMA_MAX, VMA_TABLE } from '../../src/guest/memory-map.js';
import { GUARD_PAGES, MAP } from './mman.js';

export interface Vma {
  /** Page numbers, below 2**35. */
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  /** MAP_TYPE bits, MAP_GROWSDOWN, and VMA_FLAG. */
  readonly flags: number;
  readonly file: number;
  /** Page of the file at `start`; of a BACKING entry: the guest page that `start` backs. */
  readonly filePage: number;
  /** Pages from here on lie past the file's end: SIGBUS. `end` or more: none. */
  readonly busFrom: number;
  readonly tag: number;
}

export const TAG = {
  NONE: 0,
  HEAP: 1,
  STACK: 2,
  /** Not the guest's: pages below GUEST_END that back guest pages above it. */
  BACKING: 3,
  VVAR: 4,
  VDSO: 5,
} as const;

export const VMA_FLAG = {
  /** A shared mapping of a file that is not open for writing: mprotect must not make it writable. */
  NO_WRITE: 0x0100_0000,
  /** Pages are read from the file at their first touch. */
  LAZY: 0x0200_0000,
  /** A shared mapping of a file that is or was writable: written back. */
  WRITTEN: 0x0400_0000,
  /** A child of fork finds zeros there (MADV_WIPEONFORK), or nothing at all (MADV_DONTFORK). */
  WIPED: 0x0800_0000,
  NOT_FORKED: 0x1000_0000,
} as const;
/** `busFrom` where there is no end of file. */
export const NO_BUS = Infinity;

const DOUBLES = VMA_BYTES / 8;
const WORDS = VMA_BYTES / 4;
const COUNT = (PCB_BASE + PCB.MM_AREA) / 4;
const FIRST = VMA_TABLE / 8;
const FIRST_WORD = VMA_TABLE / 4;

export class VmaTable {
  private readonly words: Int32Array<SharedArrayBuffer>;
  private readonly doubles: Float64Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  get count(): number {
    return this.words[COUNT] ?? 0;
  }

  at(i: number): Vma {
    const d = FIRST + i * DOUBLES;
    const w = FIRST_WORD + i * WORDS + 8;
    return {
      start: this.doubles[d] ?? 0,
      end: this.doubles[d + 1] ?? 0,
      filePage: this.doubles[d + 2] ?? 0,
      busFrom: this.doubles[d + 3] ?? 0,
      prot: this.words[w] ?? 0,
      flags: this.words[w + 1] ?? 0,
      file: this.words[w + 2] ?? 0,
      tag: this.words[w + 3] ?? 0,
    };
  }

  /** Index of the first entry whose end is past `page`; count when there is none. */
  find(page: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.endOf(mid) > page) high = mid;
      else low = mid + 1;
    }
    return low;
  }

  /** The entry that covers `page`. */
  covering(page: number): Vma | undefined {
    const i = this.find(page);
    return i < this.count && this.startOf(i) <= page ? this.at(i) : undefined;
  }

  /** The first entry that ends past `page`, whether it covers it or not. */
  next(page: number): Vma | undefined {
    const i = this.find(page);
    return i < this.count ? this.at(i) : undefined;
  }

  /** The last entry that starts before `page`. */
  before(page: number): Vma | undefined {
    const i = this.find(page - 1);
    if (i < this.count && this.startOf(i) < page) return this.at(i);
    return i > 0 ? this.at(i - 1) : undefined;
  }

  /** Entries that overlap [start, end), in order. */
  overlapping(start: number, end: number): Vma[] {
    const list: Vma[] = [];
    for (let i = this.find(start), count = this.count; i < count && this.startOf(i) < end; i++) list.push(this.at(i));
    return list;
  }

  /** True when nothing lies in [start, end). */
  free(start: number, end: number): boolean {
    const i = this.find(start);
    return i >= this.count || this.startOf(i) >= end;
  }

  all(): Vma[] {
    return Array.from({ length: this.count }, (_, i) => this.at(i));
  }

  /** Entries of files that `wanted` says yes to, in order. */
  ofFiles(wanted: (file: number) => boolean): Vma[] {
    const list: Vma[] = [];
    for (let i = 0, count = this.count; i < count; i++) {
      const file = this.words[FIRST_WORD + i * WORDS + 10] ?? 0;
      if (file !== 0 && wanted(file)) list.push(this.at(i));
    }
    return list;
  }

  /** True when an entry names file `file`. */
  names(file: number): boolean {
    for (let i = 0, count = this.count; i < count; i++)
      if (this.words[FIRST_WORD + i * WORDS + 10] === file) return true;
    return false;
  }

  get full(): boolean {
    return this.count > VMA_MAX - 8;
  }

  /**
   * First page of the highest gap of `pages` pages in [bottom, top); -1 when there is none. A GROWSDOWN entry keeps its guard pages free.
   * @param avoid a range of pages that the gap must not touch
   */
  gap(pages: number, bottom: number, top: number, avoid?: { readonly start: number; readonly end: number }): number {
    const fit = (low: number, high: number): number => {
      if (high - low < pages) return -1;
      if (avoid === undefined || avoid.end <= low || avoid.start >= high) return high - pages;
      const above = fitPlain(Math.max(low, avoid.end), high, pages);
      return above >= 0 ? above : fitPlain(low, Math.min(high, avoid.start), pages);
    };
    let end = top;
    for (let i = Math.min(this.find(top), this.count - 1); i >= 0; i--) {
      if (this.startOf(i) >= end) continue;
      const at = fit(Math.max(this.endOf(i), bottom), end);
      if (at >= 0) return at;
      end = this.startOf(i);
      if (((this.words[FIRST_WORD + i * WORDS + 9] ?? 0) & MAP.GROWSDOWN) !== 0) end -= GUARD_PAGES;
      if (end <= bottom) return -1;
    }
    return fit(bottom, end);
  }

  /** Replaces what lies in [start, end) by `change` of each piece (undefined: a hole), splitting entries at the edges. */
  update(start: number, end: number, change: (piece: Vma) => Vma | undefined): void {
    const first = this.find(start);
    let last = first;
    const pieces: Vma[] = [];
    while (last < this.count) {
      const v = this.at(last);
      if (v.start >= end) break;
      last++;
      if (v.start < start) pieces.push({ ...v, end: start });
      const piece = change(cut(v, Math.max(v.start, start), Math.min(v.end, end)));
      if (piece !== undefined) pieces.push(piece);
      if (v.end > end) pieces.push(cut(v, end, v.end));
    }
    this.splice(first, last, pieces);
  }

  /** Adds an entry where nothing is. */
  insert(v: Vma): void {
    const i = this.find(v.start);
    this.splice(i, i, [v]);
  }

  private startOf(i: number): number {
    return this.doubles[FIRST + i * DOUBLES] ?? 0;
  }

  private endOf(i: number): number {
    return this.doubles[FIRST + i * DOUBLES + 1] ?? 0;
  }

  private splice(from: number, to: number, pieces: readonly Vma[]): void {
    // Neighbours that differ in nothing but their range become one, as Linux merges anonymous ones.
    const before = from > 0 ? [this.at(from - 1)] : [];
    const after = to < this.count ? [this.at(to)] : [];
    const merged: Vma[] = [];
    for (const v of [...before, ...pieces, ...after]) {
      const last = merged.at(-1);
      if (last !== undefined && mergeable(last, v))
        merged[merged.length - 1] = { ...last, end: v.end, busFrom: v.busFrom };
      else merged.push(v);
    }
    const start = from - before.length;
    const end = to + after.length;
    const { doubles, count } = this;
    if (start + merged.length !== end)
      doubles.copyWithin(FIRST + (start + merged.length) * DOUBLES, FIRST + end * DOUBLES, FIRST + count * DOUBLES);
    merged.forEach((v, i) => {
      doubles.set([v.start, v.end, v.filePage, v.busFrom], FIRST + (start + i) * DOUBLES);
      this.words.set([v.prot, v.flags, v.file, v.tag], FIRST_WORD + (start + i) * WORDS + 8);
    });
    this.words[COUNT] = count - (end - start) + merged.length;
  }
}

/** The part [start, end) of `v`. */
export function cut(v: Vma, start: number, end: number): Vma {
  return { ...v, start, end, filePage: v.filePage + (start - v.start) };
}

const fitPlain = (low: number, high: number, pages: number): number => (high - low >= pages ? high - pages : -1);

function mergeable(a: Vma, b: Vma): boolean {
  if (a.end !== b.start || a.prot !== b.prot || a.flags !== b.flags || a.file !== b.file || a.tag !== b.tag)
    return false;
  if (a.file === 0 && a.tag !== TAG.BACKING) return true;
  return a.filePage + (a.end - a.start) === b.filePage && a.busFrom >= a.end;
}
