/**
 * Copies within the kernel, memory files, advice, syncing. In: descriptors. Out: rows.
 * Source: man 2 sendfile, copy_file_range, splice, memfd_create, posix_fadvise, readahead, fsync, sync.
 */
import * as fs from 'node:fs';
import { bytePath } from '../../vfs/byte-path.js';
import { offsetOf, onHostFd, withFd } from '../../vfs/guest-args.js';
import { giveDescriptor } from '../../vfs/new-descriptor.js';
import {
  addSeals,
  fileFlags,
  fileKind,
  fileObject,
  fileOffset,
  KIND,
  MARK,
  newFile,
  type Kind,
} from '../../vfs/open-files.js';
import { O_ACCMODE, O_APPEND, O_LARGEFILE, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../../vfs/open-flags.js';
import { anonymousHostFile } from '../../vfs/open.js';
import { pipeQueue, readPipe, takeFromPipe } from '../../vfs/pipes.js';
import { seekFile } from '../../vfs/seek.js';
import { statOpenFile } from '../../vfs/status.js';
import { isSeekable, readFile, writeFile } from '../../vfs/transfer.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EAGAIN, EBADF, EFAULT, EINVAL, EOVERFLOW, ESPIPE } from '../errno.js';
import type { Thread } from '../thread.js';

// ---------------------------------------------------------------- copies

/** Bytes that are copied at a time. */
const CHUNK = 1 << 16;
const MAX_COPY = 0x7fff_f000;
const SEEK_SET = 0;
const SEEK_CUR = 1;

/** Where a copy reads or writes: an explicit offset, or (undefined) the description's own. */
interface End {
  readonly file: number;
  readonly offset: number | undefined;
}

/**
 * Copies up to `size` bytes through a buffer of ours. What has been read and could not be written is not lost: it is read at explicit offsets,
 * and the input's offset moves by what was written. The bytes, or -errno when there are none.
 */
function copy(t: Thread, from: End, to: End, size: number): number {
  const { files } = t;
  const start = from.offset ?? seekFile(files.state, from.file, 0, SEEK_CUR);
  if (start < 0) return start;
  const chunk = new Uint8Array(Math.min(CHUNK, size));
  let done = 0;
  let failure = 0;
  while (done < size) {
    const want = Math.min(size - done, chunk.length);
    const n = readFile(files, from.file, want, () => [chunk.subarray(0, want)], start + done);
    failure = n;
    if (n <= 0) break;
    const at = to.offset === undefined ? undefined : to.offset + done;
    const written = writeFile(files, to.file, n, () => [chunk.subarray(0, n)], at);
    failure = written;
    if (written > 0) done += written;
    if (written < n) break;
  }
  if (from.offset === undefined && done > 0) seekFile(files.state, from.file, start + done, SEEK_SET);
  return done > 0 ? done : failure;
}

/** An off_t in guest memory; undefined: none is given. -EFAULT, -EINVAL. */
function offsetAt(t: Thread, addr: number): { value: number | undefined } | number {
  if (addr === 0) return { value: undefined };
  const raw = t.mem.readU64(addr);
  if (raw === undefined) return -EFAULT;
  const value = offsetOf(BigInt.asIntN(64, raw));
  return value < 0 ? -EINVAL : { value };
}

function storeOffset(t: Thread, addr: number, before: number | undefined, moved: number): boolean {
  return before === undefined || moved <= 0 || t.mem.writeU64(addr, BigInt(before + moved));
}

const withTwoFds = (t: Thread, a: number, b: number, fn: (a: number, b: number) => number): SyscallResult =>
  withFd(t, a, (x) => withFd(t, b, (y) => fn(x, y)));

const canRead = (t: Thread, file: number): boolean => (fileFlags(t.files.state, file) & O_ACCMODE) !== O_WRONLY;
const canWrite = (t: Thread, file: number): boolean => (fileFlags(t.files.state, file) & O_ACCMODE) !== O_RDONLY;

const sendfile: Handler = (t, a) =>
  withTwoFds(t, a.i32(1), a.i32(0), (source, target) => {
    const { state } = t.files;
    const offset = offsetAt(t, a.ptr(2));
    if (typeof offset === 'number') return offset;
    if (!canRead(t, source) || !canWrite(t, target)) return -EBADF;
    if (!isSeekable(state, source)) return offset.value === undefined ? -EINVAL : -ESPIPE;
    if ((fileFlags(state, target) & O_APPEND) !== 0) return -EINVAL;
    const size = Math.min(a.ptr(3), MAX_COPY);
    const n = copy(t, { file: source, offset: offset.value }, { file: target, offset: undefined }, size);
    return storeOffset(t, a.ptr(2), offset.value, n) ? n : -EFAULT;
  });

const copyFileRange: Handler = (t, a) =>
  withTwoFds(t, a.i32(0), a.i32(2), (source, target) => {
    const { files } = t;
    if (a.u32(5) !== 0) return -EINVAL;
    const [from, to] = [offsetAt(t, a.ptr(1)), offsetAt(t, a.ptr(3))];
    if (typeof from === 'number') return from;
    if (typeof to === 'number') return to;
    if (!canRead(t, source) || !canWrite(t, target)) return -EBADF;
    if ((fileFlags(files.state, target) & O_APPEND) !== 0) return -EBADF;
    if (fileKind(files.state, source) !== KIND.FILE || fileKind(files.state, target) !== KIND.FILE) return -EINVAL;
    const size = Math.min(a.ptr(4), MAX_COPY);
    const [x, y] = [statOpenFile(files, source), statOpenFile(files, target)];
    if (typeof x === 'number') return x;
    if (typeof y === 'number') return y;
    const start = from.value ?? fileOffset(files.state, source);
    const end = to.value ?? fileOffset(files.state, target);
    if (start + size > Number.MAX_SAFE_INTEGER || end + size > Number.MAX_SAFE_INTEGER) return -EOVERFLOW;
    if (x.ino === y.ino && x.dev === y.dev && start < end + size && end < start + size) return -EINVAL;
    const n = copy(t, { file: source, offset: from.value }, { file: target, offset: to.value }, size);
    const stored = storeOffset(t, a.ptr(1), from.value, n) && storeOffset(t, a.ptr(3), to.value, n);
    return stored ? n : -EFAULT;
  });

const SPLICE_F_NONBLOCK = 2;
const SPLICE_FLAGS = 0xf;
const isPipe = (kind: Kind): boolean => kind === KIND.PIPE_READ || kind === KIND.PIPE_WRITE;

const splice: Handler = (t, a) =>
  withTwoFds(t, a.i32(0), a.i32(2), (source, target) => {
    const { files } = t;
    const { state } = files;
    if ((a.u32(5) & ~SPLICE_FLAGS) !== 0) return -EINVAL;
    const [fromPipe, toPipe] = [isPipe(fileKind(state, source)), isPipe(fileKind(state, target))];
    if (!fromPipe && !toPipe) return -EINVAL;
    if ((fromPipe && a.ptr(1) !== 0) || (toPipe && a.ptr(3) !== 0)) return -ESPIPE;
    if (!canRead(t, source) || !canWrite(t, target)) return -EBADF;
    const [from, to] = [offsetAt(t, a.ptr(1)), offsetAt(t, a.ptr(3))];
    if (typeof from === 'number') return from;
    if (typeof to === 'number') return to;
    const size = Math.min(a.ptr(4), CHUNK);
    if (size === 0) return 0;
    const n = fromPipe
      ? drainPipe(t, source, { file: target, offset: to.value }, size, (a.u32(5) & SPLICE_F_NONBLOCK) !== 0)
      : fillPipe(t, { file: source, offset: from.value }, target, size);
    const stored = storeOffset(t, a.ptr(1), from.value, n) && storeOffset(t, a.ptr(3), to.value, n);
    return stored ? n : -EFAULT;
  });

/** Moves what a pipe holds to a file or another pipe; bytes leave the pipe once they are written. */
function drainPipe(t: Thread, source: number, to: End, size: number, noWait: boolean): number {
  const { state } = t.files;
  const pipe = fileObject(state, source);
  const chunk = new Uint8Array(size);
  const attempt = (): number | undefined => readPipe(state, pipe, [chunk], true);
  const nonBlocking = noWait || (fileFlags(state, source) & O_NONBLOCK) !== 0;
  const n = nonBlocking ? (attempt() ?? -EAGAIN) : waitUntil(state, [pipeQueue(pipe)], attempt);
  if (n === TIMED_OUT) return -EAGAIN;
  if (n <= 0) return n;
  const written = writeFile(t.files, to.file, n, () => [chunk.subarray(0, n)], to.offset);
  if (written > 0) takeFromPipe(state, pipe, chunk.subarray(0, written));
  return written;
}

/** Moves bytes of a file, or what a stream has, into a pipe. */
function fillPipe(t: Thread, from: End, target: number, size: number): number {
  if (isSeekable(t.files.state, from.file)) return copy(t, from, { file: target, offset: undefined }, size);
  const chunk = new Uint8Array(size);
  const n = readFile(t.files, from.file, size, () => [chunk]);
  return n <= 0 ? n : writeFile(t.files, target, n, () => [chunk.subarray(0, n)]);
}

// ---------------------------------------------------------------- memory files

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 16;
const MFD_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
const F_SEAL_SEAL = 1;
const MFD_NAME_MAX = 249;

const memfdCreate: Handler = (t, a) => {
  const flags = a.u32(1);
  const name = t.mem.cstring(a.ptr(0), MFD_NAME_MAX + 1);
  if (name === undefined) return -EFAULT;
  if ((flags & ~MFD_FLAGS) !== 0 || name.length > MFD_NAME_MAX) return -EINVAL;
  const { state } = t.files;
  const hostFd = anonymousHostFile();
  if (hostFd < 0) return hostFd;
  const path = bytePath(`/memfd:${Buffer.from(name).toString('latin1')} (deleted)`);
  const file = newFile(state, {
    kind: KIND.FILE,
    flags: O_RDWR | O_LARGEFILE,
    hostFd,
    marks: MARK.MEMFD,
    path,
  });
  if (file < 0) {
    fs.closeSync(hostFd);
    return file;
  }
  if ((flags & MFD_ALLOW_SEALING) === 0) addSeals(state, file, F_SEAL_SEAL);
  return giveDescriptor(t.files, file, (flags & MFD_CLOEXEC) !== 0);
};

// ---------------------------------------------------------------- advice and syncing

const LAST_ADVICE = 5;

const fadvise: Handler = (t, a) =>
  withFd(t, a.i32(0), (file): SyscallResult => {
    const kind = fileKind(t.files.state, file);
    if (kind === KIND.PATH) return -EBADF;
    if (isPipe(kind)) return -ESPIPE;
    return a.i64(2) < 0n || a.u32(3) > LAST_ADVICE ? -EINVAL : 0;
  });

const readahead: Handler = (t, a) =>
  withFd(t, a.i32(0), (file): SyscallResult => {
    const kind = fileKind(t.files.state, file);
    if (kind === KIND.PATH || !canRead(t, file)) return -EBADF;
    return kind === KIND.FILE ? 0 : -EINVAL;
  });

/** Syncs the file behind a descriptor; -EINVAL for what can't be. */
export function syncFd(t: Thread, fd: number): SyscallResult {
  return withFd(t, fd, (file): SyscallResult => {
    const kind = fileKind(t.files.state, file);
    if (kind === KIND.PATH) return -EBADF;
    if (kind !== KIND.FILE && kind !== KIND.DIRECTORY) return -EINVAL;
    return onHostFd(t, fd, -EINVAL, fs.fsyncSync);
  });
}

const fsync: Handler = (t, a) => syncFd(t, a.i32(0));

const syncfs: Handler = (t, a) => {
  const result = fsync(t, a);
  return result === -EINVAL ? 0 : result;
};

const syncRange: Handler = (t, a: SyscallArgs) => ((a.u32(3) & ~7) !== 0 ? -EINVAL : fsync(t, a));

export const miscFileRows = [
  { nr: 40, name: 'sendfile', args: 'd,d,p,lu', support: 'yes', handler: sendfile },
  { nr: 74, name: 'fsync', args: 'd', support: 'yes', handler: fsync },
  { nr: 75, name: 'fdatasync', args: 'd', support: 'yes', handler: fsync },
  {
    nr: 162,
    name: 'sync',
    args: '',
    support: 'partly',
    note: 'does nothing: Node has no call for it',
    handler: () => 0,
  },
  { nr: 187, name: 'readahead', args: 'd,ld,lu', support: 'yes', handler: readahead },
  { nr: 221, name: 'fadvise64', args: 'd,ld,lu,d', support: 'yes', handler: fadvise },
  { nr: 275, name: 'splice', args: 'd,p,d,p,lu,x', support: 'yes', handler: splice },
  {
    nr: 277,
    name: 'sync_file_range',
    args: 'd,ld,ld,x',
    support: 'yes',
    note: 'syncs the whole file',
    handler: syncRange,
  },
  { nr: 306, name: 'syncfs', args: 'd', support: 'partly', note: 'syncs the file itself', handler: syncfs },
  {
    nr: 319,
    name: 'memfd_create',
    args: 's,x',
    support: 'partly',
    note: 'an unnamed file of the host; seals count for the descriptor and its duplicates; no huge pages',
    handler: memfdCreate,
  },
  { nr: 326, name: 'copy_file_range', args: 'd,p,d,p,lu,x', support: 'yes', handler: copyFileRange },
] as const satisfies readonly SyscallRow[];
