/**
 * Descriptors for signals and processes: signalfd and pidfd. In: descriptors, masks. Out: rows. Source: man 2 signalfd, pidfd_open, pidfd_send_signal, pidfd_getfd.
 */
import type { Group } from '../../process/group.js';
import { NSIG, SIGINFO_BYTES } from '../../process/layout.js';
import type { SigInfo } from '../../process/siginfo.js';
import { sendToGroupLocked } from '../../process/signal-send.js';
import { bytePath } from '../../vfs/byte-path.js';
import { pinFile } from '../../vfs/fd-table.js';
import { withFd } from '../../vfs/guest-args.js';
import { setSignalfdMask } from '../../vfs/kinds/signalfd.js';
import { giveDescriptor, newDescriptor } from '../../vfs/new-descriptor.js';
import { fileKind, KIND } from '../../vfs/open-files.js';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from '../../vfs/open-flags.js';
import { newPidfd, pidfdGroup } from '../../vfs/pidfds.js';
import { processQueue } from '../../vfs/process-queue.js';
import { wakeAll } from '../../vfs/wait-queue.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EAGAIN, EBADF, EFAULT, EINVAL, EPERM, ESRCH } from '../errno.js';
import { SI_TKILL, SI_USER, UNBLOCKABLE } from '../signals.js';
import type { Thread } from '../thread.js';

const SIGSET_BYTES = 8;

function signalfd(t: Thread, fd: number, maskAddr: number, size: number, flags: number): SyscallResult {
  const { state, port } = t.files;
  if (size !== SIGSET_BYTES) return -EINVAL;
  const raw = t.mem.readU64(maskAddr);
  if (raw === undefined) return -EFAULT;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const mask = raw & ~UNBLOCKABLE;
  const setMask = (file: number): number => {
    if (fileKind(state, file) !== KIND.SIGNALFD) return -EINVAL;
    setSignalfdMask(state, file, mask);
    wakeAll(state, processQueue(port.process));
    return fd;
  };
  if (fd !== -1) return withFd(t, fd, setMask);
  const path = bytePath('anon_inode:[signalfd]');
  const file = { kind: KIND.SIGNALFD, flags: O_RDWR | (flags & O_NONBLOCK), offset: mask, path };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0);
}

function pidfdOpen(t: Thread, a: SyscallArgs): SyscallResult {
  const pid = a.i32(0);
  const flags = a.i32(1);
  if ((flags & ~O_NONBLOCK) !== 0 || pid <= 0) return -EINVAL;
  const { kernel } = t;
  const group = kernel.findGroup(pid);
  if (group === undefined) return kernel.findTask(pid) === undefined ? -ESRCH : -EINVAL;
  return newDescriptor(t.files, newPidfd(group.index, pid, flags & O_NONBLOCK), true);
}

/** Calls `fn` with the process behind a pidfd, the kernel mutex held; -EBADF, -ESRCH. */
export function withProcess(t: Thread, fd: number, fn: (group: Group) => number): number {
  const { kernel, files } = t;
  return withFd(t, fd, (file) => {
    if (fileKind(files.state, file) !== KIND.PIDFD) return -EBADF;
    return kernel.lock(() => {
      const group = pidfdGroup(kernel, files.state, file);
      return group === undefined ? -ESRCH : fn(group);
    });
  });
}

function pidfdSendSignal(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel, task } = t;
  const signal = a.i32(1);
  const at = a.ptr(2);
  if (a.u32(3) !== 0) return -EINVAL;
  const bytes = at === 0 ? undefined : t.mem.read(at, SIGINFO_BYTES);
  if (at !== 0 && bytes === undefined) return -EFAULT;
  return withProcess(t, a.i32(0), (group) => {
    let info: SigInfo = { kind: 'kill', signal, code: SI_USER, pid: task.tgid, uid: task.group.ids.uid };
    if (bytes !== undefined) {
      const v = new DataView(bytes.buffer, bytes.byteOffset);
      const code = v.getInt32(8, true);
      if (v.getInt32(0, true) !== signal) return -EINVAL;
      if ((code >= 0 || code === SI_TKILL) && group.index !== task.groupIndex) return -EPERM;
      info = { kind: 'raw', signal, code, bytes };
    }
    if (signal < 0 || signal > NSIG) return -EINVAL;
    if (signal === 0) return 0;
    return sendToGroupLocked(kernel, group, info) ? 0 : -EAGAIN;
  });
}

function pidfdGetfd(t: Thread, a: SyscallArgs): SyscallResult {
  const { state } = t.files;
  if (a.u32(2) !== 0) return -EINVAL;
  let theirs = 0;
  const found = withProcess(t, a.i32(0), (group) => {
    theirs = group.leader.files;
    return theirs === 0 ? -ESRCH : 0;
  });
  if (found < 0) return found;
  const file = pinFile(state, theirs, a.i32(1));
  return file < 0 ? file : giveDescriptor(t.files, file, true);
}

export const pidfdRows = [
  {
    nr: 282,
    name: 'signalfd',
    args: 'd,p,lu',
    support: 'yes',
    handler: (t, a) => signalfd(t, a.i32(0), a.ptr(1), a.ptr(2), 0),
  },
  {
    nr: 289,
    name: 'signalfd4',
    args: 'd,p,lu,of',
    support: 'yes',
    handler: (t, a) => signalfd(t, a.i32(0), a.ptr(1), a.ptr(2), a.i32(3)),
  },
  {
    nr: 424,
    name: 'pidfd_send_signal',
    args: 'd,S,p,x',
    support: 'partly',
    note: 'flags (threads, groups): EINVAL, as before Linux 6.9',
    handler: pidfdSendSignal,
  },
  {
    nr: 434,
    name: 'pidfd_open',
    args: 'd,x',
    support: 'partly',
    note: 'no PIDFD_THREAD: EINVAL, as before Linux 6.9',
    handler: pidfdOpen,
  },
  { nr: 438, name: 'pidfd_getfd', args: 'd,d,x', support: 'yes', handler: pidfdGetfd },
] as const satisfies readonly SyscallRow[];
