/**
 * ITIMER_REAL: armed by guest threads, run by the supervisor, which has the only event loop. In: deadlines. Out: SIGALRM. Source: man 2 setitimer, man 2 alarm.
 */
import { SI_KERNEL, SIGALRM } from '../linux/signals.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
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

/** Called by the supervisor: sends SIGALRM if the time has come. Gives the nanoseconds until it wants to be called again; undefined: not armed. */
export function runRealTimer(kernel: Kernel, group: Group): number | undefined {
  return kernel.lock(() => {
    const deadline = group.timerDeadline;
    if (deadline === 0 || !group.alive) return undefined;
    const now = kernel.now();
    if (now < deadline) return deadline - now;
    sendToGroupLocked(kernel, group, { kind: 'plain', signal: SIGALRM, code: SI_KERNEL });
    const { timerInterval: interval } = group;
    if (interval === 0) {
      group.timerDeadline = 0;
      return undefined;
    }
    const next = deadline + Math.ceil((now - deadline + 1) / interval) * interval;
    group.timerDeadline = next;
    return next - now;
  });
}
