/** Making sockets and their descriptions. In: families, types. Out: description numbers, or -errno. Source: man 2 socket, socketpair, accept. */
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP } from '../linux/errno.js';
import { bytePath } from '../vfs/byte-path.js';
import { fileKind, fileObject, KIND, newFile, putFile } from '../vfs/open-files.js';
import { O_RDWR } from '../vfs/open-flags.js';
import type { VfsState } from '../vfs/state.js';
import { AF, SOCK } from './constants.js';
import { destroy, join, setPeerCredentials } from './connection.js';
import { FAMILIES } from './families.js';
import type { Family } from './family.js';
import { SOCKET } from './layout.js';
import { callerCredentials } from './origin.js';
import { initialOptions } from './options.js';
import { get, netLocked, newSocket } from './socket-table.js';

/** The row of a socket's family. */
export function familyOf(s: VfsState, socket: number): Family {
  const family = FAMILIES[get(s, socket, SOCKET.FAMILY)];
  if (family === undefined) throw new RangeError('socket without a family');
  return family;
}

/** A description of a socket; the socket goes with it where there is no room for one: -ENFILE. */
export function describeSocket(s: VfsState, socket: number, status: number): number {
  const path = bytePath(`socket:[${String(get(s, socket, SOCKET.INODE))}]`);
  const file = newFile(s, { kind: KIND.SOCKET, flags: O_RDWR | status, object: socket, path });
  if (file < 0)
    netLocked(s, (after) => {
      destroy(s, socket, after);
    });
  return file;
}

/** A new socket of `type`, a SOCK number without flags. */
function create(s: VfsState, family: number, type: number, protocol: number): number {
  const row = FAMILIES[family];
  if (row === undefined) return -EAFNOSUPPORT;
  if (type < 0 || type > 10) return -EINVAL;
  const chosen = row.protocol(type, protocol);
  if (chosen < 0) return chosen;
  // SOCK_RAW of Unix sockets is DGRAM.
  const kind = family === AF.UNIX && type === SOCK.RAW ? SOCK.DGRAM : type;
  return netLocked(s, () => {
    const socket = newSocket(s, family, kind, chosen);
    if (socket >= 0) initialOptions(s, socket);
    return socket;
  });
}

/** Description of a new socket; `status`: O_NONBLOCK or 0. */
export function openSocket(s: VfsState, family: number, type: number, protocol: number, status: number): number {
  const socket = create(s, family, type, protocol);
  return socket < 0 ? socket : describeSocket(s, socket, status);
}

/** Descriptions of a connected pair. */
export function openPair(
  s: VfsState,
  family: number,
  type: number,
  protocol: number,
  status: number,
): readonly [number, number] | number {
  const a = openSocket(s, family, type, protocol, status);
  if (a < 0) return a;
  const b = family === AF.UNIX ? openSocket(s, family, type, protocol, status) : -EOPNOTSUPP;
  if (b < 0) {
    putFile(s, a);
    return b;
  }
  const c = callerCredentials(s);
  netLocked(s, () => {
    const [first, second] = [socketOf(s, a), socketOf(s, b)];
    join(s, first, second);
    for (const socket of [first, second]) setPeerCredentials(s, socket, c);
  });
  return [a, b];
}

/** The socket behind a description, or -1. */
export function socketOf(s: VfsState, file: number): number {
  return fileKind(s, file) === KIND.SOCKET ? fileObject(s, file) : -1;
}
