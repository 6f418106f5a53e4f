/**
 * timerfd. In: descriptors, itimerspecs in guest memory. Out: rows. Source: man 2 timerfd_create.
 */
import { bytePath } from '../../vfs/byte-path.js';
import { withFd } from '../../vfs/guest-args.js';
import { newDescriptor } from '../../vfs/new-descriptor.js';
import { fileKind, fileObject, KIND } from '../../vfs/open-files.js';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from '../../vfs/open-flags.js';
import { freeTimerfd, newTimerfd, setTimerfd, timerfdClock, timerfdState } from '../../vfs/timerfds.js';
import { TIMER_CLOCKS } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL } from '../errno.js';
import { itimerDeadline, readItimerspec, writeItimerspec } from '../itimerspec.js';
import type { Thread } from '../thread.js';

const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;

function create(t: Thread, a: SyscallArgs): SyscallResult {
  const clock = a.i32(0);
  const flags = a.i32(1);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || !TIMER_CLOCKS.has(clock)) return -EINVAL;
  const { state } = t.files;
  const object = newTimerfd(state, clock);
  if (object < 0) return object;
  const path = bytePath('anon_inode:[timerfd]');
  const file = { kind: KIND.TIMERFD, flags: O_RDWR | (flags & O_NONBLOCK), object, path };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0, () => {
    freeTimerfd(state, object);
  });
}

/** Calls `fn` with the timer behind `fd`. */
function withTimer(t: Thread, fd: number, fn: (timer: number) => number): number {
  const { state } = t.files;
  return withFd(t, fd, (file) => (fileKind(state, file) === KIND.TIMERFD ? fn(fileObject(state, file)) : -EINVAL));
}

function set(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.i32(1);
  const next = readItimerspec(t.mem, a.ptr(2));
  if (typeof next === 'number') return next;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  return withTimer(t, a.i32(0), (timer) => {
    const { state } = t.files;
    const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    const deadline = itimerDeadline(t.kernel, timerfdClock(state, timer), next, absolute, t.kernel.now());
    const before = setTimerfd(state, timer, deadline, next.interval, flags);
    return a.ptr(3) === 0 || writeItimerspec(t.mem, a.ptr(3), before) ? 0 : -EFAULT;
  });
}

function get(t: Thread, a: SyscallArgs): SyscallResult {
  return withTimer(t, a.i32(0), (timer) =>
    writeItimerspec(t.mem, a.ptr(1), timerfdState(t.files.state, timer)) ? 0 : -EFAULT,
  );
}

export const timerfdRows = [
  { nr: 283, name: 'timerfd_create', args: 'ck,of', support: 'yes', handler: create },
  {
    nr: 286,
    name: 'timerfd_settime',
    args: 'd,x,p,p',
    support: 'partly',
    note: 'the host says nothing when its clock is set: TFD_TIMER_CANCEL_ON_SET is accepted and never cancels',
    handler: set,
  },
  { nr: 287, name: 'timerfd_gettime', args: 'd,p', support: 'yes', handler: get },
] as const satisfies readonly SyscallRow[];
