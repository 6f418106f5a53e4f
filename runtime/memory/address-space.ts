/**
 * The address space of a guest process: mappings, heap, protections, page faults. In: what the memory calls ask for. Out: addresses, or negative errnos.
 * All state is in the shared memory, under PCB.MM_LOCK, so any worker's AddressSpace shows the same one. What takes permissions away happens with the world stopped, and translated
 * code on it is gone before it returns. Addresses from GUEST_END up are backed by pages below it (backing.ts); reservations there cost nothing until they are touched.
 * Source: man 2 mmap, munmap, mprotect, brk; DESIGN.md sections 5 and 6.
 */
import { PF } from '../../src/guest/cpu-state.js';
import { PAGE_SIZE, PAGE_USED, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { EINVAL, ENOMEM, EOPNOTSUPP, EPERM } from '../linux/errno.js';
import { forget, isShared } from './aliases.js';
import { followForkAdvice, madvise, mincore, msync } from './advise.js';
import { type FileId, flush, refresh, shrink } from './file-sync.js';
import { entryPage, entryPerm } from './high-table.js';
import { anonymous, growDown, map, type MmapRequest, protect } from './mapping.js';
import { HIGH_PAGE, MAP, MAP_KNOWN, MIN_ADDR, MIN_PAGE, pageOf, pagesOf, PROT, USER_PAGES } from './mman.js';
import { mremap } from './remap.js';
import { markUsed } from './clean-pages.js';
import { permOf } from './perms.js';
import { claimPages } from './page-claims.js';
import { mapShared } from './shared-mapping.js';
import type { SharedObjects } from './shared-objects.js';
import { SpaceCore, type SpaceHooks, WORD } from './space-core.js';
import { mapsText, smapsText, usage } from './space-report.js';
import { cut, TAG, type Vma } from './vma-table.js';
import { zeroFill } from './zero.js';

export { MAP, PROT } from './mman.js';
export type { MmapRequest } from './mapping.js';
export type { SpaceHooks } from './space-core.js';

/** Why an access faults: nothing is mapped, the mapping does not allow it, or its file ends before. */
export type FaultKind = 'maperr' | 'accerr' | 'bus';

export class AddressSpace {
  private readonly core: SpaceCore;

  constructor(buffer: SharedArrayBuffer, hooks: SpaceHooks) {
    this.core = new SpaceCore(buffer, hooks);
  }

  // ---------------------------------------------------------------- mappings

  mmap(r: MmapRequest): number {
    const type = r.flags & MAP.TYPE;
    const fixed = (r.flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0;
    if (r.file !== undefined && r.file.offset % PAGE_SIZE !== 0) return -EINVAL;
    if (!(r.length > 0)) return -EINVAL;
    if (type !== MAP.SHARED && type !== MAP.PRIVATE && type !== MAP.SHARED_VALIDATE) return -EINVAL;
    if (type === MAP.SHARED_VALIDATE && (r.flags & ~MAP_KNOWN) !== 0) return -EOPNOTSUPP;
    if ((r.flags & MAP.GROWSDOWN) !== 0 && (type !== MAP.PRIVATE || r.file !== undefined)) return -EINVAL;
    const pages = pagesOf(r.length);
    // There are no huge pages, as on a machine that has none reserved.
    if (!(pages <= USER_PAGES) || (r.flags & MAP.HUGETLB) !== 0) return -ENOMEM;
    if (fixed && r.addr + pages * PAGE_SIZE > USER_PAGES * PAGE_SIZE) return -ENOMEM;
    if (fixed && r.addr % PAGE_SIZE !== 0) return -EINVAL;
    if (fixed && r.addr < MIN_ADDR) return -EPERM;
    if (type === MAP.PRIVATE) return this.core.attempt((world) => map(this.core, r, world));
    return mapShared(this.core, r);
  }

  munmap(addr: number, length: number): number {
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    if (addr % PAGE_SIZE !== 0 || !(length > 0) || !(end <= USER_PAGES)) return -EINVAL;
    return this.core.attempt((world) => {
      if (this.core.pieces(start, end).length === 0) return 0;
      if (this.core.table.full) return -ENOMEM;
      if (!world) return undefined;
      this.core.clear(start, end);
      return 0;
    });
  }

  mprotect(addr: number, length: number, prot: number): number {
    const known = PROT.READ | PROT.WRITE | PROT.EXEC | PROT.SEM | PROT.GROWSDOWN | PROT.GROWSUP;
    const start = pageOf(addr);
    const end = start + pagesOf(length);
    if (addr % PAGE_SIZE !== 0 || (prot & ~known) !== 0 || (prot & PROT.GROWSUP) !== 0) return -EINVAL;
    if (length === 0) return 0;
    if (!(end <= USER_PAGES)) return -ENOMEM;
    return this.core.attempt((world) => protect(this.core, start, end, prot, world));
  }

  mremap(addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number {
    return mremap(this.core, addr, oldLength, newLength, flags, newAddr);
  }

  madvise(addr: number, length: number, advice: number): number {
    return madvise(this.core, addr, length, advice);
  }

  msync(addr: number, length: number): number {
    return msync(this.core, addr, length);
  }

  /** One byte a page, 1 where it is in memory; -ENOMEM where a page is not mapped. */
  mincore(addr: number, length: number): Uint8Array | number {
    return mincore(this.core, addr, length);
  }

  // ---------------------------------------------------------------- heap and limits

  /** Sets where the heap begins (page-aligned); at program start. */
  initHeap(start: number): void {
    this.core.setWord(WORD.BRK_START, start);
    this.core.setWord(WORD.BRK_NOW, start);
  }

  /** The new program break, or the current one when `addr` can't be had. */
  brk(addr: number): number {
    const { core } = this;
    return core.attempt((world) => {
      const now = core.word(WORD.BRK_NOW);
      if (addr < core.word(WORD.BRK_START) || !(pagesOf(addr) < core.top)) return now;
      const from = pagesOf(now);
      const to = pagesOf(addr);
      if (to < from) {
        if (!world) return undefined;
        core.clear(to, from);
      } else if (to > from) {
        // One page stays free between the heap and what is mapped behind it.
        if (!core.table.free(from, to + 1) || core.table.full || !core.mayGrow(to - from, true)) return now;
        if (core.hasCode(from, to)) {
          if (!world) return undefined;
          core.dropCode(from, to);
        }
        core.add(anonymous(from, to, PROT.READ | PROT.WRITE, MAP.PRIVATE, TAG.HEAP), -1);
      }
      core.setWord(WORD.BRK_NOW, addr);
      return addr;
    });
  }

  /** RLIMIT_STACK in bytes: how far GROWSDOWN mappings grow. */
  setStackLimit(bytes: number): void {
    this.core.setWord(WORD.STACK, Math.max(1, Math.min(pagesOf(bytes), HIGH_PAGE)));
  }

  /** Mappings that we place lie below `addr` (page-aligned). */
  setTop(addr: number): void {
    this.core.setWord(WORD.TOP, pageOf(addr));
  }

  /** Unmaps everything, as exec does. */
  reset(): void {
    const { core } = this;
    core.exclusive(() => {
      core.clear(0, USER_PAGES);
      for (const i of [WORD.BRK_START, WORD.BRK_NOW, WORD.TOP, WORD.STACK]) core.setWord(i, 0);
    });
  }

  // ---------------------------------------------------------------- faults

  /**
   * Serves a page fault at `addr`. `error`: bits PF, as the exit gives them. 'retry': the access is allowed now (a page was made at its first touch, a GROWSDOWN mapping has grown, or
   * another thread has mapped it meanwhile). Otherwise why it is not: SIGSEGV or SIGBUS.
   */
  fault(addr: bigint | number, error: number): 'retry' | FaultKind {
    const at = toNumber(addr);
    const page = pageOf(at);
    if (!(page < USER_PAGES)) return 'maperr';
    const need = (error & PF.WRITE) !== 0 ? PROT.WRITE : (error & PF.INSTR) !== 0 ? PROT.EXEC : -1;
    const served = this.core.attempt((world) => {
      const v = this.core.covering(page);
      if (v === undefined) return growDown(this.core, page, world);
      if ((v.prot & need) === 0) return 'accerr';
      if (this.pastEnd(v, page)) return 'bus';
      const made = this.core.materialise(page, page + 1, world, need === PROT.WRITE);
      return made === false ? 'bus' : made === true ? 'retry' : made;
    });
    if (served !== 'shared') return served;
    return this.claim(page, page + 1, need === PROT.WRITE) ? 'retry' : 'bus';
  }

  /** Makes what is promised of [addr, addr + size) present, for a system call that is to reach it, to `write` there or to read. False when there is no memory for it. */
  materialise(addr: number, size: number, write: boolean): boolean {
    const [start, end] = [pageOf(addr), pagesOf(addr + size)];
    const made = this.core.attempt((world) => this.core.materialise(start, end, world, write));
    return made === 'shared' ? this.claim(start, end, write) : made;
  }

  /** Pages that other processes show too. */
  private claim(start: number, end: number, write: boolean): boolean {
    const { sharing } = this.core;
    return sharing !== undefined && claimPages(this.core, sharing, start, end, write);
  }

  /** Why an access to `addr` that the page's permissions refuse faults; 'maperr' also for a page that `grow` would make. */
  faultKind(addr: bigint | number): FaultKind {
    const page = pageOf(toNumber(addr));
    if (!(page < USER_PAGES)) return 'maperr';
    return this.core.locked(() => {
      const v = this.core.covering(page);
      if (v === undefined) return 'maperr';
      if (v.prot === PROT.NONE) return 'accerr';
      if (this.pastEnd(v, page)) return 'bus';
      return this.core.resident(cut(v, page, page + 1)).length > 0 ? 'accerr' : 'maperr';
    });
  }

  /** Makes the page of `addr`, which has just faulted: of a GROWSDOWN mapping that reaches down to it, or one that is made at its first touch. False when there is none. */
  grow(addr: number): boolean {
    const page = pageOf(addr);
    if (!(page >= MIN_PAGE && page < USER_PAGES)) return false;
    return this.core.attempt((world) => {
      if (this.core.covering(page) === undefined) {
        const grown = growDown(this.core, page, world);
        return grown === undefined ? undefined : grown === 'retry';
      }
      const made = this.core.materialise(page, page + 1, world, false);
      return made === undefined ? undefined : made !== false;
    });
  }

  /** True when the page of `addr` is in memory: the P bit of a page fault's error code. */
  isPresent(addr: number): boolean {
    const page = pageOf(addr);
    if (!(page >= 0 && page < USER_PAGES)) return false;
    if (page >= HIGH_PAGE) return this.core.backing.entries.get(page) !== 0;
    const { bytes } = this.core;
    return (Atomics.load(bytes, PERM_TABLE + page) & (PERM.R | PERM.W | PERM.X)) !== 0 && bytes[PAGE_USED + page] === 1;
  }

  /** Offset in the memory of high guest page `page` (number), for the instruction fetch; undefined when it is not present and executable. */
  highCode(page: number): number | undefined {
    const entry = page < USER_PAGES ? this.core.backing.entries.get(page) : 0;
    return (entryPerm(entry) & PERM.X) !== 0 ? entryPage(entry) * PAGE_SIZE : undefined;
  }

  // ---------------------------------------------------------------- files

  /** Writes shared file mappings back; at exit. */
  writeAll(): void {
    this.core.locked(() => {
      this.core.writeBack(0, USER_PAGES);
    });
  }

  /** True once the process has had a shared file mapping: the three below have something to do. */
  get sharesFiles(): boolean {
    return this.core.sharesFiles;
  }

  /** True while a process has a shared mapping of a file that a descriptor may lead to: the four below have something to do. */
  get filesAreMapped(): boolean {
    const { sharing } = this.core;
    return sharing === undefined ? this.sharesFiles : sharing.objects.anyNamed;
  }

  /** Runs `fn` while no page of a shared mapping goes from one process to another. */
  settled<T>(fn: () => T): T {
    const { sharing } = this.core;
    return sharing === undefined ? fn() : sharing.locked(fn);
  }

  /** A system call has written bytes [offset, offset + size) of the file: shared mappings show them. */
  fileWritten(id: FileId, offset: number, size: number): void {
    this.eachSpaceOf(id, (core) => {
      core.attempt((world) => refresh(core, id, offset, size, world));
    });
  }

  /** A system call is about to read the file: stores through shared mappings are in it. */
  beforeFileRead(id: FileId): void {
    this.eachSpaceOf(id, (core) => {
      core.locked(() => {
        flush(core, id);
      });
    });
  }

  /** The file has been cut to, or made, `size` bytes. */
  fileResized(id: FileId, size: number): void {
    this.eachSpaceOf(id, (core) => {
      core.exclusive(() => {
        shrink(core, id, size);
      });
    });
  }

  /** This address space, where it has shared mappings, and the others that map the file. */
  private eachSpaceOf(id: FileId, visit: (core: SpaceCore) => void): void {
    const { sharing } = this.core;
    if (this.sharesFiles) visit(this.core);
    if (sharing === undefined || sharing.objects.find(id) === 0) return;
    sharing.locked(() => {
      for (const mm of sharing.objects.others(sharing.objects.find(id), sharing.mm)) visit(sharing.space(mm));
    });
  }

  // ---------------------------------------------------------------- fork and the end

  /** Runs `fn` with the lock of sharing held, where the process has shared mappings: nobody gets pages of them meanwhile. */
  undisturbed<T>(fn: () => T): T {
    const { sharing } = this.core;
    return sharing !== undefined && this.core.sharesFiles ? sharing.locked(fn) : fn();
  }

  /** Runs `copy`, which copies the memory for a child. World. */
  beforeCopy(copy: () => void): void {
    this.core.locked(copy);
  }

  /**
   * In the copy, that of address space `mm`: mapped files get descriptors of their own, and pages of shared mappings are got when they are touched.
   * @param objects where shared files are noted
   */
  afterCopy(objects: SharedObjects, mm: number): void {
    const { core } = this;
    core.locked(() => {
      core.files.reopenAll();
      for (const object of core.files.objects()) objects.addUser(object, mm);
      for (const v of core.table.all()) if (isShared(v) && core.files.hostFd(v.file) >= 0) forget(core, v);
      followForkAdvice(core);
    });
  }

  /** Nobody uses the memory any more: shared file mappings are written back, and all descriptors of mapped files closed. The tables are not changed. */
  closeFiles(): void {
    const { core } = this;
    this.undisturbed(() => {
      core.locked(() => {
        core.writeBack(0, USER_PAGES);
        for (const object of core.files.objects()) core.sharing?.objects.leave(object, core.sharing.mm);
        core.files.closeAll();
      });
    });
  }

  /**
   * Copies bytes from or to [addr, addr + bytes.length), for another process or /proc/PID/mem; gives how many could be. `force`: whatever the permissions, but that shared mappings are written
   * to only where they may be (FOLL_FORCE). The lock of sharing is held, so that this address space stays.
   */
  access(addr: number, bytes: Uint8Array, write: boolean, force: boolean): number {
    let done = 0;
    while (done < bytes.length) {
      const at = addr + done;
      const part = bytes.subarray(done, done + Math.min(PAGE_SIZE - (at % PAGE_SIZE), bytes.length - done));
      if (!(at >= 0 && at < USER_PAGES * PAGE_SIZE) || !this.accessPage(at, part, write, force)) break;
      done += part.length;
    }
    return done;
  }

  private accessPage(addr: number, part: Uint8Array, write: boolean, force: boolean): boolean {
    const { core } = this;
    const page = pageOf(addr);
    if (!this.materialise(addr, part.length, write)) return false;
    return core.attempt((world) => {
      const v = core.covering(page);
      if (v === undefined || core.resident(cut(v, page, page + 1)).length === 0) return false;
      const perm = permOf(v.prot) & (write ? PERM.W : PERM.R);
      if (perm === 0 && !(force && (!write || !isShared(v)))) return false;
      if (write && core.hasCode(page, page + 1)) {
        if (!world) return undefined;
        core.dropCode(page, page + 1);
      }
      const offset = this.offsetOf(addr);
      if (offset === undefined) return false;
      if (write) {
        core.bytes.set(part, offset);
        markUsed(core.bytes, pageOf(offset), pageOf(offset) + 1);
      } else {
        part.set(core.bytes.subarray(offset, offset + part.length));
      }
      return true;
    });
  }

  /** How many mappings, of all processes, begin with the first page of the file. */
  attachments(id: FileId): number {
    const { core } = this;
    const { sharing } = core;
    const object = sharing?.objects.find(id) ?? 0;
    if (sharing === undefined || object === 0) return 0;
    const countIn = (space: SpaceCore): number =>
      space.locked(() => {
        const shown = space.table.ofFiles((file) => space.files.object(file) === object);
        return shown.filter((v) => v.filePage === 0).length;
      });
    return sharing.locked(() =>
      sharing.objects.others(object, sharing.mm).reduce((sum, mm) => sum + countIn(sharing.space(mm)), countIn(core)),
    );
  }

  /** shmdt: unmaps the System V segment that is attached at `addr`; its file, undefined when there is none. */
  detach(addr: number): FileId | undefined {
    const { core } = this;
    if (addr % PAGE_SIZE !== 0) return undefined;
    const start = pageOf(addr);
    return core.exclusive(() => {
      const first = core.covering(start);
      if (first === undefined || first.start !== start || first.filePage !== 0 || first.file === 0) return undefined;
      const { device, inode, path } = core.files.get(first.file);
      if (!isShared(first) || !path.startsWith('/SYSV')) return undefined;
      for (const v of core.table.ofFiles((file) => core.files.is(file, device, inode)))
        if (v.start - v.filePage === start) core.clear(v.start, v.end);
      return { dev: device, ino: inode };
    });
  }

  /** The file that a shared mapping shows at `addr`: its index in shared-objects.ts, and the offset in it; undefined for memory of this process alone. */
  sharedPlace(addr: number): { readonly object: number; readonly offset: number } | undefined {
    if (!this.sharesFiles) return undefined;
    return this.core.locked(() => {
      const v = this.core.covering(pageOf(addr));
      const object = v === undefined || !isShared(v) ? 0 : this.core.files.object(v.file);
      if (v === undefined || object === 0) return undefined;
      return { object, offset: (v.filePage - v.start) * PAGE_SIZE + addr };
    });
  }

  /** The file behind the page of `addr`: its path, and the offset in it; undefined for anonymous memory. */
  fileAt(addr: number): { readonly path: string; readonly offset: number } | undefined {
    return this.core.locked(() => {
      const v = this.core.covering(pageOf(addr));
      if (v === undefined || v.file === 0) return undefined;
      return { path: this.core.files.get(v.file).path, offset: v.filePage * PAGE_SIZE + addr - v.start * PAGE_SIZE };
    });
  }

  /** Zeroes bytes of mapped memory, whatever its permissions (the end of a program's data page). */
  zeroRange(addr: number, size: number): void {
    this.materialise(addr, size, true);
    for (let at = addr; at < addr + size;) {
      const n = Math.min(PAGE_SIZE - (at % PAGE_SIZE), addr + size - at);
      const offset = this.offsetOf(at);
      if (offset !== undefined) zeroFill(this.core.bytes, offset, offset + n);
      at += n;
    }
  }

  /** Where the byte of guest address `addr` lies in the memory; undefined when its page is not present. Permissions are not looked at. */
  offsetOf(addr: number): number | undefined {
    if (addr < HIGH_PAGE * PAGE_SIZE) return addr;
    const entry = this.core.backing.entries.get(pageOf(addr));
    return entry === 0 ? undefined : entryPage(entry) * PAGE_SIZE + (addr % PAGE_SIZE);
  }

  // ---------------------------------------------------------------- reports

  /** True when every page of [addr, addr + length) is mapped. */
  isMapped(addr: number, length: number): boolean {
    const end = pagesOf(addr + length);
    return end <= USER_PAGES && this.core.locked(() => this.core.mappedUpTo(pageOf(addr), end) >= end);
  }

  /** Bytes mapped, and bytes touched. */
  usage(): { readonly vsize: number; readonly rss: number } {
    return this.core.locked(() => usage(this.core));
  }

  /** Text of /proc/self/maps. */
  maps(): string {
    return this.core.locked(() => mapsText(this.core));
  }

  /** Text of /proc/self/smaps, or of smaps_rollup. */
  smaps(rollup: boolean): string {
    return this.core.locked(() => smapsText(this.core, rollup));
  }

  /** True when `page` lies past the end of the file of `v`, as it is now. */
  private pastEnd(v: Vma, page: number): boolean {
    if (page < v.busFrom) return false;
    return !this.core.followGrowth(v) || page >= (this.core.covering(page)?.busFrom ?? 0);
  }
}

/** An address as the engine gives it, as a number; negative ones are non-canonical and come out past 2**47. */
const toNumber = (addr: bigint | number): number =>
  typeof addr === 'bigint' ? Number(BigInt.asUintN(64, addr)) : addr < 0 ? Infinity : addr;
