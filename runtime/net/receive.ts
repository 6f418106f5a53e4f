/**
 * Receiving. In: sockets, guest buffers. Out: bytes, and what came with them; -errno. Source: man 2 recv; man 7 unix, tcp.
 */
import { EINVAL, ENOTCONN } from '../linux/errno.js';
import { once, sizeOf } from '../vfs/file-io.js';
import type { Buffers } from '../vfs/file-ops.js';
import { refFile } from '../vfs/open-files.js';
import type { VfsState } from '../vfs/state.js';
import { MSG, SHUT } from './constants.js';
import { hasConnections, isStream, isUnix } from './connection.js';
import { SOCKET } from './layout.js';
import { optionOf, timeoutOf } from './options.js';
import { Cursor, type Origin } from './ring.js';
import { attempts, roomMade, takeError } from './send.js';
import { get, netLocked, socketQueue, STATE } from './socket-table.js';

export interface Received {
  /** Bytes, those of a datagram that did not fit included under MSG_TRUNC; -errno. */
  readonly n: number;
  /** The sender, where there is one; references of its files are the caller's. */
  readonly origin: Origin | undefined;
  /** The datagram was longer than the buffers. */
  readonly truncated: boolean;
}

/** Receives from a socket of any type. */
export function receive(s: VfsState, socket: number, buffers: Buffers, flags: number, nonBlocking: boolean): Received {
  return isStream(s, socket)
    ? receiveStream(s, socket, buffers, flags, nonBlocking)
    : receiveDatagram(s, socket, buffers, flags, nonBlocking);
}

/** Why nothing will come: -errno, 0 at the end of the stream; undefined: wait. */
function nothingThere(s: VfsState, socket: number): number | undefined {
  const error = takeError(s, socket);
  if (error !== 0) return error;
  if ((get(s, socket, SOCKET.SHUT) & SHUT.RECEIVE) !== 0) return 0;
  const state = get(s, socket, SOCKET.STATE);
  if (!hasConnections(s, socket) || state === STATE.CONNECTED || state === STATE.CONNECTING) return undefined;
  return isUnix(s, socket) && isStream(s, socket) ? -EINVAL : -ENOTCONN;
}

function receiveStream(s: VfsState, socket: number, buffers: Buffers, flags: number, nonBlocking: boolean): Received {
  const timeout = timeoutOf(s, socket, 'RCVTIMEO');
  const peek = (flags & MSG.PEEK) !== 0;
  let done = 0;
  let origin: Origin | undefined;
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const total = sizeOf(list);
      if (total === 0 && !isUnix(s, socket)) return 0;
      const least = (flags & MSG.WAITALL) !== 0 ? total : Math.min(optionOf(s, socket, 'RCVLOWAT'), total);
      return netLocked(s, (after) => {
        if (peek) [done, origin] = [0, undefined];
        const cursor = new Cursor(s, socket);
        let n = 0;
        let whole = false;
        while (done < total && !whole && cursor.open() && mayFollow(s, socket, origin, cursor.origin)) {
          origin ??= cursor.origin;
          whole = (origin?.files.length ?? 0) > 0;
          const part = cursor.copy(list, done, total - done);
          n += part;
          done += part;
        }
        if (n > 0 && !peek) {
          cursor.store();
          roomMade(s, socket, after);
        }
        // What follows may come from another sender.
        const enough = done >= least || whole || nonBlocking || cursor.open();
        const result = enough && (done > 0 || total === 0) ? done : end(s, socket, done);
        if (peek && result !== undefined && result > 0) for (const file of origin?.files ?? []) refFile(s, file);
        return result;
      });
    });
  const queue = [socketQueue(socket)];
  const n = attempts(s, queue, nonBlocking, timeout, attempt, () => done);
  return { n, origin, truncated: false };
}

/** What ends a read that has `done` bytes and wants more. */
function end(s: VfsState, socket: number, done: number): number | undefined {
  if (done === 0) return nothingThere(s, socket);
  const error = get(s, socket, SOCKET.ERROR) !== 0;
  return error || (get(s, socket, SOCKET.SHUT) & SHUT.RECEIVE) !== 0 ? done : undefined;
}

/** Whether a read goes on into the next record: not into one with descriptions, nor, under SO_PASSCRED, one of another sender. */
function mayFollow(s: VfsState, socket: number, before: Origin | undefined, next: Origin | undefined): boolean {
  if (before === undefined || next === undefined) return true;
  if (next.files.length > 0) return false;
  if (optionOf(s, socket, 'PASSCRED') === 0) return true;
  return before.pid === next.pid && before.uid === next.uid && before.gid === next.gid;
}

function receiveDatagram(s: VfsState, socket: number, buffers: Buffers, flags: number, nonBlocking: boolean): Received {
  const timeout = timeoutOf(s, socket, 'RCVTIMEO');
  const peek = (flags & MSG.PEEK) !== 0;
  let origin: Origin | undefined;
  let truncated = false;
  const attempt = (): number | undefined =>
    once(buffers, (list) =>
      netLocked(s, (after) => {
        const error = takeError(s, socket);
        if (error !== 0) return error;
        const cursor = new Cursor(s, socket);
        if (!cursor.open()) return nothingThere(s, socket);
        origin = cursor.origin;
        const size = cursor.left;
        const n = cursor.copy(list, 0, size);
        truncated = n < size;
        if (peek) for (const file of origin?.files ?? []) refFile(s, file);
        else {
          cursor.skip();
          cursor.store();
          roomMade(s, socket, after);
        }
        return (flags & MSG.TRUNC) !== 0 ? size : n;
      }),
    );
  const queue = [socketQueue(socket)];
  const n = attempts(s, queue, nonBlocking, timeout, attempt);
  return { n, origin, truncated };
}
