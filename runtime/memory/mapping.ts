/**
 * mmap, mprotect and the growth of stacks, once their arguments are checked. In: page ranges. Out: addresses or negative errnos; undefined where the world must be stopped first.
 * Called by SpaceCore.attempt. Source: man 2 mmap, mprotect; man 7 pthreads (MAP_GROWSDOWN).
 */
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { EACCES, EEXIST, EINVAL, ENOMEM } from '../linux/errno.js';
import type { FileSource } from './mapped-files.js';
import { EAGER_BYTES, GUARD_PAGES, HIGH_PAGE, MAP, MIN_PAGE, pageOf, pagesOf, PROT } from './mman.js';
import { isData, present, type SpaceCore, WORD } from './space-core.js';
import { NO_BUS, TAG, type Vma, VMA_FLAG } from './vma-table.js';

export interface MmapRequest {
  /** Bytes. */
  readonly addr: number;
  readonly length: number;
  /** PROT bits, MAP bits. */
  readonly prot: number;
  readonly flags: number;
  /** A regular file of the host; absent for anonymous mappings. */
  readonly file?: Omit<FileSource, 'writable'> & {
    readonly offset: number;
    /** Bytes of the file. */
    readonly size: number;
    /** Open for reading and writing; false by default. */
    readonly writable?: boolean;
    /** A new file that the mapping alone leads to, all zero (MAP_ANONYMOUS). */
    readonly nameless?: boolean;
    /** A System V segment: no descriptor leads to it. */
    readonly segment?: boolean;
  };
  /** TAG of the mapping. */
  readonly tag?: number;
}

export function map(core: SpaceCore, r: MmapRequest, world: boolean): number | undefined {
  const { table } = core;
  const pages = pagesOf(r.length);
  const fixed = (r.flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0;
  if (table.full || !core.mayGrow(pages, isData(r.prot, r.flags))) return -ENOMEM;
  const start = fixed ? pageOf(r.addr) : core.place(r.addr, pages, r.flags, r.prot);
  const end = start + pages;
  if (start < 0 || !core.allowed(start, end)) return -ENOMEM;
  if ((r.flags & MAP.FIXED_NOREPLACE) !== 0 && core.pieces(start, end).length > 0) return -EEXIST;
  if (!table.free(start, end) || core.hasCode(start, end)) {
    if (!world) return undefined;
    if (!core.makeRoom(start, end)) return -ENOMEM;
  }
  const v = newVma(core, r, start, end);
  if (v === undefined) return -ENOMEM;
  core.add(v, r.file === undefined || r.file.nameless === true ? -1 : r.file.hostFd);
  // Where the host gives us no descriptor for later, high pages are read at once.
  const now = (r.flags & MAP.POPULATE) !== 0 || (start >= HIGH_PAGE && v.file !== 0 && core.files.hostFd(v.file) < 0);
  if (now) core.materialise(start, present(v), world, false);
  return start * PAGE_SIZE;
}

function newVma(core: SpaceCore, r: MmapRequest, start: number, end: number): Vma | undefined {
  const shared = (r.flags & MAP.TYPE) !== MAP.PRIVATE;
  const flags = (shared ? MAP.SHARED : MAP.PRIVATE) | (r.flags & MAP.GROWSDOWN);
  const { file } = r;
  if (file === undefined) return anonymous(start, end, r.prot & 7, flags, r.tag);
  const writable = shared && file.writable === true;
  const index = core.files.intern({ hostFd: file.hostFd, path: file.path, writable });
  if (index === 0) return undefined;
  const bytes = Math.max(0, file.size - file.offset);
  const large = file.nameless !== true && Math.min(bytes, r.length) > EAGER_BYTES;
  const lazy = start >= HIGH_PAGE || (large && core.files.hostFd(index) >= 0);
  if (shared) {
    core.setWord(WORD.SHARED, 1);
    if (!enterShared(core, index, file.nameless === true || file.segment === true)) return undefined;
  }
  return {
    start,
    end,
    prot: r.prot & 7,
    flags:
      flags |
      (lazy ? VMA_FLAG.LAZY : 0) |
      (shared && !writable ? VMA_FLAG.NO_WRITE : 0) |
      (writable && (r.prot & PROT.WRITE) !== 0 ? VMA_FLAG.WRITTEN : 0),
    file: index,
    filePage: file.offset / PAGE_SIZE,
    busFrom: start + pagesOf(bytes),
    tag: r.tag ?? TAG.NONE,
  };
}

/** The others learn that this address space maps file `index`. False when there are too many such files. */
function enterShared(core: SpaceCore, index: number, nameless: boolean): boolean {
  const { sharing, files } = core;
  if (sharing === undefined || files.hostFd(index) < 0) return true;
  const { device, inode } = files.get(index);
  const object = sharing.objects.enter({ dev: device, ino: inode }, sharing.mm, nameless);
  if (object !== 0) files.setObject(index, object);
  return object !== 0;
}

export function anonymous(start: number, end: number, prot: number, flags: number, tag: number = TAG.NONE): Vma {
  return { start, end, prot, flags, file: 0, filePage: 0, busFrom: NO_BUS, tag };
}

/** Applies `prot` up to the first hole, as Linux does. */
export function protect(core: SpaceCore, from: number, end: number, prot: number, world: boolean): number | undefined {
  const first = core.covering(from);
  if (first === undefined) return -ENOMEM;
  if ((prot & PROT.GROWSDOWN) !== 0 && (first.flags & MAP.GROWSDOWN) === 0) return -EINVAL;
  if (core.table.full) return -ENOMEM;
  const start = (prot & PROT.GROWSDOWN) !== 0 ? first.start : from;
  const bits = prot & 7;
  const pieces = core.pieces(start, core.mappedUpTo(start, end));
  // A reduction must be seen by threads that have passed a check; and what the pages held as code, or not as code, is translated.
  const changesX = (v: Vma): boolean => ((v.prot ^ bits) & PROT.EXEC) !== 0 && core.hasCode(v.start, v.end);
  if (!world && pieces.some((v) => (v.prot & ~bits) !== 0 || changesX(v))) return undefined;
  for (const v of pieces) {
    if ((v.flags & VMA_FLAG.NO_WRITE) !== 0 && (bits & PROT.WRITE) !== 0) return -EACCES;
    if (world && changesX(v)) core.dropCode(v.start, v.end);
    // Only pages with W count as written to.
    if ((v.prot & ~bits & PROT.WRITE) !== 0) core.writeBack(v.start, v.end);
    const written =
      v.file !== 0 && (v.flags & MAP.TYPE) === MAP.SHARED && (bits & PROT.WRITE) !== 0 ? VMA_FLAG.WRITTEN : 0;
    core.table.update(v.start, v.end, (p) => ({ ...p, prot: bits, flags: p.flags | written }));
    core.applyPerms({ ...v, prot: bits });
  }
  return (pieces.at(-1)?.end ?? start) < end ? -ENOMEM : 0;
}

/** A page below a GROWSDOWN mapping has faulted: grows it down to there if it may. */
export function growDown(core: SpaceCore, page: number, world: boolean): 'retry' | 'maperr' | undefined {
  const { table } = core;
  const v = table.next(page);
  if (page < MIN_PAGE || v === undefined || v.start <= page || (v.flags & MAP.GROWSDOWN) === 0) return 'maperr';
  const below = table.before(page);
  const gap = below === undefined || below.prot === PROT.NONE ? 0 : GUARD_PAGES;
  if (v.end - page > core.stackPages || (below !== undefined && below.end + gap > page) || table.full) return 'maperr';
  if (!core.mayGrow(v.start - page, false)) return 'maperr';
  if (!core.allowed(page, v.end)) return 'maperr';
  if (core.hasCode(page, v.start)) {
    if (!world) return undefined;
    core.dropCode(page, v.start);
  }
  core.add({ ...v, start: page, end: v.start }, -1);
  return page >= HIGH_PAGE
    ? core.materialise(page, page + 1, world, true) === undefined
      ? undefined
      : 'retry'
    : 'retry';
}
