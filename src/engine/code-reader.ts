/**
 * Instruction fetch: bytes of executable guest pages for the decoder. In: the shared memory. Out: a CodeReader (frontend/x86-64/decoder.ts).
 * Guest pages above GUEST_END are reached through `highPage` (runtime/memory's radix table), two pages at a time through a copy.
 */
import { GUEST_END, PAGE_SIZE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import type { MemoryViews } from './memory-views.js';

/** Backing address of an executable high page (number); undefined when it is not mapped executable. */
export type HighPage = (page: number) => number | undefined;

export class GuestCodeReader {
  bytes: Uint8Array;
  /** Guest address of bytes[0]. */
  base = 0;

  constructor(
    private readonly views: MemoryViews,
    private readonly highPage: HighPage,
  ) {
    this.bytes = views.u8;
  }

  /** Bytes that can be fetched from `addr` on, up to two pages; 0 when its page is not executable. Moves the window where needed. */
  readable(addr: number): number {
    if (addr >= GUEST_END) return this.readableHigh(addr);
    this.bytes = this.views.u8;
    this.base = 0;
    const page = Math.floor(addr / PAGE_SIZE);
    if (!this.executable(page)) return 0;
    const rest = PAGE_SIZE - (addr % PAGE_SIZE);
    return page + 1 < GUEST_END / PAGE_SIZE && this.executable(page + 1) ? rest + PAGE_SIZE : rest;
  }

  private executable(page: number): boolean {
    return (Atomics.load(this.views.u8, PERM_TABLE + page) & PERM.X) !== 0;
  }

  private readableHigh(addr: number): number {
    const page = Math.floor(addr / PAGE_SIZE);
    const first = this.highPage(page);
    if (first === undefined) return 0;
    const second = this.highPage(page + 1);
    const window = new Uint8Array(second === undefined ? PAGE_SIZE : 2 * PAGE_SIZE);
    window.set(this.views.u8.subarray(first, first + PAGE_SIZE));
    if (second !== undefined) window.set(this.views.u8.subarray(second, second + PAGE_SIZE), PAGE_SIZE);
    this.bytes = window;
    this.base = page * PAGE_SIZE;
    return window.length - (addr % PAGE_SIZE);
  }
}
