/**
 * Sending signals to tasks and groups, ending and stopping groups. In: targets and SigInfo. Out: queued signals and kicked threads.
 * All functions named ...Locked want the kernel mutex. Source: man 7 signal, man 2 kill, man 2 sigaction; POSIX 2.4 for stop and continue.
 */
import { CONTROL } from '../../src/guest/cpu-state.js';
import {
  CLD,
  defaultAction,
  sigBit,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SI_KERNEL,
  SIGSTOP,
  STOP_SIGNALS,
} from '../linux/signals.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_FLAG, GROUP_REPORT, TRACED } from './layout.js';
import { SA, SIG_DFL, SIG_IGN } from './sighand.js';
import { enqueueSignal, flushSignals, type SigInfo } from './siginfo.js';
import type { Task } from './task.js';
import { trapLocked } from './trace.js';

/** CLD_*, with the status or the signal; clock ticks. */
interface ChildNews {
  readonly code: number;
  readonly value: number;
  readonly signal?: number;
  readonly utime?: number;
}

/** True when the task would drop the signal: its action is to ignore it and it is not blocked. */
export function isIgnored(task: Task, signal: number): boolean {
  // Its tracer sees them.
  if (task.traced !== 0) return false;
  const bit = sigBit(signal);
  if (((task.blocked | task.realBlocked) & bit) !== 0n) return false;
  const handler = task.sighand.handler(signal);
  if (handler === SIG_IGN) return true;
  return handler === SIG_DFL && defaultAction(signal) === 'ignore';
}

/** Sends to one thread (tgkill). False: no room for a queued value. */
export function sendToTaskLocked(kernel: Kernel, task: Task, info: SigInfo): boolean {
  return send(kernel, task, task.group, info, false);
}

/** Sends to a process: any of its threads that does not block the signal takes it. */
export function sendToGroupLocked(kernel: Kernel, group: Group, info: SigInfo): boolean {
  return send(kernel, group.leader, group, info, true);
}

/** sendToTaskLocked and sendToGroupLocked under the mutex. */
export function sendToTask(kernel: Kernel, task: Task, info: SigInfo): boolean {
  return kernel.lock(() => sendToTaskLocked(kernel, task, info));
}

export function sendToGroup(kernel: Kernel, group: Group, info: SigInfo): boolean {
  return kernel.lock(() => sendToGroupLocked(kernel, group, info));
}

/** A signal of the kernel's own to the calling thread's process or thread (SIGPIPE, SIGXFSZ go to the thread). */
export function raiseSignal(kernel: Kernel, task: Task, signal: number): void {
  const { uid } = task.group.ids;
  sendToTask(kernel, task, { kind: 'kill', signal, code: 0, pid: task.tgid, uid });
}

function send(kernel: Kernel, task: Task, group: Group, info: SigInfo, shared: boolean): boolean {
  kernel.assertLocked();
  const { signal } = info;
  if (group.exiting || !group.alive) return true;
  if (signal === SIGKILL) {
    exitGroupLocked(kernel, group, SIGKILL);
    return true;
  }
  const bit = sigBit(signal);
  if ((STOP_SIGNALS & bit) !== 0n) flushEverywhere(kernel, group, sigBit(SIGCONT));
  if (signal === SIGCONT) continueGroup(kernel, group);
  if (isIgnored(task, signal)) return true;
  const before = shared ? group.pending : task.pending;
  if (!enqueueSignal(kernel, shared ? group : task, info)) return false;
  kernel.processChanged?.(group.index);
  // Pending already: whoever is to take it has been told.
  if ((before & bit) !== 0n && signal < 32) return true;
  const taker = shared ? pickThread(group, signal) : task;
  if (taker !== undefined) kernel.kick(taker, CONTROL.SIGNAL);
  return true;
}

/** The leader if it takes the signal, else any thread that does; undefined: all block it. */
function pickThread(group: Group, signal: number): Task | undefined {
  const bit = sigBit(signal);
  const { leader } = group;
  if (leader.alive && (leader.blocked & bit) === 0n) return leader;
  for (const t of group.tasks()) if ((t.blocked & bit) === 0n) return t;
  return undefined;
}

function flushEverywhere(kernel: Kernel, group: Group, mask: bigint): void {
  flushSignals(kernel, group, mask);
  for (const t of group.tasks()) flushSignals(kernel, t, mask);
}

/** After the action of a signal has become "ignore": what of it is pending is dropped. */
export function flushIgnoredLocked(kernel: Kernel, group: Group, signal: number): void {
  flushEverywhere(kernel, group, sigBit(signal));
}

/**
 * Shared pending signals of `mask` that one thread no longer takes (it blocks them, or exits) are announced to the others.
 * The caller holds the mutex.
 */
export function retargetLocked(kernel: Kernel, task: Task, mask: bigint): void {
  const { group } = task;
  const orphaned = group.pending & mask;
  if (orphaned === 0n) return;
  for (const t of group.tasks()) {
    if (t.index !== task.index && (orphaned & ~t.blocked) !== 0n) kernel.kick(t, CONTROL.SIGNAL);
  }
}

/** Sets the thread's mask (its own thread calls this), and hands over shared signals that it now blocks. */
export function setBlocked(kernel: Kernel, task: Task, mask: bigint): void {
  setBlockedWords(kernel, task, Number(mask & 0xffff_ffffn) | 0, Number(mask >> 32n) | 0);
}

/** As setBlocked, with the mask in two halves. Each signal has its bit in one of them, so that others may read them one by one. */
export function setBlockedWords(kernel: Kernel, task: Task, low: number, high: number): void {
  const newLow = low & ~task.blockedLow;
  const newHigh = high & ~task.blockedHigh;
  task.setBlockedWords(low, high);
  if ((newLow | newHigh) === 0 || task.group.threads <= 1) return;
  const newly = (BigInt(newHigh >>> 0) << 32n) | BigInt(newLow >>> 0);
  if ((task.group.pending & newly) === 0n) return;
  kernel.lock(() => {
    retargetLocked(kernel, task, newly);
  });
}

/** exit_group and fatal signals: `status` as wait4 reports it (code << 8, or the signal). The first caller's status counts. The caller holds the mutex. */
export function exitGroupLocked(kernel: Kernel, group: Group, status: number): void {
  kernel.assertLocked();
  if (group.exiting) return;
  group.exitStatus = status;
  group.setFlag(GROUP_FLAG.STOPPED, false);
  group.setFlag(GROUP_FLAG.EXITING, true);
  for (const t of group.tasks()) kernel.kick(t, CONTROL.EXIT);
  kernel.supervision?.groupChanged(group.index);
}

/** Job control: stops the group by `signal`. The caller holds the mutex. */
export function stopGroupLocked(kernel: Kernel, group: Group, signal: number): void {
  kernel.assertLocked();
  if (group.exiting) return;
  // A tracee stops for its tracer, again where the tracer has let it go on.
  for (const t of group.tasks()) {
    if (t.traced === 0) continue;
    t.traced |= TRACED.TRAP_STOP;
    kernel.kick(t, CONTROL.SIGNAL);
  }
  if (group.has(GROUP_FLAG.STOPPED)) return;
  group.stopSignal = signal;
  group.report = GROUP_REPORT.STOPPED;
  group.setFlag(GROUP_FLAG.STOPPED, true);
  for (const t of group.tasks()) kernel.kick(t, CONTROL.SIGNAL);
  if (!isTracedByParent(group)) notifyParentOfJob(kernel, group, CLD.STOPPED, signal);
  kernel.supervision?.groupChanged(group.index);
}

/** The parent is told of its stops as the tracer then. */
function isTracedByParent(group: Group): boolean {
  return group.leader.traced !== 0 && group.leader.trace.tracer.groupIndex === group.parentIndex;
}

/** A tracee of PTRACE_SEIZE reports that its process goes on; any other stays where its tracer has it. */
function continueTracee(task: Task): void {
  if ((task.traced & TRACED.SEIZED) === 0) {
    task.traced &= ~TRACED.TRAP_STOP;
    return;
  }
  trapLocked(task, TRACED.TRAP_NOTIFY);
}

function continueGroup(kernel: Kernel, group: Group): void {
  flushEverywhere(kernel, group, STOP_SIGNALS);
  for (const t of group.tasks()) if (t.traced !== 0) continueTracee(t);
  if (!group.has(GROUP_FLAG.STOPPED)) return;
  group.report = GROUP_REPORT.CONTINUED;
  group.setFlag(GROUP_FLAG.STOPPED, false);
  group.wakeAll();
  notifyParentOfJob(kernel, group, CLD.CONTINUED, SIGCONT);
  kernel.supervision?.groupChanged(group.index);
}

function notifyParentOfJob(kernel: Kernel, group: Group, code: number, status: number): void {
  const { parent } = group;
  if (parent.index === 0 || !parent.alive) return;
  const action = parent.leader.sighand.action(SIGCHLD);
  if ((action.flags & BigInt(SA.NOCLDSTOP)) === 0n) sendOfChildLocked(parent, group.leader, { code, value: status });
  parent.wakeAll();
}

/** Tells `to` what has become of a child's leader, or of a tracee. `signal`: what clone has asked for instead of SIGCHLD. */
export function sendOfChildLocked(to: Group, task: Task, what: ChildNews): void {
  const { code, value, signal = SIGCHLD, utime = 0 } = what;
  const { uid } = task.group.ids;
  sendToGroupLocked(to.kernel, to, { kind: 'child', signal, code, pid: task.tid, uid, status: value, utime, stime: 0 });
}

/** Signal of the kernel itself to a group (timers, terminal). */
export function kernelSignal(kernel: Kernel, group: Group, signal: number): void {
  sendToGroup(kernel, group, { kind: 'plain', signal, code: SI_KERNEL });
}

/** True for the signals that job control stops by default. */
export function isStopSignal(signal: number): boolean {
  return signal === SIGSTOP || (STOP_SIGNALS & sigBit(signal)) !== 0n;
}
