/** struct itimerspec: an interval and a first expiration. In: guest memory. Out: nanoseconds. Source: man 3type itimerspec, man 2 timer_settime. */
import type { Kernel } from '../process/kernel.js';
import { isRealtime, realtimeDeadline, timeOf } from './clocks.js';
import type { GuestMemory } from './context.js';
import { EFAULT, EINVAL } from './errno.js';
import { readTimePair, timespecNs, type TimePair, writeTimespec } from './structs.js';

export interface Itimerspec {
  /** Nanoseconds. */
  readonly interval: number;
  readonly value: number;
  /** The value as it stands there. */
  readonly pair: TimePair;
}

/** -EFAULT, -EINVAL. */
export function readItimerspec(mem: GuestMemory, addr: number): Itimerspec | number {
  const every = readTimePair(mem, addr);
  const pair = readTimePair(mem, addr + 16);
  if (every === undefined || pair === undefined) return -EFAULT;
  const interval = timespecNs(every);
  const value = timespecNs(pair);
  return interval === undefined || value === undefined ? -EINVAL : { interval, value, pair };
}

/** When the timer is to expire, in nanoseconds of the clock that shows `now` (of CLOCK_MONOTONIC for the clocks that count time as it passes); 0: it is disarmed. */
export function itimerDeadline(
  kernel: Kernel,
  clock: number,
  next: Itimerspec,
  absolute: boolean,
  now: number,
): number {
  if (next.value === 0) return 0;
  if (!absolute) return now + next.value;
  return Math.max(1, isRealtime(clock) ? realtimeDeadline(kernel, next.pair) : next.value);
}

/** Stores what is left and the interval, nanoseconds. */
export function writeItimerspec(
  mem: GuestMemory,
  addr: number,
  state: { readonly left: number; readonly interval: number },
): boolean {
  return writeTimespec(mem, addr, timeOf(state.interval)) && writeTimespec(mem, addr + 16, timeOf(state.left));
}
