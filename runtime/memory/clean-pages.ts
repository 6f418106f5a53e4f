/**
 * Pages that read as zero when they are mapped again. In: page numbers below GUEST_END (physical: for mappings above it, of the backing). Out: zeroed memory, PAGE_USED bytes.
 * PAGE_USED of a page is 1 once it has been mapped writable or filled from a file, until it is zeroed.
 */
import { PAGE_SIZE, PAGE_USED } from '../../src/guest/memory-map.js';
import { CHUNK, isZero, zeroFill } from './zero.js';

/** Ranges of up to this many bytes are zeroed without a look: that costs as much as the zeroing. */
const SMALL = 65536;

/** Makes pages [start, end) read as zero. */
export function zeroPages(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
  const used = bytes.subarray(PAGE_USED + start, PAGE_USED + end);
  for (let from = used.indexOf(1); from >= 0; from = used.indexOf(1, from)) {
    const zero = used.indexOf(0, from);
    const to = zero < 0 ? used.length : zero;
    zeroBytes(bytes, (start + from) * PAGE_SIZE, (start + to) * PAGE_SIZE);
    used.fill(0, from, to);
  }
}

/** Copies pages to others that are zero and used by no one. What has never been used is not read. */
export function copyPages(bytes: Uint8Array<SharedArrayBuffer>, from: number, to: number, pages: number): void {
  const used = bytes.subarray(PAGE_USED + from, PAGE_USED + from + pages);
  for (let start = used.indexOf(1); start >= 0; start = used.indexOf(1, start)) {
    const zero = used.indexOf(0, start);
    const end = zero < 0 ? pages : zero;
    bytes.copyWithin((to + start) * PAGE_SIZE, (from + start) * PAGE_SIZE, (from + end) * PAGE_SIZE);
    markUsed(bytes, to + start, to + end);
    start = end;
  }
}

/** Marks pages [start, end) as possibly holding something else than zeros. */
export function markUsed(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
  bytes.fill(1, PAGE_USED + start, PAGE_USED + end);
}

/** Number of used pages in [start, end). */
export function countUsed(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): number {
  let n = 0;
  for (let at = PAGE_USED + start; at < PAGE_USED + end; at++) n += bytes[at] ?? 0;
  return n;
}

/**
 * Large ranges are read first and written only where they hold something: most of a thread's stack, say, has never been touched, and writing zeros to it would make
 * the host allocate it (64 MiB: 11 ms to compare, 38 ms and 64 MiB of memory to fill).
 */
function zeroBytes(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
  if (end - start <= SMALL) {
    zeroFill(bytes, start, end);
    return;
  }
  for (let at = start; at < end; at += CHUNK) {
    const n = Math.min(CHUNK, end - at);
    if (!isZero(bytes, at, n)) zeroFill(bytes, at, at + n);
  }
}
