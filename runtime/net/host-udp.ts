/** UDP on the host, for the main thread: a socket of the host for each guest's socket that is bound. In: requests, datagrams in proxies' rings. Out: datagrams in the guests' rings. Source: Node's dgram. */
import type { Socket } from 'node:dgram';
import { ECONNREFUSED } from '../linux/errno.js';
import { nodeModules } from '../linux/node-modules.js';
import { hostCall, hostFailure } from '../vfs/host-error.js';
import { READABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { AF } from './constants.js';
import { ipOf, ipText, isV4, readInet, sameIp, writeInet } from './inet-address.js';
import { RING_BYTES, SOCKET } from './layout.js';
import type { Membership, Multicast } from './multicast.js';
import { optionOf } from './options.js';
import { FROM_HOST } from './origin.js';
import { inetName, setInetName } from './ports.js';
import type { NetRequest } from './requests.js';
import { Cursor, emptyRing, putRecord, recordFits } from './ring.js';
import { get, netLocked, set } from './socket-table.js';

/** Datagrams on their way to the host at a time. */
const MOST_UNDER_WAY = 64;

interface Bound {
  readonly guest: number;
  readonly socket: Socket;
  readonly v6: boolean;
  underWay: number;
}

export class HostUdp {
  /** By proxy. */
  private readonly bound = new Map<number, Bound>();

  constructor(private readonly s: VfsState) {}

  bind(r: NetRequest & { kind: 'udp' }, done: (result: number) => void): void {
    const v6 = get(this.s, r.socket, SOCKET.FAMILY) === AF.INET6 && !isV4(ipOf(r.host));
    const socket = nodeModules
      .dgram()
      .createSocket({ type: v6 ? 'udp6' : 'udp4', reuseAddr: r.reuse, ipv6Only: r.v6only });
    const entry: Bound = { guest: r.socket, socket, v6, underWay: 0 };
    let answered = false;
    const answer = (result: number): void => {
      if (!answered) done(result);
      answered = true;
    };
    socket.on('error', (error) => {
      if (!answered) socket.close();
      answer(hostFailure(error));
    });
    socket.on('message', (data, from) => {
      this.receive(entry, data, from.address, from.port);
    });
    socket.bind({ address: r.host, port: r.port, exclusive: true }, () => {
      this.bound.set(r.proxy, entry);
      if (r.broadcast) hostCall(() => (socket.setBroadcast(true), 0));
      if (!v6) {
        this.multicast({ ...r.multicast, proxy: r.proxy });
        for (const g of r.groups) this.group({ ...g, proxy: r.proxy, join: true });
      }
      answer(socket.address().port);
    });
  }

  private receive(entry: Bound, data: Buffer, host: string, port: number): void {
    const { s } = this;
    const { guest } = entry;
    netLocked(s, (after) => {
      if (get(s, guest, SOCKET.USED) === 0) return;
      const ip = ipOf(host);
      const name = writeInet({ ip, port, scope: 0 }, get(s, guest, SOCKET.FAMILY));
      const origin = { ...FROM_HOST, name };
      const peer = inetName(s, guest, 'peer');
      if (peer.port !== 0 && (peer.port !== port || !sameIp(peer.ip, ip))) return;
      if (!recordFits(s, guest, data.length, origin, Math.min(RING_BYTES, optionOf(s, guest, 'RCVBUF')))) return;
      putRecord(s, guest, [data], 0, data.length, origin);
      after.wake(guest, READABLE);
    });
  }

  /** Sends what is in the proxy's ring; false: the proxy is none of these. */
  look(proxy: number): boolean {
    const entry = this.bound.get(proxy);
    if (entry === undefined) return false;
    while (entry.underWay < MOST_UNDER_WAY) {
      const next = netLocked(this.s, (after) => {
        const cursor = new Cursor(this.s, proxy);
        if (!cursor.open() || cursor.origin === undefined) return undefined;
        const to = readInet(cursor.origin.name, AF.INET6);
        const data = new Uint8Array(cursor.left);
        cursor.copy([data], 0, data.length);
        cursor.store();
        after.wake(entry.guest);
        return { to, data };
      });
      if (next?.to === undefined) break;
      entry.underWay++;
      const text = ipText(next.to.ip, next.to.scope);
      entry.socket.send(next.data, next.to.port, entry.v6 && isV4(next.to.ip) ? `::ffff:${text}` : text, (error) => {
        entry.underWay--;
        if (error !== null) this.failed(entry.guest, -hostFailure(error));
        this.look(proxy);
      });
    }
    return true;
  }

  /** What a send has met is told by the next call, as errors of ICMP are. */
  private failed(guest: number, error: number): void {
    netLocked(this.s, (after) => {
      set(this.s, guest, SOCKET.ERROR, error === 0 ? ECONNREFUSED : error);
      after.wake(guest);
    });
  }

  /** Finds the address that the host would send from: 0 or -errno. */
  route(r: NetRequest & { kind: 'route' }, done: (result: number) => void): void {
    const socket = nodeModules.dgram().createSocket(isV4(ipOf(r.host)) ? 'udp4' : 'udp6');
    const finish = (result: number): void => {
      socket.close();
      done(result);
    };
    socket.once('error', (error) => {
      finish(hostFailure(error));
    });
    socket.once('connect', () => {
      const { address } = socket.address();
      netLocked(this.s, () => {
        const own = inetName(this.s, r.socket, 'own');
        setInetName(this.s, r.socket, 'own', { ...own, ip: ipOf(address) });
      });
      finish(0);
    });
    socket.connect(r.port, r.host);
  }

  multicast(r: Multicast & { readonly proxy: number }): number {
    const entry = this.bound.get(r.proxy);
    if (entry === undefined || entry.v6) return 0;
    return hostCall(() => {
      entry.socket.setMulticastTTL(r.ttl);
      entry.socket.setMulticastLoopback(r.loop);
      if (r.by !== '') entry.socket.setMulticastInterface(r.by);
      return 0;
    });
  }

  group(r: Membership & { readonly proxy: number; readonly join: boolean }): number {
    const entry = this.bound.get(r.proxy);
    if (entry === undefined) return 0;
    return hostCall(() => {
      const on = r.on === '' ? undefined : r.on;
      if (r.join) entry.socket.addMembership(r.group, on);
      else entry.socket.dropMembership(r.group, on);
      return 0;
    });
  }

  /** The guest's socket is gone: once all is sent, so is the host's. */
  release(proxy: number): void {
    const entry = this.bound.get(proxy);
    if (entry === undefined) return;
    this.look(proxy);
    if (entry.underWay > 0) {
      setImmediate(() => {
        this.release(proxy);
      });
      return;
    }
    this.bound.delete(proxy);
    entry.socket.close();
    netLocked(this.s, () => {
      emptyRing(this.s, proxy);
      set(this.s, proxy, SOCKET.USED, 0);
    });
  }

  close(): void {
    for (const { socket } of this.bound.values()) socket.close();
    this.bound.clear();
  }
}
