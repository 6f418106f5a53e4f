/**
 * What calls that wait for files have in common: timeouts and signal masks in guest memory. In: addresses. Out: times, or -errno; waits with the mask in force.
 * Source: man 2 select, man 2 ppoll, man 2 epoll_pwait2.
 */
import { withTemporaryMask } from '../process/signal-deliver.js';
import { EFAULT, EINVAL } from './errno.js';
import { readTimePair, timespecNs, writeTimespec, writeTimeval, type TimePair } from './structs.js';
import type { Thread } from './thread.js';

type TimeUnit = 'timespec' | 'timeval';

export interface Timeout {
  readonly ms: number;
  /** Stores the time that is left. A place that can't be written to is left alone, as Linux does. */
  store(): void;
}

/** Nanoseconds; more microseconds than a second has are allowed. */
function timevalNs(pair: TimePair): number | undefined {
  if (pair.sec < 0n || pair.frac < 0n) return undefined;
  return Number(pair.sec) * 1e9 + Number(pair.frac) * 1e3;
}

/** The timeout at `addr`; none: for ever. -EFAULT, -EINVAL. */
export function timeoutAt(t: Thread, addr: number, unit: TimeUnit): Timeout | number {
  if (addr === 0) return { ms: Infinity, store: () => undefined };
  const pair = readTimePair(t.mem, addr);
  if (pair === undefined) return -EFAULT;
  const ns = unit === 'timespec' ? timespecNs(pair) : timevalNs(pair);
  if (ns === undefined) return -EINVAL;
  const deadline = performance.now() + ns / 1e6;
  return {
    ms: ns / 1e6,
    store: () => {
      const left = Math.max(0, deadline - performance.now());
      const time = { sec: Math.floor(left / 1000), nsec: Math.floor((left % 1000) * 1e6) };
      (unit === 'timespec' ? writeTimespec : writeTimeval)(t.mem, addr, time);
    },
  };
}

const SIGSET_BYTES = 8;

/** Runs `wait` with the signal mask at `addr`, if there is one. */
export function masked(t: Thread, addr: number, size: number, wait: () => number): number {
  if (addr === 0) return wait();
  if (size !== SIGSET_BYTES) return -EINVAL;
  const mask = t.mem.readU64(addr);
  return mask === undefined ? -EFAULT : withTemporaryMask(t, mask, wait);
}
