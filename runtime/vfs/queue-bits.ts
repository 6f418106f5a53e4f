/**
 * Wait queues as they lie in the shared region: a bit a thread slot, and how many are set. In: the word of a queue (layout.ts QUEUE). Out: bits set, cleared and woken.
 */
import { MAIN_SLOT, MAX_SLOTS, QUEUE } from './layout.js';
import type { VfsState } from './state.js';

/** Puts the calling thread into the queue. */
export function enqueue(s: VfsState, queue: number): void {
  const bit = 1 << (s.port.slot & 31);
  const before = Atomics.or(s.words, queue + QUEUE.BITS + (s.port.slot >> 5), bit);
  if ((before & bit) === 0) Atomics.add(s.words, queue + QUEUE.COUNT, 1);
}

export function dequeue(s: VfsState, queue: number): void {
  takeOut(s, queue, s.port.slot);
}

/** True: the slot was in it. */
function takeOut(s: VfsState, queue: number, slot: number): boolean {
  const bit = 1 << (slot & 31);
  if ((Atomics.and(s.words, queue + QUEUE.BITS + (slot >> 5), ~bit) & bit) === 0) return false;
  Atomics.sub(s.words, queue + QUEUE.COUNT, 1);
  return true;
}

export const hasWaiters = (s: VfsState, queue: number): boolean => Atomics.load(s.words, queue + QUEUE.COUNT) > 0;

/** Calls `visit` for the slots in the queue until it says true. */
function eachSlot(s: VfsState, queue: number, visit: (slot: number) => boolean): void {
  if (!hasWaiters(s, queue)) return;
  for (let w = 0; w < MAX_SLOTS / 32; w++) {
    let bits = Atomics.load(s.words, queue + QUEUE.BITS + w);
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      if (visit(w * 32 + bit)) return;
    }
  }
}

/** Wakes all waiters; they stay in the queue until they take themselves out, all but the main thread: to wake it is a message, and one is enough. */
export function wakeSlots(s: VfsState, queue: number): void {
  eachSlot(s, queue, (slot) => {
    if (slot !== MAIN_SLOT || takeOut(s, queue, slot)) s.port.wake(slot);
    return false;
  });
}

/** As wakeSlots, of threads that may run guest code. */
export function callSlots(s: VfsState, queue: number): void {
  eachSlot(s, queue, (slot) => {
    s.port.call(slot);
    return false;
  });
}

/** Wakes one waiter and takes it out, so that the next call wakes another. */
export function wakeOneSlot(s: VfsState, queue: number): void {
  eachSlot(s, queue, (slot) => {
    if (!takeOut(s, queue, slot)) return false;
    s.port.wake(slot);
    return true;
  });
}
