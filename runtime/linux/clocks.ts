/**
 * Clocks. In: the kernel and a clock id. Out: seconds and nanoseconds. Source: man 2 clock_gettime.
 * CLOCK_REALTIME is CLOCK_MONOTONIC and an offset that all threads share; it is set again when the host's clock has been stepped.
 * Programs read clocks often, so this works on numbers, and each isolate keeps the offset as two of them (BigInt arithmetic took 600 ns a call, this takes 150).
 */
import { groupCpuNs, taskCpuNs } from '../process/cpu-time.js';
import { guestThreadCpuNs } from '../process/exit.js';
import { HEAD } from '../process/layout.js';
import { EXPIRY_MS, publishRealtime } from '../process/vdso/vvar.js';
import type { Group } from '../process/group.js';
import type { Kernel } from '../process/kernel.js';
import type { Task } from '../process/task.js';
import type { TimePair } from './structs.js';

export const CLOCK = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
  MONOTONIC_RAW: 4,
  REALTIME_COARSE: 5,
  MONOTONIC_COARSE: 6,
  BOOTTIME: 7,
  REALTIME_ALARM: 8,
  BOOTTIME_ALARM: 9,
  TAI: 11,
} as const;

/** Those that timers of all sorts take. */
export const TIMER_CLOCKS: ReadonlySet<number> = new Set([
  CLOCK.REALTIME,
  CLOCK.MONOTONIC,
  CLOCK.BOOTTIME,
  CLOCK.REALTIME_ALARM,
  CLOCK.BOOTTIME_ALARM,
]);

/** A time: integers, `nsec` 0 to 999,999,999. */
export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

const NSEC = 1_000_000_000;
/** A step of the host's clock by more than this is followed; Date.now() itself counts whole milliseconds. */
const STEP_MS = 20;

/** The shared offset as this isolate has last read it. */
const cached = { kernel: undefined as Kernel | undefined, version: -1, sec: 0, nsec: 0 };

function monotonic(): Time {
  const [sec, nsec] = process.hrtime();
  return { sec, nsec };
}

function refresh(kernel: Kernel): void {
  const version = Atomics.load(kernel.i32, HEAD.REALTIME_VERSION);
  if (cached.kernel === kernel && cached.version === version) return;
  const offset = Atomics.load(kernel.i64, HEAD.REALTIME_OFFSET / 2);
  cached.kernel = kernel;
  cached.version = version;
  cached.sec = Number(offset / BigInt(NSEC));
  cached.nsec = Number(offset % BigInt(NSEC));
}

/** Time since 1970. */
export function realtime(kernel: Kernel): Time {
  refresh(kernel);
  for (;;) {
    const [s, ns] = process.hrtime();
    let sec = s + cached.sec;
    let nsec = ns + cached.nsec;
    if (nsec >= NSEC) {
      nsec -= NSEC;
      sec++;
    }
    const host = Date.now();
    if (Math.abs(host - (sec * 1e3 + nsec / 1e6)) <= STEP_MS) return { sec, nsec };
    // On a busy machine other programs may have run between the two readings: then it was no step.
    const [passedSec, passedNs] = process.hrtime([s, ns]);
    if (passedSec * 1e3 + passedNs / 1e6 > STEP_MS / 4) continue;
    const offset = BigInt(host) * 1_000_000n - (BigInt(s) * BigInt(NSEC) + BigInt(ns));
    Atomics.store(kernel.i64, HEAD.REALTIME_OFFSET / 2, offset);
    Atomics.add(kernel.i32, HEAD.REALTIME_VERSION, 1);
    return { sec: Math.floor(host / 1e3), nsec: (host % 1e3) * 1e6 };
  }
}

/** Whose vDSO knows CLOCK_REALTIME until when, in ms since 1970: of this isolate's last publication. */
const told = { view: undefined as DataView | undefined, until: 0 };

/** The process has just read CLOCK_REALTIME, `time`, by a system call: its vDSO knows it for a while. */
export function tellVdso(kernel: Kernel, view: DataView, time: Time): void {
  const ms = time.sec * 1e3 + time.nsec / 1e6;
  if (told.view === view && ms < told.until && ms > told.until - EXPIRY_MS) return;
  told.view = view;
  told.until = ms + EXPIRY_MS;
  publishRealtime(view, Atomics.load(kernel.i64, HEAD.REALTIME_OFFSET / 2), process.hrtime.bigint());
}

/** Nanoseconds of CLOCK_MONOTONIC at a time of CLOCK_REALTIME. Steps of the clock while someone waits for it are not seen. */
export function realtimeDeadline(kernel: Kernel, ts: TimePair): number {
  realtime(kernel);
  return Number(ts.sec * BigInt(NSEC) + ts.frac - Atomics.load(kernel.i64, HEAD.REALTIME_OFFSET / 2));
}

/** True for the clocks that count like CLOCK_REALTIME. */
export function isRealtime(clock: number): boolean {
  return (
    clock === CLOCK.REALTIME || clock === CLOCK.REALTIME_COARSE || clock === CLOCK.REALTIME_ALARM || clock === CLOCK.TAI
  );
}

/** Value of a clock that counts time as it passes; undefined: there is none with this id. */
export function readClock(kernel: Kernel, clock: number): Time | undefined {
  if (isRealtime(clock)) return realtime(kernel);
  switch (clock) {
    case CLOCK.MONOTONIC:
    case CLOCK.MONOTONIC_RAW:
    case CLOCK.MONOTONIC_COARSE:
    case CLOCK.BOOTTIME:
    case CLOCK.BOOTTIME_ALARM:
      return monotonic();
    default:
      return undefined;
  }
}

/** Whose time a CPU clock counts: a thread's or a process's; undefined where `id` names none. The negative ids name any process, and threads of the caller's. */
export function cpuClockOf(kernel: Kernel, task: Task, id: number): Task | Group | undefined {
  if (id === CLOCK.PROCESS_CPUTIME_ID) return task.group;
  if (id === CLOCK.THREAD_CPUTIME_ID) return task;
  // Bits 3 and up, inverted: the pid; bit 2: of a thread; the rest: which of its times, 3 for clocks of devices.
  if (id >= 0 || (id & 3) === 3) return undefined;
  const pid = ~(id >> 3);
  if ((id & 4) === 0) return pid === 0 ? task.group : kernel.findGroup(pid);
  const thread = pid === 0 ? task : kernel.findTask(pid);
  return thread?.groupIndex === task.groupIndex ? thread : undefined;
}

/** Nanoseconds of CPU time. */
export function cpuTimeOf(task: Task, of: Task | Group): number {
  if (of === task) return guestThreadCpuNs();
  return 'tid' in of ? taskCpuNs(of) : groupCpuNs(of);
}

/** Nanoseconds as a Time. */
export function timeOf(ns: number): Time {
  const whole = Math.round(ns);
  return { sec: Math.floor(whole / NSEC), nsec: whole % NSEC };
}

/** Resolution in nanoseconds. */
export function clockResolution(clock: number): number {
  return clock === CLOCK.REALTIME_COARSE || clock === CLOCK.MONOTONIC_COARSE ? 4_000_000 : 1;
}
