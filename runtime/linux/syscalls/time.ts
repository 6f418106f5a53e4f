/**
 * System calls: clocks, sleeps, timers. In: thread and arguments. Out: results. Source: man 2 clock_gettime, clock_getres, clock_nanosleep, nanosleep, gettimeofday,
 * time, times, alarm, setitimer, getitimer.
 */
import { processCpu } from '../../process/cpu-time.js';
import { cpuTimer, realTimer, setCpuTimer, setRealTimer } from '../../process/timers.js';
import { park } from '../../threads/park.js';
import {
  CLOCK,
  clockResolution,
  cpuClockOf,
  cpuTimeOf,
  isRealtime,
  readClock,
  realtime,
  realtimeDeadline,
  tellVdso,
  type Time,
  timeOf,
} from '../clocks.js';
import { readTimex } from './machine.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from '../errno.js';
import { readTimePair, timespecNs, writeTimespec, writeTimeval } from '../structs.js';
import type { Thread } from '../thread.js';

/** Ticks of times(2) a second (sysconf(_SC_CLK_TCK)). */
const TICKS = 100;
const TIMER_ABSTIME = 1;

function clockGettime(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = a.i32(0);
  const time = valueOf(t, clock);
  if (time === undefined) return -EINVAL;
  if (isRealtime(clock)) tellVdso(t.kernel, t.mem.view, time);
  return writeTimespec(t.mem, a.ptr(1), time) ? 0 : -EFAULT;
}

/** Value of any clock; undefined: there is none with this id. */
function valueOf(t: Thread, clock: number): Time | undefined {
  const time = readClock(t.kernel, clock);
  if (time !== undefined) return time;
  const of = cpuClockOf(t.kernel, t.task, clock);
  return of === undefined ? undefined : timeOf(cpuTimeOf(t.task, of));
}

function clockGetres(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = a.i32(0);
  if (valueOf(t, clock) === undefined) return -EINVAL;
  const out = a.ptr(1);
  return out === 0 || writeTimespec(t.mem, out, timeOf(clockResolution(clock))) ? 0 : -EFAULT;
}

function gettimeofday(t: Thread, a: SyscallArgs): SyscallResult {
  const tv = a.ptr(0);
  const tz = a.ptr(1);
  const now = realtime(t.kernel);
  tellVdso(t.kernel, t.mem.view, now);
  if (tv !== 0 && !writeTimeval(t.mem, tv, now)) return -EFAULT;
  return tz === 0 || t.mem.writeU64(tz, 0n) ? 0 : -EFAULT;
}

function time(t: Thread, a: SyscallArgs): SyscallResult {
  const now = realtime(t.kernel);
  tellVdso(t.kernel, t.mem.view, now);
  const { sec } = now;
  const out = a.ptr(0);
  return out === 0 || t.mem.writeU64(out, BigInt(sec)) ? sec : -EFAULT;
}

function times(t: Thread, a: SyscallArgs): SyscallResult {
  const out = a.ptr(0);
  const ticks = (us: number): bigint => BigInt(Math.floor((us * TICKS) / 1e6));
  if (out !== 0) {
    const { user, system } = processCpu();
    const { group } = t.task;
    const bytes = new Uint8Array(32);
    const v = new DataView(bytes.buffer);
    v.setBigInt64(0, ticks(user), true);
    v.setBigInt64(8, ticks(system), true);
    v.setBigInt64(16, ticks(group.childUtime), true);
    v.setBigInt64(24, ticks(group.childStime), true);
    if (!t.mem.write(out, bytes)) return -EFAULT;
  }
  return Math.floor((t.kernel.now() * TICKS) / 1e9);
}

function nanosleep(t: Thread, a: SyscallArgs): SyscallResult {
  return sleepFor(t, a.ptr(0), a.ptr(1));
}

function sleepFor(t: Thread, request: number, remain: number): SyscallResult {
  const ts = readTimePair(t.mem, request);
  if (ts === undefined) return -EFAULT;
  const ns = timespecNs(ts);
  if (ns === undefined) return -EINVAL;
  return sleepUntil(t, t.kernel.now() + ns, remain);
}

/** A relative sleep: interrupted, it stores what is left, and restart_syscall goes on with it. */
function sleepUntil(t: Thread, deadlineNs: number, remain: number): SyscallResult {
  if (park(t, () => undefined, { deadlineNs }) === 'timeout') return 0;
  if (remain !== 0) {
    const left = Math.max(0, deadlineNs - t.kernel.now());
    if (!writeTimespec(t.mem, remain, timeOf(left))) return -EFAULT;
  }
  t.task.restart = () => sleepUntil(t, deadlineNs, remain);
  return -ERESTART_RESTARTBLOCK;
}

function clockNanosleep(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = a.i32(0);
  const flags = a.i32(1);
  if (clock === CLOCK.THREAD_CPUTIME_ID) return -EINVAL;
  if (clock < 0 || clock === CLOCK.PROCESS_CPUTIME_ID) return sleepOfCpu(t, clock, flags, a.ptr(2), a.ptr(3));
  if (clock === CLOCK.MONOTONIC_RAW || clock === CLOCK.REALTIME_COARSE || clock === CLOCK.MONOTONIC_COARSE)
    return -EOPNOTSUPP;
  if (readClock(t.kernel, clock) === undefined) return -EINVAL;
  if ((flags & TIMER_ABSTIME) === 0) return sleepFor(t, a.ptr(2), a.ptr(3));
  const ts = readTimePair(t.mem, a.ptr(2));
  if (ts === undefined) return -EFAULT;
  const ns = timespecNs(ts);
  if (ns === undefined) return -EINVAL;
  const deadlineNs = isRealtime(clock) ? realtimeDeadline(t.kernel, ts) : ns;
  return park(t, () => undefined, { deadlineNs }) === 'timeout' ? 0 : -ERESTARTNOHAND;
}

/** Looks at a CPU clock while a thread sleeps on it are this far apart, ns: others use the time, nobody tells. */
const CPU_LOOK_NS = 1_000_000;

/** clock_nanosleep until a process or thread has used so much CPU time. */
function sleepOfCpu(t: Thread, clock: number, flags: number, request: number, remain: number): SyscallResult {
  const { kernel, task } = t;
  const of = cpuClockOf(kernel, task, clock);
  if (of === undefined || of === task) return -EINVAL;
  const ts = readTimePair(t.mem, request);
  if (ts === undefined) return -EFAULT;
  const ns = timespecNs(ts);
  if (ns === undefined) return -EINVAL;
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  const deadline = absolute ? ns : cpuTimeOf(task, of) + ns;
  const sleep = (): SyscallResult => {
    for (;;) {
      const left = deadline - cpuTimeOf(task, of);
      if (left <= 0) return 0;
      const deadlineNs = kernel.now() + Math.max(CPU_LOOK_NS, left / Math.max(1, task.group.threads));
      if (park(t, () => undefined, { deadlineNs }) === 'timeout') continue;
      if (absolute) return -ERESTARTNOHAND;
      if (remain !== 0 && !writeTimespec(t.mem, remain, timeOf(Math.max(0, deadline - cpuTimeOf(task, of)))))
        return -EFAULT;
      task.restart = sleep;
      return -ERESTART_RESTARTBLOCK;
    }
  };
  return sleep();
}

function alarm(t: Thread, a: SyscallArgs): SyscallResult {
  const old = setRealTimer(t.kernel, t.task.group, { left: a.u32(0) * 1e9, interval: 0 });
  // Rounded, but never to 0 when one was armed.
  return old.left === 0 ? 0 : Math.max(1, Math.round(old.left / 1e9));
}

const ITIMER_REAL = 0;

function getitimer(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  const { group } = t.task;
  const state = which === ITIMER_REAL ? realTimer(t.kernel, group) : cpuTimer(t.kernel, group, which === 1 ? 0 : 1);
  return writeItimer(t, a.ptr(1), state.left, state.interval) ? 0 : -EFAULT;
}

function writeItimer(t: Thread, addr: number, left: number, interval: number): boolean {
  return writeTimeval(t.mem, addr, timeOf(interval)) && writeTimeval(t.mem, addr + 16, timeOf(left));
}

function setitimer(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  const next = a.ptr(1);
  const old = a.ptr(2);
  if (which < 0 || which > 2) return -EINVAL;
  let left = 0;
  let interval = 0;
  if (next !== 0) {
    const every = readTimePair(t.mem, next);
    const value = readTimePair(t.mem, next + 16);
    if (every === undefined || value === undefined) return -EFAULT;
    const inRange = (us: bigint): boolean => us >= 0n && us < 1_000_000n;
    if (every.sec < 0n || value.sec < 0n || !inRange(every.frac) || !inRange(value.frac)) return -EINVAL;
    interval = Number(every.sec) * 1e9 + Number(every.frac) * 1e3;
    left = Number(value.sec) * 1e9 + Number(value.frac) * 1e3;
  }
  const { group } = t.task;
  const before =
    which === ITIMER_REAL
      ? setRealTimer(t.kernel, group, { left, interval })
      : setCpuTimer(t.kernel, group, which === 1 ? 0 : 1, { left, interval });
  return old === 0 || writeItimer(t, old, before.left, before.interval) ? 0 : -EFAULT;
}

const SET_CLOCK = "the host clock is not the guest's to set";
const CPU_ALIKE = 'all CPU time of a guest is user time';

export const timeRows = [
  { nr: 35, name: 'nanosleep', args: 'ts,p', support: 'yes', handler: nanosleep },
  {
    nr: 36,
    name: 'getitimer',
    args: 'd,p',
    support: 'partly',
    note: CPU_ALIKE,
    handler: getitimer,
  },
  { nr: 37, name: 'alarm', args: 'u', support: 'yes', handler: alarm },
  {
    nr: 38,
    name: 'setitimer',
    args: 'd,p,p',
    support: 'partly',
    note: `${CPU_ALIKE}: ITIMER_VIRTUAL and ITIMER_PROF count alike`,
    handler: setitimer,
  },
  { nr: 96, name: 'gettimeofday', args: 'p,p', support: 'yes', handler: gettimeofday },
  {
    nr: 100,
    name: 'times',
    args: 'p',
    support: 'partly',
    note: 'CPU time is that of lift64 as a whole',
    handler: times,
  },
  {
    nr: 159,
    name: 'adjtimex',
    args: 'p',
    support: 'partly',
    note: `reads a clock that nobody keeps; ${SET_CLOCK}`,
    handler: (t, a) => readTimex(t, a.ptr(0)),
  },
  { nr: 164, name: 'settimeofday', args: 'p,p', support: 'no', note: SET_CLOCK, refuse: EPERM },
  { nr: 201, name: 'time', args: 'p', support: 'yes', handler: time },
  { nr: 227, name: 'clock_settime', args: 'ck,p', support: 'no', note: SET_CLOCK, refuse: EPERM },
  {
    nr: 228,
    name: 'clock_gettime',
    args: 'ck,p',
    support: 'partly',
    note: "CLOCK_PROCESS_CPUTIME_ID of the first process is lift64's",
    handler: clockGettime,
  },
  { nr: 229, name: 'clock_getres', args: 'ck,p', support: 'yes', handler: clockGetres },
  {
    nr: 230,
    name: 'clock_nanosleep',
    args: 'ck,d,ts,p',
    support: 'yes',
    handler: clockNanosleep,
  },
  {
    nr: 305,
    name: 'clock_adjtime',
    args: 'ck,p',
    support: 'partly',
    note: `reads a clock that nobody keeps; ${SET_CLOCK}`,
    handler: (t, a) => (a.i32(0) === CLOCK.REALTIME ? readTimex(t, a.ptr(1)) : -EOPNOTSUPP),
  },
] as const satisfies readonly SyscallRow[];
