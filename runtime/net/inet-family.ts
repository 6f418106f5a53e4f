/** Sockets of IPv4 and IPv6: a row each. In: sockets, addresses. Out: the rows. TCP is in tcp.ts, UDP in udp.ts. Source: man 7 ip, ipv6, tcp, udp. */
import { EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from '../linux/errno.js';
import type { VfsState } from '../vfs/state.js';
import { SOCK } from './constants.js';
import { isStream } from './connection.js';
import type { Family } from './family.js';
import { SOCKET } from './layout.js';
import { inetName } from './ports.js';
import { sendStream } from './send.js';
import { get, nameOf, netLocked, set, STATE } from './socket-table.js';
import { writeInet } from './inet-address.js';
import { bindTcp, connectTcp, listenTcp } from './tcp.js';
import { bindUdp, connectUdp, proxyOf, sendUdp } from './udp.js';

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

function protocol(type: number, asked: number): number {
  if (type === SOCK.RAW) return -EPERM;
  const own = type === SOCK.STREAM ? IPPROTO_TCP : type === SOCK.DGRAM ? IPPROTO_UDP : -1;
  if (own < 0) return -ESOCKTNOSUPPORT;
  return asked === 0 || asked === own ? own : -EPROTONOSUPPORT;
}

/** Requests of what the socket has of the host: a port, or a UDP socket. */
function close(s: VfsState, socket: number): void {
  if (get(s, socket, SOCKET.HOST) === 0) return;
  s.port.requestNet({ kind: 'release', socket: isStream(s, socket) ? socket : proxyOf(s, socket) });
  netLocked(s, () => {
    set(s, socket, SOCKET.HOST, 0);
  });
}

export const inetFamily: Family = {
  protocol,
  bind: (c, socket, address) => {
    if (address.length < 2) return -EINVAL;
    return isStream(c.state, socket) ? bindTcp(c, socket, address) : bindUdp(c, socket, address);
  },
  connect: (c, socket, address, nonBlocking) => {
    if (address.length < 2) return -EINVAL;
    return isStream(c.state, socket) ? connectTcp(c, socket, address, nonBlocking) : connectUdp(c, socket, address);
  },
  listen: (c, socket, backlog) => (isStream(c.state, socket) ? listenTcp(c, socket, backlog) : -EOPNOTSUPP),
  send: (c, socket, buffers, o, address) => {
    if (!isStream(c.state, socket)) return sendUdp(c, socket, buffers, o, address);
    // A connected TCP socket takes no notice of an address.
    if (address !== undefined && get(c.state, socket, SOCKET.STATE) === STATE.LISTENING) return -EISCONN;
    return sendStream(c.state, socket, buffers, o);
  },
  ownName: (s, socket) => {
    const name = nameOf(s, socket, 'own');
    return name.length > 0 ? name : writeInet(inetName(s, socket, 'own'), get(s, socket, SOCKET.FAMILY));
  },
  peerName: (s, socket) => {
    const name = nameOf(s, socket, 'peer');
    return name.length === 0 || get(s, socket, SOCKET.STATE) !== STATE.CONNECTED ? -ENOTCONN : name;
  },
  senderName: (s, socket, name) => (isStream(s, socket) ? new Uint8Array(0) : name),
  close,
};
