/**
 * The stops of a tracee, in its own worker: its registers are there for the tracer, the tracer is told, and it waits until it is to go on. In: the thread at an instruction boundary, and why it stops.
 * Out: its registers as the tracer has left them, and the signal that it goes on with. Source: man 2 ptrace ("Stopped states", "PTRACE_SETOPTIONS").
 */
import { GPR } from '../../src/guest/cpu-state.js';
import { FLAG } from '../../src/guest/flags.js';
import { CLD, sigBit, SIGTRAP, SI_KERNEL, SI_USER } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { park } from '../threads/park.js';
import { DebugRegisters } from './debug-registers.js';
import { SIGINFO_BYTES, TRACE_STATE, TRACED } from './layout.js';
import { encodeSiginfo } from './siginfo.js';
import { raiseSignal, sendToTask } from './signal-send.js';
import { CHANGED, RESUME } from './trace.js';
import { CALL_MESSAGE, EVENT, notifyTracerLocked, OPTION } from './trace-link.js';
import { loadUserRegs, saveUserRegs } from './user-regs.js';
import { loadTracedState, saveTracedState } from './xstate.js';

/** Added to SIGTRAP in stops of system calls (PTRACE_O_TRACESYSGOOD). */
const SYSGOOD = 0x80;

interface Stop {
  /** Signal, event << 8. */
  readonly code: number;
  /** CLD_TRAPPED, CLD_STOPPED. */
  readonly why: number;
  readonly info?: Uint8Array | undefined;
  readonly message?: number;
  /** The thread has begun to end: nothing but its tracer lets it go on. */
  readonly ends?: boolean;
}

const own = new Uint8Array(SIGINFO_BYTES);
const ownView = new DataView(own.buffer);

/** The siginfo of a stop that no signal has brought. */
function ownInfo(t: Thread, signal: number, code: number): Uint8Array {
  const { group, tid } = t.task;
  encodeSiginfo(ownView, 0, { kind: 'kill', signal, code, pid: tid, uid: group.ids.uid });
  return own;
}

/** Stops the thread. Gives the signal that it goes on with: what the tracer says; without a tracer any more, the stop's own. */
function stop(t: Thread, s: Stop): number {
  return stopUnless(t, s.ends === true, () => s) ?? s.code;
}

/** As stop, for a reason that is found under the mutex. Undefined: there is none, or no tracer any more. */
function stopUnless(t: Thread, ends: boolean, reason: () => Stop | undefined): number | undefined {
  const { task, kernel, cpu } = t;
  const { trace } = task;
  clearStep(t);
  const { view } = kernel;
  saveUserRegs(cpu, view, trace.regs.byteOffset, task.syscall);
  saveTracedState(cpu, t.mem, trace.xstate, view);
  const stopped = kernel.lock(() => {
    const s = task.traced === 0 || (task.mustLeave && !ends) ? undefined : reason();
    if (s === undefined) return false;
    task.traced &= ~(TRACED.TRAP_STOP | (s.code >> 8 === EVENT.STOP ? TRACED.TRAP_NOTIFY : 0));
    trace.code = s.code;
    trace.info = s.info;
    if (s.message !== undefined) trace.message = s.message;
    trace.changed = 0;
    trace.state = TRACE_STATE.STOPPED;
    notifyTracerLocked(task, s.why, s.code & 0x7f);
    return true;
  });
  if (!stopped) return undefined;
  park(t, () => (trace.state === TRACE_STATE.RUNNING ? true : undefined), { killOnly: true, endsAlready: ends });
  const signal = kernel.lock(() => {
    // Killed: it goes on by itself.
    const killed = trace.state !== TRACE_STATE.RUNNING;
    trace.state = TRACE_STATE.RUNNING;
    trace.info = undefined;
    if (killed) return 0;
    if ((trace.changed & CHANGED.REGS) !== 0) task.syscall = loadUserRegs(cpu, view, trace.regs.byteOffset);
    if ((trace.changed & CHANGED.XSTATE) !== 0) loadTracedState(cpu, trace.xstate, view);
    task.stepping = task.traced !== 0 && (trace.resume === RESUME.STEP || trace.resume === RESUME.SYSEMU_STEP);
    setStep(t);
    return trace.signal;
  });
  if (task.traced === 0 || (trace.changed & CHANGED.DEBUG) !== 0) {
    task.debug?.disarm();
    task.debug = task.traced === 0 ? undefined : DebugRegisters.of(trace, cpu);
  }
  return signal;
}

/** The trap flag for PTRACE_SINGLESTEP. */
function setStep(t: Thread): void {
  const { task, cpu } = t;
  if (!task.stepping || (cpu.eflags & FLAG.TF) !== 0) return;
  cpu.eflags |= FLAG.TF;
  task.forcedTrapFlag = true;
}

/** Takes away the trap flag that the tracer has set: the guest does not see it in what the kernel saves. */
export function clearStep(t: Thread): void {
  const { task, cpu } = t;
  if (!task.forcedTrapFlag) return;
  cpu.eflags &= ~FLAG.TF;
  task.forcedTrapFlag = false;
}

/** A signal is about to be delivered, its siginfo in `info`. Gives what is delivered instead, its siginfo there, 0 nothing. */
export function signalStop(t: Thread, signal: number, info: Uint8Array): number {
  const { task, kernel } = t;
  const { trace } = task;
  const given = stopWithInfo(t, { code: signal, why: CLD.TRAPPED, info }, info);
  if (given === 0) return 0;
  const view = new DataView(info.buffer, info.byteOffset, info.length);
  if (view.getInt32(0, true) !== given) {
    const { tracer } = trace;
    encodeSiginfo(view, 0, { kind: 'kill', signal: given, code: SI_USER, pid: tracer.tgid, uid: tracer.group.ids.uid });
  }
  if ((task.blocked & sigBit(given)) === 0n) return given;
  // Its tracer gives it a signal that it blocks: it stays pending.
  sendToTask(kernel, task, { kind: 'raw', signal: given, code: view.getInt32(8, true), bytes: info.slice() });
  return 0;
}

/** As stop; the siginfo as the tracer has left it is in `info` then (PTRACE_SETSIGINFO). */
function stopWithInfo(t: Thread, s: Stop, info: Uint8Array): number {
  const given = stop(t, s);
  if (t.task.traced !== 0) info.set(t.task.trace.lastInfo);
  return given;
}

/** A stop that is no signal's and no event's: after single steps, of system calls. */
function trap(t: Thread, code: number, message?: number): void {
  const info = ownInfo(t, SIGTRAP, code);
  const signal = stop(t, { code, why: CLD.TRAPPED, info, ...(message === undefined ? {} : { message }) });
  // A signal that the tracer gives it here is sent.
  if (signal === 0 || signal === code || t.task.traced === 0) return;
  sendFromTracer(t, signal);
}

function sendFromTracer(t: Thread, signal: number): void {
  sendToTask(t.kernel, t.task, { kind: 'plain', signal, code: SI_KERNEL });
}

/** A single step has ended in a signal handler, at its first instruction. */
export function handlerStop(t: Thread): void {
  if (t.task.stepping) trap(t, SIGTRAP);
}

/** Job control or PTRACE_INTERRUPT stops the tracee. */
export function jobStop(t: Thread): void {
  stopUnless(t, false, () => jobReason(t));
}

function jobReason(t: Thread): Stop | undefined {
  const { task } = t;
  const { group, traced } = task;
  // SIGCONT has come first.
  if ((traced & (TRACED.TRAP_STOP | TRACED.TRAP_NOTIFY)) === 0) return undefined;
  const signal = group.stopped ? group.stopSignal : SIGTRAP;
  if ((traced & TRACED.SEIZED) === 0) return { code: signal, why: CLD.STOPPED };
  const code = signal | (EVENT.STOP << 8);
  return { code, why: CLD.STOPPED, info: ownInfo(t, signal, code) };
}

/** True when the tracer wants to know of system calls. */
function reportsCalls(t: Thread): boolean {
  const { task } = t;
  if (task.traced === 0) return false;
  const { resume } = task.trace;
  return resume === RESUME.SYSCALL || resume === RESUME.SYSEMU || resume === RESUME.SYSEMU_STEP;
}

const callCode = (t: Thread): number => SIGTRAP | ((t.task.trace.options & OPTION.TRACESYSGOOD) !== 0 ? SYSGOOD : 0);

/** Before a system call; rax is -ENOSYS. False: the call is not to be done. */
export function callEntryStop(t: Thread): boolean {
  if (!reportsCalls(t)) return true;
  const emulated = t.task.trace.resume !== RESUME.SYSCALL;
  trap(t, callCode(t), CALL_MESSAGE.ENTRY);
  return !emulated && !t.task.mustLeave;
}

/** After a system call, its result in rax. */
export function callExitStop(t: Thread): void {
  if (reportsCalls(t) && t.task.trace.resume === RESUME.SYSCALL) trap(t, callCode(t), CALL_MESSAGE.EXIT);
}

/** PTRACE_EVENT_*, if the tracer has asked for it. */
export function eventStop(t: Thread, event: number, option: number, message: number, ends = false): boolean {
  const { task } = t;
  if (task.traced === 0 || (task.trace.options & option) === 0) return false;
  const code = SIGTRAP | (event << 8);
  const signal = stop(t, { code, why: CLD.TRAPPED, info: ownInfo(t, SIGTRAP, code), message, ends });
  if (signal !== 0 && signal !== code && !ends && task.traced !== 0) sendFromTracer(t, signal);
  return true;
}

/** Before the first instruction of a thread: a program that a tracee has executed. */
export function startStops(t: Thread): void {
  const { task } = t;
  if (task.traced === 0) return;
  const from = task.trace.execFrom;
  if (from === undefined) return;
  task.trace.execFrom = undefined;
  task.syscall = NR_EXECVE;
  t.cpu.setReg(GPR.RAX, 0n);
  const told = eventStop(t, EVENT.EXEC, OPTION.TRACEEXEC, from);
  if (!told && (task.traced & TRACED.SEIZED) === 0) raiseSignal(t.kernel, task, SIGTRAP);
  callExitStop(t);
}

const NR_EXECVE = 59;

/** The thread ends; its registers are still there. */
export function exitStop(t: Thread): void {
  const { task } = t;
  if (task.traced === 0) return;
  const { code, signal } = t.exiting ?? { code: 0, signal: 0 };
  t.task.stepping = false;
  eventStop(t, EVENT.EXIT, OPTION.TRACEEXIT, (code << 8) | signal, true);
}
