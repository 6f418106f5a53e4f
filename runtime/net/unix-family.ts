/**
 * Unix sockets: addresses, and who is reached by them. In: sockets, sockaddr_un. Out: their row. All of it is in the shared region but the socket file, which the main thread makes.
 * Source: man 7 unix.
 */
import * as fs from 'node:fs';
import {
  EADDRINUSE,
  ECONNREFUSED,
  EINVAL,
  EISCONN,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPROTONOSUPPORT,
  EPROTOTYPE,
  ESOCKTNOSUPPORT,
} from '../linux/errno.js';
import type { FileContext } from '../vfs/file-context.js';
import { S_IFMT, S_IFSOCK } from '../vfs/file-stat.js';
import { umaskOf } from '../vfs/fs-struct.js';
import { hostCall, hostFailure } from '../vfs/host-error.js';
import { making } from '../vfs/inotify/file-events.js';
import { hostOnly, LOOKUP, NEW_NAME, withTarget } from '../vfs/resolve.js';
import { AT_FDCWD } from '../vfs/open-flags.js';
import { bytePath } from '../vfs/byte-path.js';
import type { VfsState } from '../vfs/state.js';
import { askMain } from './ask.js';
import { AF, SOCK } from './constants.js';
import { connectUnix, hasConnections, isStream, listen, redirect } from './connection.js';
import { callerCredentials } from './origin.js';
import type { Family } from './family.js';
import { SOCKET } from './layout.js';
import { timeoutOf } from './options.js';
import { attempts, sendDatagram, sendStream } from './send.js';
import {
  FLAG,
  get,
  nameOf,
  netLocked,
  peerOf,
  setBits,
  setName,
  socketQueue,
  socketWord,
  STATE,
} from './socket-table.js';
import { findAbstract, findBoundFile, freeAbstractName, type UnixName, unixName, UNNAMED } from './unix-name.js';

/** Gives the socket an address. Under the mutex. */
function take(s: VfsState, socket: number, bytes: Uint8Array): void {
  setName(s, socket, 'own', bytes);
  setBits(s, socket, SOCKET.FLAGS, FLAG.BOUND);
}

function bind(c: FileContext, socket: number, address: Uint8Array): number {
  const s = c.state;
  const name = unixName(address);
  if (typeof name === 'number') return name;
  if (name.type === 'path') return bindPath(c, socket, name);
  return netLocked(s, () => {
    if (get(s, socket, SOCKET.NAME_LENGTH) > 0) return name.type === 'unnamed' ? 0 : -EINVAL;
    const type = get(s, socket, SOCKET.TYPE);
    const bytes = name.type === 'unnamed' ? freeAbstractName(s, type) : name.bytes;
    if (findAbstract(s, bytes, type) >= 0) return -EADDRINUSE;
    take(s, socket, bytes);
    return 0;
  });
}

function bindPath(c: FileContext, socket: number, name: UnixName & { readonly type: 'path' }): number {
  const s = c.state;
  return withTarget(c, AT_FDCWD, bytePath(name.path), NEW_NAME, (target) => {
    const host = hostOnly(target);
    if (typeof host === 'number') return host;
    if (get(s, socket, SOCKET.NAME_LENGTH) > 0) return isThere(host) ? -EADDRINUSE : -EINVAL;
    const path = host.toString();
    if (!Buffer.from(path).equals(host)) return -EINVAL;
    const mode = 0o777 & ~umaskOf(s, c.fs);
    const made = making(s, host, {}, () => askMain(s, socket, { kind: 'bind-path', socket, path, mode }));
    if (made < 0) return made;
    return hostCall(() => {
      const { dev, ino } = fs.lstatSync(host, { bigint: true });
      netLocked(s, () => {
        s.set64(socketWord(socket, SOCKET.DEV), Number(dev));
        s.set64(socketWord(socket, SOCKET.INO), Number(ino));
        take(s, socket, name.bytes);
      });
      return 0;
    });
  });
}

function isThere(host: Buffer): boolean {
  return fs.lstatSync(host, { throwIfNoEntry: false }) !== undefined;
}

/** Gives the socket that has the address, asked anew at each attempt under the mutex: -1 when none has; -errno where the address leads nowhere. */
function owner(c: FileContext, name: UnixName, type: number): (() => number) | number {
  const s = c.state;
  if (name.type === 'unnamed') return -EINVAL;
  if (name.type === 'abstract') return () => findAbstract(s, name.bytes, type);
  return withTarget(c, AT_FDCWD, bytePath(name.path), LOOKUP, (target): (() => number) | number => {
    if (target.node !== undefined) return -ECONNREFUSED;
    try {
      const { dev, ino, mode } = fs.statSync(target.host, { bigint: true });
      if ((Number(mode) & S_IFMT) !== S_IFSOCK) return -ECONNREFUSED;
      fs.accessSync(target.host, fs.constants.W_OK);
      return () => findBoundFile(s, dev, ino);
    } catch (e) {
      return hostFailure(e);
    }
  });
}

function connect(c: FileContext, socket: number, address: Uint8Array, nonBlocking: boolean): number {
  const s = c.state;
  if (!hasConnections(s, socket) && address.length >= 2 && address[0] === AF.UNSPEC && address[1] === 0) {
    return netLocked(s, () => {
      redirect(s, socket, -1);
      return 0;
    });
  }
  const name = unixName(address);
  if (typeof name === 'number') return name;
  const find = owner(c, name, get(s, socket, SOCKET.TYPE));
  if (typeof find === 'number') return find;
  return hasConnections(s, socket)
    ? connectStream(c, socket, find, nonBlocking)
    : netLocked(s, () => connectDatagrams(s, socket, find()));
}

/** -EPROTOTYPE where the other one is of another type. */
const mismatch = (s: VfsState, a: number, b: number): boolean => get(s, a, SOCKET.TYPE) !== get(s, b, SOCKET.TYPE);

function connectStream(c: FileContext, socket: number, find: () => number, nonBlocking: boolean): number {
  const s = c.state;
  const own = callerCredentials(s);
  const timeout = timeoutOf(s, socket, 'SNDTIMEO');
  const queues = [socketQueue(socket)];
  const attempt = (): number | undefined =>
    netLocked(s, (after) => {
      const listener = find();
      if (listener >= 0 && mismatch(s, socket, listener)) return -EPROTOTYPE;
      const result = connectUnix(s, socket, listener, own, after);
      if (result === undefined) queues.splice(1, 1, socketQueue(listener));
      return result;
    });
  return attempts(s, queues, nonBlocking, timeout, attempt);
}

function connectDatagrams(s: VfsState, socket: number, peer: number): number {
  if (peer < 0) return -ECONNREFUSED;
  if (mismatch(s, socket, peer)) return -EPROTOTYPE;
  if (!mayReach(s, socket, peer)) return -EPERM;
  redirect(s, socket, peer);
  setName(s, socket, 'peer', nameOf(s, peer, 'own'));
  return 0;
}

/** A datagram socket that is connected hears its peer alone. */
function mayReach(s: VfsState, from: number, to: number): boolean {
  const peer = peerOf(s, to);
  return peer < 0 || peer === from;
}

export const unixFamily: Family = {
  protocol: (type, protocol) => {
    if (protocol !== 0 && protocol !== AF.UNIX) return -EPROTONOSUPPORT;
    const known = type === SOCK.STREAM || type === SOCK.DGRAM || type === SOCK.SEQPACKET || type === SOCK.RAW;
    return known ? 0 : -ESOCKTNOSUPPORT;
  },
  bind,
  connect,
  listen: ({ state: s }, socket, backlog) => {
    const own = callerCredentials(s);
    return netLocked(s, () => listen(s, socket, backlog, own));
  },
  send: (c, socket, buffers, o, address) => {
    const s = c.state;
    if (isStream(s, socket)) {
      if (address === undefined) return sendStream(s, socket, buffers, o);
      return get(s, socket, SOCKET.STATE) === STATE.CONNECTED ? -EISCONN : -EOPNOTSUPP;
    }
    // SEQPACKET sockets send to their peer, whatever address is given.
    if (address === undefined || hasConnections(s, socket)) {
      if (hasConnections(s, socket) && get(s, socket, SOCKET.STATE) !== STATE.CONNECTED) return -ENOTCONN;
      return sendDatagram(s, socket, buffers, o);
    }
    const name = unixName(address);
    if (typeof name === 'number') return name;
    const find = owner(c, name, get(s, socket, SOCKET.TYPE));
    if (typeof find === 'number') return find;
    const to = (): number => {
      const found = find();
      if (found < 0) return -ECONNREFUSED;
      if (mismatch(s, socket, found)) return -EPROTOTYPE;
      return mayReach(s, socket, found) ? found : -EPERM;
    };
    return sendDatagram(s, socket, buffers, { ...o, to });
  },
  ownName: (s, socket) => (get(s, socket, SOCKET.NAME_LENGTH) === 0 ? UNNAMED : nameOf(s, socket, 'own')),
  peerName: (s, socket) => {
    if (get(s, socket, SOCKET.STATE) !== STATE.CONNECTED) return -ENOTCONN;
    const name = nameOf(s, socket, 'peer');
    return name.length === 0 ? UNNAMED : name;
  },
  senderName: (_s, _socket, name) => name,
};
