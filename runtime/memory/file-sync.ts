/**
 * Keeps shared file mappings and their files in step with system calls on the same files. In: a file's identity and a range of its bytes. Out: memory or file brought up to date.
 * Mappings are copies of the file's pages: stores reach the file at msync, munmap, exit and before a read of it; a write reaches them at once.
 */
import { readSync } from 'node:fs';
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { HIGH_PAGE, MAP, pageOf, pagesOf } from './mman.js';
import { setPerms } from './perms.js';
import { present, type SpaceCore } from './space-core.js';
import { cut, type Vma } from './vma-table.js';
import { zeroFill } from './zero.js';

/** As the host's fstat gives them. */
export interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
}

const mappingsOf = (core: SpaceCore, id: FileId): Vma[] =>
  core.table.ofFiles((file) => core.files.is(file, id.dev, id.ino));

/** Stores through shared mappings of the file to the file. */
export function flush(core: SpaceCore, id: FileId): void {
  for (const v of mappingsOf(core, id)) core.writeBack(v.start, v.end);
}

/** Bytes [offset, offset + size) of the file to its shared mappings. Undefined: World, for there is code on them. */
export function refresh(core: SpaceCore, id: FileId, offset: number, size: number, world: boolean): true | undefined {
  for (const v of mappingsOf(core, id)) {
    const fd = core.files.hostFd(v.file);
    const shift = v.start - v.filePage;
    const from = Math.max(v.start, pageOf(offset) + shift);
    const to = Math.min(present(v), pagesOf(offset + size) + shift);
    if (fd < 0 || (v.flags & MAP.TYPE) === MAP.PRIVATE || from >= to) continue;
    if (core.hasCode(from, to)) {
      if (!world) return undefined;
      core.dropCode(from, to);
    }
    for (const run of core.resident(cut(v, from, to))) {
      const position = (run.page - shift) * PAGE_SIZE;
      const first = Math.max(position, offset);
      const last = Math.min(position + run.pages * PAGE_SIZE, offset + size);
      for (let at = first; at < last;) {
        const n = readSync(fd, core.bytes, run.at + at - position, last - at, at);
        if (n === 0) break;
        at += n;
      }
    }
  }
  return true;
}

/** The file now has `size` bytes: whole pages past them are SIGBUS, the rest of the last page reads as zero. World. */
export function shrink(core: SpaceCore, id: FileId, size: number): void {
  for (const v of mappingsOf(core, id)) {
    const bus = Math.max(v.start, v.start - v.filePage + pagesOf(size));
    if (bus >= present(v)) continue;
    core.dropCode(bus, v.end);
    if (v.start >= HIGH_PAGE) core.backing.release(bus, v.end);
    else setPerms(core.bytes, bus, v.end, 0);
    core.table.update(v.start, v.end, (p) => ({ ...p, busFrom: bus }));
    if (size % PAGE_SIZE === 0 || bus === v.start) continue;
    for (const run of core.resident(cut(v, bus - 1, bus)))
      zeroFill(core.bytes, run.at + (size % PAGE_SIZE), run.at + PAGE_SIZE);
  }
}
