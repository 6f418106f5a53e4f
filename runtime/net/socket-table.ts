/**
 * The table of sockets in the shared region: records, their mutex, their queues. In: socket numbers. Out: fields. What follows from a change (wakes, descriptions
 * to put, requests to the main thread) is done once the mutex is free. Source: man 7 socket.
 */
import { ENFILE } from '../linux/errno.js';
import { ANY_EVENT } from '../vfs/epoll-watches.js';
import { AREA, QUEUE } from '../vfs/layout.js';
import { lock, unlock } from '../vfs/lock.js';
import { putFile } from '../vfs/open-files.js';
import type { VfsState } from '../vfs/state.js';
import { resetQueue, wakeAll } from '../vfs/wait-queue.js';
import { MAX_SOCKETS, NET, SOCKET } from './layout.js';

export const STATE = {
  /** Not connected. */
  NEW: 0,
  LISTENING: 1,
  CONNECTING: 2,
  CONNECTED: 3,
} as const;

/** FLAG bits. */
export const FLAG = {
  /** Somebody has seen that the ring is full, who is not its peer (Unix datagrams). */
  SENDERS_WAIT: 1,
  /** The one that it was connected to is gone: the next datagram is refused. */
  PEER_GONE: 2,
  /** The host's side of a connection: the main thread reads its ring. */
  PROXY: 4,
  /** Something has been sent to a TCP peer that was gone. */
  RESET: 8,
  /** Has an address of its own. */
  BOUND: 16,
  /** bind has named an address: connections do not change it. */
  BOUND_ADDRESS: 32,
  /** A connection attempt has ended: connect reports it once (0 or ERROR). */
  ATTEMPTED: 64,
} as const;

/** What is to be done once the mutex is free. */
export class After {
  private readonly sockets: number[] = [];
  /** Of each socket: the events that may have come about. */
  private readonly events: number[] = [];
  /** Descriptions whose reference goes. */
  readonly files: number[] = [];

  /** Wakes who waits at the socket for one of the events; a proxy is the main thread's. */
  wake(socket: number, events = ANY_EVENT): void {
    const known = this.sockets.indexOf(socket);
    if (known < 0) {
      this.sockets.push(socket);
      this.events.push(events);
    } else this.events[known] = (this.events[known] ?? 0) | events;
  }

  run(s: VfsState): void {
    for (const [i, socket] of this.sockets.entries()) {
      if ((get(s, socket, SOCKET.FLAGS) & FLAG.PROXY) !== 0) s.port.requestNet({ kind: 'look', socket });
      wakeAll(s, socketQueue(socket), this.events[i]);
    }
    for (const file of this.files) putFile(s, file);
  }
}

/** Runs `fn` with the mutex of all sockets held, then what it has left to be done. `fn` makes no host call and takes no lock. */
export function netLocked<T>(s: VfsState, fn: (after: After) => T): T {
  const after = new After();
  lock(s.words, AREA.NET + NET.LOCK, s.port.slot);
  try {
    return fn(after);
  } finally {
    unlock(s.words, AREA.NET + NET.LOCK);
    after.run(s);
  }
}

/** First word of a field. */
export const socketWord = (socket: number, field: number): number => AREA.SOCKETS + socket * SOCKET.SIZE + field;
export const socketQueue = (socket: number): number => AREA.SOCKET_QUEUES + socket * QUEUE.SIZE;

/** A field of the record: a plain load, for who holds the mutex; others see a value of late. */
export const get = (s: VfsState, socket: number, field: number): number => s.peek(socketWord(socket, field));
export const set = (s: VfsState, socket: number, field: number, value: number): void => {
  s.set(socketWord(socket, field), value);
};
export const setBits = (s: VfsState, socket: number, field: number, bits: number): void => {
  set(s, socket, field, get(s, socket, field) | bits);
};
export const clearBits = (s: VfsState, socket: number, field: number, bits: number): void => {
  set(s, socket, field, get(s, socket, field) & ~bits);
};

/** The socket that `socket` sends to; -1 when there is none. */
export const peerOf = (s: VfsState, socket: number): number => get(s, socket, SOCKET.PEER) - 1;

/** A new record; -ENFILE when there are MAX_SOCKETS. Under the mutex. */
export function newSocket(s: VfsState, family: number, type: number, protocol: number): number {
  const hint = s.peek(AREA.NET + NET.HINT);
  const socket = s.findFree(AREA.SOCKETS, MAX_SOCKETS, SOCKET.SIZE, SOCKET.USED, hint);
  if (socket < 0) return -ENFILE;
  s.set(AREA.NET + NET.HINT, (socket + 1) % MAX_SOCKETS);
  if (socket >= s.peek(AREA.NET + NET.HIGH)) s.set(AREA.NET + NET.HIGH, socket + 1);
  const w = socketWord(socket, 0);
  s.words.fill(0, w, w + SOCKET.SIZE);
  resetQueue(s, socketQueue(socket));
  set(s, socket, SOCKET.FAMILY, family);
  set(s, socket, SOCKET.TYPE, type);
  set(s, socket, SOCKET.PROTOCOL, protocol);
  set(s, socket, SOCKET.INODE, s.nextInode());
  set(s, socket, SOCKET.USED, 1);
  return socket;
}

/** A new record for a socket of the same family, type and protocol; -ENFILE. Under the mutex. */
export const newSocketLike = (s: VfsState, socket: number): number =>
  newSocket(s, get(s, socket, SOCKET.FAMILY), get(s, socket, SOCKET.TYPE), get(s, socket, SOCKET.PROTOCOL));

/** A new record for the host's end of what `socket` sends; -ENFILE. Under the mutex. */
export function newProxy(s: VfsState, socket: number): number {
  const proxy = newSocketLike(s, socket);
  if (proxy >= 0) setBits(s, proxy, SOCKET.FLAGS, FLAG.PROXY);
  return proxy;
}

/** Sockets in use for which `test` holds. Under the mutex. */
export function* socketsWith(s: VfsState, test: (socket: number) => boolean): Generator<number> {
  const high = s.peek(AREA.NET + NET.HIGH);
  for (let socket = 0; socket < high; socket++) {
    if (get(s, socket, SOCKET.USED) !== 0 && test(socket)) yield socket;
  }
}

const nameWords = {
  own: [SOCKET.NAME_LENGTH, SOCKET.NAME],
  peer: [SOCKET.PEER_NAME_LENGTH, SOCKET.PEER_NAME],
} as const;

/** A copy of the socket's own address or its peer's, as in sockaddr; empty when it has none. */
export function nameOf(s: VfsState, socket: number, whose: 'own' | 'peer'): Uint8Array {
  const [length, words] = nameWords[whose];
  const start = socketWord(socket, words) * 4;
  return s.bytes.slice(start, start + get(s, socket, length));
}

export function setName(s: VfsState, socket: number, whose: 'own' | 'peer', name: Uint8Array): void {
  const [length, words] = nameWords[whose];
  s.bytes.set(name, socketWord(socket, words) * 4);
  set(s, socket, length, name.length);
}
