/**
 * Timers of timer_create. A timer whose signal is pending stands still; when that is taken it runs on, and what it would have sent meanwhile counts as overruns.
 * In: processes, times in nanoseconds. Out: ids and states; fireTimers for the supervisor, whose event loop runs them. Source: man 2 timer_create, timer_settime, timer_getoverrun.
 */
import { EAGAIN } from '../linux/errno.js';
import { SI_TIMER } from '../linux/signals.js';
import { sendToGroupLocked, sendToTaskLocked } from './signal-send.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { MAX_TIMERS, TIMER } from './layout.js';
import { dropTimerSignal, type SigInfo } from './siginfo.js';
import type { Task } from './task.js';
import { forward, setTimerField, setTimerLong, timerField, timerLong, timerNow } from './timer-record.js';
import type { TimerState } from './timers.js';

export const SIGEV = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;

export interface NewTimer {
  readonly clock: number;
  /** SIGEV_*. */
  readonly notify: number;
  readonly signal: number;
  /** With SIGEV_THREAD_ID. */
  readonly task: Task | undefined;
  /** sigev_value; undefined: the timer's id. */
  readonly value: bigint | undefined;
  /** Of a CPU clock: whose time counts. */
  readonly cpu: Task | Group | undefined;
}

/** Whether a timer of `group` with this id exists: its index; 0: there is none. */
export function findTimer(kernel: Kernel, group: Group, id: number): number {
  for (let timer = 1; timer < MAX_TIMERS; timer++) {
    if (timerField(kernel, timer, TIMER.GROUP) === group.index && timerField(kernel, timer, TIMER.ID) === id)
      return timer;
  }
  return 0;
}

/** Gives the id; -EAGAIN when there are MAX_TIMERS. */
export function createTimer(kernel: Kernel, group: Group, n: NewTimer): number {
  return kernel.lock(() => {
    let timer = 1;
    while (timer < MAX_TIMERS && timerField(kernel, timer, TIMER.GROUP) !== 0) timer++;
    if (timer === MAX_TIMERS) return -EAGAIN;
    while (findTimer(kernel, group, group.nextTimer) !== 0) group.nextTimer = (group.nextTimer + 1) & 0x7fff_ffff;
    const id = group.nextTimer;
    group.nextTimer = (id + 1) & 0x7fff_ffff;
    const fields: readonly (readonly [number, number])[] = [
      [TIMER.GROUP, group.index],
      [TIMER.ID, id],
      [TIMER.CLOCK, n.clock],
      [TIMER.NOTIFY, n.notify],
      [TIMER.SIGNAL, n.signal],
      [TIMER.TASK, n.task?.index ?? 0],
      [TIMER.TID, n.task?.tid ?? 0],
      [TIMER.QUEUED, 0],
      [TIMER.OVERRUN, 0],
      [TIMER.CPU_OF, n.cpu === undefined ? 0 : 'tid' in n.cpu ? n.cpu.index : -n.cpu.index],
    ];
    for (const [field, value] of fields) setTimerField(kernel, timer, field, value);
    setTimerLong(kernel, timer, TIMER.VALUE, n.value ?? BigInt(id));
    setTimerLong(kernel, timer, TIMER.DEADLINE, 0n);
    setTimerLong(kernel, timer, TIMER.INTERVAL, 0n);
    return id;
  });
}

/** Who has its signal pending. */
function holderOf(kernel: Kernel, timer: number): Task | Group {
  const task = timerField(kernel, timer, TIMER.TASK);
  return task === 0 ? kernel.group(timerField(kernel, timer, TIMER.GROUP)) : kernel.task(task);
}

function stateOf(kernel: Kernel, timer: number): TimerState {
  // What has expired unseen is behind us.
  const now = timerNow(kernel, timer);
  const queued = timerField(kernel, timer, TIMER.QUEUED) !== 0;
  if (!queued && timerField(kernel, timer, TIMER.NOTIFY) === SIGEV.NONE) forward(kernel, timer, now);
  const interval = Number(timerLong(kernel, timer, TIMER.INTERVAL));
  const deadline = Number(timerLong(kernel, timer, TIMER.DEADLINE));
  if (deadline === 0) return { left: 0, interval };
  if (deadline > now) return { left: deadline - now, interval };
  return { left: interval === 0 ? 1 : interval - ((now - deadline) % interval), interval };
}

export function timerState(kernel: Kernel, timer: number): TimerState {
  return kernel.lock(() => stateOf(kernel, timer));
}

/** Sets the timer; `deadlineOf` gives when it is to expire by its clock, which shows `now`; 0 disarms it. Gives its former state. */
export function setTimer(
  kernel: Kernel,
  timer: number,
  deadlineOf: (now: number) => number,
  interval: number,
): TimerState {
  const before = kernel.lock(() => {
    const old = stateOf(kernel, timer);
    dropTimerSignal(kernel, holderOf(kernel, timer), timer);
    setTimerLong(kernel, timer, TIMER.DEADLINE, BigInt(Math.trunc(deadlineOf(timerNow(kernel, timer)))));
    setTimerLong(kernel, timer, TIMER.INTERVAL, BigInt(interval));
    setTimerField(kernel, timer, TIMER.OVERRUN, 0);
    return old;
  });
  kernel.supervision?.timerChanged(timerField(kernel, timer, TIMER.GROUP));
  return before;
}

export function deleteTimer(kernel: Kernel, timer: number): void {
  kernel.lock(() => {
    deleteLocked(kernel, timer);
  });
}

function deleteLocked(kernel: Kernel, timer: number): void {
  dropTimerSignal(kernel, holderOf(kernel, timer), timer);
  setTimerField(kernel, timer, TIMER.GROUP, 0);
}

/** exec and exit: the process's timers are gone. The caller holds the mutex. */
export function dropTimersLocked(kernel: Kernel, group: Group): void {
  for (let timer = 1; timer < MAX_TIMERS; timer++) {
    if (timerField(kernel, timer, TIMER.GROUP) === group.index) deleteLocked(kernel, timer);
  }
  group.nextTimer = 0;
}

/**
 * Sends the signals of the process's timers that have expired. Gives the nanoseconds until the next may: by the clock, and (`cpu`) of CPU time. The caller holds the mutex.
 */
export function fireTimers(kernel: Kernel, group: Group): { readonly left: number; readonly cpu: number } {
  let left = Infinity;
  let cpu = Infinity;
  for (let timer = 1; timer < MAX_TIMERS; timer++) {
    if (timerField(kernel, timer, TIMER.GROUP) !== group.index) continue;
    if (timerField(kernel, timer, TIMER.NOTIFY) === SIGEV.NONE || timerField(kernel, timer, TIMER.QUEUED) !== 0)
      continue;
    const next = fire(kernel, group, timer);
    if (timerField(kernel, timer, TIMER.CPU_OF) === 0) left = Math.min(left, next);
    else cpu = Math.min(cpu, next);
  }
  return { left, cpu };
}

/** Gives the nanoseconds until the timer expires next; Infinity: not armed, or its signal is pending now. */
function fire(kernel: Kernel, group: Group, timer: number): number {
  const deadline = Number(timerLong(kernel, timer, TIMER.DEADLINE));
  if (deadline === 0) return Infinity;
  const now = timerNow(kernel, timer);
  if (now < deadline) return deadline - now;
  const signal = timerField(kernel, timer, TIMER.SIGNAL);
  const info: SigInfo = {
    kind: 'timer',
    signal,
    code: SI_TIMER,
    timer,
    id: timerField(kernel, timer, TIMER.ID),
    value: timerLong(kernel, timer, TIMER.VALUE),
  };
  const index = timerField(kernel, timer, TIMER.TASK);
  const task = index === 0 ? undefined : kernel.task(index);
  if (timerLong(kernel, timer, TIMER.INTERVAL) === 0n) setTimerLong(kernel, timer, TIMER.DEADLINE, 0n);
  if (task === undefined) sendToGroupLocked(kernel, group, info);
  else if (task.alive && task.tid === timerField(kernel, timer, TIMER.TID)) sendToTaskLocked(kernel, task, info);
  if (timerField(kernel, timer, TIMER.QUEUED) !== 0) return Infinity;
  // Ignored: it runs on by itself.
  forward(kernel, timer, now);
  const next = Number(timerLong(kernel, timer, TIMER.DEADLINE));
  return next === 0 ? Infinity : next - now;
}
