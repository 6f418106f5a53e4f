/**
 * Connections: pairs, listeners, accept, shutdown, close. In: sockets. Out: sockets, or -errno. What is sent on a connection goes into the ring of the socket at its other end, be that
 * a Unix or a TCP one; where the other end is on the host, it is a proxy, whose ring the main thread reads. All of it under the sockets' mutex. Source: man 2 socketpair, listen, accept, shutdown; man 7 unix, tcp.
 */
import { ECONNREFUSED, ECONNRESET, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP } from '../linux/errno.js';
import type { VfsState } from '../vfs/state.js';
import { AF, SHUT, SOCK } from './constants.js';
import { SOCKET } from './layout.js';
import { inheritOptions, lingersNot } from './options.js';
import { emptyRing } from './ring.js';
import {
  After,
  clearBits,
  FLAG,
  get,
  nameOf,
  newSocketLike,
  peerOf,
  set,
  setBits,
  setName,
  socketsWith,
  STATE,
} from './socket-table.js';

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
/** Those of ends that have none: of TCP, of the host. */
export const NOBODY: Credentials = { pid: 0, uid: 0, gid: 0 };

export const isStream = (s: VfsState, socket: number): boolean => get(s, socket, SOCKET.TYPE) === SOCK.STREAM;
export const isUnix = (s: VfsState, socket: number): boolean => get(s, socket, SOCKET.FAMILY) === AF.UNIX;
/** Stream and SEQPACKET sockets have connections. */
export const hasConnections = (s: VfsState, socket: number): boolean => {
  const type = get(s, socket, SOCKET.TYPE);
  return type === SOCK.STREAM || type === SOCK.SEQPACKET;
};

/** Stores SO_PEERCRED of the socket. */
export function setPeerCredentials(s: VfsState, socket: number, c: Credentials): void {
  set(s, socket, SOCKET.PEER_PID, c.pid);
  set(s, socket, SOCKET.PEER_UID, c.uid);
  set(s, socket, SOCKET.PEER_GID, c.gid);
}

export const peerCredentials = (s: VfsState, socket: number): Credentials => ({
  pid: get(s, socket, SOCKET.PEER_PID),
  uid: get(s, socket, SOCKET.PEER_UID),
  gid: get(s, socket, SOCKET.PEER_GID),
});

/** Connects two sockets with each other. */
export function join(s: VfsState, a: number, b: number): void {
  for (const [socket, peer] of [
    [a, b],
    [b, a],
  ] as const) {
    set(s, socket, SOCKET.PEER, peer + 1);
    set(s, socket, SOCKET.STATE, STATE.CONNECTED);
    set(s, socket, SOCKET.SHUT, 0);
    set(s, socket, SOCKET.ERROR, 0);
  }
}

/** listen: -errno, or 0. */
export function listen(s: VfsState, socket: number, backlog: number, c: Credentials): number {
  if (!hasConnections(s, socket)) return -EOPNOTSUPP;
  const state = get(s, socket, SOCKET.STATE);
  if (state !== STATE.NEW && state !== STATE.LISTENING) return -EINVAL;
  if (isUnix(s, socket) && get(s, socket, SOCKET.NAME_LENGTH) === 0) return -EINVAL;
  set(s, socket, SOCKET.STATE, STATE.LISTENING);
  set(s, socket, SOCKET.BACKLOG, backlog);
  set(s, socket, SOCKET.SHUT, 0);
  setPeerCredentials(s, socket, c);
  return 0;
}

/** Whether the listener's queue has no place for one more. */
const queueFull = (s: VfsState, listener: number): boolean =>
  get(s, listener, SOCKET.QUEUED) > get(s, listener, SOCKET.BACKLOG);

/**
 * Joins `client` to a new socket, which waits at `listener` for accept: that socket, or -ENFILE. `c`: the client's credentials.
 */
export function arrive(s: VfsState, listener: number, client: number, c: Credentials, after: After): number {
  const family = get(s, listener, SOCKET.FAMILY);
  const socket = newSocketLike(s, listener);
  if (socket < 0) return socket;
  inheritOptions(s, listener, socket);
  join(s, client, socket);
  setPeerCredentials(s, client, peerCredentials(s, listener));
  setPeerCredentials(s, socket, c);
  if (family === AF.UNIX) {
    setName(s, socket, 'own', nameOf(s, listener, 'own'));
    setName(s, client, 'peer', nameOf(s, listener, 'own'));
    setName(s, socket, 'peer', nameOf(s, client, 'own'));
  }
  const newest = get(s, listener, SOCKET.NEWEST);
  if (newest === 0) set(s, listener, SOCKET.FIRST, socket + 1);
  else set(s, newest - 1, SOCKET.NEXT, socket + 1);
  set(s, listener, SOCKET.NEWEST, socket + 1);
  set(s, listener, SOCKET.QUEUED, get(s, listener, SOCKET.QUEUED) + 1);
  after.wake(listener);
  return socket;
}

/** The first connection that waits, taken out of the queue; undefined when there is none. */
export function takeConnection(s: VfsState, listener: number, after: After): number | undefined {
  const first = get(s, listener, SOCKET.FIRST) - 1;
  if (first < 0) return undefined;
  const next = get(s, first, SOCKET.NEXT);
  const full = queueFull(s, listener);
  set(s, listener, SOCKET.FIRST, next);
  if (next === 0) set(s, listener, SOCKET.NEWEST, 0);
  set(s, listener, SOCKET.QUEUED, get(s, listener, SOCKET.QUEUED) - 1);
  set(s, first, SOCKET.NEXT, 0);
  // Clients wait at the listener for a place.
  if (full) after.wake(listener);
  return first;
}

/** shutdown of SHUT bits: -errno, or 0. */
export function shutdown(s: VfsState, socket: number, how: number, after: After): number {
  const state = get(s, socket, SOCKET.STATE);
  const unix = isUnix(s, socket);
  if (!unix && state === STATE.LISTENING) {
    if ((how & SHUT.RECEIVE) !== 0) stopListening(s, socket, after);
    return 0;
  }
  if (!unix && state !== STATE.CONNECTED) return -ENOTCONN;
  setBits(s, socket, SOCKET.SHUT, how);
  after.wake(socket);
  const peer = peerOf(s, socket);
  if (peer < 0 || !hasConnections(s, socket)) return 0;
  if ((how & SHUT.SEND) !== 0) setBits(s, peer, SOCKET.SHUT, SHUT.RECEIVE);
  if ((how & SHUT.RECEIVE) !== 0 && unix) setBits(s, peer, SOCKET.SHUT, SHUT.SEND);
  after.wake(peer);
  return 0;
}

/** A listener that is one no more: what waits for accept is reset. */
function stopListening(s: VfsState, listener: number, after: After): void {
  for (;;) {
    const waiting = takeConnection(s, listener, after);
    if (waiting === undefined) break;
    destroy(s, waiting, after, true);
  }
  set(s, listener, SOCKET.STATE, STATE.NEW);
  after.wake(listener);
}

/** The last description of the socket is gone: its other end learns of it, the record is free. `reset`: as if data were lost. */
export function destroy(s: VfsState, socket: number, after: After, reset = false): void {
  if (get(s, socket, SOCKET.STATE) === STATE.LISTENING) stopListening(s, socket, after);
  const lost = reset || get(s, socket, SOCKET.RECORDS) > 0 || (!isUnix(s, socket) && lingersNot(s, socket));
  after.files.push(...emptyRing(s, socket));
  const peer = peerOf(s, socket);
  if (peer >= 0 && hasConnections(s, socket)) leave(s, peer, lost, after);
  if (!hasConnections(s, socket) && isUnix(s, socket)) leaveDatagrams(s, socket, after);
  set(s, socket, SOCKET.USED, 0);
  after.wake(socket);
}

/** The other end of `socket` is gone. `lost`: with data that it had not read. */
function leave(s: VfsState, socket: number, lost: boolean, after: After): void {
  set(s, socket, SOCKET.PEER, 0);
  setBits(s, socket, SOCKET.SHUT, isUnix(s, socket) || lost ? SHUT.BOTH : SHUT.RECEIVE);
  if (lost) {
    set(s, socket, SOCKET.ERROR, ECONNRESET);
    setBits(s, socket, SOCKET.FLAGS, FLAG.RESET);
  }
  after.wake(socket);
}

/** Whoever sends to `gone` is refused once, and then not connected. */
function leaveDatagrams(s: VfsState, gone: number, after: After): void {
  for (const socket of socketsWith(s, (other) => get(s, other, SOCKET.PEER) === gone + 1)) {
    set(s, socket, SOCKET.PEER, 0);
    set(s, socket, SOCKET.STATE, STATE.NEW);
    setBits(s, socket, SOCKET.FLAGS, FLAG.PEER_GONE);
    after.wake(socket);
  }
}

/** A datagram socket gets another peer, or none (-1). */
export function redirect(s: VfsState, socket: number, peer: number): void {
  set(s, socket, SOCKET.PEER, peer + 1);
  set(s, socket, SOCKET.STATE, peer < 0 ? STATE.NEW : STATE.CONNECTED);
  clearBits(s, socket, SOCKET.FLAGS, FLAG.PEER_GONE);
  if (peer < 0) set(s, socket, SOCKET.PEER_NAME_LENGTH, 0);
}

/**
 * One attempt to connect a Unix socket to `listener`: 0, -errno, undefined while its queue is full. The listener is -1 where nobody has the name.
 */
export function connectUnix(
  s: VfsState,
  socket: number,
  listener: number,
  c: Credentials,
  after: After,
): number | undefined {
  if (listener < 0) return -ECONNREFUSED;
  if (get(s, socket, SOCKET.STATE) === STATE.CONNECTED) return -EISCONN;
  if (get(s, socket, SOCKET.STATE) === STATE.LISTENING) return -EINVAL;
  if (get(s, listener, SOCKET.STATE) !== STATE.LISTENING) return -ECONNREFUSED;
  if ((get(s, listener, SOCKET.SHUT) & SHUT.RECEIVE) !== 0) return -ECONNREFUSED;
  if (queueFull(s, listener)) return undefined;
  const made = arrive(s, listener, socket, c, after);
  return made < 0 ? made : 0;
}
