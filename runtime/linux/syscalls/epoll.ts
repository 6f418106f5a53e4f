/**
 * epoll. In: descriptors, events in guest memory. Out: rows. Source: man 7 epoll, man 2 epoll_create, epoll_ctl, epoll_wait.
 */
import { bytePath } from '../../vfs/byte-path.js';
import {
  epollRecheck,
  isEpollReady,
  addToEpoll,
  changeInEpoll,
  type EpollEvent,
  freeEpoll,
  instanceOf,
  isPollable,
  newEpoll,
  removeFromEpoll,
  waitForEvents,
} from '../../vfs/epoll.js';
import { EPOLLERR, EPOLLET, EPOLLEXCLUSIVE, EPOLLHUP, epollQueue, EPOLLWAKEUP } from '../../vfs/epoll-watches.js';
import { withFd } from '../../vfs/guest-args.js';
import { newDescriptor } from '../../vfs/new-descriptor.js';
import { fileKind, KIND } from '../../vfs/open-files.js';
import { O_CLOEXEC, O_RDWR } from '../../vfs/open-flags.js';
import type { VfsState } from '../../vfs/state.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EBADF, EFAULT, EINTR, EINVAL, EPERM, ERESTARTSYS } from '../errno.js';
import type { Thread } from '../thread.js';
import { masked, timeoutAt } from '../wait-args.js';

/** struct epoll_event is packed on x86-64: u32 events, u64 data. */
const EVENT_BYTES = 12;
const MOST_EVENTS = Math.floor(0x7fff_ffff / EVENT_BYTES);
const CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
const EPOLLIN = 0x1;
const EPOLLOUT = 0x4;
const EXCLUSIVE_BITS = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

function create(t: Thread, flags: number): SyscallResult {
  const { state } = t.files;
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const object = newEpoll(state);
  if (object < 0) return object;
  const file = { kind: KIND.EPOLL, flags: O_RDWR, object, path: bytePath('anon_inode:[eventpoll]') };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0, () => {
    freeEpoll(state, object);
  });
}

function eventAt(t: Thread, addr: number): EpollEvent | undefined {
  const bytes = t.mem.read(addr, EVENT_BYTES);
  if (bytes === undefined) return undefined;
  const v = new DataView(bytes.buffer, bytes.byteOffset, EVENT_BYTES);
  return { events: v.getInt32(0, true), dataLo: v.getInt32(4, true), dataHi: v.getInt32(8, true) };
}

const NO_EVENT: EpollEvent = { events: 0, dataLo: 0, dataHi: 0 };

const control: Handler = (t, a) => {
  const { state } = t.files;
  const op = a.i32(1);
  const fd = a.i32(2);
  const event = op === CTL.DEL ? NO_EVENT : eventAt(t, a.ptr(3));
  if (event === undefined) return -EFAULT;
  return withFd(t, a.i32(0), (own) =>
    withFd(t, fd, (file): number => {
      if (fileKind(state, own) === KIND.PATH || fileKind(state, file) === KIND.PATH) return -EBADF;
      if (!isPollable(state, file)) return -EPERM;
      const epoll = instanceOf(state, own);
      if (epoll === undefined || own === file) return -EINVAL;
      const target = { file, fd };
      if ((event.events & EPOLLEXCLUSIVE) !== 0) {
        if (op === CTL.MOD) return -EINVAL;
        const nested = instanceOf(state, file) !== undefined;
        if (op === CTL.ADD && (nested || (event.events & ~EXCLUSIVE_BITS) !== 0)) return -EINVAL;
      }
      switch (op) {
        case CTL.ADD:
          return addToEpoll(state, epoll, target, event);
        case CTL.DEL:
          return removeFromEpoll(state, epoll, target);
        case CTL.MOD:
          return changeInEpoll(state, epoll, target, event);
        default:
          return -EINVAL;
      }
    }),
  );
};

function wait(t: Thread, a: SyscallArgs, timeoutMs: number): number {
  const { state } = t.files;
  const addr = a.ptr(1);
  const most = a.i32(2);
  if (most <= 0 || most > MOST_EVENTS) return -EINVAL;
  if (addr + most * EVENT_BYTES > 2 ** 47) return -EFAULT;
  return withFd(t, a.i32(0), (file): number => {
    const epoll = instanceOf(state, file);
    if (epoll === undefined) return -EINVAL;
    if (!t.mem.canWrite(addr, EVENT_BYTES)) return untilReady(state, epoll, timeoutMs);
    const found = waitForEvents(state, epoll, writableEvents(t, addr, most), timeoutMs);
    if (typeof found === 'number' || found.length === 0) return typeof found === 'number' ? found : 0;
    const out = new Uint8Array(found.length * EVENT_BYTES);
    const v = new DataView(out.buffer);
    found.forEach(({ events, dataLo, dataHi }, i) => {
      v.setInt32(i * EVENT_BYTES, events, true);
      v.setInt32(i * EVENT_BYTES + 4, dataLo, true);
      v.setInt32(i * EVENT_BYTES + 8, dataHi, true);
    });
    return t.mem.write(addr, out) ? found.length : -EFAULT;
  });
}

/** There is no room for an event: that is said once there is one, which stays. */
function untilReady(s: VfsState, epoll: number, timeoutMs: number): number {
  const attempt = (): number | undefined => (isEpollReady(s, epoll) ? -EFAULT : undefined);
  const result = waitUntil(s, [epollQueue(epoll)], attempt, timeoutMs, epollRecheck(s, epoll));
  if (result === TIMED_OUT) return 0;
  return result === -ERESTARTSYS ? -EINTR : result;
}

/** As many events as there is room for, but one at least: what can't be stored stays ready, where Linux stops at the first that it can't store. */
function writableEvents(t: Thread, addr: number, most: number): number {
  let count = most;
  while (count > 1 && !t.mem.canWrite(addr, count * EVENT_BYTES)) count >>= 1;
  return count;
}

const milliseconds = (ms: number): number => (ms < 0 ? Infinity : ms);

const epollPwait2: Handler = (t, a) => {
  const timeout = timeoutAt(t, a.ptr(3), 'timespec');
  if (typeof timeout === 'number') return timeout;
  return masked(t, a.ptr(4), a.ptr(5), () => wait(t, a, timeout.ms));
};

export const epollRows = [
  {
    nr: 213,
    name: 'epoll_create',
    args: 'd',
    support: 'yes',
    handler: (t, a) => (a.i32(0) <= 0 ? -EINVAL : create(t, 0)),
  },
  {
    nr: 232,
    name: 'epoll_wait',
    args: 'd,p,d,d',
    support: 'yes',
    handler: (t, a) => wait(t, a, milliseconds(a.i32(3))),
  },
  { nr: 233, name: 'epoll_ctl', args: 'd,d,d,p', support: 'yes', handler: control },
  {
    nr: 281,
    name: 'epoll_pwait',
    args: 'd,p,d,d,p,lu',
    support: 'yes',
    handler: (t, a) => masked(t, a.ptr(4), a.ptr(5), () => wait(t, a, milliseconds(a.i32(3)))),
  },
  { nr: 291, name: 'epoll_create1', args: 'x', support: 'yes', handler: (t, a) => create(t, a.i32(0)) },
  { nr: 441, name: 'epoll_pwait2', args: 'd,p,d,ts,p,lu', support: 'yes', handler: epollPwait2 },
] as const satisfies readonly SyscallRow[];
