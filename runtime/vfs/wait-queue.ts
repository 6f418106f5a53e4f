/**
 * Wait queues: a bit a thread slot, in the shared region. A waiter sets its bit, looks once more at what it waits for, and parks; who changes
 * that wakes every slot whose bit is set (queue-bits.ts), and tells the epoll instances that watch it. A dead thread's bit costs a needless wake, nothing else.
 * In: the word of a queue (layout.ts QUEUE). Out: wakeAll, waitUntil. Source: DESIGN.md section 7.
 */
import { ERESTARTSYS } from '../linux/errno.js';
import { ANY_EVENT, markQueue } from './epoll-watches.js';
import { QUEUE } from './layout.js';
import { dequeue, enqueue, wakeSlots } from './queue-bits.js';
import type { VfsState } from './state.js';

/** Result of waitUntil when the time is up. */
export const TIMED_OUT = Symbol('timed out');

/** Empties a queue that nobody uses yet. */
export function resetQueue(s: VfsState, queue: number): void {
  s.words.fill(0, queue, queue + QUEUE.SIZE);
}

/**
 * Wakes all waiters, and lets the epoll instances know that watch the object of this queue. They stay in the queue until they take themselves out.
 * `key`: the poll events that may have come about; a watch for others is not told, which matters for edges (EPOLLET).
 */
export function wakeAll(s: VfsState, queue: number, key = ANY_EVENT): void {
  wakeSlots(s, queue);
  if (Atomics.load(s.words, queue + QUEUE.WATCHES) !== 0) markQueue(s, queue, key);
}

/**
 * Calls `attempt` until it gives a value; sleeps on `queues` in between. -ERESTARTSYS when the thread is interrupted (nothing has happened
 * then), TIMED_OUT after `timeoutMs`. The first attempt may still add to `queues`. `recheckMs()`, when given, bounds each sleep: for hosts that tell us nothing.
 */
export function waitUntil<T>(
  s: VfsState,
  queues: readonly number[],
  attempt: () => T | undefined,
  timeoutMs = Infinity,
  recheckMs?: () => number,
): T | number | typeof TIMED_OUT {
  const first = attempt();
  if (first !== undefined) return first;
  const deadline = performance.now() + timeoutMs;
  for (const q of queues) enqueue(s, q);
  try {
    for (;;) {
      const sequence = s.port.sequence();
      const value = attempt();
      if (value !== undefined) return value;
      if (s.port.interrupted()) return -ERESTARTSYS;
      const left = deadline - performance.now();
      if (left <= 0) return TIMED_OUT;
      s.port.park(sequence, recheckMs === undefined ? left : Math.min(left, recheckMs()));
    }
  } finally {
    for (const q of queues) dequeue(s, q);
  }
}

/** For waitUntil: sleeps, in ms, that double from `first` to `last`. */
export function doubling(first: number, last: number): () => number {
  let next = first;
  return () => {
    const ms = next;
    next = Math.min(next * 2, last);
    return ms;
  };
}

/** Sleeps on `queue` until `attempt` gives a value, whatever signals come: for what others do within moments. */
export function awaitAnswer<T>(s: VfsState, queue: number, attempt: () => T | undefined): T {
  enqueue(s, queue);
  try {
    for (;;) {
      const sequence = s.port.sequence();
      const value = attempt();
      if (value !== undefined) return value;
      s.port.park(sequence, Infinity);
    }
  } finally {
    dequeue(s, queue);
  }
}
