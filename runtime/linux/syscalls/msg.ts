/** System V message queues. In: thread and arguments. Out: results. Source: man 2 msgget, msgop, msgctl; man 7 sysvipc; asm-generic/msgbuf.h for the structs. */
import type { IpcPerm } from '../../process/ipc-record.js';
import { IPC_OBJECT, MAX_MSG_QUEUES, MSG_QUEUE } from '../../process/layout.js';
import { type Message, type MsgQueue, msgQueues } from '../../process/msg-queues.js';
import { park } from '../../threads/park.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EACCES, EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ENOMSG, ENOSPC, ENOSYS, EPERM } from '../errno.js';
import { IPC, ipcAllowed, ipcKnown, ipcOwns, newIpc, readIpcPerm, writeIpcPerm } from '../sysv-ipc.js';
import type { Thread } from '../thread.js';

const MSG = { NOERROR: 0o10000, EXCEPT: 0o20000, COPY: 0o40000, STAT: 11, INFO: 12, STAT_ANY: 13 } as const;
/** Longest text, bytes. */
const MSGMAX = 8192;
const DS_BYTES = 120;
const READ = 4;
const WRITE = 2;

function msgget(t: Thread, a: SyscallArgs): SyscallResult {
  const [key, flags] = [a.i32(0), a.i32(1)];
  const { kernel } = t;
  return kernel.lock(() => {
    const known = ipcKnown(t, msgQueues, key, flags, () => false);
    if (known !== undefined) return known;
    const q = msgQueues.free(kernel);
    if (q === undefined) return -ENOSPC;
    q.begin(newIpc(t, key, flags));
    return q.id;
  });
}

/** Does `attempt` under the mutex until it gives a result; undefined: the thread waits for the queue to change. */
function onQueue(t: Thread, id: number, want: number, attempt: (q: MsgQueue) => number | undefined): number {
  const { kernel, task } = t;
  let waited = false;
  const result = park(t, () =>
    kernel.lock(() => {
      const q = msgQueues.withId(kernel, id);
      if (q === undefined) return waited ? -EIDRM : -EINVAL;
      if (!ipcAllowed(t, q, want)) return -EACCES;
      const r = attempt(q);
      if (r === undefined) {
        waited = true;
        task.msgQueue = q.index + 1;
      }
      return r;
    }),
  );
  task.msgQueue = 0;
  return typeof result === 'number' ? result : -EINTR;
}

function msgsnd(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, from, size, flags] = [a.i32(0), a.ptr(1), a.ptr(2), a.i32(3)];
  const type = t.mem.readU64(from);
  if (type === undefined) return -EFAULT;
  if (size > MSGMAX || id < 0 || BigInt.asIntN(64, type) < 1n) return -EINVAL;
  const text = t.mem.read(from + 8, size);
  if (text === undefined) return -EFAULT;
  return onQueue(t, id, WRITE, (q) => {
    if (!q.hasRoom(size)) return (flags & IPC.NOWAIT) !== 0 ? -EAGAIN : undefined;
    q.append({ type, text }, t.task.tgid);
    return 0;
  });
}

function msgrcv(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, to, size, flags] = [a.i32(0), a.ptr(1), a.i64(2), a.i32(4)];
  const wanted = a.i64(3);
  if (id < 0 || size < 0n) return -EINVAL;
  if ((flags & MSG.COPY) !== 0) return (flags & MSG.EXCEPT) !== 0 || (flags & IPC.NOWAIT) === 0 ? -EINVAL : -ENOSYS;
  let taken: Message | undefined;
  const result = onQueue(t, id, READ, (q) => {
    const place = q.find(wanted, (flags & MSG.EXCEPT) !== 0);
    if (place === undefined) return (flags & IPC.NOWAIT) !== 0 ? -ENOMSG : undefined;
    if (place.size > size && (flags & MSG.NOERROR) === 0) return -E2BIG;
    taken = q.take(place, t.task.tgid);
    return 0;
  });
  if (taken === undefined) return result;
  const text = taken.text.subarray(0, Math.min(taken.text.length, Number(size)));
  return t.mem.writeU64(to, taken.type) && t.mem.write(to + 8, text) ? text.length : -EFAULT;
}

function status(q: MsgQueue): Uint8Array {
  const bytes = new Uint8Array(DS_BYTES);
  const v = new DataView(bytes.buffer);
  writeIpcPerm(v, q);
  const times = [MSG_QUEUE.STIME, MSG_QUEUE.RTIME, IPC_OBJECT.CTIME].map((f) => q.time(f));
  [...times, q.textBytes, q.count, q.limit].forEach((value, i) => {
    v.setBigInt64(48 + 8 * i, BigInt(value), true);
  });
  v.setInt32(96, q.sender, true);
  v.setInt32(100, q.receiver, true);
  return bytes;
}

/** struct msginfo: Linux's defaults, but for the number of queues; `used`: what there is. */
function info(t: Thread, buffer: number, used: boolean): number {
  const queues = [...msgQueues.all(t.kernel)];
  const most = MSG_QUEUE.QUEUE_BYTES;
  const sum = (of: (q: MsgQueue) => number): number => queues.reduce((total, q) => total + of(q), 0);
  const out = new Int32Array([(MAX_MSG_QUEUES * most) / 1024, most, MSGMAX, most, MAX_MSG_QUEUES, 16, most, 0xffff]);
  if (used) {
    out.set([queues.length, sum((q) => q.count)]);
    out[6] = sum((q) => q.textBytes);
  }
  if (!t.mem.write(buffer, new Uint8Array(out.buffer))) return -EFAULT;
  return Math.max(0, ...queues.map((q) => q.index));
}

interface Change {
  readonly perm: IpcPerm;
  readonly limit: bigint;
}

/** IPC_SET's part of struct msqid64_ds. */
function readChange(t: Thread, buffer: number): Change | undefined {
  if (!t.mem.canRead(buffer, DS_BYTES)) return undefined;
  const perm = readIpcPerm(t.mem, buffer);
  const limit = t.mem.readU64(buffer + 88);
  return perm === undefined || limit === undefined ? undefined : { perm, limit };
}

function change(q: MsgQueue, { perm, limit }: Change): number {
  if (limit > MSG_QUEUE.QUEUE_BYTES) return -EPERM;
  q.limit = Number(limit);
  q.setPerm(perm);
  q.wake();
  return 0;
}

function msgctl(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, command, buffer] = [a.i32(0), a.i32(1), a.ptr(2)];
  const { kernel } = t;
  if (id < 0 || command < 0) return -EINVAL;
  if (command === IPC.INFO || command === MSG.INFO) return info(t, buffer, command === MSG.INFO);
  // Guest memory is read before, and written after, the mutex is held.
  const wanted = command === IPC.SET ? readChange(t, buffer) : undefined;
  if (command === IPC.SET && wanted === undefined) return -EFAULT;
  const byIndex = command === MSG.STAT || command === MSG.STAT_ANY;
  let out: Uint8Array | undefined;
  const result = kernel.lock((): number => {
    const q = byIndex ? msgQueues.at(kernel, id) : msgQueues.withId(kernel, id);
    if (q === undefined) return -EINVAL;
    switch (command) {
      case IPC.STAT:
      case MSG.STAT:
      case MSG.STAT_ANY:
        if (command !== MSG.STAT_ANY && !ipcAllowed(t, q, READ)) return -EACCES;
        out = status(q);
        return byIndex ? q.id : 0;
      case IPC.SET:
        if (!ipcOwns(t, q)) return -EPERM;
        return wanted === undefined ? -EFAULT : change(q, wanted);
      case IPC.RMID:
        if (!ipcOwns(t, q)) return -EPERM;
        q.end();
        return 0;
      default:
        return -EINVAL;
    }
  });
  return result >= 0 && out !== undefined && !t.mem.write(buffer, out) ? -EFAULT : result;
}

const QUEUES = `${MAX_MSG_QUEUES} queues at most`;
const TEXTS = `${MSG_QUEUE.QUEUE_BYTES} bytes a queue at most`;

export const msgRows = [
  { nr: 68, name: 'msgget', args: 'x,x', support: 'partly', note: QUEUES, handler: msgget },
  { nr: 69, name: 'msgsnd', args: 'd,p,lu,x', support: 'yes', handler: msgsnd },
  { nr: 70, name: 'msgrcv', args: 'd,p,lu,ld,x', support: 'partly', note: 'no MSG_COPY', handler: msgrcv },
  { nr: 71, name: 'msgctl', args: 'd,d,p', support: 'partly', note: TEXTS, handler: msgctl },
] as const satisfies readonly SyscallRow[];
