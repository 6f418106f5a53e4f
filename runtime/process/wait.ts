/**
 * Waiting for children. In: whom, and WNOHANG and so on. Out: which child changed and how. Source: man 2 wait4, man 2 waitid.
 */
import { ECHILD, ERESTARTSYS } from '../linux/errno.js';
import { CLD, SIGCHLD, SIGCONT } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { park } from '../threads/park.js';
import { asEnd, groupCpu, releaseEndedTracee, releaseGroup } from './exit.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_REPORT, GROUP_STATE, TASK_STATE, TRACE_STATE } from './layout.js';
import type { Task } from './task.js';
import { isTracedElsewhere, traceesOf, traceesOfGroup } from './trace-link.js';

export const W = {
  NOHANG: 1,
  /** WUNTRACED and WSTOPPED. */
  STOPPED: 2,
  EXITED: 4,
  CONTINUED: 8,
  NOWAIT: 0x0100_0000,
  NOTHREAD: 0x2000_0000,
  ALL: 0x4000_0000,
  CLONE: 0x8000_0000 | 0,
} as const;

export type Whom =
  | { readonly kind: 'any' }
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'pgid'; readonly pgid: number };

/** What happened to a child. */
export interface Change {
  readonly pid: number;
  readonly uid: number;
  /** As wait4 stores it. */
  readonly status: number;
  /** CLD_*, and what siginfo's si_status is. */
  readonly code: number;
  readonly value: number;
  /** CPU time, microseconds. */
  readonly cpu: { user: number; system: number };
}

/**
 * Waits until a child is as asked (W.EXITED, STOPPED, CONTINUED). Undefined: W.NOHANG and none is so far. A negative errno: ECHILD, or
 * interrupted. A reported exit reaps the child unless W.NOWAIT.
 */
export function waitForChild(t: Thread, whom: Whom, options: number): Change | number | undefined {
  const { kernel, task } = t;
  const look = (): { found: Change | number | undefined } | undefined => {
    const found = kernel.lock(() => scan(kernel, task, whom, options));
    return found !== undefined || (options & W.NOHANG) !== 0 ? { found } : undefined;
  };
  const result = park(t, look);
  // Without a deadline there is no 'timeout'.
  return typeof result === 'string' ? -ERESTARTSYS : result.found;
}

function scan(kernel: Kernel, task: Task, whom: Whom, options: number): Change | number | undefined {
  const parent = task.group;
  let candidates = 0;
  for (const child of parent.children()) {
    if (!isMeant(child, whom, options)) continue;
    const elsewhere = isTracedElsewhere(child);
    // Found below, as a tracee.
    if (child.leader.traced !== 0 && !elsewhere) continue;
    // A zombie neither stops nor continues.
    if (child.state === GROUP_STATE.ZOMBIE && (options & W.EXITED) === 0) continue;
    candidates++;
    // The end is its tracer's first.
    if (child.state === GROUP_STATE.ZOMBIE && elsewhere) continue;
    const change = changeOf(kernel, parent, child, options);
    if (change !== undefined) return change;
  }
  for (const tracee of (options & W.NOTHREAD) !== 0 ? traceesOf(task) : traceesOfGroup(parent)) {
    if (!isAskedFor(tracee, whom)) continue;
    const ended = tracee.state === TASK_STATE.DEAD;
    if (ended && (options & W.EXITED) === 0) continue;
    candidates++;
    const change = ended ? endOf(kernel, parent, tracee, options) : stopOf(kernel, parent, tracee, options);
    if (change !== undefined) return change;
  }
  return candidates === 0 ? -ECHILD : undefined;
}

function isAskedFor(tracee: Task, whom: Whom): boolean {
  if (whom.kind === 'pid') return tracee.tid === whom.pid;
  return whom.kind === 'any' || tracee.group.pgid === whom.pgid;
}

/** The end of a tracee: of a process once all of its threads are gone. */
function endOf(kernel: Kernel, parent: Group, tracee: Task, options: number): Change | undefined {
  const { group } = tracee;
  const isLeader = group.leader.index === tracee.index;
  if (isLeader && group.state !== GROUP_STATE.ZOMBIE) return undefined;
  if (isLeader && !isTracedElsewhere(group)) return changeOf(kernel, parent, group, options);
  const status = group.exiting || isLeader ? group.exitStatus : tracee.trace.code;
  const change = { pid: tracee.tid, uid: group.ids.uid, status, ...asEnd(status), cpu: NO_CPU };
  if ((options & W.NOWAIT) === 0) releaseEndedTracee(kernel, tracee);
  return change;
}

/** The stop of a tracee, whether stops are asked for or not. */
function stopOf(kernel: Kernel, parent: Group, tracee: Task, options: number): Change | undefined {
  const { trace, group } = tracee;
  const { code } = trace;
  if (trace.state === TRACE_STATE.STOPPED && code !== 0) {
    if ((options & W.NOWAIT) === 0) trace.code = 0;
    const uid = group.ids.uid;
    return {
      pid: tracee.tid,
      uid,
      status: (code << 8) | 0x7f,
      code: CLD.TRAPPED,
      value: code,
      cpu: groupCpu(kernel, group),
    };
  }
  return group.leader.index === tracee.index ? changeOf(kernel, parent, group, options & ~W.STOPPED) : undefined;
}

const NO_CPU = { user: 0, system: 0 };

function isMeant(child: Group, whom: Whom, options: number): boolean {
  if (whom.kind === 'pid' && child.tgid !== whom.pid) return false;
  if (whom.kind === 'pgid' && child.pgid !== whom.pgid) return false;
  if ((options & W.ALL) !== 0) return true;
  // A "clone" child is one that does not end with SIGCHLD.
  return (child.exitSignal !== SIGCHLD) === ((options & W.CLONE) !== 0);
}

function changeOf(kernel: Kernel, parent: Group, child: Group, options: number): Change | undefined {
  const keep = (options & W.NOWAIT) !== 0;
  const base = { pid: child.tgid, uid: child.ids.uid };
  if (child.state === GROUP_STATE.ZOMBIE) {
    if ((options & W.EXITED) === 0) return undefined;
    const cpu = { user: Math.round(child.deadCpu / 1e3) + child.childUtime, system: child.childStime };
    const status = child.exitStatus;
    if (!keep) {
      parent.childUtime += cpu.user;
      parent.childStime += cpu.system;
      releaseGroup(kernel, child);
    }
    return { ...base, status, ...asEnd(status), cpu };
  }
  const { report } = child;
  if ((report & GROUP_REPORT.STOPPED) !== 0 && (options & W.STOPPED) !== 0) {
    if (!keep) child.report = report & ~GROUP_REPORT.STOPPED;
    const signal = child.stopSignal;
    return { ...base, status: (signal << 8) | 0x7f, code: CLD.STOPPED, value: signal, cpu: groupCpu(kernel, child) };
  }
  if ((report & GROUP_REPORT.CONTINUED) !== 0 && (options & W.CONTINUED) !== 0) {
    if (!keep) child.report = report & ~GROUP_REPORT.CONTINUED;
    return { ...base, status: 0xffff, code: CLD.CONTINUED, value: SIGCONT, cpu: groupCpu(kernel, child) };
  }
  return undefined;
}
