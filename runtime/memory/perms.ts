/**
 * The permission bytes: one a page, with bits derived from the page and the next. In: page ranges. Out: bytes in the permission table.
 * All changes of a page go through here, so that RFAST and WFAST of the page before it follow. Source: src/guest/memory-map.ts, DESIGN.md section 5.
 *
 * setPerms is called under PCB.MM_LOCK, for pages that no thread uses (fresh ones), with the world stopped, or to add permissions. setCode may run in any thread at the same time;
 * so every byte that both may write is changed by compare-and-exchange.
 */
import { GUEST_PAGES, PAGE_TBS, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { PROT } from './mman.js';

const BASE = PERM.R | PERM.W | PERM.X | PERM.CODE | PERM.SLOW;

/** PERM bits of PROT bits. A page that can be written or executed can be read, as on x86. */
export function permOf(prot: number): number {
  return (
    ((prot & (PROT.READ | PROT.WRITE | PROT.EXEC)) !== 0 ? PERM.R : 0) |
    ((prot & PROT.WRITE) !== 0 ? PERM.W : 0) |
    ((prot & PROT.EXEC) !== 0 ? PERM.X : 0)
  );
}

/** Sets the permissions (R W X SLOW bits) of pages [start, end); CODE stays on pages that keep X. */
export function setPerms(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number, perm: number): void {
  if (start >= end) return;
  if ((perm & PERM.X) !== 0) {
    for (let page = start; page < end; page++) {
      const at = PERM_TABLE + page;
      for (;;) {
        const old = Atomics.load(bytes, at);
        if (Atomics.compareExchange(bytes, at, old, (old & ~BASE) | perm | (old & PERM.CODE)) === old) break;
      }
    }
    derive(bytes, Math.max(0, start - 1), end);
    return;
  }
  // A gigabyte is 262,144 pages: 0.2 ms by fill, 7 ms by compare-and-exchange.
  bytes.fill(perm | fastBits(perm, perm), PERM_TABLE + start, PERM_TABLE + end - 1);
  Atomics.store(bytes, PERM_TABLE + end - 1, perm);
  derive(bytes, end - 1, end);
  if (start > 0) derive(bytes, start - 1, start);
}

/** Marks a page as holding translated code, or not. For guest pages above GUEST_END, `page` is the backing page. */
export function setCode(bytes: Uint8Array<SharedArrayBuffer>, page: number, on: boolean): void {
  if (on) Atomics.or(bytes, PERM_TABLE + page, PERM.CODE);
  else Atomics.and(bytes, PERM_TABLE + page, ~PERM.CODE);
  derive(bytes, Math.max(0, page - 1), page + 1);
}

/** Clears CODE as setCode does. */
export function clearCode(bytes: Uint8Array<SharedArrayBuffer>, page: number): void {
  setCode(bytes, page, false);
}

/** First page of [start, end) that has TBs, marked CODE or checking themselves; -1 none. */
export function findCode(
  bytes: Uint8Array<SharedArrayBuffer>,
  words: Int32Array<SharedArrayBuffer>,
  start: number,
  end: number,
): number {
  for (let page = start; page < end; page++)
    if (((bytes[PERM_TABLE + page] ?? 0) & PERM.CODE) !== 0 || words[PAGE_TBS / 4 + page] !== 0) return page;
  return -1;
}

function fastBits(here: number, next: number): number {
  const both = here & next;
  if (((here | next) & PERM.SLOW) !== 0) return 0;
  return (
    ((both & PERM.R) !== 0 ? PERM.RFAST : 0) |
    ((both & PERM.W) !== 0 && ((here | next) & PERM.CODE) === 0 ? PERM.WFAST : 0)
  );
}

/** Recomputes RFAST and WFAST of pages [start, end). Repeats when a byte changes under it. */
function derive(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
  for (let page = start; page < end; page++) {
    const at = PERM_TABLE + page;
    for (;;) {
      const here = Atomics.load(bytes, at);
      const next = page + 1 < GUEST_PAGES ? Atomics.load(bytes, at + 1) : 0;
      const wanted = (here & BASE) | fastBits(here, next);
      if (Atomics.compareExchange(bytes, at, here, wanted) !== here) continue;
      if (page + 1 >= GUEST_PAGES || ((Atomics.load(bytes, at + 1) ^ next) & BASE) === 0) break;
    }
  }
}
