/**
 * POSIX message queues. In: names, messages in guest memory. Out: rows. Source: man 7 mq_overview, man 2 mq_open, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr.
 */
import { sendToGroupLocked } from '../../process/signal-send.js';
import { NSIG } from '../../process/layout.js';
import { SIGEV } from '../../process/posix-timers.js';
import { bytePath } from '../../vfs/byte-path.js';
import { umaskOf } from '../../vfs/fs-struct.js';
import { withFd } from '../../vfs/guest-args.js';
import { MQ_BYTES, MQ_MESSAGES, MQUEUE } from '../../vfs/layout.js';
import {
  countReceiver,
  mqueueField,
  mqueueQueue,
  type Notification,
  openQueue,
  putQueue,
  receiveMessage,
  sendMessage,
  setNotification,
  unlinkQueue,
} from '../../vfs/mqueues.js';
import { newDescriptor } from '../../vfs/new-descriptor.js';
import { fileFlags, fileKind, fileObject, KIND, setFileFlags } from '../../vfs/open-files.js';
import { O_ACCMODE, O_CLOEXEC, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../../vfs/open-flags.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import { realtimeDeadline } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ETIMEDOUT,
} from '../errno.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';

const NAME_MAX = 255;
const MOST_PRIORITIES = 32768;
const SI_MESGQ = -3;

/** The name without its slash, as the C library gives it. */
function nameAt(t: Thread, addr: number): string | number {
  const bytes = t.mem.cstring(addr, NAME_MAX + 1);
  if (bytes === undefined) return -EFAULT;
  if (bytes.length === 0) return -ENOENT;
  if (bytes.length > NAME_MAX) return -ENAMETOOLONG;
  const name = Buffer.from(bytes).toString('latin1');
  return name.includes('/') || name === '.' || name === '..' ? -EACCES : name;
}

function open(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, fs } = t.files;
  const flags = a.i32(1);
  const name = nameAt(t, a.ptr(0));
  if (typeof name === 'number') return name;
  const access = flags & O_ACCMODE;
  if (access === O_ACCMODE) return -EINVAL;
  const { euid } = t.task.group.ids;
  let [messages, bytes]: [number, number] = [MQ_MESSAGES, MQ_BYTES];
  if ((flags & O_CREAT) !== 0 && a.ptr(3) !== 0) {
    const attr = t.mem.read(a.ptr(3), 64);
    if (attr === undefined) return -EFAULT;
    const v = new DataView(attr.buffer, attr.byteOffset, 64);
    [messages, bytes] = [Number(v.getBigInt64(8, true)), Number(v.getBigInt64(16, true))];
    if (messages <= 0 || bytes <= 0 || messages > MQ_MESSAGES || bytes > MQ_BYTES) return -EINVAL;
  }
  const mode = a.u32(2) & 0o777 & ~umaskOf(state, fs);
  const queue = openQueue(state, {
    name,
    create: (flags & O_CREAT) === 0 ? undefined : { mode, uid: euid, messages, bytes },
    exclusive: (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL),
    euid,
    wants: access === O_RDONLY ? 4 : access === O_WRONLY ? 2 : 6,
  });
  if (queue < 0) return queue;
  const file = { kind: KIND.MQUEUE, flags: access | (flags & O_NONBLOCK), object: queue, path: bytePath(`/${name}`) };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0, () => {
    state.locked(() => {
      putQueue(state, queue);
    });
  });
}

function unlink(t: Thread, a: SyscallArgs): SyscallResult {
  const name = nameAt(t, a.ptr(0));
  return typeof name === 'number' ? name : unlinkQueue(t.files.state, name, t.task.group.ids.euid);
}

/** Calls `fn` with the queue behind `fd`, open for what the call does (`not`: the access mode that it can't have). */
function withQueue(t: Thread, fd: number, not: number, fn: (queue: number, file: number) => number): number {
  const { state } = t.files;
  return withFd(t, fd, (file) => {
    if (fileKind(state, file) !== KIND.MQUEUE || (fileFlags(state, file) & O_ACCMODE) === not) return -EBADF;
    return fn(fileObject(state, file), file);
  });
}

/** Milliseconds until the absolute time at `addr`; -EFAULT, -EINVAL. */
function patience(t: Thread, addr: number): { readonly ms: number } | number {
  if (addr === 0) return { ms: Infinity };
  const pair = readTimePair(t.mem, addr);
  if (pair === undefined) return -EFAULT;
  if (timespecNs(pair) === undefined) return -EINVAL;
  return { ms: Math.max(0, (realtimeDeadline(t.kernel, pair) - t.kernel.now()) / 1e6) };
}

/** Waits for `attempt`, unless the description is non-blocking. */
function waited<T>(t: Thread, file: number, queue: number, ms: number, attempt: () => T | undefined): T | number {
  const { state } = t.files;
  if ((fileFlags(state, file) & O_NONBLOCK) !== 0) return attempt() ?? -EAGAIN;
  const got = waitUntil(state, [mqueueQueue(queue)], attempt, ms);
  return got === TIMED_OUT ? -ETIMEDOUT : got;
}

function send(t: Thread, a: SyscallArgs): SyscallResult {
  const timeout = patience(t, a.ptr(4));
  if (typeof timeout === 'number') return timeout;
  if (a.u32(3) >= MOST_PRIORITIES) return -EINVAL;
  return withQueue(t, a.i32(0), O_RDONLY, (queue, file) => {
    const { state } = t.files;
    if (a.ptr(2) > mqueueField(state, queue, MQUEUE.MAX_BYTES)) return -EMSGSIZE;
    const data = t.mem.read(a.ptr(1), a.ptr(2));
    if (data === undefined) return -EFAULT;
    const sent = waited(t, file, queue, timeout.ms, () => sendMessage(state, queue, data, a.u32(3)));
    if (typeof sent === 'number') return sent;
    if (sent.told !== undefined) announce(t, sent.told);
    return 0;
  });
}

function announce(t: Thread, { process, pid, how, signal, value }: Notification): void {
  const { kernel, task } = t;
  if (how !== SIGEV.SIGNAL) return;
  const bytes = new Uint8Array(128);
  const v = new DataView(bytes.buffer);
  v.setInt32(16, task.tgid, true);
  v.setUint32(20, task.group.ids.uid, true);
  v.setBigUint64(24, value, true);
  kernel.lock(() => {
    const group = kernel.group(process);
    if (group.alive && group.tgid === pid)
      sendToGroupLocked(kernel, group, { kind: 'raw', signal, code: SI_MESGQ, bytes });
  });
}

function receive(t: Thread, a: SyscallArgs): SyscallResult {
  const timeout = patience(t, a.ptr(4));
  if (typeof timeout === 'number') return timeout;
  return withQueue(t, a.i32(0), O_WRONLY, (queue, file) => {
    const { state } = t.files;
    if (a.ptr(2) < mqueueField(state, queue, MQUEUE.MAX_BYTES)) return -EMSGSIZE;
    countReceiver(state, queue, 1);
    let got: ReturnType<typeof receiveMessage> | number;
    try {
      got = waited(t, file, queue, timeout.ms, () => receiveMessage(state, queue));
    } finally {
      countReceiver(state, queue, -1);
    }
    if (typeof got === 'number') return got;
    if (!t.mem.write(a.ptr(1), got.data)) return -EFAULT;
    return a.ptr(3) === 0 || t.mem.writeU32(a.ptr(3), got.priority) ? got.data.length : -EFAULT;
  });
}

function notify(t: Thread, a: SyscallArgs): SyscallResult {
  const { task } = t;
  let wanted: Notification | undefined;
  if (a.ptr(1) !== 0) {
    const bytes = t.mem.read(a.ptr(1), 64);
    if (bytes === undefined) return -EFAULT;
    const v = new DataView(bytes.buffer, bytes.byteOffset, 64);
    const how = v.getInt32(12, true);
    const signal = v.getInt32(8, true);
    if (how === SIGEV.THREAD) return -ENOSYS;
    if (how !== SIGEV.NONE && how !== SIGEV.SIGNAL) return -EINVAL;
    if (how === SIGEV.SIGNAL && (signal < 0 || signal > NSIG)) return -EINVAL;
    wanted = { process: task.groupIndex, pid: task.tgid, how, signal, value: v.getBigUint64(0, true) };
  }
  return withQueue(t, a.i32(0), -1, (queue) => (setNotification(t.files.state, queue, task.tgid, wanted) ? 0 : -EBUSY));
}

function getsetattr(t: Thread, a: SyscallArgs): SyscallResult {
  const { state } = t.files;
  const next = a.ptr(1) === 0 ? undefined : t.mem.readU64(a.ptr(1));
  if (a.ptr(1) !== 0 && next === undefined) return -EFAULT;
  if (next !== undefined && (next & ~BigInt(O_NONBLOCK)) !== 0n) return -EINVAL;
  return withQueue(t, a.i32(0), -1, (queue, file) => {
    const bytes = new Uint8Array(64);
    const v = new DataView(bytes.buffer);
    v.setBigInt64(0, BigInt(fileFlags(state, file) & O_NONBLOCK), true);
    v.setBigInt64(8, BigInt(mqueueField(state, queue, MQUEUE.MAX_MESSAGES)), true);
    v.setBigInt64(16, BigInt(mqueueField(state, queue, MQUEUE.MAX_BYTES)), true);
    v.setBigInt64(24, BigInt(mqueueField(state, queue, MQUEUE.COUNT)), true);
    if (a.ptr(2) !== 0 && !t.mem.write(a.ptr(2), bytes)) return -EFAULT;
    if (next !== undefined) setFileFlags(state, file, (fileFlags(state, file) & ~O_NONBLOCK) | Number(next));
    return 0;
  });
}

const LIMITS = `at most ${String(MQ_MESSAGES)} messages of ${String(MQ_BYTES)} bytes, for root too`;

export const mqueueRows = [
  { nr: 240, name: 'mq_open', args: 's,of,o,p', support: 'partly', note: LIMITS, handler: open },
  { nr: 241, name: 'mq_unlink', args: 's', support: 'yes', handler: unlink },
  { nr: 242, name: 'mq_timedsend', args: 'd,p,lu,u,ts', support: 'yes', handler: send },
  { nr: 243, name: 'mq_timedreceive', args: 'd,p,lu,p,ts', support: 'yes', handler: receive },
  {
    nr: 244,
    name: 'mq_notify',
    args: 'd,p',
    support: 'partly',
    note: "SIGEV_THREAD: ENOSYS, as it is the C library's, over a netlink socket",
    handler: notify,
  },
  { nr: 245, name: 'mq_getsetattr', args: 'd,p,p', support: 'yes', handler: getsetattr },
] as const satisfies readonly SyscallRow[];
