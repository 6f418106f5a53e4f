/**
 * Timers of timerfd_create in the shared region. Nobody is told when one expires: who reads or polls it looks at the clock and knows when to look again, so it is as punctual as its
 * thread's sleep. In: timers, times in nanoseconds. Out: expirations. Source: man 2 timerfd_create.
 */
import { ENFILE } from '../linux/errno.js';
import { LOOK_AGAIN } from './epoll-watches.js';
import { AREA, MAX_TIMERFDS, TIMERFD } from './layout.js';
import { READABLE } from './poll-events.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

const word = (timer: number): number => AREA.TIMERFDS + timer * TIMERFD.SIZE;
export const timerfdQueue = (timer: number): number => word(timer) + TIMERFD.QUEUE;
export const timerfdClock = (s: VfsState, timer: number): number => s.get(word(timer) + TIMERFD.CLOCK);
export const timerfdFlags = (s: VfsState, timer: number): number => s.get(word(timer) + TIMERFD.FLAGS);

/** Nanoseconds of CLOCK_MONOTONIC. */
function monotonic(): number {
  const [sec, nsec] = process.hrtime();
  return sec * 1e9 + nsec;
}

/** A new timer; -ENFILE when there are MAX_TIMERFDS. */
export function newTimerfd(s: VfsState, clock: number): number {
  return s.locked(() => {
    const timer = s.takeFree(AREA.TIMERFDS, MAX_TIMERFDS, TIMERFD.SIZE, TIMERFD.USED);
    if (timer < 0) return -ENFILE;
    s.set(word(timer) + TIMERFD.CLOCK, clock);
    return timer;
  });
}

/** The caller holds the region's lock. */
export function freeTimerfd(s: VfsState, timer: number): void {
  s.set(word(timer) + TIMERFD.USED, 0);
}

/** What is left until the next expiration, and the interval; nanoseconds, 0: not armed. */
export interface TimerfdState {
  readonly left: number;
  readonly interval: number;
}

/** Counts the expirations up to now. The caller holds the region's lock. True: there was none before; those that follow are no edges until a read, as in Linux. */
function advance(s: VfsState, timer: number): boolean {
  const w = word(timer);
  const deadline = s.get64(w + TIMERFD.DEADLINE);
  const now = monotonic();
  if (deadline === 0 || now < deadline) return false;
  const interval = s.get64(w + TIMERFD.INTERVAL);
  const ticks = interval === 0 ? 1 : Math.floor((now - deadline) / interval) + 1;
  const unread = s.get64(w + TIMERFD.TICKS);
  s.set64(w + TIMERFD.TICKS, unread + ticks);
  s.set64(w + TIMERFD.DEADLINE, interval === 0 ? 0 : deadline + ticks * interval);
  return unread === 0;
}

function stateOf(s: VfsState, timer: number): TimerfdState {
  const deadline = s.get64(word(timer) + TIMERFD.DEADLINE);
  const left = deadline === 0 ? 0 : Math.max(1, deadline - monotonic());
  return { left, interval: s.get64(word(timer) + TIMERFD.INTERVAL) };
}

export function timerfdState(s: VfsState, timer: number): TimerfdState {
  return looked(s, timer, () => stateOf(s, timer));
}

/** Sets the timer (`deadline` of CLOCK_MONOTONIC, 0: disarms it); gives its former state. */
export function setTimerfd(
  s: VfsState,
  timer: number,
  deadline: number,
  interval: number,
  flags: number,
): TimerfdState {
  const before = s.locked(() => {
    advance(s, timer);
    const old = stateOf(s, timer);
    const w = word(timer);
    s.set64(w + TIMERFD.DEADLINE, deadline);
    s.set64(w + TIMERFD.INTERVAL, interval);
    s.set64(w + TIMERFD.TICKS, 0);
    s.set(w + TIMERFD.FLAGS, flags);
    return old;
  });
  // Whoever waits for it has another time to look again.
  wakeAll(s, timerfdQueue(timer), LOOK_AGAIN);
  return before;
}

/** Runs `fn` with the timer as it is now; new expirations wake the queue. */
function looked<T>(s: VfsState, timer: number, fn: () => T): T {
  const [fresh, value] = s.locked(() => [advance(s, timer), fn()] as const);
  if (fresh) wakeAll(s, timerfdQueue(timer), READABLE);
  return value;
}

export function timerfdTicks(s: VfsState, timer: number): number {
  return looked(s, timer, () => s.get64(word(timer) + TIMERFD.TICKS));
}

/** Takes the expirations that have not been read; 0: none. */
export function takeTicks(s: VfsState, timer: number): number {
  return looked(s, timer, () => {
    const ticks = s.get64(word(timer) + TIMERFD.TICKS);
    s.set64(word(timer) + TIMERFD.TICKS, 0);
    return ticks;
  });
}

/** For waits: how long to sleep before the next look, ms. */
export function timerfdRecheck(s: VfsState, timer: number): () => number {
  return () => {
    const { left } = s.locked(() => stateOf(s, timer));
    return left === 0 ? Infinity : left / 1e6;
  };
}
