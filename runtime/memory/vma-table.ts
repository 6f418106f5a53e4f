/**
 * The mappings of a guest process, in shared memory: sorted, not overlapping. In: page ranges. Out: entries. The caller holds PCB.MM_LOCK.
 * Entry (i32 x 8): first page, end page, prot, flags, file (index into MAPPED_FILES, 0 none), page of the file at the first page, first page past the file's end, tag.
 */
import { PCB, PCB_BASE, VMA_BYTES, VMA_MAX, VMA_TABLE } from '../../src/guest/memory-map.js';

export interface Vma {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly flags: number;
  readonly file: number;
  readonly filePage: number;
  /** Pages from here on lie past the file's end: SIGBUS. `end` or more: none. */
  readonly busFrom: number;
  readonly tag: number;
}

export const TAG = { NONE: 0, HEAP: 1, STACK: 2 } as const;

const WORDS = VMA_BYTES / 4;
const COUNT = (PCB_BASE + PCB.MM_AREA) / 4;
const FIRST = VMA_TABLE / 4;

export class VmaTable {
  constructor(private readonly words: Int32Array<SharedArrayBuffer>) {}

  get count(): number {
    return this.words[COUNT] ?? 0;
  }

  at(i: number): Vma {
    const w = FIRST + i * WORDS;
    const get = (k: number): number => this.words[w + k] ?? 0;
    return {
      start: get(0),
      end: get(1),
      prot: get(2),
      flags: get(3),
      file: get(4),
      filePage: get(5),
      busFrom: get(6),
      tag: get(7),
    };
  }

  /** Index of the first entry whose end is past `page`; count when there is none. */
  find(page: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((this.words[FIRST + mid * WORDS + 1] ?? 0) > page) high = mid;
      else low = mid + 1;
    }
    return low;
  }

  /** The entry that covers `page`. */
  covering(page: number): Vma | undefined {
    const i = this.find(page);
    if (i >= this.count) return undefined;
    const v = this.at(i);
    return v.start <= page ? v : undefined;
  }

  /** Entries that overlap [start, end), in order. */
  overlapping(start: number, end: number): Vma[] {
    const list: Vma[] = [];
    for (let i = this.find(start); i < this.count; i++) {
      const v = this.at(i);
      if (v.start >= end) break;
      list.push(v);
    }
    return list;
  }

  all(): Vma[] {
    return Array.from({ length: this.count }, (_, i) => this.at(i));
  }

  get full(): boolean {
    return this.count > VMA_MAX - 4;
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
    const { words } = this;
    const count = this.count;
    words.copyWithin(FIRST + (start + merged.length) * WORDS, FIRST + end * WORDS, FIRST + count * WORDS);
    merged.forEach((v, i) => {
      words.set([v.start, v.end, v.prot, v.flags, v.file, v.filePage, v.busFrom, v.tag], FIRST + (start + i) * WORDS);
    });
    words[COUNT] = count - (end - start) + merged.length;
  }
}

function cut(v: Vma, start: number, end: number): Vma {
  return { ...v, start, end, filePage: v.filePage + (start - v.start) };
}

function mergeable(a: Vma, b: Vma): boolean {
  if (a.end !== b.start || a.prot !== b.prot || a.flags !== b.flags || a.file !== b.file || a.tag !== b.tag)
    return false;
  return a.file === 0 || (a.filePage + (a.end - a.start) === b.filePage && a.busFrom >= a.end);
}
