/**
 * Timers of timer_create in the kernel's table: their fields, and what happens when their signal is taken. The caller holds the kernel mutex.
 * In: indices. Out: Timer. Source: man 2 timer_create, man 2 timer_getoverrun.
 */
import { groupCpuNs, taskCpuNs } from './cpu-time.js';
import { AREA, TIMER } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';

/** Largest overrun that is told (DELAYTIMER_MAX). */
const MOST_OVERRUNS = 0x7fff_ffff;

/** First word of a timer's record: its process's index, 0 where the record is free. */
export const timerWord = (timer: number): number => (AREA.TIMERS + timer * TIMER.BYTES) / 4 + TIMER.GROUP;

/** What timer_create says of a timer. */
export interface TimerFields {
  readonly id: number;
  readonly clock: number;
  /** SIGEV_*. */
  readonly notify: number;
  readonly signal: number;
  /** Thread that gets the signal, as index and tid; 0: the process. */
  readonly taskIndex: number;
  readonly tid: number;
  /** sigev_value. */
  readonly value: bigint;
  /** Of a CPU clock: index of the thread, or minus that of the process, whose time counts; else 0. */
  readonly cpuOf: number;
}

export class Timer extends KernelRecord implements TimerFields {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.TIMERS + index * TIMER.BYTES);
  }

  get groupIndex(): number {
    return this.get(TIMER.GROUP);
  }
  get id(): number {
    return this.get(TIMER.ID);
  }
  get clock(): number {
    return this.get(TIMER.CLOCK);
  }
  get notify(): number {
    return this.get(TIMER.NOTIFY);
  }
  get signal(): number {
    return this.get(TIMER.SIGNAL);
  }
  get taskIndex(): number {
    return this.get(TIMER.TASK);
  }
  get tid(): number {
    return this.get(TIMER.TID);
  }
  get value(): bigint {
    return this.getI64(TIMER.VALUE);
  }
  get cpuOf(): number {
    return this.get(TIMER.CPU_OF);
  }
  /** Its signal is pending: it does not run on until that is taken. */
  get queued(): boolean {
    return this.get(TIMER.QUEUED) !== 0;
  }
  set queued(v: boolean) {
    this.set(TIMER.QUEUED, Number(v));
  }
  /** Nanoseconds of its clock; 0 not armed. */
  get deadline(): number {
    return this.getNumber(TIMER.DEADLINE);
  }
  set deadline(ns: number) {
    this.setNumber(TIMER.DEADLINE, ns);
  }
  get interval(): number {
    return this.getNumber(TIMER.INTERVAL);
  }
  set interval(ns: number) {
    this.setNumber(TIMER.INTERVAL, ns);
  }
  /** Expirations without a signal of their own, up to the signal taken last. */
  get overrun(): number {
    return this.get(TIMER.OVERRUN);
  }
  set overrun(v: number) {
    this.set(TIMER.OVERRUN, v);
  }

  /** Makes the record a new timer, not armed, of process `group`. */
  begin(group: number, f: TimerFields): void {
    this.set(TIMER.ID, f.id);
    this.set(TIMER.CLOCK, f.clock);
    this.set(TIMER.NOTIFY, f.notify);
    this.set(TIMER.SIGNAL, f.signal);
    this.set(TIMER.TASK, f.taskIndex);
    this.set(TIMER.TID, f.tid);
    this.setI64(TIMER.VALUE, BigInt.asIntN(64, f.value));
    this.set(TIMER.CPU_OF, f.cpuOf);
    this.queued = false;
    this.deadline = 0;
    this.interval = 0;
    this.overrun = 0;
    this.set(TIMER.GROUP, group);
  }

  end(): void {
    this.set(TIMER.GROUP, 0);
  }

  /** What its clock shows, nanoseconds. For CPU clocks this asks the host, which does not block. */
  get now(): number {
    const { kernel, cpuOf } = this;
    if (cpuOf === 0) return kernel.now();
    return cpuOf > 0 ? taskCpuNs(kernel.task(cpuOf)) : groupCpuNs(kernel.group(-cpuOf));
  }

  /** Puts the deadline of an interval timer behind `now`; gives the expirations that it has passed. One that is not repeated is disarmed. */
  forward(now: number): number {
    const { deadline, interval } = this;
    if (deadline === 0 || now < deadline) return 0;
    const passed = interval === 0 ? 1 : Math.floor((now - deadline) / interval) + 1;
    this.deadline = interval === 0 ? 0 : deadline + passed * interval;
    return passed;
  }

  /** The signal has been taken, or dropped: an interval timer runs on. Gives its overruns: expirations since the one that the signal is for. */
  signalTaken(): number {
    this.queued = false;
    const passed = this.forward(this.now);
    this.overrun = Math.min(Math.max(0, passed - 1), MOST_OVERRUNS);
    if (this.deadline !== 0) this.kernel.supervision?.timerChanged(this.groupIndex);
    return this.overrun;
  }
}
