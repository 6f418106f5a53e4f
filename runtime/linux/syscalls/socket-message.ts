/** Sending and receiving on sockets: messages with addresses and ancillary data. In: descriptors, struct msghdr. Out: rows. Source: man 2 send, recv, sendmmsg, recvmmsg; man 3 cmsg. */
import { isStream } from '../../net/connection.js';
import { AF, MSG, SCM, SCM_MAX_FD, SOL } from '../../net/constants.js';
import { SOCKET } from '../../net/layout.js';
import { familyOf } from '../../net/open-socket.js';
import { optionOf } from '../../net/options.js';
import { originOf } from '../../net/origin.js';
import { receive } from '../../net/receive.js';
import type { Origin } from '../../net/ring.js';
import { get } from '../../net/socket-table.js';
import { installFile, pinFile } from '../../vfs/fd-table.js';
import { isNonBlocking } from '../../vfs/file-io.js';
import { manyBuffers, oneBuffer, type Transfer } from '../../vfs/guest-args.js';
import { putFile } from '../../vfs/open-files.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EAGAIN, EBADF, EFAULT, EINVAL, EMSGSIZE, EOPNOTSUPP, EPERM } from '../errno.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';
import { ints, nameAt, storeName, withSocket } from './socket-args.js';

const CMSG_HEADER = 16;
const MSGHDR_BYTES = 56;
/** struct mmsghdr: a msghdr, and the bytes of the message. */
const MMSGHDR_BYTES = 64;
const MMSG_LENGTH = 56;
/** Most messages of one sendmmsg or recvmmsg. */
const MOST_MESSAGES = 1024;
const MOST_IOVECS = 1024;
/** Longest ancillary data that are looked at. */
const MOST_CONTROL = 1 << 16;
const align = (n: number): number => (n + 7) & ~7;

/** struct msghdr, read once. */
interface Message {
  readonly name: number;
  readonly nameLength: number;
  readonly io: Transfer;
  readonly control: number;
  readonly controlLength: number;
}

function messageAt(t: Thread, at: number, forWrite: boolean): Message | number {
  const bytes = t.mem.read(at, MSGHDR_BYTES);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const long = (offset: number): number => Number(view.getBigUint64(offset, true));
  const vectors = long(24);
  if (vectors > MOST_IOVECS) return -EMSGSIZE;
  const io = manyBuffers(t, long(16), vectors, forWrite);
  if (typeof io === 'number') return io;
  const nameLength = view.getInt32(8, true);
  if (nameLength < 0) return -EINVAL;
  return {
    name: long(0),
    nameLength: long(0) === 0 ? 0 : nameLength,
    io,
    control: long(32),
    controlLength: long(40),
  };
}

// ---------------------------------------------------------------- sending

/** What goes with a message: descriptions with a reference each, and other credentials than the caller's own. */
interface Ancillary {
  readonly files: number[];
  credentials: Pick<Origin, 'pid' | 'uid' | 'gid'> | undefined;
}

/** Parses ancillary data; -errno, with all references put. */
function ancillaryOf(t: Thread, socket: number, m: Message): Ancillary | number {
  const out: Ancillary = { files: [], credentials: undefined };
  if (m.control === 0 || m.controlLength === 0) return out;
  if (m.controlLength > MOST_CONTROL) return -EINVAL;
  const bytes = t.mem.read(m.control, m.controlLength);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const unix = get(t.files.state, socket, SOCKET.FAMILY) === AF.UNIX;
  for (let at = 0; at + CMSG_HEADER <= bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    let error = length < CMSG_HEADER || at + length > bytes.length ? -EINVAL : 0;
    if (error === 0 && view.getInt32(at + 8, true) === SOL.SOCKET && unix) {
      const type = view.getInt32(at + 12, true);
      const data = new DataView(view.buffer, view.byteOffset + at + CMSG_HEADER, length - CMSG_HEADER);
      if (type === SCM.RIGHTS) error = takeFiles(t, data, out.files);
      else if (type === SCM.CREDENTIALS) error = takeCredentials(t, data, out);
      else error = -EINVAL;
    }
    if (error < 0) {
      for (const file of out.files) putFile(t.files.state, file);
      return error;
    }
    at += align(length);
  }
  return out;
}

function takeFiles(t: Thread, data: DataView, files: number[]): number {
  const { state, table } = t.files;
  const count = Math.floor(data.byteLength / 4);
  if (files.length + count > SCM_MAX_FD) return -EINVAL;
  for (let i = 0; i < count; i++) {
    const file = pinFile(state, table, data.getInt32(i * 4, true));
    if (file < 0) return -EBADF;
    files.push(file);
  }
  return 0;
}

/** Processes without privileges name themselves alone. */
function takeCredentials(t: Thread, data: DataView, out: Ancillary): number {
  if (data.byteLength !== 12) return -EINVAL;
  const [pid, uid, gid] = [0, 4, 8].map((at) => data.getInt32(at, true)) as [number, number, number];
  const { ids } = t.task.group;
  const own =
    pid === t.task.tgid && [ids.uid, ids.euid, ids.suid].includes(uid) && [ids.gid, ids.egid, ids.sgid].includes(gid);
  if (!own && ids.euid !== 0) return -EPERM;
  out.credentials = { pid, uid, gid };
  return 0;
}

function sendMessage(t: Thread, file: number, socket: number, m: Message, flags: number): number {
  const { state } = t.files;
  if ((flags & MSG.OOB) !== 0) return -EOPNOTSUPP;
  const name = m.nameLength === 0 ? undefined : nameAt(t, m.name, m.nameLength);
  if (typeof name === 'number') return name;
  const ancillary = ancillaryOf(t, socket, m);
  if (typeof ancillary === 'number') return ancillary;
  const origin = { ...originOf(state, socket, ancillary.files), ...ancillary.credentials };
  const nonBlocking = (flags & MSG.DONTWAIT) !== 0 || isNonBlocking(state, file);
  const n = familyOf(state, socket).send(t.files, socket, m.io.buffers, { flags, nonBlocking, origin }, name);
  // An empty stream message takes nothing along.
  if (n < 0 || (n === 0 && m.io.size === 0 && isStream(state, socket)))
    for (const passed of ancillary.files) putFile(state, passed);
  return n;
}

const sendto: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, socket) => {
    const io = oneBuffer(t, a.ptr(1), a.ptr(2), false);
    const message = {
      name: a.ptr(4),
      nameLength: a.ptr(4) === 0 ? 0 : a.i32(5),
      io,
      control: 0,
      controlLength: 0,
    };
    return sendMessage(t, file, socket, message, a.u32(3));
  });

const sendmsg: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, socket) => {
    const message = messageAt(t, a.ptr(1), false);
    return typeof message === 'number' ? message : sendMessage(t, file, socket, message, a.u32(2));
  });

const sendmmsg: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, socket) => {
    const count = Math.min(a.u32(2), MOST_MESSAGES);
    for (let i = 0; i < count; i++) {
      const at = a.ptr(1) + i * MMSGHDR_BYTES;
      const message = messageAt(t, at, false);
      let n = typeof message === 'number' ? message : sendMessage(t, file, socket, message, a.u32(3));
      if (n >= 0 && !t.mem.writeU32(at + MMSG_LENGTH, n)) n = -EFAULT;
      if (n < 0) return i > 0 ? i : n;
    }
    return count;
  });

// ---------------------------------------------------------------- receiving

/** Ancillary data as they are stored, as far as there is room. */
class ControlWriter {
  used = 0;
  truncated = false;

  constructor(
    private readonly t: Thread,
    private readonly at: number,
    private readonly room: number,
  ) {}

  /** Bytes of data that a header still leaves. */
  get left(): number {
    return this.room - this.used - CMSG_HEADER;
  }

  put(level: number, type: number, data: Uint8Array): void {
    if (this.left <= 0) {
      this.truncated = true;
      return;
    }
    if (data.length > this.left) this.truncated = true;
    const part = data.subarray(0, this.left);
    const bytes = new Uint8Array(CMSG_HEADER + part.length);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(bytes.length), true);
    view.setInt32(8, level, true);
    view.setInt32(12, type, true);
    bytes.set(part, CMSG_HEADER);
    this.t.mem.write(this.at + this.used, bytes);
    this.used = Math.min(this.room, this.used + align(bytes.length));
  }
}

/** Stores what came with a message; descriptions that find no room, or no number, are closed. */
function storeAncillary(t: Thread, socket: number, origin: Origin, out: ControlWriter, cloexec: boolean): void {
  const { state, table, port } = t.files;
  if (optionOf(state, socket, 'PASSCRED') !== 0 && get(state, socket, SOCKET.FAMILY) === AF.UNIX)
    out.put(SOL.SOCKET, SCM.CREDENTIALS, ints(origin.pid, origin.uid, origin.gid));
  if (origin.files.length === 0) return;
  const most = Math.max(0, Math.floor(out.left / 4));
  const fds: number[] = [];
  for (const file of origin.files) {
    const fd = fds.length < most ? installFile(state, table, file, cloexec, port.fdLimit()) : -1;
    if (fd >= 0) {
      fds.push(fd);
      continue;
    }
    out.truncated = true;
    putFile(state, file);
  }
  if (fds.length > 0) out.put(SOL.SOCKET, SCM.RIGHTS, ints(...fds));
}

interface Arrived {
  /** Bytes, or -errno. */
  readonly n: number;
  readonly flags: number;
  readonly name: Uint8Array;
  readonly controlLength: number;
}

function receiveMessage(
  t: Thread,
  file: number,
  socket: number,
  io: Transfer,
  control: { readonly at: number; readonly room: number },
  flags: number,
): Arrived {
  const { state } = t.files;
  const nothing = { flags: 0, name: new Uint8Array(0), controlLength: 0 };
  if ((flags & MSG.OOB) !== 0) return { n: -EINVAL, ...nothing };
  if ((flags & MSG.ERRQUEUE) !== 0) return { n: -EAGAIN, ...nothing };
  const nonBlocking = (flags & MSG.DONTWAIT) !== 0 || isNonBlocking(state, file);
  const { n, origin, truncated } = receive(state, socket, io.buffers, flags, nonBlocking);
  if (n < 0 || origin === undefined) return { n, ...nothing };
  const out = new ControlWriter(t, control.at, control.at === 0 ? 0 : control.room);
  const cloexec = (flags & MSG.CMSG_CLOEXEC) !== 0;
  storeAncillary(t, socket, origin, out, cloexec);
  const told = (truncated ? MSG.TRUNC : 0) | (out.truncated ? MSG.CTRUNC : 0) | (flags & MSG.CMSG_CLOEXEC);
  const name = familyOf(state, socket).senderName(state, socket, origin.name);
  return { n, flags: told, name, controlLength: out.used };
}

const recvfrom: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, socket) => {
    const io = oneBuffer(t, a.ptr(1), a.ptr(2), true);
    const { n, name } = receiveMessage(t, file, socket, io, { at: 0, room: 0 }, a.u32(3));
    if (n < 0 || a.ptr(4) === 0) return n;
    const stored = storeName(t, a.ptr(4), a.ptr(5), name);
    return stored < 0 ? stored : n;
  });

function receiveInto(t: Thread, file: number, socket: number, at: number, flags: number): number {
  const m = messageAt(t, at, true);
  if (typeof m === 'number') return m;
  const got = receiveMessage(t, file, socket, m.io, { at: m.control, room: m.controlLength }, flags);
  if (got.n < 0) return got.n;
  if (m.name !== 0 && !t.mem.write(m.name, got.name.subarray(0, m.nameLength))) return -EFAULT;
  t.mem.writeU32(at + 8, m.name === 0 ? 0 : got.name.length);
  t.mem.writeU64(at + 40, BigInt(got.controlLength));
  return t.mem.writeU32(at + 48, got.flags) ? got.n : -EFAULT;
}

const recvmsg: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, socket) => receiveInto(t, file, socket, a.ptr(1), a.u32(2)));

/** The timeout is looked at after each message, as Linux does. */
function recvmmsg(t: Thread, a: SyscallArgs): SyscallResult {
  const pair = a.ptr(4) === 0 ? undefined : readTimePair(t.mem, a.ptr(4));
  if (a.ptr(4) !== 0 && pair === undefined) return -EFAULT;
  const ns = pair === undefined ? Infinity : timespecNs(pair);
  if (ns === undefined) return -EINVAL;
  const deadline = performance.now() + ns / 1e6;
  return withSocket(t, a.i32(0), (file, socket) => {
    const count = Math.min(a.u32(2), MOST_MESSAGES);
    let flags = a.u32(3) & ~MSG.WAITFORONE;
    for (let i = 0; i < count; i++) {
      const at = a.ptr(1) + i * MMSGHDR_BYTES;
      let n = receiveInto(t, file, socket, at, flags);
      if (n >= 0 && !t.mem.writeU32(at + MMSG_LENGTH, n)) n = -EFAULT;
      if (n < 0) return i > 0 ? i : n;
      if ((a.u32(3) & MSG.WAITFORONE) !== 0) flags |= MSG.DONTWAIT;
      if (performance.now() >= deadline) return i + 1;
    }
    return count;
  });
}

export const messageRows = [
  { nr: 44, name: 'sendto', args: 'd,p,lu,x,p,u', support: 'partly', note: 'no MSG_OOB', handler: sendto },
  { nr: 45, name: 'recvfrom', args: 'd,p,lu,x,p,p', support: 'partly', note: 'no MSG_OOB', handler: recvfrom },
  { nr: 46, name: 'sendmsg', args: 'd,p,x', support: 'partly', note: 'no MSG_OOB', handler: sendmsg },
  { nr: 47, name: 'recvmsg', args: 'd,p,x', support: 'partly', note: 'no MSG_OOB', handler: recvmsg },
  { nr: 299, name: 'recvmmsg', args: 'd,p,u,x,ts', support: 'partly', note: 'no MSG_OOB', handler: recvmmsg },
  { nr: 307, name: 'sendmmsg', args: 'd,p,u,x', support: 'partly', note: 'no MSG_OOB', handler: sendmmsg },
] as const satisfies readonly SyscallRow[];
