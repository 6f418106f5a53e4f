/**
 * ioctl: what files, pipes and terminals answer. In: descriptors, requests. Out: the handler. Source: man 2 ioctl, ioctl_tty, ioctl_console.
 */
import { withFd } from '../../vfs/guest-args.js';
import { setCloexec } from '../../vfs/fd-table.js';
import { fileFlags, fileKind, fileOps, KIND, setFileFlags } from '../../vfs/open-files.js';
import { O_ASYNC, O_NONBLOCK } from '../../vfs/open-flags.js';
import type { SyscallArgs, SyscallResult } from '../context.js';
import { EBADF, EFAULT, ENOTTY } from '../errno.js';
import type { Thread } from '../thread.js';

const REQUEST = {
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
  FIOASYNC: 0x5452,
} as const;

export function ioctl(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table } = t.files;
  const fd = a.i32(0);
  const arg = a.ptr(2);
  return withFd(t, fd, (file): SyscallResult => {
    if (fileKind(state, file) === KIND.PATH) return -EBADF;
    switch (a.u32(1)) {
      case REQUEST.FIOCLEX:
        return setCloexec(state, table, fd, true);
      case REQUEST.FIONCLEX:
        return setCloexec(state, table, fd, false);
      case REQUEST.FIONBIO:
        return flag(t, file, O_NONBLOCK, arg);
      case REQUEST.FIOASYNC:
        return flag(t, file, O_ASYNC, arg);
      case REQUEST.FIONREAD: {
        const n = fileOps(state, file).readable?.(t.files, file) ?? -ENOTTY;
        if (n < 0) return n;
        return t.mem.writeU32(arg, n) ? 0 : -EFAULT;
      }
      default:
        return fileOps(state, file).ioctl?.(t, file, a.u32(1), arg) ?? -ENOTTY;
    }
  });
}

function flag(t: Thread, file: number, bit: number, arg: number): number {
  const on = t.mem.readU32(arg);
  if (on === undefined) return -EFAULT;
  const { state } = t.files;
  setFileFlags(state, file, (fileFlags(state, file) & ~bit) | (on === 0 ? 0 : bit));
  return 0;
}
