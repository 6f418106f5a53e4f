/** TCP_INFO. In: TCP sockets. Out: struct tcp_info with what is known; what the host's kernel alone knows is 0. Source: man 7 tcp; struct tcp_info of linux/tcp.h. */
import type { VfsState } from '../vfs/state.js';
import { SHUT } from './constants.js';
import { SOCKET } from './layout.js';
import { optionOf } from './options.js';
import { get, netLocked, STATE } from './socket-table.js';

const BYTES = 232;
const TCP = { ESTABLISHED: 1, SYN_SENT: 2, FIN_WAIT2: 5, CLOSE: 7, CLOSE_WAIT: 8, LISTEN: 10 } as const;
const AT = {
  STATE: 0,
  RTO: 8,
  SND_MSS: 16,
  UNACKED: 24,
  SACKED: 28,
  RTTVAR: 72,
  SSTHRESH: 76,
  CWND: 80,
  REORDERING: 88,
} as const;
/** What Linux begins with: in microseconds, segments. */
const FIRST_RTO = 1_000_000;
const FIRST_RTTVAR = 250_000;
const FIRST_CWND = 10;
const NO_THRESHOLD = 0x7fff_ffff;
const REORDERING = 3;

function tcpState(s: VfsState, socket: number): number {
  switch (get(s, socket, SOCKET.STATE)) {
    case STATE.LISTENING:
      return TCP.LISTEN;
    case STATE.CONNECTING:
      return TCP.SYN_SENT;
    case STATE.CONNECTED:
      return (
        [TCP.ESTABLISHED, TCP.CLOSE_WAIT, TCP.FIN_WAIT2, TCP.CLOSE][get(s, socket, SOCKET.SHUT) & SHUT.BOTH] ??
        TCP.CLOSE
      );
    default:
      return TCP.CLOSE;
  }
}

export function tcpInfo(s: VfsState, socket: number): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const v = new DataView(bytes.buffer);
  netLocked(s, () => {
    const state = tcpState(s, socket);
    v.setUint8(AT.STATE, state);
    v.setUint32(AT.CWND, FIRST_CWND, true);
    v.setUint32(AT.REORDERING, REORDERING, true);
    if (state === TCP.LISTEN) {
      v.setUint32(AT.UNACKED, get(s, socket, SOCKET.QUEUED), true);
      v.setUint32(AT.SACKED, get(s, socket, SOCKET.BACKLOG), true);
      return;
    }
    v.setUint32(AT.RTO, FIRST_RTO, true);
    v.setUint32(AT.RTTVAR, FIRST_RTTVAR, true);
    v.setUint32(AT.SSTHRESH, NO_THRESHOLD, true);
    v.setUint32(AT.SND_MSS, optionOf(s, socket, 'MAXSEG'), true);
  });
  return bytes;
}
