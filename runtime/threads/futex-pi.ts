/**
 * Futexes of locks that inherit priorities: the word holds the owner's tid, and the kernel hands the lock on. In: the guest's word. Out: it locked or unlocked; negative errnos.
 * Priorities themselves are the host's and are not inherited. Waiters are in the queues of futex.ts, marked by the owner's tid. Words are changed under the kernel mutex where a waiter is named by them, and
 * then only on pages that are at hand. Source: man 2 futex (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI), Linux Documentation/locking/pi-futex.
 */
import { EAGAIN, EDEADLK, EFAULT, EPERM, ERESTARTSYS, ESRCH, ETIMEDOUT } from '../linux/errno.js';
import type { Thread } from '../linux/thread.js';
import type { Kernel } from '../process/kernel.js';
import type { Task } from '../process/task.js';
import {
  bucketOf,
  bucketWord,
  compareExchangeWord,
  dequeue,
  enqueue,
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
  futexKey,
  type FutexKey,
  loadWord,
  matches,
} from './futex.js';
import { park } from './park.js';

export const ownerOf = (word: number): number => word & FUTEX_TID_MASK;

export function isGone(kernel: Kernel, tid: number): boolean {
  const task = kernel.findTask(tid);
  return task?.alive !== true;
}

/**
 * Locks. -EAGAIN without `wait` when another thread has the lock.
 * @param deadlineNs CLOCK_MONOTONIC; Infinity none
 * @param waited the thread has been in the lock's queue, and may have been given it
 */
export function lockPi(
  t: Thread,
  addr: number,
  own: boolean,
  wait: boolean,
  deadlineNs: number,
  waited = false,
): number {
  const { kernel, task } = t;
  for (;;) {
    const word = loadWord(t, addr);
    if (word === undefined) return -EFAULT;
    const owner = ownerOf(word);
    // Who has unlocked has made it ours.
    if (owner === task.tid) return waited ? 0 : -EDEADLK;
    const free = owner === 0 || (waited && isGone(kernel, owner));
    if (free) {
      const died = owner === 0 ? word & FUTEX_OWNER_DIED : FUTEX_OWNER_DIED;
      const seen = compareExchangeWord(t, addr, word, task.tid | (word & FUTEX_WAITERS) | died);
      if (seen === undefined) return -EFAULT;
      if (seen === word) return 0;
      continue;
    }
    if (!wait) return -EAGAIN;
    if (isGone(kernel, owner)) return -ESRCH;
    const marked = word | FUTEX_WAITERS;
    if (word !== marked) {
      const seen = compareExchangeWord(t, addr, word, marked);
      if (seen === undefined) return -EFAULT;
      if (seen !== word) continue;
    }
    if (!queued(t, addr, futexKey(t, addr, own), marked)) continue;
    const result = park(t, () => (task.futexBucket === 0 ? true : undefined), { deadlineNs });
    const left = kernel.lock(() => {
      const there = task.futexBucket !== 0;
      if (there) dequeue(kernel, task);
      task.futexOwner = 0;
      return there;
    });
    if (left && result === 'timeout') return -ETIMEDOUT;
    if (left && result === 'interrupted') return -ERESTARTSYS;
    waited = true;
  }
}

/** Enters the thread among the waiters, if the word is still `marked` and its owner lives. */
function queued(t: Thread, addr: number, key: FutexKey, marked: number): boolean {
  const { kernel, task } = t;
  return kernel.lock(() => {
    task.futexOwner = ownerOf(marked);
    enqueue(kernel, task, key, FUTEX_BITSET_MATCH_ANY);
    const lives = !isGone(kernel, ownerOf(marked));
    if (lives && t.mem.atHand(addr, 4, false) && loadWord(t, addr) === marked) return true;
    dequeue(kernel, task);
    task.futexOwner = 0;
    return false;
  });
}

/** Unlocks: the first waiter has the lock then. */
export function unlockPi(t: Thread, addr: number, own: boolean): number {
  const { kernel, task } = t;
  for (;;) {
    const word = loadWord(t, addr);
    if (word === undefined || !t.mem.canWrite(addr, 4)) return -EFAULT;
    if (ownerOf(word) !== task.tid) return -EPERM;
    const key = futexKey(t, addr, own);
    const done = kernel.lock(() => {
      if (!t.mem.atHand(addr, 4, true)) return false;
      const [next] = waitersOf(kernel, key);
      if (compareExchangeWord(t, addr, word, next === undefined ? 0 : next.tid | FUTEX_WAITERS) !== word) return false;
      if (next !== undefined) handOn(kernel, key, next);
      return true;
    });
    if (done) return 0;
  }
}

/** The thread is gone: who waits for a lock that it had looks at it again. */
export function releasePiWaitersLocked(kernel: Kernel, tid: number): void {
  kernel.assertLocked();
  for (const task of kernel.allTasks()) if (task.futexBucket !== 0 && task.futexOwner === tid) wake(kernel, task);
}

/** Who waits for the lock, the first first. */
function* waitersOf(kernel: Kernel, key: FutexKey): Generator<Task> {
  for (let i = kernel.i32[bucketWord(bucketOf(key))] ?? 0; i !== 0;) {
    const waiter = kernel.task(i);
    i = waiter.futexNext;
    if (matches(waiter, key) && waiter.futexOwner !== 0) yield waiter;
  }
}

/** The lock is `next`'s, whom the others wait for. */
function handOn(kernel: Kernel, key: FutexKey, next: Task): void {
  wake(kernel, next);
  for (const waiter of waitersOf(kernel, key)) waiter.futexOwner = next.tid;
}

function wake(kernel: Kernel, waiter: Task): void {
  dequeue(kernel, waiter);
  kernel.wake(waiter.index);
}
