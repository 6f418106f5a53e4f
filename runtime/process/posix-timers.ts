/**
 * Timers of timer_create. A timer whose signal is pending stands still; when that is taken it runs on, and what it would have sent meanwhile counts as overruns.
 * In: processes, times in nanoseconds. Out: timers and states; fireTimers for the supervisor, whose event loop runs them. Source: man 2 timer_create, timer_settime, timer_getoverrun.
 */
import { EAGAIN } from '../linux/errno.js';
import { SI_TIMER } from '../linux/signals.js';
import { sendToGroupLocked, sendToTaskLocked } from './signal-send.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { MAX_TIMERS } from './layout.js';
import { dropTimerSignal, type SigInfo } from './siginfo.js';
import type { Task } from './task.js';
import { Timer, timerWord } from './timer-record.js';
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

/** The timers of process `group`; 0: the free records. */
function* timersOf(kernel: Kernel, group: number): Generator<Timer> {
  // Plain loads: this goes through the whole table.
  for (let i = 1; i < MAX_TIMERS; i++) if (kernel.i32[timerWord(i)] === group) yield new Timer(kernel, i);
}

/** The timer of `group` with this id. */
export function findTimer(kernel: Kernel, group: Group, id: number): Timer | undefined {
  for (const timer of timersOf(kernel, group.index)) if (timer.id === id) return timer;
  return undefined;
}

/** Gives the id; -EAGAIN when there are MAX_TIMERS. */
export function createTimer(kernel: Kernel, group: Group, n: NewTimer): number {
  return kernel.lock(() => {
    const [timer] = timersOf(kernel, 0);
    if (timer === undefined) return -EAGAIN;
    while (findTimer(kernel, group, group.nextTimer) !== undefined) group.nextTimer = following(group.nextTimer);
    const id = group.nextTimer;
    group.nextTimer = following(id);
    timer.begin(group.index, {
      id,
      clock: n.clock,
      notify: n.notify,
      signal: n.signal,
      taskIndex: n.task?.index ?? 0,
      tid: n.task?.tid ?? 0,
      value: n.value ?? BigInt(id),
      cpuOf: n.cpu === undefined ? 0 : 'tid' in n.cpu ? n.cpu.index : -n.cpu.index,
    });
    return id;
  });
}

const following = (id: number): number => (id + 1) & 0x7fff_ffff;

/** Who has its signal pending. */
function holderOf({ kernel, taskIndex, groupIndex }: Timer): Task | Group {
  return taskIndex === 0 ? kernel.group(groupIndex) : kernel.task(taskIndex);
}

function stateOf(timer: Timer): TimerState {
  // What has expired unseen is behind us.
  const { now, interval } = timer;
  if (!timer.queued && timer.notify === SIGEV.NONE) timer.forward(now);
  const { deadline } = timer;
  if (deadline === 0) return { left: 0, interval };
  if (deadline > now) return { left: deadline - now, interval };
  return { left: interval === 0 ? 1 : interval - ((now - deadline) % interval), interval };
}

export function timerState(timer: Timer): TimerState {
  return timer.kernel.lock(() => stateOf(timer));
}

/** Sets the timer; `deadlineOf` gives when it is to expire by its clock, which shows `now`; 0 disarms it. Gives its former state. */
export function setTimer(timer: Timer, deadlineOf: (now: number) => number, interval: number): TimerState {
  const { kernel } = timer;
  const before = kernel.lock(() => {
    const old = stateOf(timer);
    dropTimerSignal(holderOf(timer), timer);
    timer.deadline = deadlineOf(timer.now);
    timer.interval = interval;
    timer.overrun = 0;
    return old;
  });
  kernel.supervision?.timerChanged(timer.groupIndex);
  return before;
}

export function deleteTimer(timer: Timer): void {
  timer.kernel.lock(() => {
    deleteLocked(timer);
  });
}

function deleteLocked(timer: Timer): void {
  dropTimerSignal(holderOf(timer), timer);
  timer.end();
}

/** exec and exit: the process's timers are gone. The caller holds the mutex. */
export function dropTimersLocked(kernel: Kernel, group: Group): void {
  for (const timer of timersOf(kernel, group.index)) deleteLocked(timer);
  group.nextTimer = 0;
}

/**
 * Sends the signals of the process's timers that have expired. Gives the nanoseconds until the next may: by the clock, and (`cpu`) of CPU time. The caller holds the mutex.
 */
export function fireTimers(kernel: Kernel, group: Group): { readonly left: number; readonly cpu: number } {
  let left = Infinity;
  let cpu = Infinity;
  for (const timer of timersOf(kernel, group.index)) {
    if (timer.notify === SIGEV.NONE || timer.queued) continue;
    const next = fire(kernel, group, timer);
    if (timer.cpuOf === 0) left = Math.min(left, next);
    else cpu = Math.min(cpu, next);
  }
  return { left, cpu };
}

/** Gives the nanoseconds until the timer expires next; Infinity: not armed, or its signal is pending now. */
function fire(kernel: Kernel, group: Group, timer: Timer): number {
  if (timer.deadline === 0) return Infinity;
  const { now } = timer;
  if (now < timer.deadline) return timer.deadline - now;
  const { signal, id, value, index } = timer;
  const info: SigInfo = { kind: 'timer', signal, code: SI_TIMER, timer: index, id, value };
  const task = timer.taskIndex === 0 ? undefined : kernel.task(timer.taskIndex);
  if (timer.interval === 0) timer.deadline = 0;
  if (task === undefined) sendToGroupLocked(kernel, group, info);
  else if (task.alive && task.tid === timer.tid) sendToTaskLocked(kernel, task, info);
  if (timer.queued) return Infinity;
  // Ignored: it runs on by itself.
  timer.forward(now);
  return timer.deadline === 0 ? Infinity : timer.deadline - now;
}
