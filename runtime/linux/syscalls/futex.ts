/**
 * System calls: futexes and robust lists. In: thread and arguments. Out: results. Source: man 2 futex, man 2 set_robust_list, man 2 get_robust_list.
 */
import {
  FUTEX_BITSET_MATCH_ANY,
  futexKey,
  futexRequeue,
  futexWait,
  futexWake,
  futexWakeOp,
} from '../../threads/futex.js';
import { realtimeDeadline } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '../errno.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';
import { unsupported } from '../unsupported.js';

const OP = {
  WAIT: 0,
  WAKE: 1,
  FD: 2,
  REQUEUE: 3,
  CMP_REQUEUE: 4,
  WAKE_OP: 5,
  LOCK_PI: 6,
  UNLOCK_PI: 7,
  TRYLOCK_PI: 8,
  WAIT_BITSET: 9,
  WAKE_BITSET: 10,
  WAIT_REQUEUE_PI: 11,
  CMP_REQUEUE_PI: 12,
  LOCK_PI2: 13,
} as const;
const CMD_MASK = 0x7f;
const PRIVATE = 0x80;
const CLOCK_REALTIME = 0x100;
const USER_END = 2 ** 47;

function futex(t: Thread, a: SyscallArgs): SyscallResult {
  const addr = a.ptr(0);
  const op = a.i32(1);
  const cmd = op & CMD_MASK;
  const value = a.i32(2);
  const own = (op & PRIVATE) !== 0;
  const realtime = (op & CLOCK_REALTIME) !== 0;
  if (realtime && cmd !== OP.WAIT_BITSET) return -ENOSYS;
  if (addr % 4 !== 0) return -EINVAL;
  if (addr >= USER_END) return -EFAULT;
  switch (cmd) {
    case OP.WAIT:
    case OP.WAIT_BITSET: {
      const deadline = deadlineOf(t, a.ptr(3), cmd === OP.WAIT_BITSET, realtime);
      if (deadline < 0) return deadline;
      const bitset = cmd === OP.WAIT ? FUTEX_BITSET_MATCH_ANY : a.i32(5);
      return futexWait(t, addr, own, value, bitset, deadline, cmd === OP.WAIT);
    }
    case OP.WAKE:
      return futexWake(t.kernel, futexKey(t, addr, own), value);
    case OP.WAKE_BITSET:
      return a.i32(5) === 0 ? -EINVAL : futexWake(t.kernel, futexKey(t, addr, own), value, a.i32(5));
    case OP.REQUEUE:
    case OP.CMP_REQUEUE: {
      const addr2 = a.ptr(4);
      if (addr2 % 4 !== 0) return -EINVAL;
      const expected = cmd === OP.CMP_REQUEUE ? a.i32(5) : undefined;
      return futexRequeue(t, addr, futexKey(t, addr, own), futexKey(t, addr2, own), value, a.i32(3), expected);
    }
    case OP.WAKE_OP: {
      const addr2 = a.ptr(4);
      if (addr2 % 4 !== 0) return -EINVAL;
      return futexWakeOp(t, addr, addr2, own, value, a.i32(3), a.i32(5));
    }
    case OP.LOCK_PI:
    case OP.LOCK_PI2:
    case OP.TRYLOCK_PI:
    case OP.UNLOCK_PI:
    case OP.WAIT_REQUEUE_PI:
    case OP.CMP_REQUEUE_PI:
      // The C library asks for one of these to learn whether they exist; a mutex that inherits priorities is then refused.
      unsupported(t, 'futex: priority inheritance');
      return -ENOSYS;
    default:
      return -ENOSYS;
  }
}

/** Nanoseconds of CLOCK_MONOTONIC; Infinity without a timeout; a negative errno. */
function deadlineOf(t: Thread, addr: number, absolute: boolean, realtime: boolean): number {
  if (addr === 0) return Infinity;
  const ts = readTimePair(t.mem, addr);
  if (ts === undefined) return -EFAULT;
  const ns = timespecNs(ts);
  if (ns === undefined) return -EINVAL;
  if (!absolute) return t.kernel.now() + ns;
  return realtime ? realtimeDeadline(t.kernel, ts) : ns;
}

const ROBUST_HEAD_BYTES = 24;

function setRobustList(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(1) !== ROBUST_HEAD_BYTES) return -EINVAL;
  t.task.robustList = a.ptr(0);
  return 0;
}

function getRobustList(t: Thread, a: SyscallArgs): SyscallResult {
  const task = a.i32(0) === 0 ? t.task : t.kernel.findTask(a.i32(0));
  if (task === undefined) return -ESRCH;
  if (!t.mem.writeU64(a.ptr(2), BigInt(ROBUST_HEAD_BYTES))) return -EFAULT;
  return t.mem.writeU64(a.ptr(1), BigInt(task.robustList)) ? 0 : -EFAULT;
}

export const futexRows = [
  {
    nr: 202,
    name: 'futex',
    args: 'p,fx,d,tsu,p,d',
    support: 'partly',
    note: 'no priority inheritance (ENOSYS, as on a kernel without it)',
    handler: futex,
  },
  { nr: 273, name: 'set_robust_list', args: 'p,lu', support: 'yes', handler: setRobustList },
  { nr: 274, name: 'get_robust_list', args: 'd,p,p', support: 'yes', handler: getRobustList },
  {
    nr: 449,
    name: 'futex_waitv',
    args: 'p,u,u,p,d',
    support: 'no',
    note: 'waits on several futexes at once are not there',
  },
  { nr: 454, name: 'futex_wake', args: 'p,x,d,u', support: 'no', note: 'use futex' },
  { nr: 455, name: 'futex_wait', args: 'p,x,x,u,p,d', support: 'no', note: 'use futex' },
  { nr: 456, name: 'futex_requeue', args: 'p,u,d,d', support: 'no', note: 'use futex' },
] as const satisfies readonly SyscallRow[];
