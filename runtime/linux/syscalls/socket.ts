/** Sockets: made, named, connected. In: descriptors, addresses. Out: rows. Source: man 2 socket, socketpair, bind, listen, accept, connect, getsockname, getpeername, shutdown. */
import { SHUT, SOCK, SOMAXCONN } from '../../net/constants.js';
import { shutdown as shutdownSocket, takeConnection } from '../../net/connection.js';
import { SOCKET } from '../../net/layout.js';
import { describeSocket, familyOf, openPair, openSocket } from '../../net/open-socket.js';
import { timeoutOf } from '../../net/options.js';
import { attempts } from '../../net/send.js';
import { get, netLocked, socketQueue, STATE } from '../../net/socket-table.js';
import { hasFreeFd } from '../../vfs/fd-table.js';
import { isNonBlocking } from '../../vfs/file-io.js';
import { giveBoth, giveDescriptor } from '../../vfs/new-descriptor.js';
import { putFile } from '../../vfs/open-files.js';
import { O_NONBLOCK } from '../../vfs/open-flags.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EMFILE, EOPNOTSUPP } from '../errno.js';
import type { Thread } from '../thread.js';
import { nameAt, storeName, withSocket } from './socket-args.js';
import { messageRows } from './socket-message.js';
import { optionRows } from './socket-option.js';

/** Flags in the type of socket, and of accept4. */
const FLAGS = SOCK.CLOEXEC | SOCK.NONBLOCK;

const statusOf = (flags: number): number => ((flags & SOCK.NONBLOCK) !== 0 ? O_NONBLOCK : 0);

const closesOnExec = (flags: number): boolean => (flags & SOCK.CLOEXEC) !== 0;

const socket: Handler = (t, a) => {
  const flags = a.i32(1) & ~SOCK.TYPE_MASK;
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  const file = openSocket(t.files.state, a.i32(0), a.i32(1) & SOCK.TYPE_MASK, a.i32(2), statusOf(flags));
  return file < 0 ? file : giveDescriptor(t.files, file, closesOnExec(flags));
};

const socketpair: Handler = (t, a) => {
  const flags = a.i32(1) & ~SOCK.TYPE_MASK;
  const addr = a.ptr(3);
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  if (!t.mem.canWrite(addr, 8)) return -EFAULT;
  const pair = openPair(t.files.state, a.i32(0), a.i32(1) & SOCK.TYPE_MASK, a.i32(2), statusOf(flags));
  if (typeof pair === 'number') return pair;
  const fds = giveBoth(t.files, pair, closesOnExec(flags));
  if (typeof fds === 'number') return fds;
  t.mem.writeU32(addr, fds[0]);
  t.mem.writeU32(addr + 4, fds[1]);
  return 0;
};

const bind: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, number) => {
    const name = nameAt(t, a.ptr(1), a.i32(2));
    return typeof name === 'number' ? name : familyOf(t.files.state, number).bind(t.files, number, name);
  });

const connect: Handler = (t, a) =>
  withSocket(t, a.i32(0), (file, number) => {
    const { state } = t.files;
    const name = nameAt(t, a.ptr(1), a.i32(2));
    if (typeof name === 'number') return name;
    return familyOf(state, number).connect(t.files, number, name, isNonBlocking(state, file));
  });

const listen: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, number) => {
    const backlog = Math.min(a.u32(1), SOMAXCONN);
    return familyOf(t.files.state, number).listen(t.files, number, backlog);
  });

function accept(t: Thread, a: SyscallArgs, flags: number): SyscallResult {
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  return withSocket(t, a.i32(0), (file, listener) => {
    const { state, table, port } = t.files;
    if (get(state, listener, SOCKET.TYPE) === SOCK.DGRAM) return -EOPNOTSUPP;
    if (!hasFreeFd(state, table, port.fdLimit())) return -EMFILE;
    const connection = waitForConnection(t, file, listener);
    if (connection < 0) return connection;
    const made = describeSocket(state, connection, statusOf(flags));
    if (made < 0) return made;
    if (a.ptr(1) !== 0) {
      const name = familyOf(state, connection).peerName(state, connection);
      const stored = storeName(t, a.ptr(1), a.ptr(2), typeof name === 'number' ? new Uint8Array(0) : name);
      if (stored < 0) {
        putFile(state, made);
        return stored;
      }
    }
    return giveDescriptor(t.files, made, closesOnExec(flags));
  });
}

/** The next connection of a listener: a socket, or -errno. */
function waitForConnection(t: Thread, file: number, listener: number): number {
  const { state } = t.files;
  const timeout = timeoutOf(state, listener, 'RCVTIMEO');
  const attempt = (): number | undefined =>
    netLocked(state, (after) => {
      const waiting = takeConnection(state, listener, after);
      if (waiting !== undefined) return waiting;
      if (get(state, listener, SOCKET.STATE) !== STATE.LISTENING) return -EINVAL;
      return (get(state, listener, SOCKET.SHUT) & SHUT.RECEIVE) !== 0 ? -EINVAL : undefined;
    });
  return attempts(state, [socketQueue(listener)], isNonBlocking(state, file), timeout, attempt);
}

const getsockname: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, number) =>
    storeName(t, a.ptr(1), a.ptr(2), familyOf(t.files.state, number).ownName(t.files.state, number)),
  );

const getpeername: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, number) => {
    const name = familyOf(t.files.state, number).peerName(t.files.state, number);
    return typeof name === 'number' ? name : storeName(t, a.ptr(1), a.ptr(2), name);
  });

const shutdown: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, number) => {
    const how = a.u32(1);
    if (how > 2) return -EINVAL;
    const { state } = t.files;
    return netLocked(state, (after) => shutdownSocket(state, number, how + 1, after));
  });

export const socketRows: readonly SyscallRow[] = [
  {
    nr: 41,
    name: 'socket',
    args: 'd,x,d',
    support: 'partly',
    note: 'AF_UNIX, TCP and UDP over AF_INET and AF_INET6, NETLINK_ROUTE; raw sockets EPERM, other families EAFNOSUPPORT',
    handler: socket,
  },
  { nr: 42, name: 'connect', args: 'd,p,u', support: 'yes', handler: connect },
  { nr: 43, name: 'accept', args: 'd,p,p', support: 'yes', handler: (t, a) => accept(t, a, 0) },
  { nr: 48, name: 'shutdown', args: 'd,d', support: 'yes', handler: shutdown },
  { nr: 49, name: 'bind', args: 'd,p,u', support: 'yes', handler: bind },
  { nr: 50, name: 'listen', args: 'd,d', support: 'yes', handler: listen },
  { nr: 51, name: 'getsockname', args: 'd,p,p', support: 'yes', handler: getsockname },
  { nr: 52, name: 'getpeername', args: 'd,p,p', support: 'yes', handler: getpeername },
  { nr: 53, name: 'socketpair', args: 'd,x,d,p', support: 'yes', handler: socketpair },
  { nr: 288, name: 'accept4', args: 'd,p,p,x', support: 'yes', handler: (t, a) => accept(t, a, a.i32(3)) },
  ...messageRows,
  ...optionRows,
];
