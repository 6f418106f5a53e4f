/**
 * seccomp. In: programs in guest memory. Out: rows, and prctl's part. Source: man 2 seccomp, man 2 prctl (PR_SET_SECCOMP).
 */
import { CAP } from '../../process/capabilities.js';
import { GROUP_FLAG } from '../../process/layout.js';
import { ACTION, divergent, installFilter, STRICT } from '../../process/seccomp.js';
import { INSN_BYTES, MAX_INSNS } from '../bpf.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EFAULT, EINVAL, EOPNOTSUPP, ESRCH } from '../errno.js';
import type { Thread } from '../thread.js';

const OP = { STRICT: 0, FILTER: 1, GET_ACTION_AVAIL: 2, GET_NOTIF_SIZES: 3 } as const;
const FLAG = { TSYNC: 1, LOG: 2, SPEC_ALLOW: 4, NEW_LISTENER: 8, TSYNC_ESRCH: 16 } as const;
const KNOWN_FLAGS = FLAG.TSYNC | FLAG.LOG | FLAG.SPEC_ALLOW | FLAG.TSYNC_ESRCH;
const AVAILABLE: ReadonlySet<number> = new Set([
  ACTION.KILL_PROCESS,
  ACTION.KILL_THREAD,
  ACTION.TRAP,
  ACTION.ERRNO,
  ACTION.TRACE,
  ACTION.LOG,
  ACTION.ALLOW,
]);

/** Modes of prctl. */
export const SECCOMP_MODE = { DISABLED: 0, STRICT: 1, FILTER: 2 } as const;

export function seccompMode(t: Thread): number {
  const { seccomp } = t.task;
  return seccomp === 0 ? SECCOMP_MODE.DISABLED : seccomp === STRICT ? SECCOMP_MODE.STRICT : SECCOMP_MODE.FILTER;
}

export function setStrict(t: Thread): number {
  if (t.task.seccomp > 0) return -EINVAL;
  t.task.seccomp = STRICT;
  return 0;
}

/** `addr`: struct sock_fprog. */
export function setFilter(t: Thread, addr: number, flags: number): number {
  const { kernel, task, mem } = t;
  if ((flags & ~KNOWN_FLAGS) !== 0) return -EINVAL;
  const head = mem.read(addr, 16);
  if (head === undefined) return -EFAULT;
  const v = new DataView(head.buffer, head.byteOffset, 16);
  const count = v.getUint16(0, true);
  if (count === 0 || count > MAX_INSNS) return -EINVAL;
  if (!task.group.has(GROUP_FLAG.NO_NEW_PRIVS) && !task.group.hasCapability(CAP.SYS_ADMIN)) return -EACCES;
  const program = mem.read(Number(v.getBigUint64(8, true)), count * INSN_BYTES);
  if (program === undefined) return -EFAULT;
  if (task.seccomp === STRICT) return -EINVAL;
  const all = (flags & FLAG.TSYNC) !== 0;
  const other = all ? divergent(kernel, task.group, task) : undefined;
  if (other !== undefined) return (flags & FLAG.TSYNC_ESRCH) !== 0 ? -ESRCH : other.tid;
  return installFilter(kernel, task, program, all);
}

function seccomp(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.u32(1);
  switch (a.u32(0)) {
    case OP.STRICT:
      return flags !== 0 || a.ptr(2) !== 0 ? -EINVAL : setStrict(t);
    case OP.FILTER:
      return setFilter(t, a.ptr(2), flags);
    case OP.GET_ACTION_AVAIL: {
      if (flags !== 0) return -EINVAL;
      const action = t.mem.readU32(a.ptr(2));
      if (action === undefined) return -EFAULT;
      return AVAILABLE.has(action) ? 0 : -EOPNOTSUPP;
    }
    default:
      return -EINVAL;
  }
}

export const seccompRows = [
  {
    nr: 317,
    name: 'seccomp',
    args: 'x,x,p',
    support: 'partly',
    note: 'no listeners (SECCOMP_RET_USER_NOTIF) and no tracers: EINVAL, ENOSYS; SECCOMP_RET_LOG logs nothing',
    handler: seccomp,
  },
] as const satisfies readonly SyscallRow[];
