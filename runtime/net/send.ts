/**
 * Sending. In: sockets, guest buffers, what goes with them. Out: bytes sent, or -errno. Source: man 2 send; man 7 unix, tcp.
 */
import { EAGAIN, ECONNREFUSED, EDESTADDRREQ, EINTR, EMSGSIZE, ENOTCONN, EPIPE, ERESTARTSYS } from '../linux/errno.js';
import { SIGPIPE } from '../linux/signals.js';
import { once, sizeOf } from '../vfs/file-io.js';
import { READABLE, WRITABLE } from '../vfs/poll-events.js';
import type { Buffers } from '../vfs/file-ops.js';
import type { VfsState } from '../vfs/state.js';
import { TIMED_OUT, waitUntil } from '../vfs/wait-queue.js';
import { MSG, SHUT } from './constants.js';
import { isUnix } from './connection.js';
import { RING_BYTES, SOCKET } from './layout.js';
import { optionOf, timeoutOf } from './options.js';
import { type Origin, putRecord, putStream, recordFits, ringCapacity, ringFill } from './ring.js';
import {
  type After,
  FLAG,
  get,
  netLocked,
  peerOf,
  set,
  setBits,
  clearBits,
  socketQueue,
  socketsWith,
  STATE,
} from './socket-table.js';

/** Datagrams that wait at a Unix socket which is not connected to their sender (net.unix.max_dgram_qlen). */
const MOST_DATAGRAMS = 512;
/** What a datagram may lack of the send buffer. */
const DATAGRAM_RESERVE = 32;
/** Longest datagram: one that fits into an empty ring, with its header. */
const LONGEST_DATAGRAM = RING_BYTES - 2048;

export interface Sending {
  readonly flags: number;
  readonly nonBlocking: boolean;
  /** The references go to the socket when something has been sent. */
  readonly origin: Origin;
  /** For datagrams: the socket that gets them, asked at each attempt under the mutex; -errno. */
  readonly to?: (() => number) | undefined;
}

/** Takes the pending error: -errno, 0 when there is none. Under the mutex. */
export function takeError(s: VfsState, socket: number): number {
  const error = get(s, socket, SOCKET.ERROR);
  if (error !== 0) set(s, socket, SOCKET.ERROR, 0);
  return -error;
}

/** What a wait of a socket gives, with a limit of time or without: `done` bytes count more than why it ended. */
export function outcome(n: number | typeof TIMED_OUT, done: number, limited: boolean): number {
  if (typeof n === 'number' && n >= 0) return n;
  if (done > 0) return done;
  if (n === TIMED_OUT) return -EAGAIN;
  return n === -ERESTARTSYS && limited ? -EINTR : n;
}

/** Runs `attempt` once, or until it gives something or the time is up: its result, the bytes `done` until then, or -errno. */
export function attempts(
  s: VfsState,
  queues: readonly number[],
  nonBlocking: boolean,
  timeoutMs: number,
  attempt: () => number | undefined,
  done = (): number => 0,
): number {
  const n = nonBlocking ? (attempt() ?? -EAGAIN) : waitUntil(s, queues, attempt, timeoutMs);
  return outcome(n, done(), timeoutMs !== Infinity);
}

export function sendStream(s: VfsState, socket: number, buffers: Buffers, o: Sending): number {
  let done = 0;
  const timeout = timeoutOf(s, socket, 'SNDTIMEO');
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const total = sizeOf(list);
      return netLocked(s, (after) => {
        const error = unsendable(s, socket, o.nonBlocking);
        if (error !== 0) return error;
        const peer = peerOf(s, socket);
        if (peer < 0) return sendToNobody(s, socket, total);
        const limit = sendLimit(s, socket, peer);
        const origin = done === 0 ? o.origin : { ...o.origin, files: [] };
        const n = putStream(s, peer, list, done, total - done, origin, limit);
        done += n;
        if (n > 0) after.wake(peer, READABLE);
        if (done === total) return done;
        return done > 0 && o.nonBlocking ? done : undefined;
      });
    });
  const n = attempts(s, [socketQueue(socket)], o.nonBlocking, timeout, attempt, () => done);
  if (n === -EPIPE && (o.flags & MSG.NOSIGNAL) === 0) s.port.raise(SIGPIPE);
  return n;
}

/** Bytes that may wait at the peer: between two ends here, the send buffer of the one and the receive buffer of the other. */
function sendLimit(s: VfsState, socket: number, peer: number): number {
  const own = optionOf(s, socket, 'SNDBUF');
  return isUnix(s, socket) ? own : own + optionOf(s, peer, 'RCVBUF');
}

/** Why nothing can be sent: -errno, undefined to wait for a connection that is being made; 0 when it can. */
function unsendable(s: VfsState, socket: number, nonBlocking: boolean): number | undefined {
  // A reset of a Unix connection is told to readers.
  const error = isUnix(s, socket) ? 0 : takeError(s, socket);
  if (error !== 0) return error;
  const state = get(s, socket, SOCKET.STATE);
  if (state === STATE.CONNECTING) return nonBlocking ? -EAGAIN : undefined;
  if ((get(s, socket, SOCKET.SHUT) & SHUT.SEND) !== 0) return -EPIPE;
  if (state !== STATE.CONNECTED) return isUnix(s, socket) ? -ENOTCONN : -EPIPE;
  return 0;
}

/** A TCP connection whose other end is gone: the first data are answered by a reset, the next ones fail. */
function sendToNobody(s: VfsState, socket: number, total: number): number {
  if (isUnix(s, socket) || (get(s, socket, SOCKET.FLAGS) & FLAG.RESET) !== 0) return -EPIPE;
  setBits(s, socket, SOCKET.FLAGS, FLAG.RESET);
  setBits(s, socket, SOCKET.SHUT, SHUT.BOTH);
  return total;
}

/** Whether a stream counts as writable for poll: a third of the buffer is free. */
export function streamWritable(s: VfsState, socket: number): boolean {
  const peer = peerOf(s, socket);
  if (peer < 0) return true;
  const limit = Math.min(sendLimit(s, socket, peer), ringCapacity(s, peer));
  return limit - ringFill(s, peer) >= limit / 3;
}

/** Whether a datagram of `size` bytes fits into the ring of `to`. */
function fits(s: VfsState, socket: number, to: number, size: number, o: Origin): boolean {
  const limit = ringFill(s, to) === 0 ? RING_BYTES : optionOf(s, socket, 'SNDBUF');
  if (!recordFits(s, to, size, o, limit)) return false;
  return peerOf(s, to) === socket || get(s, to, SOCKET.RECORDS) < MOST_DATAGRAMS;
}

/** Sends one datagram, or packet of a SEQPACKET socket, to `o.to()` or to the peer. It raises no signal. */
export function sendDatagram(s: VfsState, socket: number, buffers: Buffers, o: Sending): number {
  const timeout = timeoutOf(s, socket, 'SNDTIMEO');
  const queues = [socketQueue(socket)];
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const size = sizeOf(list);
      return netLocked(s, (after) => {
        if (size > Math.min(optionOf(s, socket, 'SNDBUF') - DATAGRAM_RESERVE, LONGEST_DATAGRAM)) return -EMSGSIZE;
        const error = takeError(s, socket);
        if (error !== 0) return error;
        const to = o.to === undefined ? connectedTo(s, socket) : o.to();
        if (to < 0) return to;
        if ((get(s, socket, SOCKET.SHUT) & SHUT.SEND) !== 0) return -EPIPE;
        if ((get(s, to, SOCKET.SHUT) & SHUT.RECEIVE) !== 0) return -EPIPE;
        if (!fits(s, socket, to, size, o.origin)) {
          setBits(s, to, SOCKET.FLAGS, FLAG.SENDERS_WAIT);
          if (!queues.includes(socketQueue(to))) queues.push(socketQueue(to));
          return undefined;
        }
        putRecord(s, to, list, 0, size, o.origin);
        after.wake(to, READABLE);
        return size;
      });
    });
  return attempts(s, queues, o.nonBlocking, timeout, attempt);
}

function connectedTo(s: VfsState, socket: number): number {
  const peer = peerOf(s, socket);
  if (peer >= 0) return peer;
  if ((get(s, socket, SOCKET.FLAGS) & FLAG.PEER_GONE) !== 0) {
    clearBits(s, socket, SOCKET.FLAGS, FLAG.PEER_GONE);
    return -ECONNREFUSED;
  }
  if (get(s, socket, SOCKET.STATE) === STATE.CONNECTED) return -EPIPE;
  return isUnix(s, socket) ? -ENOTCONN : -EDESTADDRREQ;
}

/** Something has been taken off the ring of `socket`: wakes who waits for room in it. Under the mutex. */
export function roomMade(s: VfsState, socket: number, after: After): void {
  const peer = peerOf(s, socket);
  if (peer >= 0) after.wake(peer, WRITABLE);
  if ((get(s, socket, SOCKET.FLAGS) & FLAG.SENDERS_WAIT) === 0) return;
  clearBits(s, socket, SOCKET.FLAGS, FLAG.SENDERS_WAIT);
  after.wake(socket, WRITABLE);
  for (const sender of socketsWith(s, (other) => peerOf(s, other) === socket)) after.wake(sender, WRITABLE);
}
