/**
 * Moving waiters from one futex to another: FUTEX_REQUEUE, FUTEX_CMP_REQUEUE; and to a lock that inherits priorities, as condition variables do: FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI.
 * In: the guest's words, keys, counts. Out: how many were woken and moved, or a negative errno. Source: man 2 futex, Linux Documentation/locking/futex-requeue-pi.
 */
import { EAGAIN, EDEADLK, EFAULT, EINVAL, ERESTARTNOINTR, ERESTARTSYS, ESRCH, ETIMEDOUT } from '../linux/errno.js';
import type { Thread } from '../linux/thread.js';
import type { Kernel } from '../process/kernel.js';
import type { Task } from '../process/task.js';
import {
  bucketOf,
  bucketWord,
  compareExchangeWord,
  dequeue,
  enterQueue,
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_OWNER_DIED,
  FUTEX_WAITERS,
  futexKey,
  type FutexKey,
  isForLock,
  loadWord,
  matches,
  move,
} from './futex.js';
import { isGone, lockPi, ownerOf } from './futex-pi.js';
import { park } from './park.js';

/**
 * Wakes up to `wakeCount` waiters of the first key and moves up to `moveCount` more to the second. `expected`, when given, is compared with the word at
 * `addr`, the first key's. Gives woken plus moved, or a negative errno.
 */
export function futexRequeue(
  t: Thread,
  addr: number,
  from: FutexKey,
  to: FutexKey,
  wakeCount: number,
  moveCount: number,
  expected: number | undefined,
): number {
  const { kernel } = t;
  if (wakeCount < 0 || moveCount < 0) return -EINVAL;
  for (;;) {
    if (expected !== undefined) {
      const value = loadWord(t, addr);
      if (value !== expected) return value === undefined ? -EFAULT : -EAGAIN;
    }
    const moved = kernel.lock(() => {
      if (expected !== undefined) {
        // Its page is another process's now.
        if (!t.mem.atHand(addr, 4, false)) return undefined;
        if (loadWord(t, addr) !== expected) return -EAGAIN;
      }
      return requeueLocked(kernel, from, to, wakeCount, moveCount);
    });
    if (moved !== undefined) return moved;
  }
}

function requeueLocked(kernel: Kernel, from: FutexKey, to: FutexKey, wakeCount: number, moveCount: number): number {
  let woken = 0;
  let moved = 0;
  for (let i = kernel.i32[bucketWord(bucketOf(from))] ?? 0; i !== 0;) {
    const waiter = kernel.task(i);
    i = waiter.futexNext;
    if (!matches(waiter, from)) continue;
    if (woken === wakeCount && moved === moveCount) break;
    if (isForLock(waiter)) return -EINVAL;
    if (woken < wakeCount) {
      dequeue(kernel, waiter);
      kernel.wake(waiter.index);
      woken++;
    } else {
      move(kernel, waiter, to);
      moved++;
    }
  }
  return woken + moved;
}

const same = (a: FutexKey, b: FutexKey): boolean => a.mm === b.mm && a.addr === b.addr;

/**
 * Sleeps while the word at `addr` is `expected`, until another thread moves the waiter to the lock at `addr2`, and it has that lock: 0. Else a negative errno.
 * @param deadlineNs CLOCK_MONOTONIC; Infinity none
 */
export function waitRequeuePi(
  t: Thread,
  addr: number,
  addr2: number,
  own: boolean,
  expected: number,
  deadlineNs: number,
): number {
  const { kernel, task } = t;
  const target = futexKey(t, addr2, own);
  if (same(futexKey(t, addr, own), target)) return -EINVAL;
  task.futexTargetAddr = target.addr;
  task.futexTargetMm = target.mm;
  const failure = enterQueue(t, addr, own, expected, FUTEX_BITSET_MATCH_ANY);
  if (failure < 0) {
    task.futexTargetMm = 0;
    return failure;
  }
  const result = park(t, () => (task.futexBucket === 0 ? true : undefined), { deadlineNs });
  const { waits, moved } = kernel.lock(() => {
    const state = { waits: task.futexBucket !== 0, moved: task.futexOwner !== 0 };
    if (state.waits) dequeue(kernel, task);
    task.futexOwner = 0;
    task.futexTargetMm = 0;
    return state;
  });
  if (!waits) {
    // It has the lock, or its owner is gone.
    const locked = lockPi(t, addr2, own, true, deadlineNs, true);
    return locked === -ERESTARTSYS ? -EAGAIN : locked;
  }
  if (result === 'timeout') return -ETIMEDOUT;
  return moved ? -EAGAIN : -ERESTARTNOINTR;
}

/** The first waiter of the word at `addr`, which must be `expected`, gets the lock at `addr2` if that is free; up to `moveCount` more wait for it, or one more where it is not free. Gives how many. */
export function requeuePi(
  t: Thread,
  addr: number,
  addr2: number,
  own: boolean,
  moveCount: number,
  expected: number,
): number {
  const { kernel } = t;
  const [from, to] = [futexKey(t, addr, own), futexKey(t, addr2, own)];
  if (moveCount < 0 || same(from, to)) return -EINVAL;
  for (;;) {
    const value = loadWord(t, addr);
    if (value === undefined || loadWord(t, addr2) === undefined || !t.mem.canWrite(addr2, 4)) return -EFAULT;
    if (value !== expected) return -EAGAIN;
    const done = kernel.lock(() => {
      // Its page is another process's now.
      if (!t.mem.atHand(addr, 4, false) || !t.mem.atHand(addr2, 4, true)) return undefined;
      return loadWord(t, addr) === expected ? requeuePiLocked(t, addr2, from, to, moveCount) : -EAGAIN;
    });
    if (done !== undefined) return done;
  }
}

function requeuePiLocked(t: Thread, addr2: number, from: FutexKey, to: FutexKey, moveCount: number): number {
  const { kernel } = t;
  let done = 0;
  for (let i = kernel.i32[bucketWord(bucketOf(from))] ?? 0; i !== 0 && done <= moveCount;) {
    const waiter = kernel.task(i);
    i = waiter.futexNext;
    if (!matches(waiter, from)) continue;
    if (waiter.futexTargetMm !== to.mm || waiter.futexTargetAddr !== to.addr) return -EINVAL;
    const failure = lockFor(t, addr2, waiter, to, moveCount > 0);
    if (failure < 0) return failure;
    done++;
  }
  return done;
}

/** The waiter has the lock, if that is free; else it waits for it. */
function lockFor(t: Thread, addr: number, waiter: Task, key: FutexKey, others: boolean): number {
  const { kernel } = t;
  for (;;) {
    const word = loadWord(t, addr);
    if (word === undefined) return -EFAULT;
    const owner = ownerOf(word);
    if (owner === waiter.tid) return -EDEADLK;
    if (owner !== 0 && isGone(kernel, owner)) return -ESRCH;
    const locked = waiter.tid | (word & FUTEX_OWNER_DIED) | (others ? FUTEX_WAITERS : 0);
    const seen = compareExchangeWord(t, addr, word, owner === 0 ? locked : word | FUTEX_WAITERS);
    if (seen === undefined) return -EFAULT;
    if (seen !== word) continue;
    if (owner === 0) {
      dequeue(kernel, waiter);
      kernel.wake(waiter.index);
    } else {
      waiter.futexOwner = owner;
      move(kernel, waiter, key);
    }
    return 0;
  }
}
