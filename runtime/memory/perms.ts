/**
 * The permission bytes: one a page, with bits derived from the page and the next. In: page ranges. Out: bytes in the permission table.
 * All changes of a page go through here, so that RFAST and WFAST of the page before it follow. Source: src/guest/memory-map.ts, DESIGN.md section 5.
 */
import { GUEST_PAGES, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';

const BASE = PERM.R | PERM.W | PERM.X | PERM.CODE | PERM.SLOW;

/** Sets the permissions (R W X SLOW bits) of pages [start, end); CODE stays on pages that keep X. */
export function setPerms(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number, perm: number): void {
  for (let page = start; page < end; page++) {
    const at = PERM_TABLE + page;
    for (;;) {
      const old = Atomics.load(bytes, at);
      const code = (perm & PERM.X) !== 0 ? old & PERM.CODE : 0;
      if (Atomics.compareExchange(bytes, at, old, (old & ~BASE) | perm | code) === old) break;
    }
  }
  derive(bytes, Math.max(0, start - 1), end);
}

/** Marks a page as holding translated code, or not. */
export function setCode(bytes: Uint8Array<SharedArrayBuffer>, page: number, on: boolean): void {
  if (on) Atomics.or(bytes, PERM_TABLE + page, PERM.CODE);
  else Atomics.and(bytes, PERM_TABLE + page, ~PERM.CODE);
  derive(bytes, Math.max(0, page - 1), page + 1);
}

/** Recomputes RFAST and WFAST of pages [start, end). Repeats when a byte changes under it. */
function derive(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
  for (let page = start; page < end; page++) {
    const at = PERM_TABLE + page;
    for (;;) {
      const here = Atomics.load(bytes, at);
      const next = page + 1 < GUEST_PAGES ? Atomics.load(bytes, at + 1) : 0;
      const both = here & next;
      const slow = (here | next) & PERM.SLOW;
      const code = (here | next) & PERM.CODE;
      const fast =
        ((both & PERM.R) !== 0 && slow === 0 ? PERM.RFAST : 0) |
        ((both & PERM.W) !== 0 && slow === 0 && code === 0 ? PERM.WFAST : 0);
      const wanted = (here & BASE) | fast;
      if (here === wanted) break;
      if (Atomics.compareExchange(bytes, at, here, wanted) === here && Atomics.load(bytes, at + 1) === next) break;
    }
  }
}
