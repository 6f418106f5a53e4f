/**
 * ioctl: what files, pipes and terminals answer. In: descriptors, requests. Out: the handler. Source: man 2 ioctl, ioctl_tty, ioctl_console.
 */
import { withFd } from '../../vfs/guest-args.js';
import { setCloexec } from '../../vfs/fd-table.js';
import { fileFlags, fileKind, fileMarks, fileOps, KIND, MARK, setFileFlags } from '../../vfs/open-files.js';
import { O_ASYNC, O_NONBLOCK } from '../../vfs/open-flags.js';
import {
  foregroundGroup,
  readTermios,
  setForegroundGroup,
  setWindowSize,
  TERMIOS2_BYTES,
  TERMIOS_BYTES,
  windowSize,
  writeTermios,
} from '../../vfs/terminal.js';
import type { SyscallArgs, SyscallResult } from '../context.js';
import { EBADF, EFAULT, EINVAL, ENOTTY } from '../errno.js';
import type { Thread } from '../thread.js';

const REQUEST = {
  TCGETS: 0x5401,
  TCSETS: 0x5402,
  TCSETSW: 0x5403,
  TCSETSF: 0x5404,
  TCSBRK: 0x5409,
  TCXONC: 0x540a,
  TCFLSH: 0x540b,
  TIOCSCTTY: 0x540e,
  TIOCGPGRP: 0x540f,
  TIOCSPGRP: 0x5410,
  TIOCOUTQ: 0x5411,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  TIOCNOTTY: 0x5422,
  TCSBRKP: 0x5425,
  TIOCGSID: 0x5429,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
  FIOASYNC: 0x5452,
  TCGETS2: 0x802c_542a,
  TCSETS2: 0x402c_542b,
  TCSETSW2: 0x402c_542c,
  TCSETSF2: 0x402c_542d,
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
        if ((fileMarks(state, file) & MARK.TERMINAL) !== 0) return terminal(t, a.u32(1), arg);
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

function terminal(t: Thread, request: number, arg: number): number {
  const { state, port } = t.files;
  const put = (v: number): number => (t.mem.writeU32(arg, v) ? 0 : -EFAULT);
  switch (request) {
    case REQUEST.TCGETS:
      return t.mem.write(arg, readTermios(state).subarray(0, TERMIOS_BYTES)) ? 0 : -EFAULT;
    case REQUEST.TCGETS2:
      return t.mem.write(arg, readTermios(state)) ? 0 : -EFAULT;
    case REQUEST.TCSETS:
    case REQUEST.TCSETSW:
    case REQUEST.TCSETSF:
    case REQUEST.TCSETS2:
    case REQUEST.TCSETSW2:
    case REQUEST.TCSETSF2: {
      const modes = t.mem.read(arg, request > 0xffff ? TERMIOS2_BYTES : TERMIOS_BYTES);
      if (modes === undefined) return -EFAULT;
      writeTermios(state, modes);
      return 0;
    }
    case REQUEST.TIOCGWINSZ: {
      const { rows, columns } = windowSize(state);
      const size = new Uint8Array(8);
      const view = new DataView(size.buffer);
      view.setUint16(0, rows, true);
      view.setUint16(2, columns, true);
      return t.mem.write(arg, size) ? 0 : -EFAULT;
    }
    case REQUEST.TIOCSWINSZ: {
      const word = t.mem.readU32(arg);
      if (word === undefined) return -EFAULT;
      setWindowSize(state, word & 0xffff, word >>> 16);
      return 0;
    }
    case REQUEST.TIOCGPGRP:
      return put(foregroundGroup(state) || port.processGroup);
    case REQUEST.TIOCSPGRP: {
      const group = t.mem.readI32(arg);
      if (group === undefined) return -EFAULT;
      if (group <= 0) return -EINVAL;
      setForegroundGroup(state, group);
      return 0;
    }
    case REQUEST.TIOCGSID:
      return put(port.session);
    case REQUEST.TIOCOUTQ:
      return put(0);
    case REQUEST.TCSBRK:
    case REQUEST.TCSBRKP:
    case REQUEST.TCXONC:
    case REQUEST.TCFLSH:
    case REQUEST.TIOCSCTTY:
    case REQUEST.TIOCNOTTY:
      return 0;
    default:
      return -ENOTTY;
  }
}
