/**
 * The robust futex list of a dying thread: each lock that it holds is marked and one waiter woken. In: the thread. Out: guest memory changed.
 * Source: man 2 set_robust_list; Linux Documentation/locking/robust-futexes.
 */
import type { Thread } from '../linux/thread.js';
import {
  compareExchangeWord,
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
  futexKey,
  futexWake,
  loadWord,
} from './futex.js';

/** Entries looked at: a list may be circular by accident. */
const LIMIT = 2048;

export function walkRobustList(t: Thread): void {
  const head = t.task.robustList;
  if (head === 0) return;
  const first = t.mem.readU64(head);
  const offset = t.mem.readU64(head + 8);
  const pending = t.mem.readU64(head + 16);
  t.task.robustList = 0;
  if (first === undefined || offset === undefined || pending === undefined) return;
  const shift = Number(BigInt.asIntN(64, offset));
  // Bit 0 of an entry marks a priority-inheriting lock.
  let entry = Number(first & ~1n);
  for (let n = 0; entry !== head && n < LIMIT; n++) {
    const next = t.mem.readU64(entry);
    if (entry !== Number(pending & ~1n)) lockOwnerDied(t, entry + shift);
    if (next === undefined) return;
    entry = Number(next & ~1n);
  }
  if (pending !== 0n) lockOwnerDied(t, Number(pending & ~1n) + shift, true);
}

function lockOwnerDied(t: Thread, addr: number, pending = false): void {
  if (addr % 4 !== 0 || addr < 0) return;
  for (;;) {
    const value = loadWord(t, addr);
    if (value === undefined) return;
    // Unlocked already, but its waiters may not have been woken yet.
    if (pending && value === 0) {
      futexWake(t.kernel, futexKey(t, addr, false), 1);
      return;
    }
    if ((value & FUTEX_TID_MASK) !== t.task.tid) return;
    const seen = compareExchangeWord(t, addr, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
    if (seen === undefined) return;
    if (seen !== value) continue;
    if ((value & FUTEX_WAITERS) !== 0) futexWake(t.kernel, futexKey(t, addr, false), 1);
    return;
  }
}
