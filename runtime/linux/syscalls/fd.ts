/**
 * Descriptors: duplicates, flags, locks, pipes, eventfd, device control. In: descriptors. Out: rows.
 * Source: man 2 dup, fcntl, flock, ioctl, ioctl_tty, pipe, eventfd.
 */
import { freeCounter, newCounter } from '../../vfs/counters.js';
import { isCloexec, pinFile, replaceFile, setCloexec } from '../../vfs/fd-table.js';
import { withFd } from '../../vfs/guest-args.js';
import { bytePath } from '../../vfs/byte-path.js';
import { PIPE_CAPACITY } from '../../vfs/layout.js';
import { giveBoth, giveDescriptor, newDescriptor } from '../../vfs/new-descriptor.js';
import {
  addSeals,
  fileFlags,
  fileKind,
  fileOwner,
  fileMarks,
  fileSeals,
  KIND,
  MARK,
  openPipe,
  putFile,
  setFileFlags,
  setFileOwner,
  type Kind,
} from '../../vfs/open-files.js';
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, SETTABLE_FLAGS } from '../../vfs/open-flags.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EBADF, EFAULT, EINVAL, EPERM } from '../errno.js';
import type { Thread } from '../thread.js';
import { ioctl } from './ioctl.js';
import { F_GETLK, F_OFD_GETLK, F_OFD_SETLKW, F_SETLKW, flock, recordLock } from './file-locks.js';

function duplicate(t: Thread, fd: number, min: number, cloexec: boolean): number {
  const file = pinFile(t.files.state, t.files.table, fd);
  return file < 0 ? file : giveDescriptor(t.files, file, cloexec, min);
}

function dup2(t: Thread, from: number, to: number, cloexec: boolean): number {
  const { state, table, port } = t.files;
  const file = pinFile(state, table, from);
  if (file < 0) return file;
  if (to < 0 || to >= port.fdLimit() || from === to) {
    putFile(state, file);
    return from === to ? to : -EBADF;
  }
  replaceFile(state, table, to, file, cloexec);
  return to;
}

const dup3: Handler = (t, a) => {
  const flags = a.i32(2);
  if (a.i32(0) === a.i32(1) || (flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  return dup2(t, a.i32(0), a.i32(1), flags !== 0);
};

const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  SETOWN: 8,
  GETOWN: 9,
  SETSIG: 10,
  GETSIG: 11,
  GETLEASE: 1025,
  DUPFD_CLOEXEC: 1030,
  SETPIPE_SZ: 1031,
  GETPIPE_SZ: 1032,
  ADD_SEALS: 1033,
  GET_SEALS: 1034,
} as const;
const F_UNLCK = 2;
const F_SEAL_SEAL = 1;
const F_SEALS = 0x1f;

/** What O_PATH descriptors can do. */
const PATH_COMMANDS: ReadonlySet<number> = new Set([F.DUPFD, F.DUPFD_CLOEXEC, F.GETFD, F.SETFD, F.GETFL]);

function fcntl(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table, port } = t.files;
  const fd = a.i32(0);
  const command = a.i32(1);
  return withFd(t, fd, (file): SyscallResult => {
    if (fileKind(state, file) === KIND.PATH && !PATH_COMMANDS.has(command)) return -EBADF;
    if ((command >= F_GETLK && command <= F_SETLKW) || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW))
      return recordLock(t, file, command, a.ptr(2));
    switch (command) {
      case F.DUPFD:
      case F.DUPFD_CLOEXEC:
        if (a.i32(2) < 0 || a.i32(2) >= port.fdLimit()) return -EINVAL;
        return duplicate(t, fd, a.i32(2), command === F.DUPFD_CLOEXEC);
      case F.GETFD:
        return isCloexec(state, table, fd) === true ? 1 : 0;
      case F.SETFD:
        return setCloexec(state, table, fd, (a.i32(2) & 1) !== 0);
      case F.GETFL:
        return fileFlags(state, file);
      case F.SETFL:
        setFileFlags(state, file, (fileFlags(state, file) & ~SETTABLE_FLAGS) | (a.i32(2) & SETTABLE_FLAGS));
        return 0;
      case F.SETOWN:
        setFileOwner(state, file, a.i32(2));
        return 0;
      case F.GETOWN:
        return fileOwner(state, file);
      case F.SETSIG:
        return a.i32(2) === 0 ? 0 : -EINVAL;
      case F.GETSIG:
        return 0;
      case F.GETLEASE:
        return F_UNLCK;
      case F.SETPIPE_SZ:
        if (!isPipe(fileKind(state, file))) return -EBADF;
        return a.u32(2) > PIPE_CAPACITY ? -EPERM : PIPE_CAPACITY;
      case F.GETPIPE_SZ:
        return isPipe(fileKind(state, file)) ? PIPE_CAPACITY : -EBADF;
      case F.ADD_SEALS:
        return seal(t, file, a.u32(2));
      case F.GET_SEALS:
        return (fileMarks(state, file) & MARK.MEMFD) === 0 ? -EINVAL : fileSeals(state, file);
      default:
        return -EINVAL;
    }
  });
}

const isPipe = (kind: Kind): boolean => kind === KIND.PIPE_READ || kind === KIND.PIPE_WRITE;

function seal(t: Thread, file: number, seals: number): number {
  const { state } = t.files;
  if ((fileMarks(state, file) & MARK.MEMFD) === 0 || (seals & ~F_SEALS) !== 0) return -EINVAL;
  if ((fileFlags(state, file) & 3) === O_RDONLY) return -EPERM;
  if ((fileSeals(state, file) & F_SEAL_SEAL) !== 0) return -EPERM;
  addSeals(state, file, seals);
  return 0;
}

/** pipe2: two descriptors at `addr`. */
function pipe(t: Thread, addr: number, flags: number): SyscallResult {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  if (!t.mem.canWrite(addr, 8)) return -EFAULT;
  const ends = openPipe(t.files.state, flags & O_NONBLOCK);
  if (typeof ends === 'number') return ends;
  const fds = giveBoth(t.files, [ends.reader, ends.writer], (flags & O_CLOEXEC) !== 0);
  if (typeof fds === 'number') return fds;
  t.mem.writeU32(addr, fds[0]);
  t.mem.writeU32(addr + 4, fds[1]);
  return 0;
}

const EFD_SEMAPHORE = 1;

function eventfd(t: Thread, value: number, flags: number): SyscallResult {
  const { state } = t.files;
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const object = newCounter(state, value, (flags & EFD_SEMAPHORE) !== 0);
  if (object < 0) return object;
  const path = bytePath('anon_inode:[eventfd]');
  const file = { kind: KIND.COUNTER, flags: O_RDWR | (flags & O_NONBLOCK), object, path };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0, () => {
    freeCounter(state, object);
  });
}

const LOCKS_NOTE = 'between guests of one lift64: programs of the host neither see nor keep the locks';

export const fdRows = [
  {
    nr: 16,
    name: 'ioctl',
    args: 'd,x,p',
    support: 'partly',
    note: 'FIO* and terminals (the modes of the one that lift64 runs in reach the host as cooked or raw); others ENOTTY',
    handler: ioctl,
  },
  { nr: 22, name: 'pipe', args: 'p', support: 'yes', handler: (t, a) => pipe(t, a.ptr(0), 0) },
  { nr: 32, name: 'dup', args: 'd', support: 'yes', handler: (t, a) => duplicate(t, a.i32(0), 0, false) },
  { nr: 33, name: 'dup2', args: 'd,d', support: 'yes', handler: (t, a) => dup2(t, a.i32(0), a.i32(1), false) },
  {
    nr: 72,
    name: 'fcntl',
    args: 'd,fc,x',
    support: 'partly',
    note: `locks ${LOCKS_NOTE}; no leases, no F_NOTIFY; a pipe's size is fixed; O_APPEND of a file that was opened with it stays`,
    handler: fcntl,
  },
  { nr: 73, name: 'flock', args: 'd,x', support: 'partly', note: LOCKS_NOTE, handler: flock },
  { nr: 284, name: 'eventfd', args: 'u', support: 'yes', handler: (t, a) => eventfd(t, a.u32(0), 0) },
  { nr: 290, name: 'eventfd2', args: 'u,x', support: 'yes', handler: (t, a) => eventfd(t, a.u32(0), a.i32(1)) },
  { nr: 292, name: 'dup3', args: 'd,d,of', support: 'yes', handler: dup3 },
  {
    nr: 293,
    name: 'pipe2',
    args: 'p,of',
    support: 'partly',
    note: 'O_DIRECT (packets): EINVAL',
    handler: (t, a) => pipe(t, a.ptr(0), a.i32(1)),
  },
] as const satisfies readonly SyscallRow[];
