/**
 * Wait queues: a bit a thread slot, in the shared region. A waiter sets its bit, looks once more at what it waits for, and parks; who changes
 * that wakes every slot whose bit is set. A dead thread's bit costs a needless wake, nothing else.
 * In: the word of a queue (layout.ts QUEUE). Out: wakeAll, waitUntil. Source: DESIGN.md section 7.
 */
import { ERESTARTSYS } from '../linux/errno.js';
import { MAX_SLOTS, QUEUE } from './layout.js';
import type { VfsState } from './state.js';

/** Result of waitUntil when the time is up. */
export const TIMED_OUT = Symbol('timed out');

function enqueue(s: VfsState, queue: number): void {
  const bit = 1 << (s.port.slot & 31);
  const before = Atomics.or(s.words, queue + QUEUE.BITS + (s.port.slot >> 5), bit);
  if ((before & bit) === 0) Atomics.add(s.words, queue + QUEUE.COUNT, 1);
}

function dequeue(s: VfsState, queue: number): void {
  const bit = 1 << (s.port.slot & 31);
  const before = Atomics.and(s.words, queue + QUEUE.BITS + (s.port.slot >> 5), ~bit);
  if ((before & bit) !== 0) Atomics.sub(s.words, queue + QUEUE.COUNT, 1);
}

/** Empties a queue that nobody uses yet. */
export function resetQueue(s: VfsState, queue: number): void {
  s.words.fill(0, queue, queue + QUEUE.SIZE);
}

/** Wakes all waiters; they stay in the queue until they take themselves out. */
export function wakeAll(s: VfsState, queue: number): void {
  if (Atomics.load(s.words, queue + QUEUE.COUNT) === 0) return;
  for (let w = 0; w < MAX_SLOTS / 32; w++) {
    let bits = Atomics.load(s.words, queue + QUEUE.BITS + w);
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      s.port.wake(w * 32 + bit);
    }
  }
}

/**
 * Calls `attempt` until it gives a value; sleeps on `queues` in between. -ERESTARTSYS when the thread is interrupted (nothing has happened
 * then), TIMED_OUT after `timeoutMs`. `recheckMs()`, when given, bounds each sleep: for hosts that tell us nothing.
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
