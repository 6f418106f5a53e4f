/**
 * POSIX timers. In: clocks, sigevents, itimerspecs in guest memory. Out: rows. Source: man 2 timer_create, timer_settime, timer_getoverrun, timer_delete.
 */
import { NSIG } from '../../process/layout.js';
import {
  createTimer,
  deleteTimer,
  findTimer,
  type NewTimer,
  setTimer,
  SIGEV,
  timerState,
} from '../../process/posix-timers.js';
import type { Timer } from '../../process/timer-record.js';
import { CLOCK, cpuClockOf, TIMER_CLOCKS } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EOPNOTSUPP } from '../errno.js';
import { itimerDeadline, readItimerspec, writeItimerspec } from '../itimerspec.js';
import { SIGALRM } from '../signals.js';
import type { Thread } from '../thread.js';

const TIMER_ABSTIME = 1;
const SIGEVENT_BYTES = 64;
const CLOCKS: ReadonlySet<number> = new Set([...TIMER_CLOCKS, CLOCK.TAI]);
/** Clocks without timers. */
const UNTIMED: ReadonlySet<number> = new Set([CLOCK.MONOTONIC_RAW, CLOCK.REALTIME_COARSE, CLOCK.MONOTONIC_COARSE]);

/** How the timer tells; -EFAULT, -EINVAL. */
function sigeventAt(t: Thread, addr: number): Pick<NewTimer, 'notify' | 'signal' | 'task' | 'value'> | number {
  if (addr === 0) return { notify: SIGEV.SIGNAL, signal: SIGALRM, task: undefined, value: undefined };
  const bytes = t.mem.read(addr, SIGEVENT_BYTES);
  if (bytes === undefined) return -EFAULT;
  const v = new DataView(bytes.buffer, bytes.byteOffset, SIGEVENT_BYTES);
  const value = v.getBigInt64(0, true);
  const signal = v.getInt32(8, true);
  const notify = v.getInt32(12, true);
  if (notify === SIGEV.NONE) return { notify, signal, task: undefined, value };
  if (notify !== SIGEV.SIGNAL && notify !== SIGEV.THREAD && notify !== SIGEV.THREAD_ID) return -EINVAL;
  if (signal <= 0 || signal > NSIG) return -EINVAL;
  if (notify !== SIGEV.THREAD_ID) return { notify, signal, task: undefined, value };
  const task = t.kernel.findTask(v.getInt32(16, true));
  return task?.groupIndex === t.task.groupIndex ? { notify, signal, task, value } : -EINVAL;
}

function create(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel, task } = t;
  const clock = a.i32(0);
  if (UNTIMED.has(clock)) return -EOPNOTSUPP;
  const cpu = CLOCKS.has(clock) ? undefined : cpuClockOf(kernel, task, clock);
  if (cpu === undefined && !CLOCKS.has(clock)) return -EINVAL;
  const event = sigeventAt(t, a.ptr(1));
  if (typeof event === 'number') return event;
  const out = a.ptr(2);
  if (!t.mem.canWrite(out, 4)) return -EFAULT;
  const id = createTimer(kernel, task.group, { clock, cpu, ...event });
  if (id >= 0) t.mem.writeU32(out, id);
  return id < 0 ? id : 0;
}

/** Calls `fn` with the process's timer `id`; -EINVAL. */
function withTimer(t: Thread, id: number, fn: (timer: Timer) => number): number {
  const timer = findTimer(t.kernel, t.task.group, id);
  return timer === undefined ? -EINVAL : fn(timer);
}

function settime(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel } = t;
  const next = a.ptr(2) === 0 ? -EINVAL : readItimerspec(t.mem, a.ptr(2));
  if (typeof next === 'number') return next;
  const absolute = (a.i32(1) & TIMER_ABSTIME) !== 0;
  return withTimer(t, a.i32(0), (timer) => {
    const deadlineOf = (now: number): number => itimerDeadline(kernel, timer.clock, next, absolute, now);
    const before = setTimer(timer, deadlineOf, next.interval);
    return a.ptr(3) === 0 || writeItimerspec(t.mem, a.ptr(3), before) ? 0 : -EFAULT;
  });
}

export const timerRows = [
  { nr: 222, name: 'timer_create', args: 'ck,p,p', support: 'yes', handler: create },
  { nr: 223, name: 'timer_settime', args: 'd,d,p,p', support: 'yes', handler: settime },
  {
    nr: 224,
    name: 'timer_gettime',
    args: 'd,p',
    support: 'yes',
    handler: (t, a) =>
      withTimer(t, a.i32(0), (timer) => (writeItimerspec(t.mem, a.ptr(1), timerState(timer)) ? 0 : -EFAULT)),
  },
  {
    nr: 225,
    name: 'timer_getoverrun',
    args: 'd',
    support: 'yes',
    handler: (t, a) => withTimer(t, a.i32(0), (timer) => timer.overrun),
  },
  {
    nr: 226,
    name: 'timer_delete',
    args: 'd',
    support: 'yes',
    handler: (t, a) =>
      withTimer(t, a.i32(0), (timer) => {
        deleteTimer(timer);
        return 0;
      }),
  },
] as const satisfies readonly SyscallRow[];
