/**
 * TCP sockets: bind, listen, connect. In: sockets, addresses. Out: 0 or -errno. Two guests are joined within lift64; the host is reached through a proxy, a socket whose ring the main
 * thread reads. Source: man 7 tcp, ip; man 2 connect.
 */
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EALREADY,
  ECONNREFUSED,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETUNREACH,
} from '../linux/errno.js';
import type { FileContext } from '../vfs/file-context.js';
import type { VfsState } from '../vfs/state.js';
import { TIMED_OUT, waitUntil } from '../vfs/wait-queue.js';
import { askMain } from './ask.js';
import { AF, SHUT } from './constants.js';
import { arrive, listen as startListening, NOBODY } from './connection.js';
import {
  type InetAddress,
  ipText,
  isAny,
  isLocal,
  isLoopback,
  isV4,
  LOOPBACK4,
  LOOPBACK6,
  readInet,
} from './inet-address.js';
import { SOCKET } from './layout.js';
import { optionOf, timeoutOf } from './options.js';
import { anyOf, findListener, freePort, inetName, inUse, isReserved, setInetName, takeName } from './ports.js';
import { outcome, takeError } from './send.js';
import {
  type After,
  clearBits,
  FLAG,
  get,
  netLocked,
  newProxy,
  set,
  setBits,
  socketQueue,
  STATE,
} from './socket-table.js';

/** Whether the address can be used by a socket of the family; -errno. */
export function usable(s: VfsState, socket: number, address: Uint8Array): InetAddress | number {
  if (address.length < 16) return -EINVAL;
  const family = get(s, socket, SOCKET.FAMILY);
  const name = readInet(address, family);
  return name ?? (family === AF.INET6 && address[0] === AF.INET6 ? -EINVAL : -EAFNOSUPPORT);
}

/** bind, for TCP and, with `reserve` of its own, for UDP. */
export function bindInet(
  c: FileContext,
  socket: number,
  name: InetAddress,
  reserve: (name: InetAddress) => number,
): number {
  const s = c.state;
  if ((get(s, socket, SOCKET.FLAGS) & FLAG.BOUND) !== 0) return -EINVAL;
  if (!isLocal(name.ip)) return -EADDRNOTAVAIL;
  let { port } = name;
  if (port !== 0 && netLocked(s, () => inUse(s, socket, name))) return -EADDRINUSE;
  if (s.port.network) {
    port = reserve(name);
    if (port < 0) return port;
  }
  return netLocked(s, () => {
    if (port === 0) port = freePort(s, socket, name.ip);
    if (port === 0) return -EADDRINUSE;
    takeName(s, socket, { ...name, port });
    return 0;
  });
}

const reserveTcp =
  (s: VfsState, socket: number) =>
  (name: InetAddress): number => {
    const v6only = optionOf(s, socket, 'V6ONLY') !== 0;
    const host = ipText(name.ip, name.scope);
    const port = askMain(s, socket, { kind: 'reserve', socket, host, port: name.port, v6only });
    if (port >= 0) set(s, socket, SOCKET.HOST, 1);
    return port;
  };

export function bindTcp(c: FileContext, socket: number, address: Uint8Array): number {
  const name = usable(c.state, socket, address);
  return typeof name === 'number' ? name : bindInet(c, socket, name, reserveTcp(c.state, socket));
}

export function listenTcp(c: FileContext, socket: number, backlog: number): number {
  const s = c.state;
  const state = get(s, socket, SOCKET.STATE);
  if (state !== STATE.NEW && state !== STATE.LISTENING) return -EINVAL;
  if ((get(s, socket, SOCKET.FLAGS) & FLAG.BOUND) === 0) {
    const any = { ip: anyOf(s, socket), port: 0, scope: 0 };
    const bound = bindInet(c, socket, any, reserveTcp(s, socket));
    if (bound < 0) return bound;
  }
  return netLocked(s, () => {
    const own = inetName(s, socket, 'own');
    const taken = state === STATE.NEW && optionOf(s, socket, 'REUSEPORT') === 0 && findListener(s, own) >= 0;
    return taken ? -EADDRINUSE : startListening(s, socket, backlog, NOBODY);
  });
}

/** Where a socket that sends to `name` reaches: an any address is this machine. */
export const destination = (name: InetAddress): InetAddress =>
  isAny(name.ip) ? { ...name, ip: isV4(name.ip) ? LOOPBACK4 : LOOPBACK6 } : name;

export function connectTcp(c: FileContext, socket: number, address: Uint8Array, nonBlocking: boolean): number {
  const s = c.state;
  const before = netLocked(s, () => earlier(s, socket));
  if (before !== undefined) return before === -EALREADY && !nonBlocking ? waitForConnect(s, socket) : before;
  const given = usable(s, socket, address);
  if (typeof given === 'number') return given;
  if (get(s, socket, SOCKET.FAMILY) === AF.INET6 && optionOf(s, socket, 'V6ONLY') !== 0 && isV4(given.ip))
    return -ENETUNREACH;
  const to = destination(given);
  const local = isLocal(to.ip);
  if (local) {
    const joined = netLocked(s, (after) => connectHere(s, socket, to, after));
    if (joined !== undefined) return finished(s, socket, joined, nonBlocking);
  }
  if (!s.port.network) {
    return isLoopback(to.ip) || local ? finished(s, socket, -ECONNREFUSED, nonBlocking) : -ENETUNREACH;
  }
  const proxy = netLocked(s, () => connectOut(s, socket, to));
  if (proxy < 0) return proxy;
  const own = inetName(s, socket, 'own');
  const bound = (get(s, socket, SOCKET.FLAGS) & FLAG.BOUND) !== 0;
  s.port.requestNet({
    kind: 'connect',
    socket,
    proxy,
    host: ipText(to.ip, to.scope),
    port: to.port,
    localPort: bound ? own.port : 0,
    localHost: bound && !isAny(own.ip) ? ipText(own.ip) : '',
  });
  return nonBlocking ? -EINPROGRESS : waitForConnect(s, socket);
}

/** What an earlier connect has come to; undefined: this is the first. */
function earlier(s: VfsState, socket: number): number | undefined {
  const attempted = (get(s, socket, SOCKET.FLAGS) & FLAG.ATTEMPTED) !== 0;
  switch (get(s, socket, SOCKET.STATE)) {
    case STATE.CONNECTED:
      clearBits(s, socket, SOCKET.FLAGS, FLAG.ATTEMPTED);
      return attempted ? 0 : -EISCONN;
    case STATE.CONNECTING:
      return -EALREADY;
    case STATE.LISTENING:
      return -EISCONN;
    default: {
      clearBits(s, socket, SOCKET.FLAGS, FLAG.ATTEMPTED);
      const error = attempted ? takeError(s, socket) : 0;
      if (error !== 0) return error;
      set(s, socket, SOCKET.SHUT, 0);
      set(s, socket, SOCKET.ERROR, 0);
      return undefined;
    }
  }
}

/** A connection is made or refused at once: a non-blocking socket learns of it as of any other. */
function finished(s: VfsState, socket: number, result: number, nonBlocking: boolean): number {
  if (!nonBlocking) return result;
  netLocked(s, (after) => {
    setBits(s, socket, SOCKET.FLAGS, FLAG.ATTEMPTED);
    if (result < 0) {
      set(s, socket, SOCKET.ERROR, -result);
      set(s, socket, SOCKET.SHUT, SHUT.BOTH);
    }
    after.wake(socket);
  });
  return -EINPROGRESS;
}

/** Joins the socket to a listener of lift64's own: 0 or -errno; undefined where there is none. */
function connectHere(s: VfsState, socket: number, to: InetAddress, after: After): number | undefined {
  const listener = findListener(s, to);
  if (listener < 0) return isReserved(s, to) ? -ECONNREFUSED : undefined;
  const own = inetName(s, socket, 'own');
  const ip = isAny(own.ip) ? to.ip : own.ip;
  const port = own.port === 0 ? freePort(s, socket, ip) : own.port;
  if (port === 0) return -EADDRNOTAVAIL;
  const made = arrive(s, listener, socket, NOBODY, after);
  if (made < 0) return made;
  const from = { ip, port, scope: 0 };
  takeName(s, socket, from);
  setInetName(s, socket, 'peer', to);
  setInetName(s, made, 'own', to);
  setInetName(s, made, 'peer', from);
  return 0;
}

/** Makes the proxy of a connection to the host: its number, or -errno. */
function connectOut(s: VfsState, socket: number, to: InetAddress): number {
  const proxy = newProxy(s, socket);
  if (proxy < 0) return proxy;
  setBits(s, socket, SOCKET.FLAGS, FLAG.ATTEMPTED);
  set(s, socket, SOCKET.PEER, proxy + 1);
  set(s, proxy, SOCKET.PEER, socket + 1);
  set(s, socket, SOCKET.STATE, STATE.CONNECTING);
  set(s, proxy, SOCKET.STATE, STATE.CONNECTING);
  setInetName(s, socket, 'peer', to);
  return proxy;
}

/** Sleeps until the main thread has connected or failed. */
function waitForConnect(s: VfsState, socket: number): number {
  const timeout = timeoutOf(s, socket, 'SNDTIMEO');
  const attempt = (): number | undefined =>
    netLocked(s, () => {
      const state = get(s, socket, SOCKET.STATE);
      if (state === STATE.CONNECTING) return undefined;
      clearBits(s, socket, SOCKET.FLAGS, FLAG.ATTEMPTED);
      if (state === STATE.CONNECTED) return 0;
      const error = takeError(s, socket);
      return error === 0 ? -ECONNREFUSED : error;
    });
  const n = waitUntil(s, [socketQueue(socket)], attempt, timeout);
  return n === TIMED_OUT ? -EINPROGRESS : outcome(n, 0, timeout !== Infinity);
}
