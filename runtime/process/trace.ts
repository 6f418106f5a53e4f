/**
 * What a tracer and its tracee share: who traces, how the tracee has stopped, its registers meanwhile, and how it goes on. In: the index of the tracee's task. Out: Trace.
 * Written under the kernel mutex; the registers by the tracee before it stops and by the tracer while it is stopped. Source: man 2 ptrace.
 */
import { CONTROL } from '../../src/guest/cpu-state.js';
import { AREA, SIGINFO_BYTES, TRACE, TRACE_STATE, XSTATE_BYTES } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';
import { USER_REGS_BYTES } from './user-regs.js';
import type { Task } from './task.js';

/** How a tracee goes on. */
export const RESUME = { CONT: 0, SYSCALL: 1, STEP: 2, SYSEMU: 3, SYSEMU_STEP: 4 } as const;

/** What of a stopped tracee its tracer has changed. */
export const CHANGED = { REGS: 1, XSTATE: 2, DEBUG: 4 } as const;

export class Trace extends KernelRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.TRACES + index * TRACE.BYTES);
  }

  get tracer(): Task {
    return this.kernel.task(this.get(TRACE.TRACER));
  }
  set tracer(v: Task) {
    this.set(TRACE.TRACER, v.index);
  }
  get state(): number {
    return this.get(TRACE.STATE);
  }
  set state(v: number) {
    this.set(TRACE.STATE, v);
  }
  get options(): number {
    return this.get(TRACE.OPTIONS);
  }
  set options(v: number) {
    this.set(TRACE.OPTIONS, v);
  }
  /** What wait has still to report: signal, event << 8; 0 nothing. */
  get code(): number {
    return this.get(TRACE.CODE);
  }
  set code(v: number) {
    this.set(TRACE.CODE, v);
  }
  /** Signal that the tracee goes on with; 0 none. */
  get signal(): number {
    return this.get(TRACE.SIGNAL);
  }
  set signal(v: number) {
    this.set(TRACE.SIGNAL, v);
  }
  /** RESUME. */
  get resume(): number {
    return this.get(TRACE.RESUME);
  }
  set resume(v: number) {
    this.set(TRACE.RESUME, v);
  }
  get message(): number {
    return this.getNumber(TRACE.MESSAGE);
  }
  set message(v: number) {
    this.setNumber(TRACE.MESSAGE, v);
  }
  /** CHANGED bits. */
  get changed(): number {
    return this.get(TRACE.CHANGED);
  }
  set changed(v: number) {
    this.set(TRACE.CHANGED, v);
  }
  /** Tid that called the execve under way; undefined: none is. */
  get execFrom(): number | undefined {
    const tid = this.get(TRACE.EXEC_FROM) - 1;
    return tid < 0 ? undefined : tid;
  }
  set execFrom(v: number | undefined) {
    this.set(TRACE.EXEC_FROM, (v ?? -1) + 1);
  }

  /** The siginfo_t of the stop (no copy); undefined for a stop that has none. */
  get info(): Uint8Array<SharedArrayBuffer> | undefined {
    return this.get(TRACE.HAS_INFO) === 0 ? undefined : this.lastInfo;
  }
  set info(v: Uint8Array | undefined) {
    this.set(TRACE.HAS_INFO, Number(v !== undefined));
    if (v !== undefined) this.part(TRACE.INFO, SIGINFO_BYTES).set(v);
  }

  /** That of the present or the last stop. */
  get lastInfo(): Uint8Array<SharedArrayBuffer> {
    return this.part(TRACE.INFO, SIGINFO_BYTES);
  }

  /** struct user_regs_struct (no copy). */
  get regs(): Uint8Array<SharedArrayBuffer> {
    return this.part(TRACE.REGS, USER_REGS_BYTES);
  }
  /** XSAVE area (no copy). */
  get xstate(): Uint8Array<SharedArrayBuffer> {
    return this.part(TRACE.XSTATE, XSTATE_BYTES);
  }

  /** DR0 to DR7. */
  debug(n: number): bigint {
    return this.getU64(TRACE.DEBUG + 2 * n);
  }
  setDebug(n: number, value: bigint): void {
    this.setI64(TRACE.DEBUG + 2 * n, BigInt.asIntN(64, value));
  }

  /** As for a task that nobody has traced yet. */
  clear(): void {
    this.kernel.i32.fill(0, this.word, this.word + TRACE.BYTES / 4);
  }

  private part(field: number, bytes: number): Uint8Array<SharedArrayBuffer> {
    const start = (this.word + field) * 4;
    return this.kernel.bytes.subarray(start, start + bytes);
  }
}

/** A stopped tracee goes on as `how` says, with `signal`. */
export function resumeLocked(task: Task, how: number, signal: number): void {
  task.kernel.assertLocked();
  const { trace } = task;
  trace.resume = how;
  trace.signal = signal;
  trace.code = 0;
  trace.state = TRACE_STATE.RUNNING;
  task.kernel.wake(task.index);
}

/** A stop, or a notice of one, is due. */
export function trapLocked(task: Task, bits: number): void {
  task.traced |= bits;
  // PTRACE_LISTEN: it stops anew, to report.
  if (task.trace.state === TRACE_STATE.LISTENING) resumeLocked(task, task.trace.resume, 0);
  task.kernel.kick(task, CONTROL.SIGNAL);
}
