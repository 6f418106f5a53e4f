/**
 * Ports and addresses of TCP and UDP sockets: who has which, and who is reached by them within lift64. In: sockets, addresses. Out: sockets. Under the sockets' mutex.
 * Source: man 7 ip, socket (SO_REUSEADDR, SO_REUSEPORT), ipv6 (IPV6_V6ONLY).
 */
import { AREA } from '../vfs/layout.js';
import type { VfsState } from '../vfs/state.js';
import { AF, SOCK } from './constants.js';
import { ANY4, ANY6, type InetAddress, isAny, isV4, readInet, sameIp, writeInet } from './inet-address.js';
import { NET, SOCKET } from './layout.js';
import { optionOf } from './options.js';
import { FLAG, get, nameOf, setBits, setName, socketsWith, STATE } from './socket-table.js';

/** Linux's ip_local_port_range. */
const FIRST_PORT = 32_768;
const PORTS = 28_232;

const isInet = (s: VfsState, socket: number): boolean => {
  const family = get(s, socket, SOCKET.FAMILY);
  return family === AF.INET || family === AF.INET6;
};

/** The any address of the socket's family. */
export const anyOf = (s: VfsState, socket: number): Uint8Array =>
  get(s, socket, SOCKET.FAMILY) === AF.INET ? ANY4 : ANY6;

/** The socket's own address or its peer's; any address and port 0 where it has none. */
export function inetName(s: VfsState, socket: number, whose: 'own' | 'peer'): InetAddress {
  const name = readInet(nameOf(s, socket, whose), get(s, socket, SOCKET.FAMILY));
  return name ?? { ip: anyOf(s, socket), port: 0, scope: 0 };
}

export function setInetName(s: VfsState, socket: number, whose: 'own' | 'peer', name: InetAddress): void {
  setName(s, socket, whose, writeInet(name, get(s, socket, SOCKET.FAMILY)));
}

/** Whether a socket with this own address hears what is sent to `ip`. */
function hears(s: VfsState, socket: number, own: Uint8Array, ip: Uint8Array): boolean {
  if (sameIp(own, ip)) return true;
  if (!isAny(own)) return false;
  if (get(s, socket, SOCKET.FAMILY) === AF.INET) return isV4(ip);
  return sameIp(own, ANY4) ? isV4(ip) : !isV4(ip) || optionOf(s, socket, 'V6ONLY') === 0;
}

const ofType = (s: VfsState, socket: number, type: number): boolean =>
  isInet(s, socket) && get(s, socket, SOCKET.TYPE) === type;

/** The listener that takes connections to an address: of several (SO_REUSEPORT) the one with the fewest waiting; an exact address comes before any address. -1: none. */
export function findListener(s: VfsState, to: InetAddress): number {
  let best = -1;
  const listens = (socket: number): boolean =>
    ofType(s, socket, SOCK.STREAM) && get(s, socket, SOCKET.STATE) === STATE.LISTENING;
  for (const socket of socketsWith(s, listens)) {
    const own = inetName(s, socket, 'own');
    if (own.port !== to.port || !hears(s, socket, own.ip, to.ip)) continue;
    if (best < 0 || rank(s, socket, to) < rank(s, best, to)) best = socket;
  }
  return best;
}

/** Whether a guest's socket has the address that does not listen: its port of the host must not be asked. */
export function isReserved(s: VfsState, to: InetAddress): boolean {
  const bound = (socket: number): boolean =>
    ofType(s, socket, SOCK.STREAM) &&
    get(s, socket, SOCKET.HOST) !== 0 &&
    inetName(s, socket, 'own').port === to.port &&
    hears(s, socket, inetName(s, socket, 'own').ip, to.ip);
  return !socketsWith(s, bound).next().done;
}

function rank(s: VfsState, socket: number, to: InetAddress): number {
  const exact = sameIp(inetName(s, socket, 'own').ip, to.ip);
  return get(s, socket, SOCKET.QUEUED) + (exact ? 0 : 1 << 20);
}

/** The datagram socket that gets what `from` sends to an address: a connected one hears its peer alone. -1: none. */
export function findReceiver(s: VfsState, to: InetAddress, from: InetAddress): number {
  let found = -1;
  for (const socket of socketsWith(s, (other) => ofType(s, other, SOCK.DGRAM))) {
    const own = inetName(s, socket, 'own');
    if (own.port !== to.port || !hears(s, socket, own.ip, to.ip)) continue;
    if (get(s, socket, SOCKET.STATE) !== STATE.CONNECTED) {
      if (found < 0) found = socket;
      continue;
    }
    const peer = inetName(s, socket, 'peer');
    if (peer.port === from.port && sameIp(peer.ip, from.ip)) return socket;
  }
  return found;
}

/** Whether another guest's socket has the address so that `socket` can't. */
export function inUse(s: VfsState, socket: number, name: InetAddress): boolean {
  const type = get(s, socket, SOCKET.TYPE);
  const bound = (other: number): boolean =>
    other !== socket && ofType(s, other, type) && (get(s, other, SOCKET.FLAGS) & FLAG.BOUND) !== 0;
  for (const other of socketsWith(s, bound)) {
    const own = inetName(s, other, 'own');
    if (own.port !== name.port) continue;
    if (!hears(s, other, own.ip, name.ip) && !hears(s, socket, name.ip, own.ip)) continue;
    const both = (option: 'REUSEADDR' | 'REUSEPORT'): boolean =>
      optionOf(s, socket, option) !== 0 && optionOf(s, other, option) !== 0;
    if (both('REUSEPORT')) continue;
    if (both('REUSEADDR') && (type === SOCK.DGRAM || get(s, other, SOCKET.STATE) !== STATE.LISTENING)) continue;
    return true;
  }
  return false;
}

/** A port that no guest has for this socket's type; 0 when there is none. */
export function freePort(s: VfsState, socket: number, ip: Uint8Array): number {
  for (let tries = 0; tries < PORTS; tries++) {
    const n = (s.peek(AREA.NET + NET.PORT) + 1) % PORTS;
    s.set(AREA.NET + NET.PORT, n);
    if (!inUse(s, socket, { ip, port: FIRST_PORT + n, scope: 0 })) return FIRST_PORT + n;
  }
  return 0;
}

/** The socket has this address now. */
export function takeName(s: VfsState, socket: number, name: InetAddress): void {
  setInetName(s, socket, 'own', name);
  setBits(s, socket, SOCKET.FLAGS, FLAG.BOUND);
}
