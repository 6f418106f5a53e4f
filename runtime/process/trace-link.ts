/**
 * Who traces whom: a tracee is attached, goes on, is let go. In: tasks, under the kernel mutex. Out: their records, the tracer told and the tracee woken. Source: man 2 ptrace.
 */
import { CONTROL } from '../../src/guest/cpu-state.js';
import { CLD, SIGCHLD, SIGKILL, SIGSTOP } from '../linux/signals.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { HEAD, TASK_STATE, TRACED } from './layout.js';
import { SA, SIG_IGN } from './sighand.js';
import { exitGroupLocked, sendOfChildLocked, sendToTaskLocked } from './signal-send.js';
import type { Task } from './task.js';
import { RESUME, resumeLocked } from './trace.js';

/** PTRACE_O_*. */
export const OPTION = {
  TRACESYSGOOD: 1,
  TRACEFORK: 2,
  TRACEVFORK: 4,
  TRACECLONE: 8,
  TRACEEXEC: 0x10,
  TRACEVFORKDONE: 0x20,
  TRACEEXIT: 0x40,
  TRACESECCOMP: 0x80,
  EXITKILL: 0x10_0000,
  SUSPEND_SECCOMP: 0x20_0000,
} as const;

/** PTRACE_EVENT_*. */
export const EVENT = { FORK: 1, VFORK: 2, CLONE: 3, EXEC: 4, VFORK_DONE: 5, EXIT: 6, SECCOMP: 7, STOP: 128 } as const;

/** What PTRACE_GETEVENTMSG tells of a system call's stop. */
export const CALL_MESSAGE = { ENTRY: 1, EXIT: 2 } as const;

/** `tracer` traces `task` from now on. */
export function linkLocked(task: Task, tracer: Task, seized: boolean, options: number): void {
  const { kernel, trace } = task;
  kernel.assertLocked();
  kernel.i32[HEAD.TRACES] = 1;
  trace.clear();
  trace.tracer = tracer;
  trace.options = options;
  task.traced = TRACED.ON | (seized ? TRACED.SEIZED : 0);
}

/** The child of a tracee has the same tracer, and stops before its first instruction. */
export function linkChildLocked(child: Task, parent: Task): void {
  const seized = (parent.traced & TRACED.SEIZED) !== 0;
  linkLocked(child, parent.trace.tracer, seized, parent.trace.options);
  if (seized) child.traced |= TRACED.TRAP_STOP;
  else sendToTaskLocked(child.kernel, child, { kind: 'kill', signal: SIGSTOP, code: 0, pid: 0, uid: 0 });
}

/** Nobody traces the task any more: if it is stopped, it goes on with `signal`, or into the stop of its process. */
export function unlinkLocked(task: Task, signal: number): void {
  task.traced = 0;
  resumeLocked(task, RESUME.CONT, signal);
  if (task.alive) task.kernel.kick(task, CONTROL.SIGNAL);
}

/** All tracees, those that have ended and that nobody has taken notice of among them. */
function* tracees(kernel: Kernel): Generator<Task> {
  if (kernel.i32[HEAD.TRACES] === 0) return;
  for (const t of kernel.allTasks()) if (t.traced !== 0) yield t;
}

/** What `tracer` traces. */
export function* traceesOf(tracer: Task): Generator<Task> {
  for (const t of tracees(tracer.kernel)) if (t.trace.tracer.index === tracer.index) yield t;
}

/** What the threads of a process trace. */
export function* traceesOfGroup(group: Group): Generator<Task> {
  for (const t of tracees(group.kernel)) if (t.trace.tracer.groupIndex === group.index) yield t;
}

/** Whether someone else than the process's parent traces its leader. */
export function isTracedElsewhere(group: Group): boolean {
  const { leader } = group;
  return leader.traced !== 0 && leader.trace.tracer.groupIndex !== group.parentIndex;
}

/** Tells the tracer that its tracee has stopped or ended. False: the tracer does not want to know of ends, so nobody takes the zombie. */
export function notifyTracerLocked(task: Task, code: number, status: number): boolean {
  const tracers = task.trace.tracer.group;
  const action = tracers.leader.sighand.action(SIGCHLD);
  const stops = code === CLD.TRAPPED || code === CLD.STOPPED || code === CLD.CONTINUED;
  const wanted = action.handler !== SIG_IGN && !(stops && (action.flags & BigInt(SA.NOCLDSTOP)) !== 0n);
  if (wanted) sendOfChildLocked(tracers, task, { code, value: status });
  tracers.wakeAll();
  return action.handler !== SIG_IGN && (action.flags & BigInt(SA.NOCLDWAIT)) === 0n;
}

/** The end of a tracer: its tracees are let go, or killed (PTRACE_O_EXITKILL). Gives those that have ended already. */
export function releaseTraceesLocked(kernel: Kernel, tracer: Task): Task[] {
  const ended: Task[] = [];
  for (const t of traceesOf(tracer)) {
    if (t.state === TASK_STATE.DEAD) {
      ended.push(t);
      continue;
    }
    if ((t.trace.options & OPTION.EXITKILL) !== 0) exitGroupLocked(kernel, t.group, SIGKILL);
    unlinkLocked(t, 0);
  }
  return ended;
}
