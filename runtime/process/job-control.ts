/**
 * Process groups and sessions: whose terminal it is, which groups are orphaned, and what a session or a group is told at an exit. In: groups, under the kernel mutex.
 * Out: signals. Source: man 7 credentials ("Process groups and sessions"), man 2 setpgid; POSIX 3.264 (orphaned process group), _exit (consequences of termination).
 */
import { sigBit, SIGCONT, SIGHUP, SI_KERNEL } from '../linux/signals.js';
import type { JobControl } from '../vfs/kernel-port.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_FLAG } from './layout.js';
import { SIG_IGN } from './sighand.js';
import { sendToGroupLocked } from './signal-send.js';
import type { Task } from './task.js';

/** The kernel's signal to every process of process group `pgid`. The caller holds the mutex. */
function signalProcessGroupLocked(kernel: Kernel, pgid: number, signal: number): void {
  for (const g of kernel.allGroups()) {
    if (g.pgid === pgid && g.alive) sendToGroupLocked(kernel, g, { kind: 'plain', signal, code: SI_KERNEL });
  }
}

/**
 * True when no process of the process group has a parent in another process group of the same session: nobody could continue it. `leaving`, which is about to be gone, is not
 * asked. The caller holds the mutex.
 */
export function isOrphanedLocked(kernel: Kernel, pgid: number, leaving?: Group): boolean {
  for (const g of kernel.allGroups()) {
    if (g.pgid !== pgid || !g.alive || g.index === leaving?.index) continue;
    // The first process's parent is outside of lift64: a shell, it seems, that can continue it.
    if (g.index === kernel.initGroup.index) return false;
    const { parent } = g;
    if (parent.index !== 0 && parent.pgid !== pgid && parent.sid === g.sid) return false;
  }
  return true;
}

function hasStopped(kernel: Kernel, pgid: number): boolean {
  for (const g of kernel.allGroups()) if (g.pgid === pgid && g.alive && g.has(GROUP_FLAG.STOPPED)) return true;
  return false;
}

/** SIGHUP and SIGCONT to a process group that has become orphaned with stopped processes in it, by the end of a tie between `child` and `parent`. */
export function releaseOrphansLocked(kernel: Kernel, child: Group, parent: Group, leaving?: Group): void {
  const { pgid } = child;
  if (parent.index === 0 || parent.pgid === pgid || parent.sid !== child.sid) return;
  if (!isOrphanedLocked(kernel, pgid, leaving) || !hasStopped(kernel, pgid)) return;
  signalProcessGroupLocked(kernel, pgid, SIGHUP);
  signalProcessGroupLocked(kernel, pgid, SIGCONT);
}

/** No process of session `sid` has terminal `terminal` any more. The caller holds the mutex. */
function dropTerminalLocked(kernel: Kernel, sid: number, terminal: number): void {
  for (const g of kernel.allGroups()) if (g.sid === sid && g.terminal === terminal) g.terminal = -1;
}

/** The terminal of session `sid` has hung up. The caller holds the mutex. */
function hangUpLocked(kernel: Kernel, sid: number, terminal: number, foreground: number): void {
  for (const g of kernel.allGroups()) {
    if (g.sid !== sid || g.terminal !== terminal) continue;
    g.terminal = -1;
    if (g.tgid !== sid || !g.alive) continue;
    g.hungUp = foreground;
    sendToGroupLocked(kernel, g, { kind: 'plain', signal: SIGHUP, code: SI_KERNEL });
    sendToGroupLocked(kernel, g, { kind: 'plain', signal: SIGCONT, code: SI_KERNEL });
  }
}

/** The leader of a session is about to be gone: its terminal is free, and the foreground process group is told. The caller holds the mutex. */
export function endSessionLocked(kernel: Kernel, leader: Group): void {
  if (leader.sid !== leader.tgid) return;
  const { sid, terminal, hungUp } = leader;
  if (terminal >= 0) {
    const foreground = kernel.files?.endSession(terminal, sid) ?? 0;
    if (foreground !== 0) signalProcessGroupLocked(kernel, foreground, SIGHUP);
    dropTerminalLocked(kernel, sid, terminal);
  } else if (hungUp !== 0) {
    signalProcessGroupLocked(kernel, hungUp, SIGHUP);
    signalProcessGroupLocked(kernel, hungUp, SIGCONT);
  }
}

/** What needs no process. */
class ProcessGroups {
  constructor(protected readonly kernel: Kernel) {}

  sessionOf(group: number): number | undefined {
    return this.kernel.lock(() => {
      for (const g of this.kernel.allGroups()) if (g.pgid === group) return g.sid;
      // Any process has the number of a group, though it may be in another one.
      return this.kernel.findTask(group)?.group.sid;
    });
  }
  signalGroup(group: number, signal: number): void {
    this.kernel.lock(() => {
      signalProcessGroupLocked(this.kernel, group, signal);
    });
  }
  dropTerminal(session: number, terminal: number): void {
    this.kernel.lock(() => {
      dropTerminalLocked(this.kernel, session, terminal);
    });
  }
  hangUp(session: number, terminal: number, foreground: number): void {
    this.kernel.lock(() => {
      hangUpLocked(this.kernel, session, terminal, foreground);
    });
  }
}

/** Job control for the main thread, which has no process. */
export class MainJobs extends ProcessGroups implements JobControl {
  readonly terminal = -1;
  readonly isSessionLeader = false;
  readonly isRoot = false;

  shrugsOff(): boolean {
    return false;
  }
  isOrphaned(): boolean {
    return false;
  }
}

/** Job control for a guest thread. */
export class TaskJobs extends ProcessGroups implements JobControl {
  constructor(
    kernel: Kernel,
    private readonly task: Task,
  ) {
    super(kernel);
  }

  get terminal(): number {
    return this.task.group.terminal;
  }
  set terminal(v: number) {
    this.task.group.terminal = v;
  }
  get isSessionLeader(): boolean {
    const { group } = this.task;
    return group.sid === group.tgid;
  }
  get isRoot(): boolean {
    return this.task.group.ids.euid === 0;
  }
  shrugsOff(signal: number): boolean {
    return (this.task.blocked & sigBit(signal)) !== 0n || this.task.sighand.handler(signal) === SIG_IGN;
  }
  isOrphaned(): boolean {
    return this.kernel.lock(() => isOrphanedLocked(this.kernel, this.task.group.pgid));
  }
}
