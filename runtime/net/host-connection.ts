/**
 * A TCP connection of the host, on the main thread: what a guest has sent lies in its proxy's ring, what the host sends is put into the guest's. Flow control both ways: the proxy's ring is read while the
 * host takes more, the host is read while the guest's ring has room. In: a net.Socket, a proxy. Out: nothing. Source: Node's net.Socket; man 7 tcp.
 */
import type { Socket } from 'node:net';
import { ECONNRESET } from '../linux/errno.js';
import { hostFailure } from '../vfs/host-error.js';
import { READABLE } from '../vfs/poll-events.js';
import type { VfsState } from '../vfs/state.js';
import { SHUT } from './constants.js';
import { SOCKET } from './layout.js';
import { optionOf } from './options.js';
import { FROM_HOST } from './origin.js';
import { Cursor, emptyRing, putStream } from './ring.js';
import { roomMade } from './send.js';
import { type After, FLAG, get, netLocked, peerOf, set, setBits, STATE } from './socket-table.js';

/** Most bytes that are handed to the host at once. */
const CHUNK = 65_536;

export class HostConnection {
  /** What the guest has no room for yet. */
  private waiting: Uint8Array = new Uint8Array(0);
  /** The host has said end of file. */
  private ended = false;
  /** The host's connection is gone. */
  private closed = false;
  private sentEnd = false;

  /** `forget` is called once the proxy is free. */
  constructor(
    private readonly s: VfsState,
    private readonly proxy: number,
    readonly socket: Socket,
    private readonly forget: () => void,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
      this.deliver();
    });
    socket.on('end', () => {
      this.ended = true;
      this.deliver();
    });
    socket.on('drain', () => {
      this.look();
    });
    socket.on('error', (error) => {
      this.lose(-hostFailure(error));
    });
    socket.on('close', () => {
      this.closed = true;
      this.deliver();
    });
  }

  /** The guest has sent, read, shut down or closed. */
  look(): void {
    if (get(this.s, this.proxy, SOCKET.USED) === 0) return;
    const { s, proxy, socket } = this;
    while (!socket.writableNeedDrain && !this.closed) {
      const chunk = netLocked(s, (after) => this.take(after));
      if (chunk === undefined) break;
      socket.write(chunk);
    }
    const empty = get(s, proxy, SOCKET.RECORDS) === 0;
    const guestGone = peerOf(s, proxy) < 0;
    if (guestGone && (get(s, proxy, SOCKET.FLAGS) & FLAG.RESET) !== 0) {
      socket.resetAndDestroy();
    } else if (empty && !this.sentEnd && (get(s, proxy, SOCKET.SHUT) & SHUT.RECEIVE) !== 0) {
      this.sentEnd = true;
      socket.end();
    }
    this.deliver();
  }

  /** Something that the guest has sent has not left. */
  get unsent(): boolean {
    const { socket, closed } = this;
    return !closed && !socket.destroyed && (socket.writableLength > 0 || get(this.s, this.proxy, SOCKET.RECORDS) > 0);
  }

  private take(after: After): Uint8Array | undefined {
    const { s, proxy } = this;
    const cursor = new Cursor(s, proxy);
    if (!cursor.open()) return undefined;
    const chunk = new Uint8Array(Math.min(cursor.left, CHUNK));
    cursor.copy([chunk], 0, chunk.length);
    cursor.store();
    roomMade(s, proxy, after);
    return chunk;
  }

  /** Gives the guest what the host has sent, as far as there is room. */
  private deliver(): void {
    const { s, proxy, socket } = this;
    if (get(s, proxy, SOCKET.USED) === 0) return;
    netLocked(s, (after) => {
      const guest = peerOf(s, proxy);
      if (guest >= 0) this.give(guest, after);
    });
    if (peerOf(s, proxy) < 0) this.discard();
    if (this.waiting.length > 0) socket.pause();
    else if (socket.isPaused()) socket.resume();
    if (this.closed && peerOf(s, proxy) < 0) this.free();
  }

  private give(guest: number, after: After): void {
    const { s } = this;
    const size = this.waiting.length;
    const limit = optionOf(s, guest, 'RCVBUF');
    const n = size === 0 ? 0 : putStream(s, guest, [this.waiting], 0, size, FROM_HOST, limit);
    if (n > 0) {
      this.waiting = this.waiting.subarray(n);
      after.wake(guest, READABLE);
    }
    if (this.waiting.length > 0) return;
    if (this.ended && (get(s, guest, SOCKET.SHUT) & SHUT.RECEIVE) === 0) {
      setBits(s, guest, SOCKET.SHUT, SHUT.RECEIVE);
      after.wake(guest);
    }
    if (this.closed) this.leave(guest, after);
  }

  /** Nobody reads any more: as a kernel does, data that come all the same are answered by a reset. */
  private discard(): void {
    if (this.waiting.length > 0) {
      this.waiting = new Uint8Array(0);
      this.socket.resetAndDestroy();
    }
  }

  private leave(guest: number, after: After): void {
    const { s, proxy } = this;
    setBits(s, guest, SOCKET.SHUT, SHUT.BOTH);
    set(s, guest, SOCKET.PEER, 0);
    set(s, proxy, SOCKET.PEER, 0);
    after.wake(guest);
  }

  /** The connection is lost, for this errno. */
  private lose(error: number): void {
    const { s, proxy } = this;
    if (get(s, proxy, SOCKET.USED) === 0) return;
    netLocked(s, (after) => {
      const guest = peerOf(s, proxy);
      if (guest < 0) return;
      set(s, guest, SOCKET.ERROR, error === 0 ? ECONNRESET : error);
      setBits(s, guest, SOCKET.FLAGS, FLAG.RESET);
      if (get(s, guest, SOCKET.STATE) === STATE.CONNECTING) set(s, guest, SOCKET.STATE, STATE.NEW);
      this.leave(guest, after);
    });
  }

  private free(): void {
    const { s, proxy } = this;
    netLocked(s, () => {
      emptyRing(s, proxy);
      set(s, proxy, SOCKET.USED, 0);
    });
    this.forget();
  }
}
