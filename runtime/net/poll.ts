/** Readiness of sockets. In: sockets. Out: events of poll. Needs no lock for most: who changes something wakes after it. Source: man 2 poll; man 7 unix, tcp; the kernel's unix_poll and tcp_poll. */
import { POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { SHUT } from './constants.js';
import { hasConnections, isStream, isUnix } from './connection.js';
import { SOCKET } from './layout.js';
import { optionOf } from './options.js';
import { Cursor, ringCapacity, ringFill } from './ring.js';
import { streamWritable } from './send.js';
import { FLAG, get, netLocked, peerOf, setBits, socketWord, STATE } from './socket-table.js';

export function socketReadiness(s: VfsState, socket: number): number {
  const state = atomic(s, socket, SOCKET.STATE);
  const shut = atomic(s, socket, SOCKET.SHUT);
  const error = atomic(s, socket, SOCKET.ERROR);
  // A stream's end is written in several steps under the mutex: who sees one of them looks again, for all of them.
  return (shut !== 0 || error !== 0) && isStream(s, socket)
    ? netLocked(s, () =>
        eventsOf(s, socket, get(s, socket, SOCKET.STATE), get(s, socket, SOCKET.SHUT), get(s, socket, SOCKET.ERROR)),
      )
    : eventsOf(s, socket, state, shut, error);
}

const atomic = (s: VfsState, socket: number, field: number): number => s.get(socketWord(socket, field));

function eventsOf(s: VfsState, socket: number, state: number, shut: number, error: number): number {
  if (state === STATE.LISTENING) return atomic(s, socket, SOCKET.QUEUED) > 0 ? READABLE : 0;
  let events = error !== 0 ? POLLERR : 0;
  if ((shut & SHUT.RECEIVE) !== 0) events |= READABLE | POLLRDHUP;
  if (shut === SHUT.BOTH) events |= POLLHUP;
  if (state === STATE.CONNECTING) return events;
  if (atomic(s, socket, SOCKET.RECORDS) > 0 && enough(s, socket)) events |= READABLE;
  if (hasConnections(s, socket) && state === STATE.NEW) events |= POLLHUP;
  return writable(s, socket, shut) ? events | WRITABLE : events;
}

/** SO_RCVLOWAT, of streams. */
const enough = (s: VfsState, socket: number): boolean =>
  !isStream(s, socket) || get(s, socket, SOCKET.DATA) >= optionOf(s, socket, 'RCVLOWAT');

function writable(s: VfsState, socket: number, shut: number): boolean {
  if ((shut & SHUT.SEND) !== 0 && !isUnix(s, socket)) return true;
  if (isStream(s, socket)) return streamWritable(s, socket);
  const peer = peerOf(s, socket);
  if (peer < 0) return true;
  const hasRoom = (): boolean =>
    ringFill(s, peer) <= (Math.min(ringCapacity(s, peer), optionOf(s, socket, 'SNDBUF')) * 2) / 3;
  const room = hasRoom();
  if (room || peerOf(s, peer) === socket) return room;
  // The peer does not know who waits: it is told to wake those that send to it.
  return netLocked(s, () => {
    setBits(s, peer, SOCKET.FLAGS, FLAG.SENDERS_WAIT);
    return hasRoom();
  });
}

/** FIONREAD: all that a connection has got, the first datagram. */
export function socketReadable(s: VfsState, socket: number): number {
  if (hasConnections(s, socket)) return get(s, socket, SOCKET.DATA);
  return netLocked(s, () => {
    const cursor = new Cursor(s, socket);
    return cursor.open() ? cursor.left : 0;
  });
}
