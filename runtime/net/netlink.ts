/**
 * AF_NETLINK, NETLINK_ROUTE: dumps of interfaces, addresses and routes, from what the host's Node knows of its interfaces. In: requests. Out: answers in the socket's own ring.
 * Source: man 7 netlink, rtnetlink.
 */
import { EINVAL, ENODEV, ENOTCONN, EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from '../linux/errno.js';
import { joined, once } from '../vfs/file-io.js';
import { READABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { AF, SOCK } from './constants.js';
import type { Family } from './family.js';
import { isV4 } from './inet-address.js';
import { hostBits, type Interface, interfaces } from './interfaces.js';
import { RING_BYTES, SOCKET } from './layout.js';
import { FROM_HOST } from './origin.js';
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

const ARPHRD = { ETHERNET: 1, LOOPBACK: 772 } as const;

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

const familyOf = (ip: Uint8Array): number => (isV4(ip) ? AF.INET : AF.INET6);

/** The interface's addresses of a family, AF_UNSPEC for all. */
const ofFamily = (i: Interface, family: number): Interface['addresses'] =>
  i.addresses.filter(({ ip }) => family === AF.UNSPEC || family === familyOf(ip));

function addresses(i: Interface, family: number): Message[] {
  return ofFamily(i, family).map(({ ip, prefix }) => {
    const fixed = Uint8Array.of(familyOf(ip), prefix, 0x80, scopeOf(ip, i.loopback), 0, 0, 0, 0);
    new DataView(fixed.buffer).setUint32(4, i.index, true);
    const message = new Message(fixed).attribute(1, plain(ip));
    if (!isV4(ip)) return message;
    message.attribute(2, plain(ip));
    if (!i.loopback) message.attribute(4, broadcast(plain(ip), prefix));
    return message.attribute(3, text(i.name));
  });
}

/** RT_SCOPE_HOST, LINK or UNIVERSE. */
const scopeOf = (ip: Uint8Array, loopback: boolean): number =>
  loopback ? 254 : ip[0] === 0xfe && ((ip[1] ?? 0) & 0xc0) === 0x80 ? 253 : 0;

const broadcast = (ip: Uint8Array, prefix: number): Uint8Array => ip.map((byte, at) => byte | hostBits(prefix, at));
const network = (ip: Uint8Array, prefix: number): Uint8Array => ip.map((byte, at) => byte & ~hostBits(prefix, at));

/** Routes to the networks of the interfaces: Node does not know of others. */
function routes(i: Interface, family: number): Message[] {
  if (i.loopback) return [];
  return ofFamily(i, family).map(({ ip, prefix }) => {
    // Table main, protocol kernel, scope link, type unicast.
    const fixed = Uint8Array.of(familyOf(ip), prefix, 0, 0, 254, 2, 253, 1, 0, 0, 0, 0);
    return new Message(fixed)
      .attribute(15, u32(254))
      .attribute(1, network(plain(ip), prefix))
      .attribute(7, plain(ip))
      .attribute(4, u32(i.index));
  });
}

/** The answers to one request: lists of messages that share datagrams. Looks at the host: not under the mutex. */
function answersTo(s: VfsState, socket: number, request: Uint8Array): (readonly Uint8Array[])[] {
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
  if (row === undefined) return [[error(EOPNOTSUPP)]];
  const dump = (flags & NLM_F.DUMP) !== 0;
  const wanted = dump || type !== RTM.GETLINK ? undefined : view.getInt32(HEADER + 4, true);
  const list = interfaces(s.port.network).filter((i) => wanted === undefined || wanted === 0 || wanted === i.index);
  const messages = list.flatMap((i) => row[1](i)).map((m) => m.bytes(row[0], dump ? NLM_F.MULTI : 0, sequence, port));
  if (dump) messages.push(new Message(new Uint8Array(4)).bytes(NLMSG.DONE, NLM_F.MULTI, sequence, port));
  else if (messages.length === 0) messages.push(error(ENODEV));
  return !dump && (flags & NLM_F.ACK) !== 0 ? [messages, [error(0)]] : [messages];
}

/** Messages as datagrams of the kernel. Under the mutex. */
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
      const view = new DataView(bytes.buffer);
      const answers: (readonly Uint8Array[])[] = [];
      for (let at = 0; at + HEADER <= bytes.length;) {
        const length = view.getUint32(at, true);
        if (length < HEADER || at + length > bytes.length) break;
        answers.push(...answersTo(s, socket, bytes.slice(at, at + length)));
        at += align(length);
      }
      netLocked(s, (after) => {
        for (const messages of answers) put(s, socket, messages, after);
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
