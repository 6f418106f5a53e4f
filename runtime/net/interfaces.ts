/** Interfaces of the host, as its Node knows them. In: nothing. Out: Interface. They are host calls: not under the sockets' mutex. Source: man 7 netdevice. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { ipOf } from './inet-address.js';

/** IFF_UP, LOOPBACK, RUNNING, BROADCAST, MULTICAST, LOWER_UP. */
const LOOPBACK_FLAGS = 0x1 | 0x8 | 0x40 | 0x1_0000;
const ETHERNET_FLAGS = 0x1 | 0x2 | 0x40 | 0x1000 | 0x1_0000;

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

/** Bits of the `at`-th byte of an address that name the host in its network. */
export const hostBits = (prefix: number, at: number): number => 0xff >> Math.min(8, Math.max(0, prefix - at * 8));
