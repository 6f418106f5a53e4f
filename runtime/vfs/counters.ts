/**
 * eventfd counters in the shared region. In: counter numbers. Out: values. Source: man 2 eventfd.
 */
import { ENFILE } from '../linux/errno.js';
import { AREA, COUNTER, MAX_COUNTERS } from './layout.js';
import { READABLE, WRITABLE } from './poll-events.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

/** Largest value that a counter holds. */
export const COUNTER_MAX = 0xffff_ffff_ffff_fffen;

const word = (counter: number): number => AREA.COUNTERS + counter * COUNTER.SIZE;
export const counterQueue = (counter: number): number => word(counter) + COUNTER.QUEUE;

/** A new counter; -ENFILE when there are MAX_COUNTERS. */
export function newCounter(s: VfsState, value: number, semaphore: boolean): number {
  return s.locked(() => {
    const counter = s.takeFree(AREA.COUNTERS, MAX_COUNTERS, COUNTER.SIZE, COUNTER.USED);
    if (counter < 0) return -ENFILE;
    s.set(word(counter) + COUNTER.SEMAPHORE, semaphore ? 1 : 0);
    store(s, counter, BigInt(value));
    return counter;
  });
}

/** The caller holds the region's lock. */
export function freeCounter(s: VfsState, counter: number): void {
  s.set(word(counter) + COUNTER.USED, 0);
}

export const counterValue = (s: VfsState, counter: number): bigint => s.getBig64(word(counter) + COUNTER.VALUE_LO);

function store(s: VfsState, counter: number, value: bigint): void {
  s.setBig64(word(counter) + COUNTER.VALUE_LO, value);
}

/** What a read returns (the whole value, or 1 from a semaphore), taken off the counter; undefined when it is 0. */
export function takeCounter(s: VfsState, counter: number): bigint | undefined {
  const taken = s.locked(() => {
    const value = counterValue(s, counter);
    if (value === 0n) return undefined;
    const part = s.get(word(counter) + COUNTER.SEMAPHORE) !== 0 ? 1n : value;
    store(s, counter, value - part);
    return part;
  });
  if (taken !== undefined) wakeAll(s, counterQueue(counter), WRITABLE);
  return taken;
}

/** Adds to the counter; false when it would exceed COUNTER_MAX. */
export function addToCounter(s: VfsState, counter: number, value: bigint): boolean {
  const done = s.locked(() => {
    const sum = counterValue(s, counter) + value;
    if (sum > COUNTER_MAX) return false;
    store(s, counter, sum);
    return true;
  });
  if (done) wakeAll(s, counterQueue(counter), READABLE);
  return done;
}
