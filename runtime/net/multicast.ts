/**
 * Multicast of IPv4 sockets: groups that a socket is in, and the interface that it sends by. They are kept with its options; a socket that is bound on the host tells its host's socket, another one does when it is bound.
 * In: option values of setsockopt. Out: 0 or -errno. Source: man 7 ip (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF); net/ipv4/igmp.c of Linux.
 */
import { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV, EPROTO } from '../linux/errno.js';
import type { VfsState } from '../vfs/state.js';
import { askMain } from './ask.js';
import { AF, SOCK } from './constants.js';
import { ANY4, ipText, isAny, isGroup, readInet, sameIp } from './inet-address.js';
import { type Interface, interfaces } from './interfaces.js';
import { SOCKET } from './layout.js';
import { optionOf } from './options.js';
import { get, netLocked, set } from './socket-table.js';

/** Names of options of the level IP. */
export const IP_MULTICAST_IF = 32;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;

/** Words behind the other options: the address of the interface, then pairs of a group (0: none) and an interface's address. */
const AT = { INTERFACE: 60, GROUPS: 61, MOST: 20 } as const;
/** struct ip_mreq and struct ip_mreqn. */
const MREQ_BYTES = 8;
export const MREQN_BYTES = 12;
const ADDRESS_BYTES = 4;

/** What a socket of the host is told. */
export interface Multicast {
  readonly ttl: number;
  readonly loop: boolean;
  /** Text of an address; empty: as the host chooses. */
  readonly by: string;
}
export interface Membership {
  readonly group: string;
  readonly on: string;
}

/** An address of 4 bytes as a word, and back. */
const wordOf = (ip: Uint8Array): number => new DataView(ip.buffer, ip.byteOffset).getInt32(12);
function ipAt(word: number): Uint8Array {
  const ip = ANY4.slice();
  new DataView(ip.buffer).setInt32(12, word);
  return ip;
}
const textOf = (word: number): string => (word === 0 ? '' : ipText(ipAt(word)));
const option = (at: number): number => SOCKET.OPTIONS + at;
const groupAt = (n: number): number => option(AT.GROUPS + 2 * n);

export const multicastOf = (s: VfsState, socket: number): Multicast => ({
  ttl: optionOf(s, socket, 'MULTICAST_TTL'),
  loop: optionOf(s, socket, 'MULTICAST_LOOP') !== 0,
  by: textOf(get(s, socket, option(AT.INTERFACE))),
});

export function membershipsOf(s: VfsState, socket: number): Membership[] {
  const places = Array.from({ length: AT.MOST }, (_, n) => groupAt(n)).filter((at) => get(s, socket, at) !== 0);
  return places.map((at) => ({ group: textOf(get(s, socket, at)), on: textOf(get(s, socket, at + 1)) }));
}

const isStream = (s: VfsState, socket: number): boolean => get(s, socket, SOCKET.TYPE) === SOCK.STREAM;

/** An interface by its number, or else by an address of it. */
function findInterface(s: VfsState, index: number, ip: Uint8Array): Interface | undefined {
  const all = interfaces(s.port.network);
  return index !== 0 ? all.find((i) => i.index === index) : all.find((i) => i.addresses.some((a) => sameIp(a.ip, ip)));
}

/** Address of the interface that Node is told. */
const addressOf = (i: Interface): Uint8Array =>
  i.addresses.find((a) => wordOf(a.ip) !== 0 && a.ip[10] === 0xff)?.ip ?? ANY4;

const inetAt = (bytes: Uint8Array, at: number): Uint8Array =>
  readInet(Uint8Array.of(AF.INET, 0, 0, 0, ...bytes.subarray(at, at + ADDRESS_BYTES), 0, 0, 0, 0, 0, 0, 0, 0), AF.INET)
    ?.ip ?? ANY4;

/** The value of IP_MULTICAST_IF. */
export function multicastInterface(s: VfsState, socket: number): Uint8Array {
  return ipAt(get(s, socket, option(AT.INTERFACE))).slice(12);
}

function setInterface(s: VfsState, socket: number, bytes: Uint8Array): number {
  if (isStream(s, socket) || bytes.length < ADDRESS_BYTES) return -EINVAL;
  const ip = inetAt(bytes, bytes.length < MREQ_BYTES ? 0 : ADDRESS_BYTES);
  const index = indexOf(bytes);
  if (index === 0 && isAny(ip)) return storeInterface(s, socket, ANY4);
  const found = findInterface(s, index, ip);
  return found === undefined ? -EADDRNOTAVAIL : storeInterface(s, socket, isAny(ip) ? addressOf(found) : ip);
}

const indexOf = (bytes: Uint8Array): number =>
  bytes.length < MREQN_BYTES ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getInt32(MREQ_BYTES, true);

function storeInterface(s: VfsState, socket: number, ip: Uint8Array): number {
  netLocked(s, () => {
    set(s, socket, option(AT.INTERFACE), wordOf(ip));
  });
  return tellMulticast(s, socket);
}

/** Tells the socket of the host, if there is one, what has been set. */
export function tellMulticast(s: VfsState, socket: number): number {
  const proxy = get(s, socket, SOCKET.HOST) - 1;
  if (isStream(s, socket) || proxy < 0) return 0;
  return askMain(s, socket, { kind: 'multicast', socket, proxy, ...multicastOf(s, socket) });
}

function changeMembership(s: VfsState, socket: number, bytes: Uint8Array, join: boolean): number {
  if (isStream(s, socket)) return -EPROTO;
  if (bytes.length < MREQ_BYTES) return -EINVAL;
  const [group, ip, index] = [inetAt(bytes, 0), inetAt(bytes, ADDRESS_BYTES), indexOf(bytes)];
  if (join && !isGroup(group)) return -EINVAL;
  const anywhere = index === 0 && isAny(ip);
  const found = anywhere ? undefined : findInterface(s, index, ip);
  if (join && !anywhere && found === undefined) return -ENODEV;
  const on = found === undefined ? ANY4 : addressOf(found);
  const done = netLocked(s, () => {
    const words = [wordOf(group), wordOf(on)] as const;
    const places = Array.from({ length: AT.MOST }, (_, n) => groupAt(n));
    const known = places.find((at) => get(s, socket, at) === words[0] && get(s, socket, at + 1) === words[1]);
    if (!join) {
      if (known === undefined || (!anywhere && found === undefined)) return -EADDRNOTAVAIL;
      set(s, socket, known, 0);
      return 0;
    }
    if (known !== undefined) return -EADDRINUSE;
    const free = places.find((at) => get(s, socket, at) === 0);
    if (free === undefined) return -ENOBUFS;
    set(s, socket, free, words[0]);
    set(s, socket, free + 1, words[1]);
    return 0;
  });
  const proxy = get(s, socket, SOCKET.HOST) - 1;
  if (done < 0 || proxy < 0) return done;
  return askMain(s, socket, { kind: 'group', socket, proxy, group: ipText(group), on: textOf(wordOf(on)), join });
}

/** setsockopt of these options; undefined: it is another one. */
export function setMulticast(s: VfsState, socket: number, name: number, bytes: Uint8Array): number | undefined {
  switch (name) {
    case IP_MULTICAST_IF:
      return setInterface(s, socket, bytes);
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
      return changeMembership(s, socket, bytes, name === IP_ADD_MEMBERSHIP);
    default:
      return undefined;
  }
}
