/**
 * System calls: clocks, sleeps, timers. In: thread and arguments. Out: results. Source: man 2 clock_gettime, clock_getres, clock_nanosleep, nanosleep, gettimeofday,
 * time, times, alarm, setitimer, getitimer.
 */
import { processCpu } from '../../process/cpu-time.js';
import { realTimer, setRealTimer } from '../../process/timers.js';
import { park } from '../../threads/park.js';
import {
  CLOCK,
  clockResolution,
  isRealtime,
  readClock,
  realtime,
  realtimeDeadline,
  tellVdso,
  timeOf,
} from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from '../errno.js';
import { readTimePair, timespecNs, writeTimespec, writeTimeval } from '../structs.js';
import type { Thread } from '../thread.js';
import { unsupported } from '../unsupported.js';

/** Ticks of times(2) a second (sysconf(_SC_CLK_TCK)). */
const TICKS = 100;
const TIMER_ABSTIME = 1;

function clockGettime(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = clockId(t, a.i32(0));
  const time = readClock(t.kernel, clock);
  if (time === undefined) return -EINVAL;
  if (isRealtime(clock)) tellVdso(t.kernel, t.mem.view, time);
  return writeTimespec(t.mem, a.ptr(1), time) ? 0 : -EFAULT;
}

/** A negative id names the CPU clock of a process or thread (bits 3 and up, inverted, the pid; bit 2: thread); ours only where it is our own. */
function clockId(t: Thread, id: number): number {
  if (id >= 0) return id;
  const pid = ~(id >> 3);
  const perThread = (id & 4) !== 0;
  if (perThread) return pid === 0 || pid === t.task.tid ? CLOCK.THREAD_CPUTIME_ID : -1;
  return pid === 0 || pid === t.task.tgid ? CLOCK.PROCESS_CPUTIME_ID : -1;
}

function clockGetres(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = clockId(t, a.i32(0));
  if (readClock(t.kernel, clock) === undefined) return -EINVAL;
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
  if (clock < 0 || clock === CLOCK.PROCESS_CPUTIME_ID) {
    unsupported(t, 'clock_nanosleep on a CPU clock');
    return -EOPNOTSUPP;
  }
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

function alarm(t: Thread, a: SyscallArgs): SyscallResult {
  const old = setRealTimer(t.kernel, t.task.group, { left: a.u32(0) * 1e9, interval: 0 });
  // Rounded, but never to 0 when one was armed.
  return old.left === 0 ? 0 : Math.max(1, Math.round(old.left / 1e9));
}

const ITIMER_REAL = 0;

function getitimer(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  const state = which === ITIMER_REAL ? realTimer(t.kernel, t.task.group) : { left: 0, interval: 0 };
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
  if (which !== ITIMER_REAL) {
    if (left !== 0) {
      unsupported(t, which === 1 ? 'setitimer(ITIMER_VIRTUAL)' : 'setitimer(ITIMER_PROF)');
      return -EINVAL;
    }
    return old === 0 || writeItimer(t, old, 0, 0) ? 0 : -EFAULT;
  }
  const before = setRealTimer(t.kernel, t.task.group, { left, interval });
  return old === 0 || writeItimer(t, old, before.left, before.interval) ? 0 : -EFAULT;
}

const SET_CLOCK = "the host clock is not the guest's to set";
const NO_TIMERS = 'timers of POSIX (timer_create) are not there; setitimer and timeouts are';

export const timeRows = [
  { nr: 35, name: 'nanosleep', args: 'ts,p', support: 'yes', handler: nanosleep },
  {
    nr: 36,
    name: 'getitimer',
    args: 'd,p',
    support: 'partly',
    note: 'ITIMER_REAL; the others never run',
    handler: getitimer,
  },
  { nr: 37, name: 'alarm', args: 'u', support: 'yes', handler: alarm },
  {
    nr: 38,
    name: 'setitimer',
    args: 'd,p,p',
    support: 'partly',
    note: 'ITIMER_REAL; ITIMER_VIRTUAL and ITIMER_PROF give EINVAL',
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
  { nr: 159, name: 'adjtimex', args: 'p', support: 'no', note: SET_CLOCK, refuse: EPERM },
  { nr: 164, name: 'settimeofday', args: 'p,p', support: 'no', note: SET_CLOCK, refuse: EPERM },
  { nr: 201, name: 'time', args: 'p', support: 'yes', handler: time },
  { nr: 222, name: 'timer_create', args: 'ck,p,p', support: 'no', note: NO_TIMERS },
  { nr: 223, name: 'timer_settime', args: 'd,d,p,p', support: 'no', note: NO_TIMERS },
  { nr: 224, name: 'timer_gettime', args: 'd,p', support: 'no', note: NO_TIMERS },
  { nr: 225, name: 'timer_getoverrun', args: 'd', support: 'no', note: NO_TIMERS },
  { nr: 226, name: 'timer_delete', args: 'd', support: 'no', note: NO_TIMERS },
  { nr: 227, name: 'clock_settime', args: 'ck,p', support: 'no', note: SET_CLOCK, refuse: EPERM },
  {
    nr: 228,
    name: 'clock_gettime',
    args: 'ck,p',
    support: 'partly',
    note: "CPU clocks of other processes and threads are not there; CLOCK_PROCESS_CPUTIME_ID is lift64's",
    handler: clockGettime,
  },
  { nr: 229, name: 'clock_getres', args: 'ck,p', support: 'yes', handler: clockGetres },
  {
    nr: 230,
    name: 'clock_nanosleep',
    args: 'ck,d,ts,p',
    support: 'partly',
    note: 'not on CPU clocks',
    handler: clockNanosleep,
  },
  { nr: 305, name: 'clock_adjtime', args: 'ck,p', support: 'no', note: SET_CLOCK, refuse: EPERM },
] as const satisfies readonly SyscallRow[];
