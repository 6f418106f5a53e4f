/**
 * fcntl's record locks and flock. In: descriptions, struct flock in guest memory. Out: results. Source: man 2 fcntl, man 2 flock.
 */
import { withFd } from '../../vfs/guest-args.js';
import { fileFlags, fileOffset, lockOwner } from '../../vfs/open-files.js';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../../vfs/open-flags.js';
import {
  beginWait,
  endWait,
  findConflict,
  LOCK_END,
  LOCK_SPACE,
  LOCK_TYPE,
  lockQueue,
  setLock,
  type FileId,
  type FileLock,
} from '../../vfs/record-locks.js';
import { statOpenFile } from '../../vfs/status.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { SyscallArgs, SyscallResult } from '../context.js';
import { EAGAIN, EBADF, EDEADLK, EFAULT, EINVAL, EOVERFLOW } from '../errno.js';
import type { Thread } from '../thread.js';

export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;

/** struct flock: short l_type, l_whence; off_t l_start, l_len; pid_t l_pid. */
const FLOCK_BYTES = 32;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const OFD_PID = -1;

/** The six locking commands. */
export function recordLock(t: Thread, file: number, command: number, addr: number): SyscallResult {
  const bytes = t.mem.read(addr, FLOCK_BYTES);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ofd = command >= F_OFD_GETLK;
  if (ofd && view.getInt32(24, true) !== 0) return -EINVAL;
  const id = statOpenFile(t.files, file);
  if (typeof id === 'number') return id;
  const lock = lockOf(t, file, view, id, ofd);
  if (typeof lock === 'number') return lock;
  const { state } = t.files;
  if (command === F_GETLK || command === F_OFD_GETLK) {
    if (lock.type === LOCK_TYPE.NONE) return -EINVAL;
    const conflict = findConflict(state, id, lock);
    if (conflict === undefined) view.setInt16(0, F_UNLCK, true);
    else describe(view, conflict);
    return t.mem.write(addr, bytes) ? 0 : -EFAULT;
  }
  const access = fileFlags(state, file) & O_ACCMODE;
  if (lock.type === LOCK_TYPE.SHARED && access === O_WRONLY) return -EBADF;
  if (lock.type === LOCK_TYPE.EXCLUSIVE && access === O_RDONLY) return -EBADF;
  return take(t, id, lock, command === F_SETLKW || command === F_OFD_SETLKW);
}

/** The lock that a struct flock asks for; -EINVAL, -EOVERFLOW. */
function lockOf(t: Thread, file: number, view: DataView, id: { size: bigint }, ofd: boolean): FileLock | number {
  const types: Readonly<Record<number, number>> = {
    [F_RDLCK]: LOCK_TYPE.SHARED,
    [F_WRLCK]: LOCK_TYPE.EXCLUSIVE,
    [F_UNLCK]: LOCK_TYPE.NONE,
  };
  const type = types[view.getInt16(0, true)];
  const bases = [0n, BigInt(fileOffset(t.files.state, file)), id.size];
  const base = bases[view.getInt16(2, true)];
  if (type === undefined || base === undefined) return -EINVAL;
  let start = base + view.getBigInt64(8, true);
  const length = view.getBigInt64(16, true);
  let end = length === 0n ? BigInt(LOCK_END) : start + length;
  if (length < 0n) [start, end] = [end, start];
  if (start < 0n) return -EINVAL;
  if (start > 0x7fff_ffff_ffff_ffffn || end > 0x7fff_ffff_ffff_ffffn) return -EOVERFLOW;
  const cut = (v: bigint): number => Number(v > BigInt(LOCK_END) ? BigInt(LOCK_END) : v);
  const { port, table } = t.files;
  return {
    space: LOCK_SPACE.RECORD,
    owner: ofd ? lockOwner(file) : table,
    pid: ofd ? OFD_PID : port.pid,
    type,
    start: cut(start),
    end: cut(end),
  };
}

function describe(view: DataView, l: FileLock): void {
  view.setInt16(0, l.type === LOCK_TYPE.SHARED ? F_RDLCK : F_WRLCK, true);
  view.setInt16(2, 0, true);
  view.setBigInt64(8, BigInt(l.start), true);
  view.setBigInt64(16, l.end === LOCK_END ? 0n : BigInt(l.end - l.start), true);
  view.setInt32(24, l.pid, true);
}

const waited = (r: number | typeof TIMED_OUT): number => (r === TIMED_OUT ? -EAGAIN : r);

function take(t: Thread, id: FileId, lock: FileLock, wait: boolean): SyscallResult {
  const { state } = t.files;
  const attempt = (): number | undefined => {
    const r = setLock(state, id, lock);
    return typeof r === 'number' ? r : undefined;
  };
  if (!wait) return attempt() ?? -EAGAIN;
  // Only processes can wait for one another: open file descriptions and flock may hang, on Linux too.
  if (lock.space !== LOCK_SPACE.RECORD || lock.owner < 0) return waited(waitUntil(state, [lockQueue], attempt));
  const watched = (): number | undefined => {
    const r = setLock(state, id, lock);
    if (typeof r === 'number') return r;
    return beginWait(state, lock.owner, r.owner) < 0 ? -EDEADLK : undefined;
  };
  const first = setLock(state, id, lock);
  if (typeof first === 'number') return first;
  try {
    return waited(waitUntil(state, [lockQueue], watched));
  } finally {
    endWait(state);
  }
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

export function flock(t: Thread, a: SyscallArgs): SyscallResult {
  const operation = a.i32(1);
  const types: Readonly<Record<number, number>> = {
    [LOCK_SH]: LOCK_TYPE.SHARED,
    [LOCK_EX]: LOCK_TYPE.EXCLUSIVE,
    [LOCK_UN]: LOCK_TYPE.NONE,
  };
  return withFd(t, a.i32(0), (file): SyscallResult => {
    const type = types[operation & ~LOCK_NB];
    if (type === undefined) return -EINVAL;
    const id = statOpenFile(t.files, file);
    if (typeof id === 'number') return id;
    const { pid } = t.files.port;
    const lock = { space: LOCK_SPACE.FLOCK, owner: lockOwner(file), pid, type, start: 0, end: LOCK_END };
    return take(t, id, lock, (operation & LOCK_NB) === 0);
  });
}
