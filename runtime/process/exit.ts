/**
 * Beginning and end of guest threads and processes: what a thread leaves behind, zombies, reparenting, the parent's SIGCHLD. In: the thread whose guest code has
 * been left. Out: records freed or zombies, waiters woken. Source: man 2 _exit, man 2 exit_group, man 2 wait (NOTES), man 2 set_robust_list, man 2 set_tid_address.
 */
import { CLD, SIGCHLD } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { freeCpu } from '../threads/cpu-slots.js';
import { futexKey, futexWake } from '../threads/futex.js';
import { releasePiWaitersLocked } from '../threads/futex-pi.js';
import { walkRobustList } from '../threads/robust-list.js';
import { hostThreadId, processCpu, threadCpuNs } from './cpu-time.js';
import type { Group } from './group.js';
import { endSessionLocked, releaseOrphansLocked } from './job-control.js';
import type { Kernel } from './kernel.js';
import { GROUP_FLAG, GROUP_STATE, HEAD, TASK_STATE } from './layout.js';
import { dropTimersLocked } from './posix-timers.js';
import { releaseFilters } from './seccomp.js';
import { undoSems } from './sem-sets.js';
import { SA, SIG_IGN } from './sighand.js';
import { flushSignals } from './siginfo.js';
import { exitGroupLocked, retargetLocked, sendOfChildLocked, sendToGroupLocked } from './signal-send.js';
import type { Task } from './task.js';
import { isTracedElsewhere, notifyTracerLocked, releaseTraceesLocked } from './trace-link.js';

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;

/** CPU time of this host thread when its present guest thread began. */
let cpuAtStart = 0;
/** Of this worker. */
let hostTid: number | undefined;

/** The worker calls this before the first guest instruction: from then on the thread counts as RUNNING. */
export function threadStarted(t: Thread): void {
  const { task } = t;
  task.resetLocal();
  cpuAtStart = threadCpuNs();
  task.cpuAtStart = cpuAtStart;
  task.hostTid = hostTid ??= hostThreadId();
  task.startTime = t.kernel.now();
  task.state = TASK_STATE.ALIVE;
  task.runLetter = 'R'.charCodeAt(0);
  t.quiesce.leaveParked();
}

/** CPU time of the calling guest thread, nanoseconds. */
export function guestThreadCpuNs(): number {
  return Math.max(0, threadCpuNs() - cpuAtStart);
}

/** exit(2): this thread alone. */
export function exitThread(t: Thread, code: number): void {
  t.exiting = { code: code & 0xff, signal: 0 };
}

/** exit_group(2). */
export function exitGroup(t: Thread, code: number): void {
  const { group } = t.task;
  t.kernel.lock(() => {
    exitGroupLocked(t.kernel, group, (code & 0xff) << 8);
  });
  const status = group.exitStatus;
  t.exiting = { code: (status >> 8) & 0xff, signal: status & 0x7f };
}

/**
 * The worker calls this once t.exiting is set and guest code has been left. Afterwards the thread is gone, and the worker is free for another one;
 * guest memory and the CPU block are not the thread's any more.
 */
export function threadFinished(t: Thread): void {
  const { task, kernel, cpu, mem } = t;
  const exiting = t.exiting ?? { code: 0, signal: 0 };
  walkRobustList(t);
  const clear = task.clearChildTid;
  // With one user of the memory left, and nothing shared, nobody can look at the word.
  if (clear !== 0 && (task.mmRecord.refs > 1 || t.mm.sharesFiles) && mem.writeU32(clear, 0))
    futexWake(kernel, futexKey(t, clear, false), 1);
  const { files, fs } = task;
  task.files = 0;
  task.fs = 0;
  kernel.files?.putFiles(files);
  kernel.files?.putFs(fs);
  const cpuNs = guestThreadCpuNs();
  const words = kernel.memory(task.mm);
  leaveMemory(t);
  const changed = kernel.lock(() => {
    if (words !== undefined) freeCpu(words, cpu.base);
    return leaveGroup(kernel, task, exiting.code << 8, cpuNs);
  });
  if (changed !== 0) kernel.supervision?.groupChanged(changed);
}

/** The last user of a memory empties it for the next process. That of the first process goes with lift64. */
function leaveMemory(t: Thread): void {
  const { kernel, task } = t;
  if (!kernel.lock(() => task.mmRecord.refs === 1)) return;
  if (task.groupIndex === kernel.initGroup.index) t.mm.writeAll();
  else t.engine.emptyMemory(kernel.memoryFor(t, task.mm));
}

/** Takes the task out of its group. Gives the group's index when that was its last thread, else 0. */
function leaveGroup(kernel: Kernel, task: Task, status: number, cpuNs: number): number {
  const { group } = task;
  task.cpu = 0;
  task.mmRecord.refs -= 1;
  task.state = TASK_STATE.DEAD;
  releasePiWaitersLocked(kernel, task.tid);
  Atomics.sub(kernel.i32, HEAD.TASKS_ALIVE, 1);
  group.deadCpu += cpuNs;
  const isLeader = group.leader.index === task.index;
  if (isLeader && !group.exiting) {
    group.exitStatus = status;
    group.setFlag(GROUP_FLAG.LEADER_DEAD, true);
  }
  completeVfork(kernel, group, task);
  retargetLocked(kernel, task, ALL_SIGNALS);
  for (const tracee of releaseTraceesLocked(kernel, task)) releaseEndedTracee(kernel, tracee);
  // A tracer takes notice of the end of a thread, by wait.
  if (!isLeader && task.traced !== 0) {
    task.trace.code = status;
    if (tellTracer(task, group.exiting ? group.exitStatus : status)) return 0;
  }
  return threadGone(kernel, task);
}

/** An exit status as siginfo tells it. */
export function asEnd(status: number): { readonly code: number; readonly value: number } {
  const signal = status & 0x7f;
  return signal !== 0 ? { code: CLD.KILLED, value: signal } : { code: CLD.EXITED, value: (status >> 8) & 0xff };
}

/** The tracer is told of an end; false: it does not wait for its tracees. */
function tellTracer(task: Task, status: number): boolean {
  const { code, value } = asEnd(status);
  return notifyTracerLocked(task, code, value);
}

/** A tracee that has ended is none any more: its tracer has taken notice of the end, or is gone. The caller holds the mutex. */
export function releaseEndedTracee(kernel: Kernel, task: Task): void {
  const { group } = task;
  const elsewhere = isTracedElsewhere(group);
  task.traced = 0;
  if (group.leader.index !== task.index) {
    const changed = threadGone(kernel, task);
    if (changed !== 0) kernel.supervision?.groupChanged(changed);
  } else if (group.state === GROUP_STATE.ZOMBIE && elsewhere) {
    notifyParent(kernel, group);
  }
}

/** Nobody wants to know of the thread any more. Gives the group's index when it was its last one, else 0. The caller holds the mutex. */
function threadGone(kernel: Kernel, task: Task): number {
  const { group } = task;
  group.threads -= 1;
  if (group.leader.index !== task.index) freeTask(kernel, task);
  if (group.threads > 0) {
    // A thread of it may wait in execve to be the last.
    if (group.has(GROUP_FLAG.EXECING)) kernel.wake(group.execTask);
    return 0;
  }
  group.setFlag(GROUP_FLAG.STOPPED, false);
  group.timerDeadline = 0;
  endSessionLocked(kernel, group);
  releaseOrphansLocked(kernel, group, group.parent, group);
  dropTimersLocked(kernel, group);
  undoSems(kernel, group.index, group.tgid);
  reparentChildren(kernel, group);
  group.state = GROUP_STATE.ZOMBIE;
  notifyParent(kernel, group);
  kernel.processChanged?.(group.index);
  return group.index;
}

/** Lets the parent of a vfork go on: the child has called execve, or is gone. The caller holds the mutex. */
export function completeVfork(kernel: Kernel, group: Group, task: Task): void {
  const parent = group.vforkParent;
  if (parent === 0 || group.leader.index !== task.index) return;
  group.vforkParent = 0;
  const waiter = kernel.task(parent);
  waiter.vforkChild = 0;
  kernel.wake(parent);
}

/** Frees the record of a task that is gone. The caller holds the mutex. */
export function freeTask(kernel: Kernel, task: Task): void {
  flushSignals(kernel, task, ALL_SIGNALS);
  releaseFilters(kernel, task);
  task.traced = 0;
  const { sighand } = task;
  sighand.refs -= 1;
  task.state = TASK_STATE.FREE;
}

/** Children of a dead process go to the nearest subreaper, else to nobody: then a zombie among them is reaped at once. */
function reparentChildren(kernel: Kernel, group: Group): void {
  let heir = group.parent;
  while (heir.index !== 0 && !(heir.alive && heir.has(GROUP_FLAG.SUBREAPER))) heir = heir.parent;
  const { uid } = group.ids;
  for (const child of group.children()) {
    child.parent = heir;
    if (child.alive) releaseOrphansLocked(kernel, child, group);
    for (const t of child.tasks()) {
      if (t.pdeathSignal !== 0)
        sendToGroupLocked(kernel, child, { kind: 'kill', signal: t.pdeathSignal, code: 0, pid: group.tgid, uid });
    }
    if (child.state === GROUP_STATE.ZOMBIE && child.leader.traced === 0) {
      child.exitSignal = SIGCHLD;
      notifyParent(kernel, child);
    }
  }
}

/** Tells the parent of a zombie; reaps it where nobody wants its status. The caller holds the mutex. */
function notifyParent(kernel: Kernel, group: Group): void {
  const { parent } = group;
  // The first process's status is read by the supervisor.
  if (group.index === kernel.initGroup.index) return;
  // The parent is told when the tracer has been.
  if (isTracedElsewhere(group)) {
    if (tellTracer(group.leader, group.exitStatus)) return;
    group.leader.traced = 0;
  }
  if (parent.index === 0 || !parent.alive) {
    releaseGroup(kernel, group);
    return;
  }
  const signal = group.exitSignal;
  let reap = false;
  let wanted = signal !== 0;
  if (signal === SIGCHLD) {
    const action = parent.leader.sighand.action(SIGCHLD);
    wanted = action.handler !== SIG_IGN;
    reap = !wanted || (action.flags & BigInt(SA.NOCLDWAIT)) !== 0n;
  }
  if (wanted) {
    const utime = Math.round(group.deadCpu / 1e7);
    sendOfChildLocked(parent, group.leader, { ...asEnd(group.exitStatus), signal, utime });
  }
  if (reap) releaseGroup(kernel, group);
  parent.wakeAll();
}

/** Frees a zombie's records. The caller holds the mutex. */
export function releaseGroup(kernel: Kernel, group: Group): void {
  kernel.assertLocked();
  flushSignals(kernel, group, ALL_SIGNALS);
  freeTask(kernel, group.leader);
  group.state = GROUP_STATE.FREE;
  kernel.processChanged?.(group.index);
}

/** CPU time of a process, microseconds. The process that lift64 was started for counts all of lift64's. */
export function groupCpu(kernel: Kernel, group: Group): { user: number; system: number } {
  if (group.index === kernel.initGroup.index) return processCpu();
  return { user: Math.round((group.deadCpu + guestThreadCpuNs()) / 1e3), system: 0 };
}
