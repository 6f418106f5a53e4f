/**
 * Shared mappings that show the same pages of a file at several addresses. In: a mapping and a range of it. Out: one of them present at a time.
 * Each mapping has copies of the file's pages, so at most one copy of a page is in use: the others are absent, and the first access to one writes the copy in use back to the file, takes
 * it away and reads the file. A page that is used at two addresses in turn goes to and fro, with the world stopped each time. One instruction that needs a page at two addresses at
 * once (a copy within it from one mapping to the other) never gets both.
 * The caller holds PCB.MM_LOCK.
 */
import { PAGE_SIZE, PERM } from '../../src/guest/memory-map.js';
import { HIGH_PAGE, MAP } from './mman.js';
import { setPerms } from './perms.js';
import type { SpaceCore } from './space-core.js';
import { cut, type Vma, VMA_FLAG } from './vma-table.js';

export const isShared = (v: Vma): boolean => v.file !== 0 && (v.flags & MAP.TYPE) !== MAP.PRIVATE;

/** The parts of other shared mappings that show the pages [start, end) of `v`. */
export function aliasesOf(core: SpaceCore, v: Vma, start: number, end: number): Vma[] {
  if (!isShared(v) || !core.sharesFiles) return [];
  const { device, inode } = core.files.get(v.file);
  const first = v.filePage + start - v.start;
  const last = first + end - start;
  const found: Vma[] = [];
  for (const o of core.table.ofFiles((file) => core.files.is(file, device, inode))) {
    if (!isShared(o)) continue;
    const from = Math.max(o.start, o.start + first - o.filePage);
    const to = Math.min(o.end, o.start + last - o.filePage);
    if (from < to && !(from >= v.start && to <= v.end)) found.push(cut(o, from, to));
  }
  return found;
}

/** Makes the pages of `o` absent; stores through them are in the file then. World. */
export function takeAway(core: SpaceCore, o: Vma): void {
  core.writeBack(o.start, o.end);
  forget(core, o);
}

/** Makes the pages of `o` absent, whatever they hold. World. */
export function forget(core: SpaceCore, o: Vma): void {
  core.dropCode(o.start, o.end);
  if (o.start >= HIGH_PAGE) {
    core.backing.release(o.start, o.end);
    return;
  }
  const runs = core.resident(o);
  const whole = core.table.covering(o.start) ?? o;
  // From here on SLOW tells which of its pages are absent.
  core.table.update(whole.start, whole.end, (p) => ({ ...p, flags: p.flags | VMA_FLAG.LAZY }));
  for (const r of runs) setPerms(core.bytes, r.at / PAGE_SIZE, r.at / PAGE_SIZE + r.pages, PERM.SLOW);
}

/** Stores through shared mappings of file `file` to it: before its pages are read for another mapping. */
export function flushFile(core: SpaceCore, file: number): void {
  if (file === 0 || !core.sharesFiles) return;
  const { device, inode } = core.files.get(file);
  for (const v of core.table.ofFiles((other) => core.files.is(other, device, inode))) core.writeBack(v.start, v.end);
}
