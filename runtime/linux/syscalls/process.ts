/**
 * System calls: processes and threads. In: thread and arguments. Out: results. Source: man 2 clone, clone3, vfork, _exit, exit_group, wait4, waitid, getpid, gettid,
 * set_tid_address, setpgid, setsid.
 */
import { CLONE, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP, cloneTask, forkArgs } from '../../process/clone.js';
import { execute } from '../../process/exec.js';
import { exitGroup, exitThread } from '../../process/exit.js';
import type { Group } from '../../process/group.js';
import { GROUP_FLAG, HEAD } from '../../process/layout.js';
import { waitForChild, W, type Change, type Whom } from '../../process/wait.js';
import { bytePath } from '../../vfs/byte-path.js';
import { isNonBlocking } from '../../vfs/file-io.js';
import { withFd, withPath } from '../../vfs/guest-args.js';
import { fileKind, fileOffset, KIND } from '../../vfs/open-files.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../vfs/open-flags.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EACCES, EAGAIN, EBADF, EFAULT, EINVAL, EPERM, ESRCH } from '../errno.js';
import { SIGCHLD } from '../signals.js';
import { writeRusage } from '../structs.js';
import type { Thread } from '../thread.js';
import { unsupported } from '../unsupported.js';

const CSIGNAL = 0xff;
/** struct clone_args: versions of 64, 80 and 88 bytes. */
const CLONE_ARGS_MIN = 64;
const CLONE_ARGS_MAX = 4096;
const CLONE_ARGS_KNOWN = 88;

function clone(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.u32(0);
  const rest = (flags & ~CSIGNAL) >>> 0;
  // The pidfd of clone(2) goes where CLONE_PARENT_SETTID's tid would.
  if ((rest & CLONE.PIDFD) !== 0 && (rest & (CLONE.PARENT_SETTID | CLONE.DETACHED)) !== 0) return -EINVAL;
  return cloneTask(t, {
    flags: rest,
    clearSighand: false,
    exitSignal: flags & CSIGNAL,
    stack: a.u64(1),
    parentTid: a.ptr(2),
    pidfd: a.ptr(2),
    childTid: a.ptr(3),
    tls: a.u64(4),
  });
}

function clone3(t: Thread, a: SyscallArgs): SyscallResult {
  const addr = a.ptr(0);
  const size = a.ptr(1);
  if (size > CLONE_ARGS_MAX) return -E2BIG;
  if (size < CLONE_ARGS_MIN) return -EINVAL;
  const bytes = t.mem.read(addr, size);
  if (bytes === undefined) return -EFAULT;
  for (let i = CLONE_ARGS_KNOWN; i < size; i++) if (bytes[i] !== 0) return -E2BIG;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const field = (i: number): bigint => (i * 8 + 8 <= size ? view.getBigUint64(i * 8, true) : 0n);
  const flags = field(0);
  const stack = field(5);
  const stackSize = field(6);
  if ((flags & CLONE_INTO_CGROUP) !== 0n || field(9) !== 0n) {
    unsupported(t, 'clone3 with set_tid or CLONE_INTO_CGROUP');
    return -EINVAL;
  }
  if (flags >> 34n !== 0n || (flags & BigInt(CLONE.DETACHED | CSIGNAL)) !== 0n) return -EINVAL;
  const exitSignal = field(4);
  if (exitSignal > BigInt(CSIGNAL) || exitSignal > 64n) return -EINVAL;
  const low = Number(flags & 0xffff_ffffn);
  if ((low & (CLONE.THREAD | CLONE.PARENT)) !== 0 && exitSignal !== 0n) return -EINVAL;
  if ((stack === 0n) !== (stackSize === 0n)) return -EINVAL;
  return cloneTask(t, {
    flags: low,
    clearSighand: (flags & CLONE_CLEAR_SIGHAND) !== 0n,
    exitSignal: Number(exitSignal),
    stack: stack === 0n ? 0n : stack + stackSize,
    parentTid: Number(field(3)),
    pidfd: Number(field(1)),
    childTid: Number(field(2)),
    tls: field(7),
  });
}

function execve(t: Thread, a: SyscallArgs): SyscallResult {
  return withPath(t, a.ptr(0), (path) => execute(t, { dirfd: AT_FDCWD, path, argv: a.ptr(1), env: a.ptr(2) }));
}

function execveat(t: Thread, a: SyscallArgs): SyscallResult {
  const dirfd = a.i32(0);
  const flags = a.u32(4);
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  return withPath(t, a.ptr(1), (path) => {
    const request = { dirfd, path, argv: a.ptr(2), env: a.ptr(3) };
    if (path !== '' || (flags & AT_EMPTY_PATH) === 0)
      return execute(t, { ...request, noFollow: (flags & AT_SYMLINK_NOFOLLOW) !== 0 });
    return execute(t, { ...request, path: bytePath(`/dev/fd/${String(dirfd)}`) });
  });
}

function exit(t: Thread, a: SyscallArgs): SyscallResult {
  exitThread(t, a.i32(0));
  return 0;
}

function exitAll(t: Thread, a: SyscallArgs): SyscallResult {
  exitGroup(t, a.i32(0));
  return 0;
}

function wait4(t: Thread, a: SyscallArgs): SyscallResult {
  const pid = a.i32(0);
  const options = a.i32(2);
  if ((options & ~(W.NOHANG | W.STOPPED | W.CONTINUED | W.NOTHREAD | W.CLONE | W.ALL)) !== 0) return -EINVAL;
  if (pid === -0x8000_0000) return -ESRCH;
  const change = waitForChild(t, whomOf(t, pid), options | W.EXITED);
  if (change === undefined) return 0;
  if (typeof change === 'number') return change;
  const status = a.ptr(1);
  const usage = a.ptr(3);
  if (status !== 0 && !t.mem.writeU32(status, change.status)) return -EFAULT;
  if (usage !== 0 && !writeRusage(t.mem, usage, change.cpu)) return -EFAULT;
  return change.pid;
}

function whomOf(t: Thread, pid: number): Whom {
  if (pid > 0) return { kind: 'pid', pid };
  if (pid === -1) return { kind: 'any' };
  return { kind: 'pgid', pgid: pid === 0 ? t.task.group.pgid : -pid };
}

function waitid(t: Thread, a: SyscallArgs): SyscallResult {
  const id = a.i32(1);
  const options = a.i32(3);
  const known = W.NOHANG | W.NOWAIT | W.EXITED | W.STOPPED | W.CONTINUED | W.NOTHREAD | W.CLONE | W.ALL;
  if ((options & ~known) !== 0 || (options & (W.EXITED | W.STOPPED | W.CONTINUED)) === 0) return -EINVAL;
  let whom: Whom;
  let nohang = (options & W.NOHANG) !== 0;
  switch (a.i32(0)) {
    case 0:
      whom = { kind: 'any' };
      break;
    case 1:
      if (id <= 0) return -EINVAL;
      whom = { kind: 'pid', pid: id };
      break;
    case 2:
      if (id < 0) return -EINVAL;
      whom = { kind: 'pgid', pgid: id === 0 ? t.task.group.pgid : id };
      break;
    case 3: {
      const { state } = t.files;
      const of = withFd(t, id, (file) =>
        fileKind(state, file) === KIND.PIDFD
          ? { pid: fileOffset(state, file), polls: isNonBlocking(state, file) }
          : -EBADF,
      );
      if (typeof of === 'number') return of;
      whom = { kind: 'pid', pid: of.pid };
      nohang ||= of.polls;
      break;
    }
    default:
      return -EINVAL;
  }
  const change = waitForChild(t, whom, nohang ? options | W.NOHANG : options);
  // A pidfd with O_NONBLOCK.
  if (change === undefined && (options & W.NOHANG) === 0) return -EAGAIN;
  if (typeof change === 'number') return change;
  const info = a.ptr(2);
  const usage = a.ptr(4);
  if (usage !== 0 && change !== undefined && !writeRusage(t.mem, usage, change.cpu)) return -EFAULT;
  if (info !== 0 && !writeWaitInfo(t, info, change)) return -EFAULT;
  return 0;
}

/** The members that waitid fills; all 0 when nothing has changed. */
function writeWaitInfo(t: Thread, addr: number, change: Change | undefined): boolean {
  const bytes = new Uint8Array(28);
  const v = new DataView(bytes.buffer);
  if (change !== undefined) {
    v.setInt32(0, SIGCHLD, true);
    v.setInt32(8, change.code, true);
    v.setInt32(16, change.pid, true);
    v.setUint32(20, change.uid, true);
    v.setInt32(24, change.value, true);
  }
  return t.mem.write(addr, bytes);
}

function getppid(t: Thread): number {
  const { kernel } = t;
  const { group } = t.task;
  if (group.parentIndex !== 0) return group.parent.tgid;
  // An orphan's parent is init; the first process's is lift64's own.
  return group.index === kernel.initGroup.index ? (kernel.i32[HEAD.HOST_PPID] ?? 1) : 1;
}

function setTidAddress(t: Thread, a: SyscallArgs): number {
  t.task.clearChildTid = a.ptr(0);
  return t.task.tid;
}

function getpgid(t: Thread, a: SyscallArgs): number {
  return idOf(t, a.i32(0), (g) => g.pgid);
}

function getsid(t: Thread, a: SyscallArgs): number {
  return idOf(t, a.i32(0), (g) => g.sid);
}

function idOf(t: Thread, pid: number, of: (g: Group) => number): number {
  const group = pid === 0 ? t.task.group : t.kernel.findTask(pid)?.group;
  return group === undefined ? -ESRCH : of(group);
}

function setpgid(t: Thread, a: SyscallArgs): number {
  const { kernel } = t;
  const own = t.task.group;
  const pid = a.i32(0) === 0 ? own.tgid : a.i32(0);
  const pgid = a.i32(1) === 0 ? pid : a.i32(1);
  if (a.i32(1) < 0) return -EINVAL;
  return kernel.lock(() => {
    const group = kernel.findGroup(pid);
    if (group === undefined || !group.alive) return -ESRCH;
    if (group.index !== own.index) {
      if (group.parentIndex !== own.index) return -ESRCH;
      if (group.sid !== own.sid) return -EPERM;
      if (group.has(GROUP_FLAG.EXECED)) return -EACCES;
    }
    if (group.sid === group.tgid) return -EPERM;
    if (pgid !== pid && ![...kernel.allGroups()].some((g) => g.pgid === pgid && g.sid === own.sid)) return -EPERM;
    group.pgid = pgid;
    return 0;
  });
}

function setsid(t: Thread): number {
  const { kernel } = t;
  const { group } = t.task;
  return kernel.lock(() => {
    for (const g of kernel.allGroups()) if (g.pgid === group.tgid) return -EPERM;
    group.sid = group.tgid;
    group.pgid = group.tgid;
    group.terminal = -1;
    return group.sid;
  });
}

const SHARED_MEMORY =
  'MAP_SHARED memory is copied, not shared: stores go to its file at msync, munmap and exit, page by page, and not to the other process';

export const processRows = [
  { nr: 39, name: 'getpid', args: '', support: 'yes', handler: (t) => t.task.tgid },
  {
    nr: 56,
    name: 'clone',
    args: 'cf,ptr:child_stack,ptr:parent_tidptr,ptr:child_tidptr,ptr:tls',
    support: 'partly',
    note: 'no namespaces',
    handler: clone,
  },
  {
    nr: 57,
    name: 'fork',
    args: '',
    support: 'partly',
    note: SHARED_MEMORY,
    handler: (t) => cloneTask(t, forkArgs(false)),
  },
  { nr: 58, name: 'vfork', args: '', support: 'yes', handler: (t) => cloneTask(t, forkArgs(true)) },
  { nr: 59, name: 'execve', args: 's,p,p', support: 'yes', handler: execve },
  { nr: 60, name: 'exit', args: 'd', ret: 'none', support: 'yes', handler: exit },
  { nr: 61, name: 'wait4', args: 'd,p,wo,p', support: 'yes', handler: wait4 },
  { nr: 109, name: 'setpgid', args: 'd,d', support: 'yes', handler: setpgid },
  { nr: 110, name: 'getppid', args: '', support: 'yes', handler: getppid },
  { nr: 111, name: 'getpgrp', args: '', support: 'yes', handler: (t) => t.task.group.pgid },
  { nr: 112, name: 'setsid', args: '', support: 'yes', handler: setsid },
  { nr: 121, name: 'getpgid', args: 'd', support: 'yes', handler: getpgid },
  { nr: 124, name: 'getsid', args: 'd', support: 'yes', handler: getsid },
  { nr: 186, name: 'gettid', args: '', support: 'yes', handler: (t) => t.task.tid },
  { nr: 218, name: 'set_tid_address', args: 'p', support: 'yes', handler: setTidAddress },
  { nr: 231, name: 'exit_group', args: 'd', ret: 'none', support: 'yes', handler: exitAll },
  {
    nr: 247,
    name: 'waitid',
    args: 'd,d,p,wo,p',
    support: 'yes',
    handler: waitid,
  },
  {
    nr: 322,
    name: 'execveat',
    args: 'at,s,p,p,af',
    support: 'yes',
    handler: execveat,
  },
  {
    nr: 435,
    name: 'clone3',
    args: 'p,lu',
    support: 'partly',
    note: 'no namespaces, cgroups, set_tid',
    handler: clone3,
  },
] as const satisfies readonly SyscallRow[];
