/**
 * UDP sockets: bind, connect, send. In: sockets, addresses. Out: 0, bytes, or -errno. A datagram for a socket of lift64 is put into its ring; all else goes through the socket's proxy to the host.
 * Source: man 7 udp, ip.
 */
import { EACCES, EAFNOSUPPORT, ECONNREFUSED, EDESTADDRREQ, EMSGSIZE, ENETUNREACH, EPIPE } from '../linux/errno.js';
import type { FileContext } from '../vfs/file-context.js';
import { once, sizeOf } from '../vfs/file-io.js';
import type { Buffers } from '../vfs/file-ops.js';
import { READABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { askMain } from './ask.js';
import { redirect } from './connection.js';
import { AF, SHUT } from './constants.js';
import { type InetAddress, ipText, isAny, isGroup, isLocal, isV4, LOOPBACK4, writeInet } from './inet-address.js';
import { RING_BYTES, SOCKET } from './layout.js';
import { membershipsOf, multicastOf } from './multicast.js';
import { optionOf } from './options.js';
import { anyOf, findReceiver, inetName, setInetName } from './ports.js';
import { putRecord, recordFits } from './ring.js';
import { attempts, type Sending, takeError } from './send.js';
import { type After, FLAG, get, netLocked, newProxy, set, setBits, socketQueue, STATE } from './socket-table.js';
import { bindInet, destination, usable } from './tcp.js';

/** Longest datagram: 65,535 bytes less the headers of IP and UDP. */
const LONGEST = 65_507;

/** The proxy of a socket that is bound on the host, or -1. */
export const proxyOf = (s: VfsState, socket: number): number => get(s, socket, SOCKET.HOST) - 1;

const reserveUdp =
  (s: VfsState, socket: number) =>
  (name: InetAddress): number => {
    const proxy = netLocked(s, () => newProxy(s, socket));
    if (proxy < 0) return proxy;
    const port = askMain(s, socket, {
      kind: 'udp',
      socket,
      proxy,
      host: ipText(name.ip, name.scope),
      port: name.port,
      v6only: optionOf(s, socket, 'V6ONLY') !== 0,
      reuse: optionOf(s, socket, 'REUSEADDR') !== 0 || optionOf(s, socket, 'REUSEPORT') !== 0,
      broadcast: optionOf(s, socket, 'BROADCAST') !== 0,
      multicast: multicastOf(s, socket),
      groups: membershipsOf(s, socket),
    });
    netLocked(s, () => {
      if (port < 0) set(s, proxy, SOCKET.USED, 0);
      else set(s, socket, SOCKET.HOST, proxy + 1);
    });
    return port;
  };

export function bindUdp(c: FileContext, socket: number, address: Uint8Array): number {
  const name = usable(c.state, socket, address);
  if (typeof name === 'number') return name;
  const s = c.state;
  const result = bindInet(
    c,
    socket,
    isGroup(name.ip) ? { ...name, ip: anyOf(s, socket) } : name,
    reserveUdp(s, socket),
  );
  if (result === 0 && !isAny(name.ip)) {
    netLocked(s, () => {
      setBits(s, socket, SOCKET.FLAGS, FLAG.BOUND_ADDRESS);
    });
  }
  return result;
}

/** Binds to any port, unless the socket is bound. */
export function autobind(c: FileContext, socket: number): number {
  const s = c.state;
  if ((get(s, socket, SOCKET.FLAGS) & FLAG.BOUND) !== 0) return 0;
  const any = { ip: anyOf(s, socket), port: 0, scope: 0 };
  return bindInet(c, socket, any, reserveUdp(s, socket));
}

/** Where a datagram goes, by an address that the guest has given. */
function target(c: FileContext, socket: number, address: Uint8Array): InetAddress | number {
  const given = usable(c.state, socket, address);
  return typeof given === 'number' ? given : destination(given);
}

/** Whether bind has given the socket an address of its own. */
const named = (s: VfsState, socket: number): boolean => (get(s, socket, SOCKET.FLAGS) & FLAG.BOUND_ADDRESS) !== 0;

export function connectUdp(c: FileContext, socket: number, address: Uint8Array): number {
  const s = c.state;
  if (address[0] === AF.UNSPEC && address[1] === 0) {
    netLocked(s, () => {
      redirect(s, socket, -1);
      if (named(s, socket)) return;
      setInetName(s, socket, 'own', { ...inetName(s, socket, 'own'), ip: anyOf(s, socket) });
    });
    return 0;
  }
  const to = target(c, socket, address);
  if (typeof to === 'number') return to;
  const local = isLocal(to.ip);
  if (!local && !s.port.network) return -ENETUNREACH;
  const bound = autobind(c, socket);
  if (bound < 0) return bound;
  const own = inetName(s, socket, 'own');
  if (!named(s, socket)) {
    if (local) setInetName(s, socket, 'own', { ...own, ip: isV4(to.ip) && to.ip[12] === 127 ? LOOPBACK4 : to.ip });
    else {
      const found = askMain(s, socket, {
        kind: 'route',
        socket,
        host: ipText(to.ip, to.scope),
        port: to.port === 0 ? 9 : to.port,
      });
      if (found < 0) return found;
    }
  }
  netLocked(s, () => {
    setInetName(s, socket, 'peer', to);
    set(s, socket, SOCKET.STATE, STATE.CONNECTED);
  });
  return 0;
}

export function sendUdp(c: FileContext, socket: number, buffers: Buffers, o: Sending, address?: Uint8Array): number {
  const s = c.state;
  const bound = autobind(c, socket);
  if (bound < 0) return bound;
  const connected = get(s, socket, SOCKET.STATE) === STATE.CONNECTED;
  if (address === undefined && !connected) return -EDESTADDRREQ;
  const to = address === undefined ? inetName(s, socket, 'peer') : target(c, socket, address);
  if (typeof to === 'number') return to;
  if (get(s, socket, SOCKET.FAMILY) === AF.INET && !isV4(to.ip)) return -EAFNOSUPPORT;
  if (isV4(to.ip) && to.ip[12] === 255 && to.ip[13] === 255 && optionOf(s, socket, 'BROADCAST') === 0) return -EACCES;
  const local = isLocal(to.ip);
  if (!local && !s.port.network) return -ENETUNREACH;
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const size = sizeOf(list);
      if (size > LONGEST) return -EMSGSIZE;
      return netLocked(s, (after) => {
        const error = takeError(s, socket);
        if (error !== 0) return error;
        if ((get(s, socket, SOCKET.SHUT) & SHUT.SEND) !== 0) return -EPIPE;
        if (local) {
          const reached = deliver(s, socket, to, list, size, o, after);
          if (reached) return size;
        }
        const proxy = proxyOf(s, socket);
        if (proxy < 0) {
          // Nobody is there, and nobody outside is asked.
          if (connected) set(s, socket, SOCKET.ERROR, ECONNREFUSED);
          return size;
        }
        const origin = { ...o.origin, files: [], name: writeInet(to, AF.INET6) };
        if (!recordFits(s, proxy, size, origin, optionOf(s, socket, 'SNDBUF'))) return undefined;
        putRecord(s, proxy, list, 0, size, origin);
        after.wake(proxy);
        return size;
      });
    });
  return attempts(s, [socketQueue(socket)], o.nonBlocking, Infinity, attempt);
}

/** Puts a datagram into the ring of the guest's socket that it is for; false: no guest has the port. One for which there is no room is lost, as datagrams may be. */
function deliver(
  s: VfsState,
  socket: number,
  to: InetAddress,
  list: readonly Uint8Array[],
  size: number,
  o: Sending,
  after: After,
): boolean {
  const own = inetName(s, socket, 'own');
  const from = isAny(own.ip) ? { ...own, ip: to.ip } : own;
  const receiver = findReceiver(s, to, from);
  if (receiver < 0) return false;
  const origin = { ...o.origin, files: [], name: writeInet(from, get(s, receiver, SOCKET.FAMILY)) };
  if (!recordFits(s, receiver, size, origin, Math.min(RING_BYTES, optionOf(s, receiver, 'RCVBUF')))) return true;
  putRecord(s, receiver, list, 0, size, origin);
  after.wake(receiver, READABLE);
  return true;
}
