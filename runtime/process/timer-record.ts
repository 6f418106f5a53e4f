/**
 * Timers of timer_create in the kernel's table: their fields, and what happens when their signal is taken. All functions want the kernel mutex.
 * In: indices. Out: fields. Source: man 2 timer_create, man 2 timer_getoverrun.
 */
import { groupCpuNs, taskCpuNs } from './cpu-time.js';
import { AREA, TIMER } from './layout.js';
import type { Kernel } from './kernel.js';

/** Largest overrun that is told (DELAYTIMER_MAX). */
const MOST_OVERRUNS = 0x7fff_ffff;

export const timerWord = (timer: number): number => (AREA.TIMERS + timer * TIMER.BYTES) / 4;

export const timerField = (kernel: Kernel, timer: number, field: number): number =>
  kernel.i32[timerWord(timer) + field] ?? 0;

export function setTimerField(kernel: Kernel, timer: number, field: number, value: number): void {
  kernel.i32[timerWord(timer) + field] = value;
}

/** 64 bits. */
export const timerLong = (kernel: Kernel, timer: number, field: number): bigint =>
  kernel.i64[(timerWord(timer) + field) / 2] ?? 0n;

export function setTimerLong(kernel: Kernel, timer: number, field: number, value: bigint): void {
  kernel.i64[(timerWord(timer) + field) / 2] = BigInt.asIntN(64, value);
}

/** What its clock shows, nanoseconds. For CPU clocks this asks the host, which does not block. */
export function timerNow(kernel: Kernel, timer: number): number {
  const of = timerField(kernel, timer, TIMER.CPU_OF);
  if (of === 0) return kernel.now();
  return of > 0 ? taskCpuNs(kernel.task(of)) : groupCpuNs(kernel.group(-of));
}

/** Puts the deadline of an interval timer behind `now`; gives the expirations that it has passed. One that is not repeated is disarmed. */
export function forward(kernel: Kernel, timer: number, now: number): number {
  const deadline = Number(timerLong(kernel, timer, TIMER.DEADLINE));
  const interval = Number(timerLong(kernel, timer, TIMER.INTERVAL));
  if (deadline === 0 || now < deadline) return 0;
  const passed = interval === 0 ? 1 : Math.floor((now - deadline) / interval) + 1;
  setTimerLong(kernel, timer, TIMER.DEADLINE, interval === 0 ? 0n : BigInt(deadline + passed * interval));
  return passed;
}

/** The timer's signal has been taken, or dropped: an interval timer runs on. Gives its overruns: expirations since the one that the signal is for. */
export function timerSignalTaken(kernel: Kernel, timer: number): number {
  setTimerField(kernel, timer, TIMER.QUEUED, 0);
  const passed = forward(kernel, timer, timerNow(kernel, timer));
  const overrun = Math.min(Math.max(0, passed - 1), MOST_OVERRUNS);
  setTimerField(kernel, timer, TIMER.OVERRUN, overrun);
  if (timerLong(kernel, timer, TIMER.DEADLINE) !== 0n)
    kernel.supervision?.timerChanged(timerField(kernel, timer, TIMER.GROUP));
  return overrun;
}
