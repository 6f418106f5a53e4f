/**
 * Pages of shared files that an address space holds, as other processes ask for them. In: the tables, a shared file, a range of its pages. Out: what is held; pages given up.
 * A page that several processes map is either clean, and then any of them may have a copy without W in the permission table, or one has the only copy, with W, which may be dirty.
 * So the permission tables are the directory. The caller has the lock of sharing. Pages at GUEST_END and above are held with W, or not at all.
 */
import { PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { isShared, takeAway } from './aliases.js';
import { HIGH_PAGE } from './mman.js';
import { setPerms } from './perms.js';
import { present, type SpaceCore } from './space-core.js';
import { cut, type Vma } from './vma-table.js';

/** How a page is held. */
export const HELD = { NOT: 0, CLEAN: 1, ALONE: 2 } as const;

/** Pages [first, last) of a shared file. */
export interface PageRange {
  readonly object: number;
  readonly first: number;
  readonly last: number;
}

/** The parts of shared mappings that show the range. PCB.MM_LOCK. */
export function showing(core: SpaceCore, { object, first, last }: PageRange): Vma[] {
  const found: Vma[] = [];
  for (const v of core.table.ofFiles((file) => core.files.object(file) === object)) {
    const shift = v.start - v.filePage;
    const from = Math.max(v.start, first + shift);
    const to = Math.min(present(v), last + shift);
    if (isShared(v) && from < to) found.push(cut(v, from, to));
  }
  return found;
}

/** Raises `held`, a byte a page of the range, to what `core` holds. */
export function look(core: SpaceCore, range: PageRange, held: Uint8Array): void {
  core.locked(() => {
    for (const v of showing(core, range)) {
      for (const run of core.resident(v)) {
        for (let i = 0; i < run.pages; i++) {
          const at = v.filePage + run.page + i - v.start - range.first;
          const level = isAlone(core, run.page + i) ? HELD.ALONE : HELD.CLEAN;
          held[at] = Math.max(held[at] ?? 0, level);
        }
      }
    }
  });
}

/** Gives up the pages of the range: `all` of them, or else the right to write to them. What was stored is in the file then. */
export function giveUp(core: SpaceCore, range: PageRange, all: boolean): void {
  core.attempt((world) => {
    for (const v of showing(core, range)) {
      const held = core.resident(v).flatMap((run) => Array.from({ length: run.pages }, (_, i) => run.page + i));
      if (!(all ? held.length > 0 : held.some((page) => isAlone(core, page)))) continue;
      if (!world) return undefined;
      if (all || v.start >= HIGH_PAGE) takeAway(core, v);
      else weaken(core, v);
    }
    return true;
  });
}

const isAlone = (core: SpaceCore, page: number): boolean =>
  page >= HIGH_PAGE || ((core.bytes[PERM_TABLE + page] ?? 0) & PERM.W) !== 0;

/** The pages of `v`, low ones, are clean, and lose W. World. */
function weaken(core: SpaceCore, v: Vma): void {
  core.writeBack(v.start, v.end);
  const { bytes } = core;
  for (let page = v.start; page < v.end; page++) {
    const perm = bytes[PERM_TABLE + page] ?? 0;
    if ((perm & PERM.W) !== 0) setPerms(bytes, page, page + 1, perm & (PERM.R | PERM.X));
  }
}
