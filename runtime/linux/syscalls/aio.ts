/**
 * Linux AIO: what is submitted is done at once, as Linux does it for buffered files, and its completion is put into the context's ring. In: contexts, iocbs in guest memory. Out: rows.
 * Source: man 2 io_setup, io_submit, io_getevents, io_cancel, io_destroy; struct iocb of linux/aio_abi.h.
 */
import { epollRecheck } from '../../vfs/epoll.js';
import { addToCounter } from '../../vfs/counters.js';
import { manyBuffers, oneBuffer, offsetOf, type Transfer, withFd } from '../../vfs/guest-args.js';
import { fileKind, fileObject, KIND } from '../../vfs/open-files.js';
import { isSeekable, readFile, writeFile } from '../../vfs/transfer.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import {
  aioAddress,
  aioEpoll,
  aioQueue,
  complete,
  countEvents,
  EVENT_BYTES,
  findAio,
  freeAio,
  hasRoom,
  newAio,
  takeAioEvents,
} from '../aio-context.js';
import { attend, cancelPoll, completePolls, dropPolls, pendingPolls, submitPoll } from '../aio-poll.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EAGAIN, EBADF, EFAULT, EINPROGRESS, EINVAL, EOPNOTSUPP } from '../errno.js';
import type { Thread } from '../thread.js';
import { masked, timeoutAt } from '../wait-args.js';
import { syncFd } from './misc-file.js';

/** fs.aio-max-nr: most events of a context. */
const MOST_EVENTS = 65536;

function setup(t: Thread, a: SyscallArgs): SyscallResult {
  const now = t.mem.readU64(a.ptr(1));
  if (now === undefined || !t.mem.canWrite(a.ptr(1), 8)) return -EFAULT;
  if (now !== 0n || a.u32(0) === 0) return -EINVAL;
  if (a.u32(0) > MOST_EVENTS) return -EAGAIN;
  const context = newAio(t, a.u32(0));
  if (context < 0) return context;
  return t.mem.writeU64(a.ptr(1), BigInt(aioAddress(t.files.state, context))) ? 0 : -EFAULT;
}

/** Calls `fn` with the context at `address`; -EINVAL. */
function withContext(t: Thread, address: number, fn: (context: number) => number): number {
  const context = findAio(t, address);
  return context < 0 ? -EINVAL : fn(context);
}

const OP = { PREAD: 0, PWRITE: 1, FSYNC: 2, FDSYNC: 3, POLL: 5, PREADV: 7, PWRITEV: 8 } as const;
const IOCB_BYTES = 64;
const IOCB_KEY = 8;
const FLAG_RESFD = 1;
const FLAG_IOPRIO = 2;
/** RWF_HIPRI, RWF_DSYNC and RWF_SYNC. */
const RWF_HINTS = 7;

/** struct iocb. */
function iocbAt(t: Thread, addr: number) {
  const bytes = t.mem.read(addr, IOCB_BYTES);
  if (bytes === undefined) return undefined;
  const v = new DataView(bytes.buffer, bytes.byteOffset, IOCB_BYTES);
  return {
    data: v.getBigUint64(0, true),
    rwFlags: v.getUint32(12, true),
    op: v.getUint16(16, true),
    fd: v.getInt32(20, true),
    buffer: Number(v.getBigUint64(24, true)),
    size: v.getBigUint64(32, true),
    offset: v.getBigInt64(40, true),
    reserved: v.getBigUint64(48, true),
    flags: v.getUint32(56, true),
    eventFd: v.getInt32(60, true),
  };
}

type Iocb = NonNullable<ReturnType<typeof iocbAt>>;

/** What the operation gives; undefined where it is refused before it begins, with `refused`. */
function perform(t: Thread, cb: Iocb): { readonly result: number } | { readonly refused: number } {
  switch (cb.op) {
    case OP.FSYNC:
    case OP.FDSYNC: {
      const result = Number(syncFd(t, cb.fd));
      return result === -EBADF || result === -EINVAL ? { refused: result } : { result };
    }
    case OP.PREAD:
    case OP.PWRITE:
    case OP.PREADV:
    case OP.PWRITEV:
      return transfer(t, cb, cb.op === OP.PREAD || cb.op === OP.PREADV);
    default:
      return { refused: -EINVAL };
  }
}

function transfer(t: Thread, cb: Iocb, reads: boolean): { readonly result: number } | { readonly refused: number } {
  const single = cb.op === OP.PREAD || cb.op === OP.PWRITE;
  const size = Number(cb.size);
  const io: Transfer | number = single
    ? oneBuffer(t, cb.buffer, size, reads)
    : manyBuffers(t, cb.buffer, Math.min(size, 0x7fff_ffff), reads);
  if (cb.offset < 0n) return { refused: -EINVAL };
  if ((cb.rwFlags & ~RWF_HINTS) !== 0) return { refused: -EOPNOTSUPP };
  let refused = 0;
  const result = withFd(t, cb.fd, (file) => {
    const { state } = t.files;
    if (typeof io === 'number') return (refused = io);
    if (fileKind(state, file) === KIND.DIRECTORY) return (refused = -EINVAL);
    const position = isSeekable(state, file) ? offsetOf(cb.offset) : undefined;
    return (reads ? readFile : writeFile)(t.files, file, io.size, io.buffers, position);
  });
  if (result === -EBADF) refused = result;
  return refused < 0 ? { refused } : { result };
}

/** Does one iocb; -errno when it is refused. */
function submitOne(t: Thread, context: number, addr: bigint): number {
  const cb = iocbAt(t, Number(addr));
  if (cb === undefined) return -EFAULT;
  if (cb.reserved !== 0n || (cb.flags & ~(FLAG_RESFD | FLAG_IOPRIO)) !== 0) return -EINVAL;
  if (!hasRoom(t, context, pendingPolls(t.files.state, context))) return -EAGAIN;
  const tells = (cb.flags & FLAG_RESFD) !== 0;
  const counterFile = tells ? counterFileOf(t, cb.eventFd) : -1;
  const known = withFd(t, cb.fd, () => 0);
  if (known < 0) return known;
  if (tells && counterFile < 0) return counterFile;
  if (cb.op === OP.POLL) return poll(t, context, cb, addr, counterFile);
  const done = perform(t, cb);
  if ('refused' in done) return done.refused;
  complete(t, context, { data: cb.data, object: addr, result: BigInt(done.result) });
  if (counterFile >= 0) addToCounter(t.files.state, fileObject(t.files.state, counterFile), 1n);
  return 0;
}

/** The description of an eventfd; -EBADF, -EINVAL. */
function counterFileOf(t: Thread, fd: number): number {
  const { state } = t.files;
  return withFd(t, fd, (file) => (fileKind(state, file) === KIND.COUNTER ? file : -EINVAL));
}

/** IOCB_CMD_POLL: the events are in place of the buffer. */
function poll(t: Thread, context: number, cb: Iocb, object: bigint, counterFile: number): number {
  if (cb.buffer > 0xffff || cb.offset !== 0n || cb.size !== 0n || cb.rwFlags !== 0) return -EINVAL;
  const { data, buffer: events } = cb;
  return withFd(t, cb.fd, (file) => submitPoll(t, context, { data, object, file, events, counterFile }));
}

/** Polls alone can be under way. */
function cancel(t: Thread, a: SyscallArgs): SyscallResult {
  const key = t.mem.readI32(a.ptr(1) + IOCB_KEY);
  if (key === undefined) return -EFAULT;
  if (key !== 0) return -EINVAL;
  return withContext(t, a.ptr(0), (context) => (cancelPoll(t, context, a.u64(1)) ? -EINPROGRESS : -EINVAL));
}

function destroy(t: Thread, a: SyscallArgs): SyscallResult {
  return withContext(t, a.ptr(0), (context) => {
    dropPolls(t.files.state, context);
    return freeAio(t, context) ? 0 : -EINVAL;
  });
}

function submit(t: Thread, a: SyscallArgs): SyscallResult {
  return withContext(t, a.ptr(0), (context) => {
    const count = Number(a.i64(1));
    if (count < 0) return -EINVAL;
    for (let n = 0; n < count; n++) {
      const addr = t.mem.readU64(a.ptr(2) + 8 * n);
      const failure = addr === undefined ? -EFAULT : submitOne(t, context, addr);
      if (failure < 0) return n > 0 ? n : failure;
    }
    return Math.max(0, count);
  });
}

function getEvents(t: Thread, a: SyscallArgs): number {
  const timeout = timeoutAt(t, a.ptr(4), 'timespec');
  if (typeof timeout === 'number') return timeout;
  const [least, most] = [Number(a.i64(1)), Number(a.i64(2))];
  return withContext(t, a.ptr(0), (context) => {
    if (least < 0 || most < least) return -EINVAL;
    const { state } = t.files;
    const isThere = (): number | undefined => {
      completePolls(t, context);
      const count = countEvents(t, context, most);
      return count >= least || findAio(t, a.ptr(0)) !== context ? count : undefined;
    };
    const epoll = aioEpoll(state, context);
    const recheck = epoll < 0 ? undefined : epollRecheck(state, epoll);
    attend(t, context);
    completePolls(t, context);
    const found =
      timeout.ms === 0
        ? countEvents(t, context, most)
        : waitUntil(state, [aioQueue(context)], isThere, timeout.ms, recheck);
    if (typeof found === 'number' && found < 0) return found;
    const count = found === TIMED_OUT ? countEvents(t, context, most) : found;
    if (!t.mem.canWrite(a.ptr(3), count * EVENT_BYTES)) return -EFAULT;
    const events = takeAioEvents(t, context, count);
    return t.mem.write(a.ptr(3), events) ? events.length / EVENT_BYTES : -EFAULT;
  });
}

/** struct __aio_sigset: address of a mask and its size. */
function getEventsMasked(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(5) === 0) return getEvents(t, a);
  const [mask, size] = [t.mem.readU64(a.ptr(5)), t.mem.readU64(a.ptr(5) + 8)];
  if (mask === undefined || size === undefined) return -EFAULT;
  return masked(t, Number(mask), Number(size), () => getEvents(t, a));
}

const AT_ONCE = 'done at once, in io_submit, but for polls, which do not keep their file open';

export const aioRows = [
  { nr: 206, name: 'io_setup', args: 'u,p', support: 'yes', handler: setup },
  {
    nr: 207,
    name: 'io_destroy',
    args: 'p',
    support: 'yes',
    handler: destroy,
  },
  { nr: 208, name: 'io_getevents', args: 'p,ld,ld,p,ts', support: 'yes', handler: getEvents },
  { nr: 209, name: 'io_submit', args: 'p,ld,p', support: 'partly', note: AT_ONCE, handler: submit },
  {
    nr: 210,
    name: 'io_cancel',
    args: 'p,p,p',
    support: 'yes',
    note: 'of polls; nothing else is ever under way: EINVAL',
    handler: cancel,
  },
  { nr: 333, name: 'io_pgetevents', args: 'p,ld,ld,p,ts,p', support: 'yes', handler: getEventsMasked },
] as const satisfies readonly SyscallRow[];
