/**
 * mremap. In: the arguments. Out: the new address, or a negative errno. Source: man 2 mremap.
 */
import { PAGE_SIZE, PERM } from '../../src/guest/memory-map.js';
import { EFAULT, EINVAL, ENOMEM } from '../linux/errno.js';
import { isShared } from './aliases.js';
import { copyPages, zeroPages } from './clean-pages.js';
import { HIGH_PAGE, MAP, MIN_PAGE, MREMAP, pageOf, pagesOf, USER_PAGES } from './mman.js';
import { permOf, setPerms } from './perms.js';
import { isData, present, type SpaceCore } from './space-core.js';
import { cut, type Vma, VMA_FLAG } from './vma-table.js';

interface Request {
  readonly start: number;
  readonly oldPages: number;
  readonly newPages: number;
  readonly flags: number;
  /** First page asked for with MREMAP_FIXED. */
  readonly target: number;
}

export function mremap(
  core: SpaceCore,
  addr: number,
  oldLength: number,
  newLength: number,
  flags: number,
  newAddr: number,
): number {
  const fixed = (flags & MREMAP.FIXED) !== 0;
  if (addr % PAGE_SIZE !== 0 || newLength <= 0 || (flags & ~7) !== 0) return -EINVAL;
  if ((flags & (MREMAP.FIXED | MREMAP.DONTUNMAP)) !== 0 && (flags & MREMAP.MAYMOVE) === 0) return -EINVAL;
  const r: Request = {
    start: pageOf(addr),
    oldPages: pagesOf(oldLength),
    newPages: pagesOf(newLength),
    flags,
    target: pageOf(newAddr),
  };
  if (!(r.newPages < USER_PAGES) || !(r.oldPages < USER_PAGES)) return -EINVAL;
  if ((flags & MREMAP.DONTUNMAP) !== 0 && r.oldPages !== r.newPages) return -EINVAL;
  if (fixed) {
    if (newAddr % PAGE_SIZE !== 0 || r.target < MIN_PAGE || r.target + r.newPages > USER_PAGES) return -EINVAL;
    if (r.start < r.target + r.newPages && r.target < r.start + r.oldPages) return -EINVAL;
  }
  return core.attempt((world) => remap(core, r, world));
}

function remap(core: SpaceCore, r: Request, world: boolean): number | undefined {
  const v = core.covering(r.start);
  if (v === undefined) return -EFAULT;
  // An old size of 0 is a second view of shared pages.
  if (r.oldPages === 0 && ((v.flags & MAP.TYPE) === MAP.PRIVATE || (r.flags & MREMAP.MAYMOVE) === 0)) return -EINVAL;
  const stay = (r.flags & (MREMAP.FIXED | MREMAP.DONTUNMAP)) === 0;
  if (stay && r.newPages <= r.oldPages) {
    if (r.newPages === r.oldPages) return r.start * PAGE_SIZE;
    if (!world) return undefined;
    core.clear(r.start + r.newPages, r.start + r.oldPages);
    return r.start * PAGE_SIZE;
  }
  if (v.end < r.start + r.oldPages) return -EFAULT;
  if (core.table.full || !core.mayGrow(Math.max(0, r.newPages - r.oldPages), isData(v.prot, v.flags))) return -ENOMEM;
  if (stay && r.oldPages > 0 && v.end === r.start + r.oldPages) {
    const end = r.start + r.newPages;
    if (core.allowed(v.start, end) && core.table.free(v.end, end)) {
      if (core.hasCode(v.end, end)) {
        if (!world) return undefined;
        core.dropCode(v.end, end);
      }
      core.add(
        { ...cut(v, v.start, end), start: v.end, filePage: v.filePage + v.end - v.start },
        core.files.hostFd(v.file),
      );
      return r.start * PAGE_SIZE;
    }
  }
  if ((r.flags & MREMAP.MAYMOVE) === 0) return -ENOMEM;
  if ((r.flags & MREMAP.DONTUNMAP) !== 0 && (v.file !== 0 || (v.flags & MAP.TYPE) !== MAP.PRIVATE)) return -EINVAL;
  return world ? move(core, r, v) : undefined;
}

/** With the world stopped. */
function move(core: SpaceCore, r: Request, v: Vma): number {
  const fixed = (r.flags & MREMAP.FIXED) !== 0;
  const to = fixed ? r.target : core.place(0, r.newPages, v.start >= HIGH_PAGE ? MAP.NORESERVE : 0, v.prot);
  const end = to + r.newPages;
  if (to < 0 || !core.allowed(to, end) || !core.makeRoom(to, end)) return -ENOMEM;
  const moved: Vma = {
    ...v,
    start: to,
    end,
    filePage: v.filePage + (r.start - v.start),
    busFrom: v.busFrom + (to - r.start),
  };
  if (!transfer(core, cut(v, r.start, r.start + Math.min(r.oldPages, r.newPages)), moved)) {
    core.clear(to, end);
    return -ENOMEM;
  }
  if (r.oldPages === 0) return to * PAGE_SIZE;
  if ((r.flags & MREMAP.DONTUNMAP) === 0) core.clear(r.start, r.start + r.oldPages);
  else empty(core, r.start, r.start + r.oldPages);
  return to * PAGE_SIZE;
}

/** Enters `moved` with the contents of `old`, and of its file where it is larger; shared pages are read from there when they are touched. False when there is no memory. */
function transfer(core: SpaceCore, old: Vma, moved: Vma): boolean {
  const { bytes, backing, table, files } = core;
  if (isShared(moved) && files.hostFd(moved.file) >= 0) {
    core.writeBack(old.start, old.end);
    core.addAbsent(moved);
    return true;
  }
  const delta = moved.start - old.start;
  const runs = core.resident(old);
  const perm = permOf(moved.prot);
  if (moved.start >= HIGH_PAGE) {
    table.insert(moved);
    return runs.every(
      (run) =>
        backing.ensure(run.page + delta, run.page + delta + run.pages, perm, true, (fresh) => {
          copyPages(bytes, run.at / PAGE_SIZE + fresh.page - delta - run.page, fresh.at / PAGE_SIZE, fresh.pages);
        }) === true,
    );
  }
  // Low: everything present is copied; what is absent stays so, or is read or zero.
  const lazy = (moved.flags & VMA_FLAG.LAZY) !== 0;
  zeroPages(bytes, moved.start, moved.end);
  table.insert(moved);
  if (lazy) setPerms(bytes, moved.start, present(moved), PERM.SLOW);
  for (const run of runs) {
    const page = run.page + delta;
    copyPages(bytes, run.at / PAGE_SIZE, page, run.pages);
    if (lazy) setPerms(bytes, page, page + run.pages, perm);
  }
  const grown = cut(moved, Math.min(moved.end, old.end + delta), moved.end);
  if (moved.file !== 0 && !lazy && present(grown) > grown.start)
    core.read(
      moved,
      { page: grown.start, pages: present(grown) - grown.start, at: grown.start * PAGE_SIZE },
      files.hostFd(moved.file),
    );
  if (!lazy) core.applyPerms(moved);
  return true;
}

/** Anonymous pages [start, end) as if never touched (MREMAP_DONTUNMAP). */
function empty(core: SpaceCore, start: number, end: number): void {
  core.dropCode(start, end);
  if (start >= HIGH_PAGE) core.backing.release(start, end);
  else core.zero(start, end);
}
