/**
 * A thread group (guest process) in the kernel's table. In: its index. Out: Group. Fields are written under the kernel mutex unless said.
 * Source: man 7 pthreads, man 2 wait, man 2 setpgid.
 */
import { capBit, type Capabilities } from './capabilities.js';
import { AREA, GROUP, GROUP_FLAG, GROUP_STATE, SUPPLEMENTARY } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';
import type { Task } from './task.js';

/** RLIM_INFINITY. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

export class Group extends KernelRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.GROUPS + index * GROUP.BYTES);
  }

  get state(): number {
    return this.get(GROUP.STATE);
  }
  set state(v: number) {
    this.set(GROUP.STATE, v);
  }
  get alive(): boolean {
    return this.state === GROUP_STATE.ALIVE;
  }
  get tgid(): number {
    return this.peek(GROUP.TGID);
  }
  set tgid(v: number) {
    this.set(GROUP.TGID, v);
  }
  /** The parent process; index 0: none. */
  get parent(): Group {
    return this.kernel.group(this.get(GROUP.PARENT));
  }
  set parent(v: Group) {
    this.set(GROUP.PARENT, v.index);
  }
  get parentIndex(): number {
    return this.get(GROUP.PARENT);
  }
  get leader(): Task {
    return this.kernel.task(this.get(GROUP.LEADER));
  }
  set leader(v: Task) {
    this.set(GROUP.LEADER, v.index);
  }
  /** Threads alive. */
  get threads(): number {
    return this.get(GROUP.THREADS);
  }
  set threads(v: number) {
    this.set(GROUP.THREADS, v);
  }
  get exitSignal(): number {
    return this.get(GROUP.EXIT_SIGNAL);
  }
  set exitSignal(v: number) {
    this.set(GROUP.EXIT_SIGNAL, v);
  }
  /** GROUP_FLAG bits; may be read without the mutex. */
  get flags(): number {
    return this.get(GROUP.FLAGS);
  }
  has(flag: number): boolean {
    return (this.get(GROUP.FLAGS) & flag) !== 0;
  }
  setFlag(flag: number, on: boolean): void {
    if (on) this.or(GROUP.FLAGS, flag);
    else this.and(GROUP.FLAGS, ~flag);
  }
  get exiting(): boolean {
    return this.has(GROUP_FLAG.EXITING);
  }
  get stopped(): boolean {
    return this.has(GROUP_FLAG.STOPPED);
  }
  /** As wait4 reports it: code << 8, or the signal, with 0x80 for a core dump. */
  get exitStatus(): number {
    return this.get(GROUP.EXIT_STATUS);
  }
  set exitStatus(v: number) {
    this.set(GROUP.EXIT_STATUS, v);
  }
  get pgid(): number {
    return this.get(GROUP.PGID);
  }
  set pgid(v: number) {
    this.set(GROUP.PGID, v);
  }
  get sid(): number {
    return this.get(GROUP.SID);
  }
  set sid(v: number) {
    this.set(GROUP.SID, v);
  }
  /** Index of the controlling terminal, -1 none. */
  get terminal(): number {
    return this.get(GROUP.TERMINAL) - 1;
  }
  set terminal(v: number) {
    this.set(GROUP.TERMINAL, v + 1);
  }
  /** Of a session leader whose terminal has hung up: the process group that was in the foreground, to be told when it exits; 0 none. */
  get hungUp(): number {
    return this.get(GROUP.HUNG_UP);
  }
  set hungUp(v: number) {
    this.set(GROUP.HUNG_UP, v);
  }
  get pending(): bigint {
    return this.getU64(GROUP.PENDING);
  }
  set pending(v: bigint) {
    this.setI64(GROUP.PENDING, BigInt.asIntN(64, v));
  }
  get queueWord(): number {
    return this.word + GROUP.QUEUE_HEAD;
  }
  get stopSignal(): number {
    return this.get(GROUP.STOP_SIGNAL);
  }
  set stopSignal(v: number) {
    this.set(GROUP.STOP_SIGNAL, v);
  }
  /** GROUP_REPORT bits: changes that wait has not reported yet. */
  get report(): number {
    return this.get(GROUP.REPORT);
  }
  set report(v: number) {
    this.set(GROUP.REPORT, v);
  }
  /** ITIMER_REAL: nanoseconds of CLOCK_MONOTONIC, 0 not armed; the interval; how often it was set. */
  get timerDeadline(): number {
    return this.getNumber(GROUP.TIMER_DEADLINE);
  }
  set timerDeadline(v: number) {
    this.setNumber(GROUP.TIMER_DEADLINE, v);
  }
  get timerInterval(): number {
    return this.getNumber(GROUP.TIMER_INTERVAL);
  }
  set timerInterval(v: number) {
    this.setNumber(GROUP.TIMER_INTERVAL, v);
  }
  get timerSequence(): number {
    return this.get(GROUP.TIMER_SEQUENCE);
  }
  set timerSequence(v: number) {
    this.set(GROUP.TIMER_SEQUENCE, v);
  }
  /** ITIMER_VIRTUAL (0) and ITIMER_PROF (1): nanoseconds of the process's CPU time, 0 not armed; the interval. */
  cpuTimer(which: 0 | 1): CpuTimer {
    const at = GROUP.CPU_TIMERS + which * 4;
    return { deadline: this.getNumber(at), interval: this.getNumber(at + 2) };
  }
  setCpuTimer(which: 0 | 1, { deadline, interval }: CpuTimer): void {
    this.setNumber(GROUP.CPU_TIMERS + which * 4, deadline);
    this.setNumber(GROUP.CPU_TIMERS + which * 4 + 2, interval);
  }
  /** Id of the next timer of timer_create. */
  get nextTimer(): number {
    return this.get(GROUP.NEXT_TIMER);
  }
  set nextTimer(v: number) {
    this.set(GROUP.NEXT_TIMER, v);
  }
  get vforkParent(): number {
    return this.get(GROUP.VFORK_PARENT);
  }
  set vforkParent(v: number) {
    this.set(GROUP.VFORK_PARENT, v);
  }
  /** Real, effective and saved ids. */
  get ids(): Ids {
    return {
      uid: this.get(GROUP.UID),
      euid: this.get(GROUP.EUID),
      suid: this.get(GROUP.SUID),
      gid: this.get(GROUP.GID),
      egid: this.get(GROUP.EGID),
      sgid: this.get(GROUP.SGID),
    };
  }
  set ids(v: Ids) {
    this.set(GROUP.UID, v.uid);
    this.set(GROUP.EUID, v.euid);
    this.set(GROUP.SUID, v.suid);
    this.set(GROUP.GID, v.gid);
    this.set(GROUP.EGID, v.egid);
    this.set(GROUP.SGID, v.sgid);
  }
  /** Under the mutex where several threads may change them. */
  get capabilities(): Capabilities {
    const set = (n: number): bigint => this.getU64(GROUP.CAPABILITIES + 2 * n);
    return { inheritable: set(0), permitted: set(1), effective: set(2), bounding: set(3), ambient: set(4) };
  }
  set capabilities(v: Capabilities) {
    [v.inheritable, v.permitted, v.effective, v.bounding, v.ambient].forEach((set, n) => {
      this.setI64(GROUP.CAPABILITIES + 2 * n, set);
    });
  }
  /** Whether `capability` is effective. */
  hasCapability(capability: number): boolean {
    return (this.getU64(GROUP.CAPABILITIES + 4) & capBit(capability)) !== 0n;
  }
  get secureBits(): number {
    return this.get(GROUP.SECURE_BITS);
  }
  set secureBits(v: number) {
    this.set(GROUP.SECURE_BITS, v);
  }
  /** Supplementary group ids, SUPPLEMENTARY.MOST of them at most. */
  get supplementary(): Int32Array {
    const { i32 } = this.kernel;
    const from = this.supplementaryWord + SUPPLEMENTARY.IDS;
    return i32.slice(from, from + (i32[this.supplementaryWord + SUPPLEMENTARY.COUNT] ?? 0));
  }
  set supplementary(ids: Int32Array) {
    this.kernel.i32[this.supplementaryWord + SUPPLEMENTARY.COUNT] = ids.length;
    this.kernel.i32.set(ids, this.supplementaryWord + SUPPLEMENTARY.IDS);
  }
  private get supplementaryWord(): number {
    return (AREA.SUPPLEMENTARY + this.index * SUPPLEMENTARY.BYTES) / 4;
  }
  /** Whether `gid` is its effective group or a supplementary one. */
  inGroup(gid: number): boolean {
    return gid === this.get(GROUP.EGID) || this.supplementary.includes(gid);
  }
  /** The thread that made the process, if it is still one of its parent's; else the parent's leader. */
  get maker(): Task {
    const maker = this.kernel.task(this.get(GROUP.MAKER));
    return maker.alive && maker.groupIndex === this.parentIndex ? maker : this.parent.leader;
  }
  set maker(v: Task) {
    this.set(GROUP.MAKER, v.index);
  }
  get execTask(): number {
    return this.get(GROUP.EXEC_TASK);
  }
  set execTask(v: number) {
    this.set(GROUP.EXEC_TASK, v);
  }
  get persona(): number {
    return this.get(GROUP.PERSONA);
  }
  set persona(v: number) {
    this.set(GROUP.PERSONA, v);
  }
  get oomAdjust(): number {
    return this.get(GROUP.OOM_ADJUST);
  }
  set oomAdjust(v: number) {
    this.set(GROUP.OOM_ADJUST, v);
  }
  /** CPU time of reaped children: microseconds of user and system time. */
  get childUtime(): number {
    return this.getNumber(GROUP.CHILD_UTIME);
  }
  set childUtime(v: number) {
    this.setNumber(GROUP.CHILD_UTIME, v);
  }
  get childStime(): number {
    return this.getNumber(GROUP.CHILD_STIME);
  }
  set childStime(v: number) {
    this.setNumber(GROUP.CHILD_STIME, v);
  }
  /** CPU time of the threads that have exited, nanoseconds. */
  get deadCpu(): number {
    return this.getNumber(GROUP.DEAD_CPU);
  }
  set deadCpu(v: number) {
    this.setNumber(GROUP.DEAD_CPU, v);
  }

  /** Resource limit `which` (RLIMIT_*, 0..15); RLIM_INFINITY where there is none. */
  rlimit(which: number): { soft: bigint; hard: bigint } {
    return {
      soft: this.getU64(GROUP.RLIMITS + which * 4),
      hard: this.getU64(GROUP.RLIMITS + which * 4 + 2),
    };
  }
  setRlimit(which: number, soft: bigint, hard: bigint): void {
    this.setI64(GROUP.RLIMITS + which * 4, BigInt.asIntN(64, soft));
    this.setI64(GROUP.RLIMITS + which * 4 + 2, BigInt.asIntN(64, hard));
  }

  /** Its tasks that are alive. The caller holds the mutex if it needs a consistent view. */
  *tasks(): Generator<Task> {
    for (const t of this.kernel.allTasks()) if (t.groupIndex === this.index && t.alive) yield t;
  }

  /** Its children, zombies included. */
  *children(): Generator<Group> {
    for (const g of this.kernel.allGroups()) if (g.parentIndex === this.index) yield g;
  }

  /** Wakes all its threads out of their parks. */
  wakeAll(): void {
    for (const t of this.tasks()) this.kernel.wake(t.index);
  }
}

export interface CpuTimer {
  readonly deadline: number;
  readonly interval: number;
}

export interface Ids {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
}
