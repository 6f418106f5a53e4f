/**
 * The radix page table of guest pages at GUEST_END and above, as guard.ts walks it. In: guest page numbers. Out: leaf entries (backing page | permission byte << 24, 0 not present).
 * Readers need no lock: tables are zero before they are linked. Changes are made under PCB.MM_LOCK; entries lose permissions and tables are freed with the world stopped only.
 * Layout: src/guest/memory-map.ts.
 */
import {
  HIGH_MAP_BASE,
  HIGH_MAP_END,
  HIGH_STATE,
  HIGH_TABLE_BITS,
  HIGH_TABLE_SIZE,
  HIGH_TABLES,
} from '../../src/guest/memory-map.js';

const TABLE_BYTES = HIGH_TABLE_SIZE * 4;
const MASK = HIGH_TABLE_SIZE - 1;
const LEAF_SPAN = HIGH_TABLE_SIZE;
const MIDDLE_SPAN = HIGH_TABLE_SIZE * HIGH_TABLE_SIZE;
const PERM_SHIFT = 24;
const PAGE_MASK = (1 << PERM_SHIFT) - 1;
const TAKEN = HIGH_STATE / 4;
const FREE = TAKEN + 1;

export const entryPage = (entry: number): number => entry & PAGE_MASK;
export const entryPerm = (entry: number): number => entry >>> PERM_SHIFT;
export const makeEntry = (page: number, perm: number): number => (page | (perm << PERM_SHIFT)) >>> 0;

export class HighTable {
  private readonly words: Uint32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Uint32Array(buffer);
  }

  /** Entry of guest page `page`; 0: not present. */
  get(page: number): number {
    const leaf = this.leafOf(page);
    return leaf === 0 ? 0 : Atomics.load(this.words, leaf / 4 + (page & MASK));
  }

  /** Stores an entry that is not 0; `reserve` has made its table. */
  set(page: number, entry: number): void {
    Atomics.store(this.words, this.leafOf(page) / 4 + (page & MASK), entry);
  }

  /** Makes the tables of [start, end). False when there is no room for more. */
  reserve(start: number, end: number): boolean {
    for (let page = start; page < end; page = (Math.floor(page / LEAF_SPAN) + 1) * LEAF_SPAN) {
      const root = this.rootSlot(page);
      const middle = this.at(root) || this.link(root);
      if (middle === 0) return false;
      const slot = middle / 4 + middleIndex(page);
      if (this.at(slot) === 0 && this.link(slot) === 0) return false;
    }
    return true;
  }

  /** Calls `visit` for each present page of [start, end), in order. Skips what has no table. */
  each(start: number, end: number, visit: (page: number, entry: number) => void): void {
    const { words } = this;
    this.eachLeaf(start, end, (slot, from, to) => {
      const leaf = (words[slot] ?? 0) / 4;
      for (let page = from; page < to; page++) {
        const entry = words[leaf + (page & MASK)] ?? 0;
        if (entry !== 0) visit(page, entry);
      }
    });
  }

  /** Removes the entries of [start, end), and the tables that are empty then. With the world stopped. */
  remove(start: number, end: number): void {
    const { words } = this;
    this.eachLeaf(start, end, (slot, from, to) => {
      const table = words[slot] ?? 0;
      words.fill(0, table / 4 + (from & MASK), table / 4 + (from & MASK) + to - from);
      if (this.isEmpty(table)) this.unlink(slot, table);
    });
    const last = this.rootSlot(end - 1);
    for (let root = this.rootSlot(start); root <= last; root++) {
      const middle = words[root] ?? 0;
      if (middle !== 0 && this.isEmpty(middle)) this.unlink(root, middle);
    }
  }

  /** Calls `visit` for each leaf table of [start, end): its slot in the middle table, and the pages of the range that it holds. A million slots are looked at for 16 TiB: plain loads. */
  private eachLeaf(start: number, end: number, visit: (slot: number, from: number, to: number) => void): void {
    const { words } = this;
    for (let page = start; page < end;) {
      const stop = Math.min(end, (Math.floor(page / MIDDLE_SPAN) + 1) * MIDDLE_SPAN);
      const middle = words[this.rootSlot(page)] ?? 0;
      if (middle !== 0) {
        const last = middle / 4 + middleIndex(stop - 1);
        let slot = middle / 4 + middleIndex(page);
        for (let from = page; slot <= last; slot++) {
          const next = (Math.floor(from / LEAF_SPAN) + 1) * LEAF_SPAN;
          if (words[slot] !== 0) visit(slot, from, Math.min(next, stop));
          from = next;
        }
      }
      page = stop;
    }
  }

  private leafOf(page: number): number {
    const middle = this.at(this.rootSlot(page));
    return middle === 0 ? 0 : this.at(middle / 4 + middleIndex(page));
  }

  private rootSlot(page: number): number {
    return HIGH_MAP_BASE / 4 + Math.floor(page / MIDDLE_SPAN);
  }

  private at(slot: number): number {
    return Atomics.load(this.words, slot);
  }

  private isEmpty(table: number): boolean {
    for (let i = table / 4; i < table / 4 + HIGH_TABLE_SIZE; i++) if (this.words[i] !== 0) return false;
    return true;
  }

  /** A new, zero table in `slot`; its address, or 0. */
  private link(slot: number): number {
    let table = this.at(FREE);
    if (table !== 0) {
      this.words[FREE] = this.at(table / 4);
      this.words[table / 4] = 0;
    } else {
      const n = this.at(TAKEN);
      table = HIGH_TABLES + n * TABLE_BYTES;
      if (table + TABLE_BYTES > HIGH_MAP_END) return 0;
      this.words[TAKEN] = n + 1;
    }
    Atomics.store(this.words, slot, table);
    return table;
  }

  private unlink(slot: number, table: number): void {
    Atomics.store(this.words, slot, 0);
    this.words[table / 4] = this.at(FREE);
    this.words[FREE] = table;
  }
}

const middleIndex = (page: number): number => Math.floor(page / 2 ** HIGH_TABLE_BITS) & MASK;
