/**
 * System calls: futexes and robust lists. In: thread and arguments. Out: results. Source: man 2 futex, man 2 set_robust_list, man 2 get_robust_list.
 */
import {
  FUTEX_BITSET_MATCH_ANY,
  futexKey,
  type FutexKey,
  futexWait,
  futexWake,
  futexWakeOp,
} from '../../threads/futex.js';
import { lockPi, unlockPi } from '../../threads/futex-pi.js';
import { futexRequeue, requeuePi, waitRequeuePi } from '../../threads/futex-requeue.js';
import { WAITV_MAX } from '../../threads/futex-queues.js';
import { futexWaitv, type WaitedWord } from '../../threads/futex-waitv.js';
import { realtimeDeadline } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '../errno.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';

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
/** May have a timeout of CLOCK_REALTIME. */
const HAS_CLOCK = new Set<number>([OP.WAIT_BITSET, OP.WAIT_REQUEUE_PI, OP.LOCK_PI2]);

function futex(t: Thread, a: SyscallArgs): SyscallResult {
  const addr = a.ptr(0);
  const op = a.i32(1);
  const cmd = op & CMD_MASK;
  const value = a.i32(2);
  const own = (op & PRIVATE) !== 0;
  const realtime = (op & CLOCK_REALTIME) !== 0;
  if (realtime && !HAS_CLOCK.has(cmd)) return -ENOSYS;
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
    case OP.LOCK_PI2: {
      const deadline = deadlineOf(t, a.ptr(3), true, realtime || cmd === OP.LOCK_PI);
      return deadline < 0 ? deadline : lockPi(t, addr, own, true, deadline);
    }
    case OP.TRYLOCK_PI:
      return lockPi(t, addr, own, false, Infinity);
    case OP.UNLOCK_PI:
      return unlockPi(t, addr, own);
    case OP.WAIT_REQUEUE_PI: {
      const wrong = checkWord(a.ptr(4));
      const deadline = wrong < 0 ? wrong : deadlineOf(t, a.ptr(3), true, realtime);
      return deadline < 0 ? deadline : waitRequeuePi(t, addr, a.ptr(4), own, value, deadline);
    }
    case OP.CMP_REQUEUE_PI: {
      const wrong = checkWord(a.ptr(4));
      if (wrong < 0) return wrong;
      // One waiter has the lock, which is all that a wake can be.
      return value === 1 ? requeuePi(t, addr, a.ptr(4), own, a.i32(3), a.i32(5)) : -EINVAL;
    }
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

const WAITV_BYTES = 24;
const FUTEX2_SIZE_U32 = 2;
const CLOCK_REALTIME_ID = 0;
const CLOCK_MONOTONIC_ID = 1;

/** Waits of several, and those of the calls since Linux 6.7: words of 32 bits alone. */
const isFlags2 = (flags: number): boolean => (flags & ~PRIVATE) === FUTEX2_SIZE_U32;

/** Values and masks fit into the word. */
const isU32 = (value: bigint): boolean => value >> 32n === 0n;

/** -EINVAL, -EFAULT, or 0. */
const checkWord = (addr: number): number => (addr % 4 !== 0 ? -EINVAL : addr >= USER_END ? -EFAULT : 0);

/** An absolute timeout of one of two clocks: nanoseconds of CLOCK_MONOTONIC. */
function deadline2(t: Thread, addr: number, clock: number): number {
  if (addr === 0) return Infinity;
  if (clock !== CLOCK_REALTIME_ID && clock !== CLOCK_MONOTONIC_ID) return -EINVAL;
  return deadlineOf(t, addr, true, clock === CLOCK_REALTIME_ID);
}

/** `count` of struct futex_waitv: u64 value, u64 address, u32 flags, u32 reserved. */
function waitedWords(t: Thread, addr: number, count: number): WaitedWord[] | number {
  const bytes = t.mem.read(addr, count * WAITV_BYTES);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const waited: WaitedWord[] = [];
  for (let at = 0; at < bytes.length; at += WAITV_BYTES) {
    const value = view.getBigUint64(at, true);
    const word = Number(view.getBigUint64(at + 8, true));
    const flags = view.getUint32(at + 16, true);
    if (!isFlags2(flags) || view.getUint32(at + 20, true) !== 0 || !isU32(value)) return -EINVAL;
    const wrong = checkWord(word);
    if (wrong < 0) return wrong;
    waited.push({ addr: word, expected: Number(BigInt.asIntN(32, value)), own: (flags & PRIVATE) !== 0 });
  }
  return waited;
}

function waitv(t: Thread, a: SyscallArgs): SyscallResult {
  const count = a.u32(1);
  if (a.u32(2) !== 0 || count === 0 || count > WAITV_MAX || a.ptr(0) === 0) return -EINVAL;
  const deadline = deadline2(t, a.ptr(3), a.i32(4));
  if (deadline < 0) return deadline;
  const waited = waitedWords(t, a.ptr(0), count);
  return typeof waited === 'number' ? waited : futexWaitv(t, waited, deadline);
}

function wake2(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.u32(3);
  if (!isFlags2(flags) || !isU32(a.u64(1))) return -EINVAL;
  const wrong = checkWord(a.ptr(0));
  if (wrong < 0) return wrong;
  if (a.i32(1) === 0) return -EINVAL;
  if (a.i32(2) <= 0) return 0;
  return futexWake(t.kernel, futexKey(t, a.ptr(0), (flags & PRIVATE) !== 0), a.i32(2), a.i32(1));
}

function wait2(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.u32(3);
  if (!isFlags2(flags) || !isU32(a.u64(1)) || !isU32(a.u64(2))) return -EINVAL;
  const wrong = checkWord(a.ptr(0));
  if (wrong < 0) return wrong;
  const deadline = deadline2(t, a.ptr(4), a.i32(5));
  if (deadline < 0) return deadline;
  return futexWait(t, a.ptr(0), (flags & PRIVATE) !== 0, a.i32(1), a.i32(2), deadline, false);
}

function requeue2(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.u32(1) !== 0 || a.ptr(0) === 0) return -EINVAL;
  const waited = waitedWords(t, a.ptr(0), 2);
  if (typeof waited === 'number') return waited;
  const [from, to] = waited;
  if (from === undefined || to === undefined) return -EINVAL;
  const key = (w: WaitedWord): FutexKey => futexKey(t, w.addr, w.own);
  return futexRequeue(t, from.addr, key(from), key(to), a.i32(2), a.i32(3), from.expected);
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

const NUMA = 'words of 32 bits; no nodes';

export const futexRows = [
  {
    nr: 202,
    name: 'futex',
    args: 'p,fx,d,tsu,p,d',
    support: 'partly',
    note: 'locks that inherit priorities are handed on, priorities are not inherited',
    handler: futex,
  },
  { nr: 273, name: 'set_robust_list', args: 'p,lu', support: 'yes', handler: setRobustList },
  { nr: 274, name: 'get_robust_list', args: 'd,p,p', support: 'yes', handler: getRobustList },
  {
    nr: 449,
    name: 'futex_waitv',
    args: 'p,u,u,p,d',
    support: 'yes',
    handler: waitv,
  },
  { nr: 454, name: 'futex_wake', args: 'p,x,d,u', support: 'yes', note: NUMA, handler: wake2 },
  { nr: 455, name: 'futex_wait', args: 'p,x,x,u,p,d', support: 'yes', note: NUMA, handler: wait2 },
  { nr: 456, name: 'futex_requeue', args: 'p,u,d,d', support: 'yes', note: NUMA, handler: requeue2 },
] as const satisfies readonly SyscallRow[];
