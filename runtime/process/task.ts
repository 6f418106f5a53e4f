/**
 * A guest thread in the kernel's task table. In: its index. Out: Task. Who writes what: the thread itself its registers-like state (blocked mask, alternate
 * stack, robust list); others, under the kernel mutex, its pending signals and its state. Source: man 2 clone, sigaltstack, set_robust_list.
 */
import { AREA, GROUP, GROUP_FLAG, TASK, TASK_STATE, TRACED } from './layout.js';
import type { DebugRegisters } from './debug-registers.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import type { Mm } from './mm.js';
import { KernelRecord } from './record.js';
import type { SigHand } from './sighand.js';
import type { Trace } from './trace.js';

/** How a system call that a signal has interrupted goes on (restart_syscall). Gives its result. */
export type RestartBlock = () => number | bigint;

export class Task extends KernelRecord {
  /** Number of the system call under way, -1 none: only in the thread's own isolate. */
  syscall = -1;
  restart: RestartBlock | undefined;
  /** Mask to put back after the handlers that sigsuspend, ppoll or pselect waited for. */
  savedMask: bigint | undefined;
  /** A signal that the system call under way brings, to be forced on the thread once it has its result (seccomp). */
  trap: (() => void) | undefined;
  /** Its tracer lets it do one instruction (PTRACE_SINGLESTEP), and has set the trap flag for that. */
  stepping = false;
  forcedTrapFlag = false;
  /** What its tracer watches by the debug registers. */
  debug: DebugRegisters | undefined;
  /** Last fault, as it shows in sigcontext: trapno, err, cr2. */
  fault = { trapno: 0, err: 0, cr2: 0n };

  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.TASKS + index * TASK.BYTES);
  }

  /** Forgets what a former thread of this record has left in this isolate. */
  resetLocal(): void {
    this.syscall = -1;
    this.restart = undefined;
    this.savedMask = undefined;
    this.trap = undefined;
    this.stepping = false;
    this.forcedTrapFlag = false;
    this.debug = undefined;
    this.fault = { trapno: 0, err: 0, cr2: 0n };
  }

  get state(): number {
    return this.get(TASK.STATE);
  }
  set state(v: number) {
    this.set(TASK.STATE, v);
  }
  get alive(): boolean {
    const s = this.state;
    return s === TASK_STATE.ALIVE || s === TASK_STATE.NEW;
  }
  get tid(): number {
    return this.peek(TASK.TID);
  }
  set tid(v: number) {
    this.set(TASK.TID, v);
  }
  get group(): Group {
    return this.kernel.group(this.peek(TASK.GROUP));
  }
  set group(v: Group) {
    this.set(TASK.GROUP, v.index);
  }
  get groupIndex(): number {
    return this.get(TASK.GROUP);
  }
  get tgid(): number {
    return this.group.tgid;
  }
  get sighand(): SigHand {
    return this.kernel.sighand(this.get(TASK.SIGHAND));
  }
  set sighand(v: SigHand) {
    this.set(TASK.SIGHAND, v.index);
  }
  /** Index of the address space. */
  get mm(): number {
    return this.get(TASK.MM);
  }
  set mm(v: number) {
    this.set(TASK.MM, v);
  }
  get mmRecord(): Mm {
    return this.kernel.mm(this.mm);
  }
  /** Address of the CPU block in the memory of `mm`; 0: none any more. */
  get cpu(): number {
    return this.get(TASK.CPU) >>> 0;
  }
  set cpu(v: number) {
    this.set(TASK.CPU, v | 0);
  }
  /** fd table and fs struct: ids of the file layer. */
  get files(): number {
    return this.peek(TASK.FILES);
  }
  set files(v: number) {
    this.set(TASK.FILES, v);
  }
  get fs(): number {
    return this.get(TASK.FS);
  }
  set fs(v: number) {
    this.set(TASK.FS, v);
  }

  /** Sequence of wakes; read it before looking at what is waited for. */
  get parkSequence(): number {
    return this.get(TASK.PARK);
  }
  /** Sleeps until woken since `sequence`, at most `ms` (Infinity: for ever). The caller has passed the gate protocol (threads/park.ts). */
  sleep(sequence: number, ms: number): void {
    const { i32 } = this.kernel;
    this.setNumber(TASK.SLEEP_SINCE, Date.now());
    Atomics.store(i32, this.word + TASK.ASLEEP, 1);
    Atomics.wait(i32, this.word + TASK.PARK, sequence, ms);
    Atomics.store(i32, this.word + TASK.ASLEEP, 0);
  }

  get awaitsCode(): boolean {
    return this.get(TASK.AWAITS_CODE) !== 0;
  }
  set awaitsCode(v: boolean) {
    this.set(TASK.AWAITS_CODE, Number(v));
  }

  get clearChildTid(): number {
    return this.getNumber(TASK.CLEAR_CHILD_TID);
  }
  set clearChildTid(v: number) {
    this.setNumber(TASK.CLEAR_CHILD_TID, v);
  }
  get robustList(): number {
    return this.getNumber(TASK.ROBUST_LIST);
  }
  set robustList(v: number) {
    this.setNumber(TASK.ROBUST_LIST, v);
  }
  get rseq(): number {
    return this.getNumber(TASK.RSEQ);
  }
  set rseq(v: number) {
    this.setNumber(TASK.RSEQ, v);
  }

  /** Blocked signals: bit n - 1 is signal n. Only the thread itself writes it. */
  get blocked(): bigint {
    return this.getU64(TASK.BLOCKED);
  }
  set blocked(v: bigint) {
    this.setI64(TASK.BLOCKED, BigInt.asIntN(64, v));
  }
  /** The two halves of `blocked`: what runs often does without BigInts, 50 ns each. */
  get blockedLow(): number {
    return this.peek(TASK.BLOCKED);
  }
  get blockedHigh(): number {
    return this.peek(TASK.BLOCKED + 1);
  }
  setBlockedWords(low: number, high: number): void {
    const w = this.kernel.i32;
    w[this.word + TASK.BLOCKED] = low;
    w[this.word + TASK.BLOCKED + 1] = high;
  }
  /** Signals pending for this thread alone. Written under the kernel mutex. */
  get pending(): bigint {
    return this.getU64(TASK.PENDING);
  }
  set pending(v: bigint) {
    this.setI64(TASK.PENDING, BigInt.asIntN(64, v));
  }
  /** The mask while rt_sigtimedwait has taken signals out of `blocked`, else 0: signals in it are not dropped as ignored. */
  get realBlocked(): bigint {
    return this.getU64(TASK.REAL_BLOCKED);
  }
  set realBlocked(v: bigint) {
    this.setI64(TASK.REAL_BLOCKED, BigInt.asIntN(64, v));
  }
  /** True when the thread is to end: its process exits, or another thread of it is in execve. */
  get mustLeave(): boolean {
    const { group } = this;
    return group.exiting || (group.has(GROUP_FLAG.EXECING) && group.execTask !== this.index);
  }
  /**
   * True when a signal that is not blocked is pending for the thread or its group, or the group is stopped, exiting or in execve. Integers and plain loads only: it runs after every
   * system call. A thread that was woken for a signal has passed its park word since, an atomic access; one that was not finds CONTROL.SIGNAL at its next poll.
   */
  hasSignalWork(): boolean {
    const w = this.kernel.i32;
    const g = (AREA.GROUPS + this.peek(TASK.GROUP) * GROUP.BYTES) / 4;
    const lo = (this.peek(TASK.PENDING) | (w[g + GROUP.PENDING] ?? 0)) & ~this.peek(TASK.BLOCKED);
    const hi = (this.peek(TASK.PENDING + 1) | (w[g + GROUP.PENDING + 1] ?? 0)) & ~this.peek(TASK.BLOCKED + 1);
    const flags = (w[g + GROUP.FLAGS] ?? 0) & (GROUP_FLAG.EXITING | GROUP_FLAG.STOPPED | GROUP_FLAG.EXECING);
    const traced = this.peek(TASK.TRACED);
    if (traced === 0) return (lo | hi | flags) !== 0;
    // A tracee stops when its tracer is told of it, and the tracer lets it go on while its process is stopped.
    return (lo | hi | (flags & ~GROUP_FLAG.STOPPED) | (traced & (TRACED.TRAP_STOP | TRACED.TRAP_NOTIFY))) !== 0;
  }

  /** Words of the queue of siginfos. */
  get queueWord(): number {
    return this.word + TASK.QUEUE_HEAD;
  }

  /** sigaltstack: first byte, size in bytes, flags (SS_DISABLE 2, SS_AUTODISARM). */
  get altStack(): { sp: bigint; size: bigint; flags: number } {
    return { sp: this.getU64(TASK.ALT_SP), size: this.getU64(TASK.ALT_SIZE), flags: this.get(TASK.ALT_FLAGS) };
  }
  set altStack(v: { sp: bigint; size: bigint; flags: number }) {
    this.setI64(TASK.ALT_SP, BigInt.asIntN(64, v.sp));
    this.setI64(TASK.ALT_SIZE, BigInt.asIntN(64, v.size));
    this.set(TASK.ALT_FLAGS, v.flags);
  }

  get vforkChild(): number {
    return this.get(TASK.VFORK_CHILD);
  }
  set vforkChild(v: number) {
    this.set(TASK.VFORK_CHILD, v);
  }
  get pdeathSignal(): number {
    return this.get(TASK.PDEATHSIG);
  }
  set pdeathSignal(v: number) {
    this.set(TASK.PDEATHSIG, v);
  }
  get nice(): number {
    return this.get(TASK.NICE);
  }
  set nice(v: number) {
    this.set(TASK.NICE, v);
  }
  get ioprio(): number {
    return this.get(TASK.IOPRIO);
  }
  set ioprio(v: number) {
    this.set(TASK.IOPRIO, v);
  }
  get policy(): number {
    return this.get(TASK.POLICY);
  }
  set policy(v: number) {
    this.set(TASK.POLICY, v);
  }
  get priority(): number {
    return this.get(TASK.PRIORITY);
  }
  set priority(v: number) {
    this.set(TASK.PRIORITY, v);
  }
  get timerSlack(): number {
    return this.get(TASK.TIMER_SLACK);
  }
  set timerSlack(v: number) {
    this.set(TASK.TIMER_SLACK, v);
  }
  /** Character code of /proc/PID/stat's state: R, S or T. */
  get runLetter(): number {
    return this.get(TASK.RUN_LETTER);
  }
  set runLetter(v: number) {
    this.set(TASK.RUN_LETTER, v);
  }
  /** Index of the last seccomp filter; 0 none; -1 strict mode. Read at every system call. */
  get seccomp(): number {
    return this.peek(TASK.SECCOMP);
  }
  set seccomp(v: number) {
    this.set(TASK.SECCOMP, v);
  }
  /** TRACED bits; 0: nobody traces it. Read at every system call. */
  get traced(): number {
    return this.peek(TASK.TRACED);
  }
  set traced(v: number) {
    this.set(TASK.TRACED, v);
  }
  /** What its tracer has to do with it. */
  get trace(): Trace {
    return this.kernel.trace(this.index);
  }
  get worker(): number {
    return this.get(TASK.WORKER);
  }
  set worker(v: number) {
    this.set(TASK.WORKER, v);
  }
  /** It waits, and runs no guest code. */
  get asleep(): boolean {
    return this.get(TASK.ASLEEP) !== 0;
  }
  /** When its sleep began, milliseconds since 1970. */
  get sleepSince(): number {
    return this.getNumber(TASK.SLEEP_SINCE);
  }
  get hostTid(): number {
    return this.get(TASK.HOST_TID);
  }
  set hostTid(v: number) {
    this.set(TASK.HOST_TID, v);
  }
  /** Nanoseconds. */
  get cpuAtStart(): number {
    return this.getNumber(TASK.CPU_AT_START);
  }
  set cpuAtStart(v: number) {
    this.setNumber(TASK.CPU_AT_START, v);
  }
  /** Nanoseconds of CLOCK_MONOTONIC. */
  get startTime(): number {
    return this.getNumber(TASK.START_TIME);
  }
  set startTime(v: number) {
    this.setNumber(TASK.START_TIME, v);
  }

  /** The 16 bytes of the name, NUL-terminated (no copy). */
  get commBytes(): Uint8Array<SharedArrayBuffer> {
    const start = (this.word + TASK.COMM) * 4;
    return this.kernel.bytes.subarray(start, start + 16);
  }
  /** Name: at most 15 bytes, one character a byte. */
  get comm(): string {
    let s = '';
    for (const c of this.commBytes) {
      if (c === 0) break;
      s += String.fromCharCode(c);
    }
    return s;
  }
  set comm(name: string) {
    const bytes = this.commBytes;
    bytes.fill(0);
    for (let i = 0; i < Math.min(name.length, 15); i++) bytes[i] = name.charCodeAt(i);
  }

  /** Futex wait: bucket + 1 while queued, else 0. Written under the kernel mutex. */
  get futexBucket(): number {
    return this.get(TASK.FUTEX_BUCKET);
  }
  set futexBucket(v: number) {
    this.set(TASK.FUTEX_BUCKET, v);
  }
  get futexMm(): number {
    return this.get(TASK.FUTEX_MM);
  }
  set futexMm(v: number) {
    this.set(TASK.FUTEX_MM, v);
  }
  get futexAddr(): number {
    return this.getNumber(TASK.FUTEX_ADDR);
  }
  set futexAddr(v: number) {
    this.setNumber(TASK.FUTEX_ADDR, v);
  }
  get futexBitset(): number {
    return this.get(TASK.FUTEX_BITSET);
  }
  set futexBitset(v: number) {
    this.set(TASK.FUTEX_BITSET, v);
  }
  /** Of a wait for a lock that inherits priorities: tid of its owner; else 0. */
  get futexOwner(): number {
    return this.get(TASK.FUTEX_OWNER);
  }
  set futexOwner(v: number) {
    this.set(TASK.FUTEX_OWNER, v);
  }
  /** Wait in semop: index of the set + 1, else 0; the semaphore + 1, negative for one that is to become zero. */
  get semSet(): number {
    return this.get(TASK.SEM_SET);
  }
  set semSet(v: number) {
    this.set(TASK.SEM_SET, v);
  }
  get semWait(): number {
    return this.get(TASK.SEM_WAIT);
  }
  set semWait(v: number) {
    this.set(TASK.SEM_WAIT, v);
  }
  /** Wait in msgsnd or msgrcv: index of the queue + 1, else 0. */
  get msgQueue(): number {
    return this.get(TASK.MSG_QUEUE);
  }
  set msgQueue(v: number) {
    this.set(TASK.MSG_QUEUE, v);
  }
  get futexTargetMm(): number {
    return this.get(TASK.FUTEX_TARGET_MM);
  }
  set futexTargetMm(v: number) {
    this.set(TASK.FUTEX_TARGET_MM, v);
  }
  get futexTargetAddr(): number {
    return this.getNumber(TASK.FUTEX_TARGET_ADDR);
  }
  set futexTargetAddr(v: number) {
    this.setNumber(TASK.FUTEX_TARGET_ADDR, v);
  }

  get futexNext(): number {
    return this.get(TASK.FUTEX_NEXT);
  }
  set futexNext(v: number) {
    this.set(TASK.FUTEX_NEXT, v);
  }
  get futexPrev(): number {
    return this.get(TASK.FUTEX_PREV);
  }
  set futexPrev(v: number) {
    this.set(TASK.FUTEX_PREV, v);
  }
}
