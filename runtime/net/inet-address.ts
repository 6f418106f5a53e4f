/**
 * Internet addresses. In: sockaddr_in and sockaddr_in6 bytes, text of the host. Out: InetAddress: 16 bytes of IPv6, IPv4 addresses as mapped ones (::ffff:a.b.c.d), and the port.
 * Source: man 7 ip, ipv6; RFC 4291.
 */
import * as os from 'node:os';
import { AF } from './constants.js';

export interface InetAddress {
  readonly ip: Uint8Array;
  readonly port: number;
  /** Interface index of a link-local address. */
  readonly scope: number;
}

const IN_BYTES = 16;
const IN6_BYTES = 28;
/** sockaddr_in6 without its scope. */
const SHORTEST_IN6 = 24;
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

const v4 = (a: number, b: number, c: number, d: number): Uint8Array => Uint8Array.of(...MAPPED, a, b, c, d);
export const ANY4 = v4(0, 0, 0, 0);
export const LOOPBACK4 = v4(127, 0, 0, 1);
export const ANY6 = new Uint8Array(16);
export const LOOPBACK6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export const sameIp = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);
export const isV4 = (ip: Uint8Array): boolean => MAPPED.every((byte, i) => ip[i] === byte);
export const isAny = (ip: Uint8Array): boolean => sameIp(ip, ANY4) || sameIp(ip, ANY6);
export const isLoopback = (ip: Uint8Array): boolean => (isV4(ip) ? ip[12] === 127 : sameIp(ip, LOOPBACK6));
/** Multicast, or the IPv4 broadcast address. */
export const isGroup = (ip: Uint8Array): boolean =>
  isV4(ip) ? ((ip[12] ?? 0) & 0xf0) === 0xe0 || (ip[12] === 255 && ip[13] === 255) : ip[0] === 0xff;

/** Parses a sockaddr of the family; undefined where it is too short or of another family. */
export function readInet(address: Uint8Array, family: number): InetAddress | undefined {
  const own = (address[0] ?? 0) | ((address[1] ?? 0) << 8);
  const port = ((address[2] ?? 0) << 8) | (address[3] ?? 0);
  if (own === AF.INET && address.length >= IN_BYTES)
    return { ip: Uint8Array.of(...MAPPED, ...address.subarray(4, 8)), port, scope: 0 };
  if (family === AF.INET6 && own === AF.INET6 && address.length >= SHORTEST_IN6) {
    const scope =
      address.length >= IN6_BYTES ? new DataView(address.buffer, address.byteOffset).getUint32(24, true) : 0;
    return { ip: address.slice(8, 24), port, scope };
  }
  return undefined;
}

/** The sockaddr of an address for a socket of the family. */
export function writeInet({ ip, port, scope }: InetAddress, family: number): Uint8Array {
  const bytes = new Uint8Array(family === AF.INET ? IN_BYTES : IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  if (family === AF.INET) bytes.set(ip.subarray(12), 4);
  else {
    bytes.set(ip, 8);
    view.setUint32(24, scope, true);
  }
  return bytes;
}

/** Text for the host. */
export function ipText(ip: Uint8Array, scope = 0): string {
  if (isV4(ip)) return ip.subarray(12).join('.');
  const view = new DataView(ip.buffer, ip.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
  return groups.join(':') + (scope === 0 ? '' : `%${String(scope)}`);
}

/** Address of the host's text; any text that is none gives ::. */
export function ipOf(text: string): Uint8Array {
  const plain = text.split('%')[0] ?? '';
  const dotted = /^(.*:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  if (dotted !== null && (dotted[1] === undefined || /^::ffff:$/i.test(dotted[1])))
    return v4(Number(dotted[2]), Number(dotted[3]), Number(dotted[4]), Number(dotted[5]));
  const ip = new Uint8Array(16);
  const view = new DataView(ip.buffer);
  const [head = '', tail] = plain.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((w) => Number.parseInt(w, 16)));
  words(head).forEach((w, i) => {
    if (i < 8) view.setUint16(i * 2, w);
  });
  const last = tail === undefined ? [] : words(tail);
  last.forEach((w, i) => {
    if (8 - last.length + i < 8) view.setUint16((8 - last.length + i) * 2, w);
  });
  return ip;
}

/** Whether the address is one of this machine's. */
export function isLocal(ip: Uint8Array): boolean {
  if (isAny(ip) || isLoopback(ip)) return true;
  for (const list of Object.values(os.networkInterfaces())) {
    for (const { address } of list ?? []) if (sameIp(ipOf(address), ip)) return true;
  }
  return false;
}
