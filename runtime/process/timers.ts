/**
 * The timers of setitimer: armed by guest threads, run by the supervisor, which has the only event loop, as are those of timer_create (posix-timers.ts). In: deadlines. Out: SIGALRM, SIGVTALRM, SIGPROF.
 * Source: man 2 setitimer, man 2 alarm.
 */
import { SI_KERNEL, SIGALRM, SIGPROF, SIGVTALRM } from '../linux/signals.js';
import { groupCpuNs } from './cpu-time.js';
import type { CpuTimer, Group } from './group.js';
import type { Kernel } from './kernel.js';
import { fireTimers } from './posix-timers.js';
import { sendToGroupLocked } from './signal-send.js';

/** What is left of a timer, and its interval, nanoseconds; 0 not armed. */
export interface TimerState {
  readonly left: number;
  readonly interval: number;
}

/** Arms the process's real-time timer (`left` 0: disarms it). Gives its former state. */
export function setRealTimer(kernel: Kernel, group: Group, next: TimerState): TimerState {
  const before = kernel.lock(() => {
    const old = stateOf(kernel, group);
    group.timerDeadline = next.left === 0 ? 0 : kernel.now() + next.left;
    group.timerInterval = next.interval;
    group.timerSequence += 1;
    return old;
  });
  kernel.supervision?.timerChanged(group.index);
  return before;
}

export function realTimer(kernel: Kernel, group: Group): TimerState {
  return kernel.lock(() => stateOf(kernel, group));
}

function stateOf(kernel: Kernel, group: Group): TimerState {
  const deadline = group.timerDeadline;
  // An armed timer never reads as disarmed, however late its signal is (man 2 setitimer).
  return { left: deadline === 0 ? 0 : Math.max(1000, deadline - kernel.now()), interval: group.timerInterval };
}

/** ITIMER_VIRTUAL and ITIMER_PROF: all CPU time of a guest counts as its own. */
const CPU_SIGNALS = [SIGVTALRM, SIGPROF] as const;

/** Arms a CPU timer of the process (`left` 0: disarms it). Gives its former state. */
export function setCpuTimer(kernel: Kernel, group: Group, which: 0 | 1, next: TimerState): TimerState {
  const now = groupCpuNs(group);
  const before = kernel.lock(() => {
    const old = group.cpuTimer(which);
    group.setCpuTimer(which, { deadline: next.left === 0 ? 0 : now + next.left, interval: next.interval });
    return old;
  });
  kernel.supervision?.timerChanged(group.index);
  return cpuState(before, now);
}

export function cpuTimer(kernel: Kernel, group: Group, which: 0 | 1): TimerState {
  return cpuState(
    kernel.lock(() => group.cpuTimer(which)),
    groupCpuNs(group),
  );
}

function cpuState({ deadline, interval }: CpuTimer, now: number): TimerState {
  return { left: deadline === 0 ? 0 : Math.max(1000, deadline - now), interval };
}

/** Looks at CPU clocks are this far apart at least, ns: a process that waits uses none. */
const CPU_LOOK_NS = 2_000_000;

/** Called by the supervisor: sends the signals of the process's timers whose time has come. Gives the nanoseconds until it wants to be called again; undefined: none is armed. */
export function runTimers(kernel: Kernel, group: Group): number | undefined {
  return kernel.lock(() => {
    if (!group.alive) return undefined;
    const posix = fireTimers(kernel, group);
    const cpu = Math.min(posix.cpu, runCpuTimers(kernel, group));
    const left = Math.min(
      posix.left,
      runRealTimer(kernel, group),
      // With all its threads running the process uses that much sooner.
      cpu === Infinity ? Infinity : Math.max(CPU_LOOK_NS, cpu / Math.max(1, group.threads)),
    );
    return left === Infinity ? undefined : left;
  });
}

function runCpuTimers(kernel: Kernel, group: Group): number {
  let next = Infinity;
  for (const which of [0, 1] as const) {
    const timer = group.cpuTimer(which);
    if (timer.deadline === 0) continue;
    const now = groupCpuNs(group);
    const deadline = run(kernel, group, CPU_SIGNALS[which], timer, now);
    if (deadline !== timer.deadline) group.setCpuTimer(which, { ...timer, deadline });
    if (deadline !== 0) next = Math.min(next, deadline - now);
  }
  return next;
}

/** ITIMER_REAL; gives the nanoseconds until it expires, Infinity: never. */
function runRealTimer(kernel: Kernel, group: Group): number {
  const { timerDeadline: before, timerInterval: interval } = group;
  if (before === 0) return Infinity;
  const now = kernel.now();
  const deadline = run(kernel, group, SIGALRM, { deadline: before, interval }, now);
  group.timerDeadline = deadline;
  return deadline === 0 ? Infinity : deadline - now;
}

/** Sends the signal of an armed timer if its time has come. Gives its deadline from here on, 0: it is disarmed. */
function run(kernel: Kernel, group: Group, signal: number, { deadline, interval }: CpuTimer, now: number): number {
  if (now < deadline) return deadline;
  sendToGroupLocked(kernel, group, { kind: 'plain', signal, code: SI_KERNEL });
  return interval === 0 ? 0 : deadline + Math.ceil((now - deadline + 1) / interval) * interval;
}
