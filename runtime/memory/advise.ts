/**
 * madvise, msync, mincore. In: page-aligned ranges. Out: 0 or negative errnos. Source: man 2 madvise, msync, mincore.
 */
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { EBUSY, EFAULT, EINVAL, ENOMEM } from '../linux/errno.js';
import { HARMLESS_ADVICE, HIGH_PAGE, MADV, MAP, pageOf, pagesOf, PROT, USER_PAGES } from './mman.js';
import type { SpaceCore } from './space-core.js';
import { type Vma, VMA_FLAG } from './vma-table.js';
import { zeroFill } from './zero.js';

/** Backing of high pages goes back from this many pages on; fewer are zeroed in place. */
const RELEASE_PAGES = 256;
/** Most pages that one mincore answers for: more bytes than the guest's buffer can have. */
const MOST_PAGES = HIGH_PAGE * PAGE_SIZE;

export function madvise(core: SpaceCore, addr: number, length: number, advice: number): number {
  const known = (Object.values(MADV) as number[]).includes(advice) || HARMLESS_ADVICE.has(advice);
  if (addr % PAGE_SIZE !== 0 || !known) return -EINVAL;
  if (length === 0) return 0;
  const start = pageOf(addr);
  const end = start + pagesOf(length);
  if (!(end <= USER_PAGES)) return start < USER_PAGES ? -ENOMEM : -EINVAL;
  return core.attempt((world) => {
    let at = start;
    let holes = false;
    for (const v of core.pieces(start, end)) {
      if (v.start > at) holes = true;
      at = v.end;
      const r = advise(core, v, advice, world);
      if (r !== 0) return r;
    }
    return holes || at < end ? -ENOMEM : 0;
  });
}

function advise(core: SpaceCore, v: Vma, advice: number, world: boolean): number | undefined {
  const shared = (v.flags & MAP.TYPE) !== MAP.PRIVATE;
  switch (advice) {
    case MADV.DONTNEED:
      return shared ? 0 : forget(core, v, world);
    case MADV.REMOVE:
      // Of shared memory; there are no holes in files here.
      return shared && v.file === 0 ? forget(core, v, world) : -EINVAL;
    case MADV.WIPEONFORK:
      return shared || v.file !== 0 ? -EINVAL : mark(core, v, VMA_FLAG.WIPED, VMA_FLAG.WIPED);
    case MADV.KEEPONFORK:
      return mark(core, v, VMA_FLAG.WIPED, 0);
    case MADV.DONTFORK:
      return mark(core, v, VMA_FLAG.NOT_FORKED, VMA_FLAG.NOT_FORKED);
    case MADV.DOFORK:
      return mark(core, v, VMA_FLAG.NOT_FORKED, 0);
    case MADV.FREE:
      return shared || v.file !== 0 ? -EINVAL : 0;
    case MADV.POPULATE_READ:
    case MADV.POPULATE_WRITE: {
      if ((v.prot & (advice === MADV.POPULATE_READ ? PROT.READ : PROT.WRITE)) === 0) return -EFAULT;
      const made = core.materialise(v.start, v.end, world, advice === MADV.POPULATE_WRITE);
      return made === undefined ? undefined : made === false ? -EBUSY : 0;
    }
    default:
      return 0;
  }
}

function mark(core: SpaceCore, v: Vma, mask: number, flags: number): number {
  if (core.table.full) return -ENOMEM;
  core.table.update(v.start, v.end, (p) => ({ ...p, flags: (p.flags & ~mask) | flags }));
  return 0;
}

/** What advice has said of a child's memory, in the child's own. World. */
export function followForkAdvice(core: SpaceCore): void {
  for (const v of core.table.all()) {
    if ((v.flags & VMA_FLAG.NOT_FORKED) !== 0) core.clear(v.start, v.end);
    else if ((v.flags & VMA_FLAG.WIPED) !== 0) forget(core, v, true);
  }
}

/** The pages of `v` lose what was written to them: zeros, or the file's bytes again. */
function forget(core: SpaceCore, v: Vma, world: boolean): number | undefined {
  const high = v.start >= HIGH_PAGE;
  const release = high && v.end - v.start >= RELEASE_PAGES;
  if (release || core.hasCode(v.start, v.end)) {
    if (!world) return undefined;
    core.dropCode(v.start, v.end);
  }
  if (release) {
    core.backing.release(v.start, v.end);
    return 0;
  }
  for (const run of core.resident(v)) {
    if (v.file !== 0 && core.files.hostFd(v.file) < 0) continue;
    if (high) zeroFill(core.bytes, run.at, run.at + run.pages * PAGE_SIZE);
    else core.zero(run.page, run.page + run.pages);
    if (v.file !== 0) core.read(v, run);
  }
  return 0;
}

export function msync(core: SpaceCore, addr: number, length: number): number {
  if (addr % PAGE_SIZE !== 0) return -EINVAL;
  const start = pageOf(addr);
  const end = start + pagesOf(length);
  if (!(end <= USER_PAGES)) return -ENOMEM;
  return core.locked(() => {
    core.writeBack(start, end);
    return core.mappedUpTo(start, end) < end ? -ENOMEM : 0;
  });
}

/** One byte a page: 1 where it is in memory. */
export function mincore(core: SpaceCore, addr: number, length: number): Uint8Array | number {
  if (addr % PAGE_SIZE !== 0) return -EINVAL;
  const start = pageOf(addr);
  const end = start + pagesOf(length);
  if (!(end - start <= MOST_PAGES)) return -ENOMEM;
  return core.locked(() => {
    if (core.mappedUpTo(start, end) < end) return -ENOMEM;
    const out = new Uint8Array(end - start);
    for (const v of core.pieces(start, end))
      for (const run of core.resident(v)) out.fill(1, run.page - start, run.page - start + run.pages);
    return out;
  });
}
