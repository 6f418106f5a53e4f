/**
 * Waiting for children. In: whom, and WNOHANG and so on. Out: which child changed and how. Source: man 2 wait4, man 2 waitid.
 */
import { ECHILD, ERESTARTSYS } from '../linux/errno.js';
import { CLD, SIGCHLD, SIGCONT } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { park } from '../threads/park.js';
import { groupCpu, releaseGroup } from './exit.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_REPORT, GROUP_STATE } from './layout.js';

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
    const found = kernel.lock(() => scan(kernel, task.group, whom, options));
    return found !== undefined || (options & W.NOHANG) !== 0 ? { found } : undefined;
  };
  const result = park(t, look);
  // Without a deadline there is no 'timeout'.
  return typeof result === 'string' ? -ERESTARTSYS : result.found;
}

function scan(kernel: Kernel, parent: Group, whom: Whom, options: number): Change | number | undefined {
  let candidates = 0;
  for (const child of parent.children()) {
    if (!isMeant(child, whom, options)) continue;
    // A zombie neither stops nor continues.
    if (child.state === GROUP_STATE.ZOMBIE && (options & W.EXITED) === 0) continue;
    candidates++;
    const change = changeOf(kernel, parent, child, options);
    if (change !== undefined) return change;
  }
  return candidates === 0 ? -ECHILD : undefined;
}

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
    const status = child.exitStatus;
    const killed = (status & 0x7f) !== 0;
    const cpu = { user: Math.round(child.deadCpu / 1e3) + child.childUtime, system: child.childStime };
    if (!keep) {
      parent.childUtime += cpu.user;
      parent.childStime += cpu.system;
      releaseGroup(kernel, child);
    }
    return {
      ...base,
      status,
      code: killed ? CLD.KILLED : CLD.EXITED,
      value: killed ? status & 0x7f : (status >> 8) & 0xff,
      cpu,
    };
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
