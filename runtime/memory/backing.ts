/**
 * Backing of guest pages at GUEST_END and above: free pages below it, taken when a high page is first touched. In: guest page ranges. Out: entries of the radix table.
 * A run is a stretch of guest pages with adjacent backing; it is one BACKING entry of the VMA table. Invariant: guest pages that are adjacent and present have adjacent backing pages,
 * so that an access, or a system call's buffer, that is checked once can be reached from its first byte. Runs that come to touch are joined by moving, which needs the world stopped.
 * The caller holds PCB.MM_LOCK.
 */
import { PAGE_SIZE, PERM } from '../../src/guest/memory-map.js';
import { copyPages, markUsed, zeroPages } from './clean-pages.js';
import { entryPage, entryPerm, HighTable, makeEntry } from './high-table.js';
import { MIN_PAGE } from './mman.js';
import { NO_BUS, TAG, type Vma, type VmaTable } from './vma-table.js';

/** Pages [page, page + pages) of the guest lie at bytes [at, ...) of the memory. */
export interface Run {
  readonly page: number;
  readonly pages: number;
  readonly at: number;
}

/** Writes the contents of fresh, zeroed pages. */
export type Fill = (run: Run) => void;

/** Most pages of growth that a new run finds free behind it. */
const MOST_SLACK = 16384;

export interface BackingParts {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly table: VmaTable;
  /** First page that is not ours to give out. */
  readonly top: () => number;
  /** Kills translated code on these pages below GUEST_END. With the world stopped. */
  readonly dropCode: (start: number, end: number) => void;
}

export class Backing {
  readonly entries: HighTable;

  constructor(private readonly parts: BackingParts) {
    this.entries = new HighTable(parts.bytes.buffer);
  }

  /** The present pages of [start, end). */
  runs(start: number, end: number): Run[] {
    const list: { page: number; pages: number; at: number }[] = [];
    this.entries.each(start, end, (page, entry) => {
      const last = list.at(-1);
      if (last !== undefined && last.page + last.pages === page) last.pages++;
      else list.push({ page, pages: 1, at: entryPage(entry) * PAGE_SIZE });
    });
    return list;
  }

  /** Pages of the run that `page` belongs to; 0: not present. */
  runLength(page: number): number {
    const v = this.runOf(page);
    return v === undefined ? 0 : v.end - v.start;
  }

  /**
   * Makes all of [start, end) present, new pages with permissions `perm`. False when there is no memory; undefined when the world must be stopped for it and is not.
   */
  ensure(start: number, end: number, perm: number, world: boolean, fill?: Fill): boolean | undefined {
    const gaps = this.gaps(start, end);
    if (gaps.length === 0) return true;
    const runs = this.touching(start, end);
    const from = Math.min(start, runs[0]?.filePage ?? start);
    const last = runs.at(-1);
    const to = Math.max(end, last === undefined ? end : last.filePage + last.end - last.start);
    const base = this.choose(runs, from, to - from);
    if (base < 0) return false;
    const moves = runs.filter((r) => r.start !== base + r.filePage - from);
    if (moves.length > 0 && !world) return undefined;
    if (!this.entries.reserve(start, end)) return false;
    const { bytes, table } = this.parts;
    for (const gap of gaps) {
      const page = base + gap.start - from;
      zeroPages(bytes, page, page + gap.end - gap.start);
      if (fill !== undefined) markUsed(bytes, page, page + gap.end - gap.start);
      fill?.({ page: gap.start, pages: gap.end - gap.start, at: page * PAGE_SIZE });
    }
    for (const r of moves) this.copy(r, base + r.filePage - from);
    for (const r of runs) table.update(r.start, r.end, () => undefined);
    table.insert(backingVma(base, base + to - from, from));
    for (const gap of gaps) {
      for (let page = gap.start; page < gap.end; page++) this.entries.set(page, makeEntry(base + page - from, perm));
      if ((perm & PERM.W) !== 0) markUsed(bytes, base + gap.start - from, base + gap.end - from);
    }
    return true;
  }

  /** New permissions for the present pages of [start, end). */
  protect(start: number, end: number, perm: number): void {
    this.entries.each(start, end, (page, entry) => {
      this.entries.set(page, makeEntry(entryPage(entry), perm));
      if ((perm & PERM.W) !== 0) markUsed(this.parts.bytes, entryPage(entry), entryPage(entry) + 1);
    });
  }

  /** Gives the backing of [start, end) back. With the world stopped. */
  release(start: number, end: number): void {
    for (const r of this.runs(start, end)) {
      const page = r.at / PAGE_SIZE;
      this.parts.dropCode(page, page + r.pages);
      this.parts.table.update(page, page + r.pages, () => undefined);
    }
    this.entries.remove(start, end);
  }

  /** Moves backing out of pages [start, end) below GUEST_END, which a mapping of the guest wants. False when there is no room. With the world stopped. */
  vacate(start: number, end: number): boolean {
    const { table } = this.parts;
    for (const r of table.overlapping(start, end)) {
      if (r.tag !== TAG.BACKING) continue;
      const pages = r.end - r.start;
      const to = table.gap(pages, MIN_PAGE, this.parts.top(), { start, end });
      if (to < 0) return false;
      this.copy(r, to);
      table.update(r.start, r.end, () => undefined);
      table.insert(backingVma(to, to + pages, r.filePage));
    }
    return true;
  }

  /** Absent stretches of [start, end). */
  private gaps(start: number, end: number): { start: number; end: number }[] {
    const list: { start: number; end: number }[] = [];
    let at = start;
    for (const r of this.runs(start, end)) {
      if (r.page > at) list.push({ start: at, end: r.page });
      at = r.page + r.pages;
    }
    if (at < end) list.push({ start: at, end });
    return list;
  }

  /** BACKING entries of the runs in, before and behind [start, end), by guest page. */
  private touching(start: number, end: number): Vma[] {
    const list: Vma[] = [];
    for (const r of this.runs(start - 1, end + 1)) {
      const v = this.runOf(r.page);
      if (v !== undefined) list.push(v);
    }
    return list;
  }

  private runOf(page: number): Vma | undefined {
    const entry = this.entries.get(page);
    return entry === 0 ? undefined : this.parts.table.covering(entryPage(entry));
  }

  /** Where a run of `pages` pages from guest page `from` is to lie: around the largest of `runs` if the pages there are free, so that it need not move. -1: nowhere. */
  private choose(runs: readonly Vma[], from: number, pages: number): number {
    const { table, top } = this.parts;
    let largest = runs[0];
    for (const r of runs) if (largest === undefined || r.end - r.start > largest.end - largest.start) largest = r;
    if (largest !== undefined) {
      const base = largest.start - (largest.filePage - from);
      if (
        base >= MIN_PAGE &&
        base + pages <= top() &&
        table.free(base, largest.start) &&
        table.free(largest.end, base + pages)
      )
        return base;
    }
    const roomy = table.gap(pages + Math.min(pages, MOST_SLACK), MIN_PAGE, top());
    return roomy >= 0 ? roomy : table.gap(pages, MIN_PAGE, top());
  }

  /** Copies the pages of run `r` to `to` and points their entries there. */
  private copy(r: Vma, to: number): void {
    const { bytes } = this.parts;
    this.parts.dropCode(r.start, r.end);
    const pages = r.end - r.start;
    zeroPages(bytes, to, to + pages);
    copyPages(bytes, r.start, to, pages);
    for (let i = 0; i < pages; i++) {
      const page = r.filePage + i;
      this.entries.set(page, makeEntry(to + i, entryPerm(this.entries.get(page))));
    }
  }
}

function backingVma(start: number, end: number, guestPage: number): Vma {
  return { start, end, prot: 0, flags: 0, file: 0, filePage: guestPage, busFrom: NO_BUS, tag: TAG.BACKING };
}
