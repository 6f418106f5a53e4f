/** futex_waitv: a wait on several futexes at once. In: words and what they are to be. Out: the number of the one that was woken, or a negative errno. Source: man 2 futex_waitv (Linux 5.16). */
import { EAGAIN, EFAULT, ENOMEM, ERESTARTSYS, ETIMEDOUT } from '../linux/errno.js';
import type { Thread } from '../linux/thread.js';
import { futexKey, loadWord } from './futex.js';
import { enterMultiWait, leaveMultiWait, wokenOf } from './futex-queues.js';
import { park } from './park.js';

export interface WaitedWord {
  readonly addr: number;
  readonly expected: number;
  /** No other process uses it. */
  readonly own: boolean;
}

/** @param deadlineNs CLOCK_MONOTONIC; Infinity none */
export function futexWaitv(t: Thread, waited: readonly WaitedWord[], deadlineNs: number): number {
  const { kernel, task } = t;
  for (;;) {
    for (const { addr, expected } of waited) {
      const now = loadWord(t, addr);
      if (now !== expected) return now === undefined ? -EFAULT : -EAGAIN;
    }
    const keys = waited.map((w) => futexKey(t, w.addr, w.own));
    const entry = kernel.lock(() => enterMultiWait(kernel, task.index, keys));
    if (entry < 0) return -ENOMEM;
    // Entered first, as in futex.ts; a page that has gone to another process is got again.
    const same = kernel.lock(() =>
      waited.every((w) => t.mem.atHand(w.addr, 4, false) && loadWord(t, w.addr) === w.expected),
    );
    const result = same ? park(t, () => wokenOf(kernel, entry) || undefined, { deadlineNs }) : undefined;
    const woken = kernel.lock(() => {
      const which = wokenOf(kernel, entry);
      leaveMultiWait(kernel, entry);
      return which;
    });
    if (woken !== 0) return woken - 1;
    if (result === 'timeout') return -ETIMEDOUT;
    if (result === 'interrupted') return -ERESTARTSYS;
  }
}
