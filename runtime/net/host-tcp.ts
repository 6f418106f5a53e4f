/**
 * TCP on the host, for the main thread: ports that guests have, connections to and from the host. In: requests. Out: results, sockets that wait for accept. Node can't bind without listening, so a
 * port that is bound is listened at, and connections are refused until a guest listens. Source: Node's net.
 */
import type { Server, Socket } from 'node:net';
import { nodeModules } from '../linux/node-modules.js';
import { hostFailure } from '../vfs/host-error.js';
import type { VfsState } from '../vfs/state.js';
import { arrive, NOBODY } from './connection.js';
import { HostConnection } from './host-connection.js';
import { type InetAddress, ipOf } from './inet-address.js';
import { SOCKET } from './layout.js';
import { setInetName, takeName } from './ports.js';
import type { NetRequest } from './requests.js';
import { get, netLocked, newProxy, peerOf, set, STATE } from './socket-table.js';

interface Port {
  readonly server: Server;
  /** Guests' sockets that have it: several share one by SO_REUSEADDR or SO_REUSEPORT. */
  readonly sockets: Set<number>;
}

const place = (host = '::', port = 0): InetAddress => ({ ip: ipOf(host), port, scope: 0 });

/** Connections that the host's kernel keeps for a server. */
const BACKLOG = 511;

export class HostTcp {
  /** By address and port, and by socket. */
  private readonly ports = new Map<string, Port>();
  private readonly portOf = new Map<number, string>();
  private readonly connections = new Map<number, HostConnection>();

  constructor(private readonly s: VfsState) {}

  /** Takes a port: it is known by its number from here on, or -errno. */
  reserve(r: NetRequest & { kind: 'reserve' }, done: (result: number) => void): void {
    const keyOf = (port: number): string => `${r.host} ${String(port)} ${String(r.v6only)}`;
    const known = r.port === 0 ? undefined : this.ports.get(keyOf(r.port));
    if (known !== undefined) {
      known.sockets.add(r.socket);
      this.portOf.set(r.socket, keyOf(r.port));
      done(r.port);
      return;
    }
    const server = nodeModules.net().createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const port: Port = { server, sockets: new Set([r.socket]) };
    server.on('connection', (socket) => {
      this.accept(port, socket);
    });
    server.once('error', (error) => {
      done(hostFailure(error));
    });
    server.listen({ host: r.host, port: r.port, ipv6Only: r.v6only, backlog: BACKLOG }, () => {
      const address = server.address();
      const number = typeof address === 'object' && address !== null ? address.port : r.port;
      this.ports.set(keyOf(number), port);
      this.portOf.set(r.socket, keyOf(number));
      done(number);
    });
  }

  release(socket: number): void {
    const key = this.portOf.get(socket);
    const port = key === undefined ? undefined : this.ports.get(key);
    this.portOf.delete(socket);
    if (key === undefined || port === undefined) return;
    port.sockets.delete(socket);
    if (port.sockets.size > 0) return;
    this.ports.delete(key);
    port.server.close();
  }

  private accept(port: Port, socket: Socket): void {
    const { s } = this;
    const proxy = netLocked(s, (after) => {
      let listener = -1;
      for (const each of port.sockets) {
        if (get(s, each, SOCKET.STATE) !== STATE.LISTENING) continue;
        if (listener < 0 || get(s, each, SOCKET.QUEUED) < get(s, listener, SOCKET.QUEUED)) listener = each;
      }
      if (listener < 0) return -1;
      const made = newProxy(s, listener);
      if (made < 0) return made;
      const guest = arrive(s, listener, made, NOBODY, after);
      if (guest < 0) {
        set(s, made, SOCKET.USED, 0);
        return guest;
      }
      setInetName(s, guest, 'own', place(socket.localAddress, socket.localPort));
      setInetName(s, guest, 'peer', place(socket.remoteAddress, socket.remotePort));
      return made;
    });
    if (proxy < 0) socket.resetAndDestroy();
    else {
      this.follow(proxy, socket);
      socket.resume();
    }
  }

  private follow(proxy: number, socket: Socket): HostConnection {
    const connection = new HostConnection(this.s, proxy, socket, () => {
      this.connections.delete(proxy);
    });
    this.connections.set(proxy, connection);
    return connection;
  }

  connect(r: NetRequest & { kind: 'connect' }): void {
    const { s } = this;
    if (r.localPort !== 0) this.release(r.socket);
    const local = {
      ...(r.localPort === 0 ? {} : { localPort: r.localPort }),
      ...(r.localHost === '' ? {} : { localAddress: r.localHost }),
    };
    const socket = nodeModules.net().connect({ host: r.host, port: r.port, allowHalfOpen: true, ...local });
    const connection = this.follow(r.proxy, socket);
    socket.on('connect', () => {
      netLocked(s, (after) => {
        set(s, r.proxy, SOCKET.STATE, STATE.CONNECTED);
        const guest = peerOf(s, r.proxy);
        if (guest < 0) return;
        set(s, guest, SOCKET.STATE, STATE.CONNECTED);
        takeName(s, guest, place(socket.localAddress, socket.localPort));
        after.wake(guest);
      });
      connection.look();
    });
  }

  /** Something has changed about a proxy; false: it is none of these. */
  look(proxy: number): boolean {
    const connection = this.connections.get(proxy);
    connection?.look();
    return connection !== undefined;
  }

  /** Ends all: what guests have sent gets `patienceMs` to leave. */
  async close(patienceMs: number): Promise<void> {
    for (const { server } of this.ports.values()) server.close();
    const deadline = performance.now() + patienceMs;
    for (const connection of this.connections.values()) connection.look();
    const busy = (): boolean => [...this.connections.values()].some((c) => c.unsent);
    while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const { socket } of this.connections.values()) socket.destroy();
  }
}
