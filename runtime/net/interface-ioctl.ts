/** Requests of ioctl about interfaces (SIOCGIF...), on sockets of any family. In: struct ifreq, struct ifconf in guest memory. Out: 0 or -errno. Source: man 7 netdevice. */
import { EADDRNOTAVAIL, EFAULT, ENODEV, ENOTTY } from '../linux/errno.js';
import type { Thread } from '../linux/thread.js';
import { AF } from './constants.js';
import { isV4, writeInet } from './inet-address.js';
import { hostBits, type Interface, interfaces } from './interfaces.js';

const SIOCGIFNAME = 0x8910;
const SIOCGIFCONF = 0x8912;
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;

const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
const ip4 = (i: Interface): Interface['addresses'][number] | undefined => i.addresses.find((a) => isV4(a.ip));

/** sockaddr_in of an IPv4 address made of the interface's own. */
function address(i: Interface, of: (byte: number, host: number) => number): Uint8Array | undefined {
  const own = ip4(i);
  if (own === undefined) return undefined;
  const ip = own.ip.map((byte, at) => (at < 12 ? byte : of(byte, hostBits(own.prefix, at - 12))));
  return writeInet({ ip, port: 0, scope: 0 }, AF.INET);
}

/** What of an interface each request gives, behind its name; undefined: it has no IPv4 address. */
const REQUESTS: Readonly<Record<number, (i: Interface) => Uint8Array | undefined>> = {
  /** SIOCGIFFLAGS, ADDR, BRDADDR, NETMASK, MTU, HWADDR, INDEX. */
  0x8913: (i) => new Uint8Array(Uint16Array.of(i.flags & 0xffff).buffer),
  0x8915: (i) => address(i, (byte) => byte),
  0x8919: (i) => address(i, (byte, host) => (i.loopback ? 0 : byte | host)),
  0x891b: (i) => address(i, (_byte, host) => ~host & 0xff),
  0x8921: (i) => int(i.mtu),
  0x8927: (i) => Uint8Array.of(i.loopback ? 4 : 1, i.loopback ? 3 : 0, ...i.mac),
  0x8933: (i) => int(i.index),
};

export function interfaceIoctl(t: Thread, request: number, arg: number): number {
  const { network } = t.files.port;
  if (request === SIOCGIFCONF) return listAll(t, interfaces(network), arg);
  const row = REQUESTS[request];
  if (row === undefined && request !== SIOCGIFNAME) return -ENOTTY;
  const bytes = t.mem.read(arg, IFREQ_BYTES);
  if (bytes === undefined) return -EFAULT;
  if (row === undefined) {
    const index = new DataView(bytes.buffer, bytes.byteOffset).getInt32(NAME_BYTES, true);
    const found = interfaces(network).find((i) => i.index === index);
    return found === undefined ? -ENODEV : store(t, arg, nameBytes(found));
  }
  const end = bytes.subarray(0, NAME_BYTES).indexOf(0);
  const name = Buffer.from(bytes.subarray(0, end < 0 ? NAME_BYTES - 1 : end)).toString('latin1');
  const found = interfaces(network).find((i) => i.name === name);
  if (found === undefined) return -ENODEV;
  const value = row(found);
  return value === undefined ? -EADDRNOTAVAIL : store(t, arg + NAME_BYTES, value);
}

const store = (t: Thread, at: number, bytes: Uint8Array): number => (t.mem.write(at, bytes) ? 0 : -EFAULT);

function nameBytes(i: Interface): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(Buffer.from(i.name, 'latin1').subarray(0, NAME_BYTES - 1));
  return bytes;
}

/** struct ifconf: the bytes of room, and where; a null pointer asks for the bytes that it takes. */
function listAll(t: Thread, all: readonly Interface[], arg: number): number {
  const room = t.mem.readI32(arg);
  const at = t.mem.readU64(arg + 8);
  if (room === undefined || at === undefined) return -EFAULT;
  const entries = all.flatMap((i) => {
    const own = address(i, (byte) => byte);
    if (own === undefined) return [];
    const entry = new Uint8Array(IFREQ_BYTES);
    entry.set(nameBytes(i));
    entry.set(own, NAME_BYTES);
    return [entry];
  });
  const fitting = at === 0n ? entries : entries.slice(0, Math.max(0, Math.floor(room / IFREQ_BYTES)));
  if (at !== 0n && !t.mem.write(Number(at), Buffer.concat(fitting))) return -EFAULT;
  return t.mem.writeU32(arg, fitting.length * IFREQ_BYTES) ? 0 : -EFAULT;
}
