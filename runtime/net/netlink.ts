/**
 * AF_NETLINK, NETLINK_ROUTE: dumps of interfaces, addresses and routes, from what the host's Node knows of its interfaces. In: requests. Out: answers in the socket's own ring.
 * Source: man 7 netlink, rtnetlink.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOTCONN } from '../linux/errno.js';
import { joined, once } from '../vfs/file-io.js';
import { READABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { AF, SOCK } from './constants.js';
import type { Family } from './family.js';
import { ipOf, isV4 } from './inet-address.js';
import { RING_BYTES, SOCKET } from './layout.js';
import { FROM_HOST } from './host-connection.js';
import { putRecord, recordFits } from './ring.js';
import { type After, get, nameOf, netLocked, setName } from './socket-table.js';

const NETLINK_ROUTE = 0;
const RTM = { NEWLINK: 16, GETLINK: 18, NEWADDR: 20, GETADDR: 22, NEWROUTE: 24, GETROUTE: 26 } as const;
const NLMSG = { ERROR: 2, DONE: 3 } as const;
const NLM_F = { MULTI: 2, ACK: 4, DUMP: 0x300 } as const;
const HEADER = 16;
const NAME_BYTES = 12;
/** Most bytes of answers in one datagram. */
const DATAGRAM = 16_384;
const align = (n: number): number => (n + 3) & ~3;

/** IFF_UP, LOOPBACK, RUNNING, BROADCAST, MULTICAST, LOWER_UP. */
const LOOPBACK_FLAGS = 0x1 | 0x8 | 0x40 | 0x1_0000;
const ETHERNET_FLAGS = 0x1 | 0x2 | 0x40 | 0x1000 | 0x1_0000;
const ARPHRD = { ETHERNET: 1, LOOPBACK: 772 } as const;

export interface Interface {
  readonly index: number;
  readonly name: string;
  readonly loopback: boolean;
  readonly flags: number;
  readonly mtu: number;
  readonly mac: Uint8Array;
  readonly addresses: readonly { readonly ip: Uint8Array; readonly prefix: number }[];
}

/** A number that a Linux host tells of an interface; undefined on others. */
function told(name: string, what: string): number | undefined {
  try {
    return Number(fs.readFileSync(`/sys/class/net/${name}/${what}`, 'latin1').trim());
  } catch {
    return undefined;
  }
}

/** Interfaces of the host with an address, the loopback alone without a network. */
export function interfaces(network: boolean): Interface[] {
  const list = Object.entries(os.networkInterfaces()).filter(([, a = []]) => network || a.some((b) => b.internal));
  let next = 2;
  return list.map(([name, addresses = []]) => {
    const loopback = addresses.some((a) => a.internal);
    return {
      index: told(name, 'ifindex') ?? (loopback ? 1 : next++),
      name,
      loopback,
      flags: (told(name, 'flags') ?? 0) | (loopback ? LOOPBACK_FLAGS : ETHERNET_FLAGS),
      mtu: told(name, 'mtu') ?? (loopback ? 65_536 : 1500),
      mac: Uint8Array.from((addresses[0]?.mac ?? '0:0:0:0:0:0').split(':').map((b) => Number.parseInt(b, 16))),
      addresses: addresses.map((a) => ({ ip: ipOf(a.address), prefix: Number(a.cidr?.split('/')[1] ?? 0) })),
    };
  });
}

/** A message: header, fixed part, attributes. */
class Message {
  private readonly parts: Uint8Array[] = [];

  constructor(fixed: Uint8Array) {
    this.parts.push(fixed);
  }

  attribute(type: number, data: Uint8Array): this {
    const bytes = new Uint8Array(align(4 + data.length));
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 4 + data.length, true);
    view.setUint16(2, type, true);
    bytes.set(data, 4);
    this.parts.push(bytes);
    return this;
  }

  bytes(type: number, flags: number, sequence: number, port: number): Uint8Array {
    const body = Buffer.concat(this.parts);
    const header = new Uint8Array(HEADER);
    const view = new DataView(header.buffer);
    view.setUint32(0, HEADER + body.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, flags, true);
    view.setUint32(8, sequence, true);
    view.setUint32(12, port, true);
    return Buffer.concat([header, body]);
  }
}

const u32 = (v: number): Uint8Array => new Uint8Array(Uint32Array.of(v).buffer);
const text = (v: string): Uint8Array => Buffer.from(`${v}\0`);

function link(i: Interface): Message {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint16(2, i.loopback ? ARPHRD.LOOPBACK : ARPHRD.ETHERNET, true);
  view.setInt32(4, i.index, true);
  view.setUint32(8, i.flags, true);
  // IFLA_IFNAME, TXQLEN, OPERSTATE (unknown, up), MTU, ADDRESS, BROADCAST.
  return new Message(fixed)
    .attribute(3, text(i.name))
    .attribute(13, u32(1000))
    .attribute(16, Uint8Array.of(i.loopback ? 0 : 6))
    .attribute(4, u32(i.mtu))
    .attribute(1, i.mac)
    .attribute(2, i.loopback ? new Uint8Array(6) : new Uint8Array(6).fill(0xff));
}

/** The bytes of an address in its family. */
const plain = (ip: Uint8Array): Uint8Array => (isV4(ip) ? ip.subarray(12) : ip);

function addresses(i: Interface, family: number): Message[] {
  return i.addresses
    .filter(({ ip }) => family === AF.UNSPEC || family === (isV4(ip) ? AF.INET : AF.INET6))
    .map(({ ip, prefix }) => {
      const v4 = isV4(ip);
      const fixed = Uint8Array.of(v4 ? AF.INET : AF.INET6, prefix, 0x80, scopeOf(ip, i.loopback), 0, 0, 0, 0);
      new DataView(fixed.buffer).setUint32(4, i.index, true);
      const message = new Message(fixed).attribute(1, plain(ip));
      if (!v4) return message;
      message.attribute(2, plain(ip));
      if (!i.loopback) message.attribute(4, broadcast(plain(ip), prefix));
      return message.attribute(3, text(i.name));
    });
}

/** RT_SCOPE_HOST, LINK or UNIVERSE. */
const scopeOf = (ip: Uint8Array, loopback: boolean): number =>
  loopback ? 254 : ip[0] === 0xfe && ((ip[1] ?? 0) & 0xc0) === 0x80 ? 253 : 0;

function broadcast(ip: Uint8Array, prefix: number): Uint8Array {
  return ip.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, prefix - i * 8))));
}

function network(ip: Uint8Array, prefix: number): Uint8Array {
  return ip.map((byte, i) => byte & ~(0xff >> Math.min(8, Math.max(0, prefix - i * 8))));
}

/** Routes to the networks of the interfaces: Node does not know of others. */
function routes(i: Interface, family: number): Message[] {
  if (i.loopback) return [];
  return i.addresses
    .filter(({ ip }) => family === AF.UNSPEC || family === (isV4(ip) ? AF.INET : AF.INET6))
    .map(({ ip, prefix }) => {
      // Table main, protocol kernel, scope link, type unicast.
      const fixed = Uint8Array.of(isV4(ip) ? AF.INET : AF.INET6, prefix, 0, 0, 254, 2, 253, 1, 0, 0, 0, 0);
      return new Message(fixed)
        .attribute(15, u32(254))
        .attribute(1, network(plain(ip), prefix))
        .attribute(7, plain(ip))
        .attribute(4, u32(i.index));
    });
}

/** Answers one request. Under the mutex. */
function answer(s: VfsState, socket: number, request: Uint8Array, after: After): void {
  const view = new DataView(request.buffer, request.byteOffset, request.length);
  const [type, flags, sequence] = [view.getUint16(4, true), view.getUint16(6, true), view.getUint32(8, true)];
  const family = request[HEADER] ?? 0;
  const port = new DataView(nameOf(s, socket, 'own').buffer).getUint32(4, true);
  const known: Readonly<Record<number, readonly [number, (i: Interface) => Message[]]>> = {
    [RTM.GETLINK]: [RTM.NEWLINK, (i) => [link(i)]],
    [RTM.GETADDR]: [RTM.NEWADDR, (i) => addresses(i, family)],
    [RTM.GETROUTE]: [RTM.NEWROUTE, (i) => routes(i, family)],
  };
  const row = known[type];
  const error = (code: number): Uint8Array =>
    new Message(Buffer.concat([new Uint8Array(Int32Array.of(-code).buffer), request.subarray(0, HEADER)])).bytes(
      NLMSG.ERROR,
      0,
      sequence,
      port,
    );
  if (row === undefined) {
    put(s, socket, [error(EOPNOTSUPP)], after);
    return;
  }
  const dump = (flags & NLM_F.DUMP) !== 0;
  const wanted = dump || type !== RTM.GETLINK ? undefined : view.getInt32(HEADER + 4, true);
  const list = interfaces(s.port.network).filter((i) => wanted === undefined || wanted === 0 || wanted === i.index);
  const messages = list.flatMap((i) => row[1](i)).map((m) => m.bytes(row[0], dump ? NLM_F.MULTI : 0, sequence, port));
  if (dump) messages.push(new Message(new Uint8Array(4)).bytes(NLMSG.DONE, NLM_F.MULTI, sequence, port));
  else if (messages.length === 0) messages.push(error(19));
  put(s, socket, messages, after);
  if (!dump && (flags & NLM_F.ACK) !== 0) put(s, socket, [error(0)], after);
}

/** Messages as datagrams of the kernel. */
function put(s: VfsState, socket: number, messages: readonly Uint8Array[], after: After): void {
  let list: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    const origin = { ...FROM_HOST, name: netlinkName(0) };
    if (size > 0 && recordFits(s, socket, size, origin, RING_BYTES)) putRecord(s, socket, list, 0, size, origin);
    [list, size] = [[], 0];
  };
  for (const m of messages) {
    if (size + m.length > DATAGRAM) flush();
    list.push(m);
    size += m.length;
  }
  flush();
  after.wake(socket, READABLE);
}

function netlinkName(port: number): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF.NETLINK, true);
  view.setUint32(4, port, true);
  return bytes;
}

/** Port ids are process ids where the guest does not choose. */
function bind(s: VfsState, socket: number, address: Uint8Array | undefined): number {
  if (address !== undefined && (address.length < NAME_BYTES || address[0] !== AF.NETLINK)) return -EINVAL;
  const asked = address === undefined ? 0 : new DataView(address.buffer, address.byteOffset).getUint32(4, true);
  return netLocked(s, () => {
    setName(s, socket, 'own', netlinkName(asked === 0 ? s.port.pid : asked));
    return 0;
  });
}

export const netlinkFamily: Family = {
  protocol: (type, protocol) => {
    if (type !== SOCK.RAW && type !== SOCK.DGRAM) return -ESOCKTNOSUPPORT;
    return protocol === NETLINK_ROUTE ? protocol : -EPROTONOSUPPORT;
  },
  bind: (c, socket, address) => bind(c.state, socket, address),
  connect: () => 0,
  listen: () => -EOPNOTSUPP,
  send: (c, socket, buffers) => {
    const s = c.state;
    if (get(s, socket, SOCKET.NAME_LENGTH) === 0) bind(s, socket, undefined);
    return once(buffers, (list) => {
      const bytes = Uint8Array.from(joined(list));
      netLocked(s, (after) => {
        const view = new DataView(bytes.buffer);
        for (let at = 0; at + HEADER <= bytes.length;) {
          const length = view.getUint32(at, true);
          if (length < HEADER || at + length > bytes.length) break;
          answer(s, socket, bytes.slice(at, at + length), after);
          at += align(length);
        }
      });
      return bytes.length;
    });
  },
  ownName: (s, socket) => {
    const name = nameOf(s, socket, 'own');
    return name.length === 0 ? netlinkName(0) : name;
  },
  peerName: () => -ENOTCONN,
  senderName: (_s, _socket, name) => name,
};
