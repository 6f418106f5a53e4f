/**
 * Reading and writing, opening and closing. In: descriptors, buffers. Out: rows.
 * Source: man 2 read, write, readv, pread, preadv2, open, openat2, close, close_range, lseek.
 */
import { closeFd, copyTable, hasFreeFd, isTableShared, openFds, releaseTable, setCloexec } from '../../vfs/fd-table.js';
import { manyBuffers, offsetOf, oneBuffer, withFd, withPath, type Transfer } from '../../vfs/guest-args.js';
import { giveDescriptor } from '../../vfs/new-descriptor.js';
import {
  AT_FDCWD,
  KNOWN_FLAGS,
  LINUX_HOST,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  O_TRUNC,
  O_WRONLY,
  TMPFILE_BIT,
} from '../../vfs/open-flags.js';
import { openPath } from '../../vfs/open.js';
import { seekFile } from '../../vfs/seek.js';
import { readFile, writeFile } from '../../vfs/transfer.js';
import type { WalkRules } from '../../vfs/walk.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EAGAIN, EFAULT, EINVAL, EMFILE, EOPNOTSUPP } from '../errno.js';
import type { Thread } from '../thread.js';

function transfer(t: Thread, fd: number, write: boolean, io: Transfer | number, position?: number): SyscallResult {
  return withFd(t, fd, (file) => {
    if (typeof io === 'number') return io;
    return (write ? writeFile : readFile)(t.files, file, io.size, io.buffers, position);
  });
}

const single =
  (write: boolean): Handler =>
  (t, a) =>
    transfer(t, a.i32(0), write, oneBuffer(t, a.ptr(1), a.ptr(2), !write));

const vector =
  (write: boolean): Handler =>
  (t, a) =>
    transfer(t, a.i32(0), write, manyBuffers(t, a.ptr(1), a.i32(2), !write));

/** pread64 and pwrite64. */
const singleAt =
  (write: boolean): Handler =>
  (t, a) => {
    const position = a.i64(3);
    if (position < 0n) return -EINVAL;
    return transfer(t, a.i32(0), write, oneBuffer(t, a.ptr(1), a.ptr(2), !write), offsetOf(position));
  };

/** preadv and pwritev: the high half of the position (argument 4) counts on 32-bit machines only. */
const vectorAt =
  (write: boolean): Handler =>
  (t, a) => {
    const position = a.i64(3);
    if (position < 0n) return -EINVAL;
    return transfer(t, a.i32(0), write, manyBuffers(t, a.ptr(1), a.i32(2), !write), offsetOf(position));
  };

/** RWF_HIPRI, RWF_DSYNC and RWF_SYNC change when data reach the disk, not what is read. */
const RWF_HINTS = 0x1 | 0x2 | 0x4;

/** preadv2 and pwritev2: position -1 is the description's offset. */
const vectorAt2 =
  (write: boolean): Handler =>
  (t, a) => {
    const position = a.i64(3);
    if (position < -1n) return -EINVAL;
    if ((a.i32(5) & ~RWF_HINTS) !== 0) return -EOPNOTSUPP;
    const io = manyBuffers(t, a.ptr(1), a.i32(2), !write);
    return transfer(t, a.i32(0), write, io, position === -1n ? undefined : offsetOf(position));
  };

function open(t: Thread, dirfd: number, addr: number, flags: number, mode: number, rules?: WalkRules): SyscallResult {
  return withPath(t, addr, (path) => {
    const { files } = t;
    const { state, table, port } = files;
    // Nothing is created for a process that has no descriptor left.
    if (!hasFreeFd(state, table, port.fdLimit())) return -EMFILE;
    const file = openPath(files, dirfd, path, flags & KNOWN_FLAGS, mode, rules);
    return file < 0 ? file : giveDescriptor(files, file, (flags & O_CLOEXEC) !== 0);
  });
}

const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16, CACHED: 32 } as const;
const RESOLVE_FLAGS = 63;
const OPEN_HOW_BYTES = 24;
/** Flags and modes that openat2 takes, and open does not look at. */
const PATH_FLAGS = O_PATH | O_CLOEXEC | 0o200000 | 0o400000;

function openat2(t: Thread, a: SyscallArgs): SyscallResult {
  const size = a.ptr(3);
  if (size < OPEN_HOW_BYTES) return -EINVAL;
  if (size > 4096) return -E2BIG;
  const how = t.mem.read(a.ptr(2), size);
  if (how === undefined) return -EFAULT;
  if (how.subarray(OPEN_HOW_BYTES).some((b) => b !== 0)) return -E2BIG;
  const view = new DataView(how.buffer, how.byteOffset, how.length);
  const [flags, mode, resolve] = [0, 8, 16].map((at) => view.getBigUint64(at, true)) as [bigint, bigint, bigint];
  if ((flags & ~BigInt(KNOWN_FLAGS)) !== 0n || resolve > BigInt(RESOLVE_FLAGS) || (mode & ~0o7777n) !== 0n)
    return -EINVAL;
  const bits = Number(flags);
  if (mode !== 0n && (bits & (O_CREAT | TMPFILE_BIT)) === 0) return -EINVAL;
  if ((bits & O_PATH) !== 0 && (bits & ~PATH_FLAGS) !== 0) return -EINVAL;
  if ((bits & O_ACCMODE) === O_ACCMODE || ((bits & O_APPEND) !== 0 && (bits & O_PATH) !== 0)) return -EINVAL;
  const has = (flag: number): boolean => (Number(resolve) & flag) !== 0;
  if (has(RESOLVE.BENEATH) && has(RESOLVE.IN_ROOT)) return -EINVAL;
  // Nothing is known to need no I/O.
  if (has(RESOLVE.CACHED)) return -EAGAIN;
  const rules: WalkRules = {
    noMounts: has(RESOLVE.NO_XDEV),
    noMagic: has(RESOLVE.NO_MAGICLINKS),
    noLinks: has(RESOLVE.NO_SYMLINKS),
    beneath: has(RESOLVE.BENEATH),
    inRoot: has(RESOLVE.IN_ROOT),
  };
  // Where links can't be kept from being followed, the rules can't be kept.
  if (resolve !== 0n && !LINUX_HOST) return -EINVAL;
  return open(t, a.i32(0), a.ptr(1), bits, Number(mode), resolve === 0n ? undefined : rules);
}

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

function closeRange(t: Thread, a: SyscallArgs): SyscallResult {
  const { state } = t.files;
  const [first, last, flags] = [a.u32(0), a.u32(1), a.u32(2)];
  if (first > last || (flags & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)) !== 0) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0) {
    const failure = unshareFiles(t);
    if (failure < 0) return failure;
  }
  const { table } = t.files;
  for (const fd of openFds(state, table)) {
    if (fd < first || fd > last) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) setCloexec(state, table, fd, true);
    else closeFd(state, table, fd);
  }
  return 0;
}

/** Gives the thread an fd table of its own; 0, or -errno. */
function unshareFiles(t: Thread): number {
  const { state, table } = t.files;
  if (!isTableShared(state, table)) return 0;
  const copy = copyTable(state, table);
  if (copy < 0) return copy;
  t.task.files = copy;
  releaseTable(state, table);
  return 0;
}

function lseek(t: Thread, a: SyscallArgs): SyscallResult {
  return withFd(t, a.i32(0), (file) => seekFile(t.files.state, file, offsetOf(a.i64(1)), a.i32(2)));
}

const ADVICE_OF_RWF = 'RWF_NOWAIT and RWF_APPEND: EOPNOTSUPP';

export const fileRows = [
  { nr: 0, name: 'read', args: 'd,p,lu', support: 'yes', handler: single(false) },
  { nr: 1, name: 'write', args: 'd,p,lu', support: 'yes', handler: single(true) },
  {
    nr: 2,
    name: 'open',
    args: 's,of,o',
    support: 'yes',
    handler: (t, a) => open(t, AT_FDCWD, a.ptr(0), a.i32(1), a.i32(2)),
  },
  {
    nr: 3,
    name: 'close',
    args: 'd',
    support: 'yes',
    handler: (t, a) => closeFd(t.files.state, t.files.table, a.i32(0)),
  },
  {
    nr: 8,
    name: 'lseek',
    args: 'd,ld,wh',
    support: 'yes',
    note: 'SEEK_HOLE: files are data up to their end; an inherited file that has been repositioned keeps its offset to lift64',
    handler: lseek,
  },
  { nr: 17, name: 'pread64', args: 'd,p,lu,ld', support: 'yes', handler: singleAt(false) },
  { nr: 18, name: 'pwrite64', args: 'd,p,lu,ld', support: 'yes', handler: singleAt(true) },
  { nr: 19, name: 'readv', args: 'd,p,d', support: 'yes', handler: vector(false) },
  { nr: 20, name: 'writev', args: 'd,p,d', support: 'yes', handler: vector(true) },
  {
    nr: 85,
    name: 'creat',
    args: 's,o',
    support: 'yes',
    handler: (t, a) => open(t, AT_FDCWD, a.ptr(0), O_CREAT | O_WRONLY | O_TRUNC, a.i32(1)),
  },
  {
    nr: 257,
    name: 'openat',
    args: 'at,s,of,o',
    support: 'yes',
    handler: (t, a) => open(t, a.i32(0), a.ptr(1), a.i32(2), a.i32(3)),
  },
  { nr: 295, name: 'preadv', args: 'd,p,d,ld', support: 'yes', handler: vectorAt(false) },
  { nr: 296, name: 'pwritev', args: 'd,p,d,ld', support: 'yes', handler: vectorAt(true) },
  { nr: 327, name: 'preadv2', args: 'd,p,d,ld,x,x', support: 'partly', note: ADVICE_OF_RWF, handler: vectorAt2(false) },
  { nr: 328, name: 'pwritev2', args: 'd,p,d,ld,x,x', support: 'partly', note: ADVICE_OF_RWF, handler: vectorAt2(true) },
  { nr: 436, name: 'close_range', args: 'u,u,x', support: 'yes', handler: closeRange },
  {
    nr: 437,
    name: 'openat2',
    args: 'at,s,p,lu',
    support: 'yes',
    note: 'RESOLVE_CACHED: always EAGAIN',
    handler: openat2,
  },
] as const satisfies readonly SyscallRow[];
