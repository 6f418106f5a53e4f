/** What a family of sockets does: a row each (families.ts). In: sockets, addresses. Out: types. */
import type { Buffers } from '../vfs/file-ops.js';
import type { FileContext } from '../vfs/file-context.js';
import type { VfsState } from '../vfs/state.js';
import type { Sending } from './send.js';

export interface Family {
  /** Checks type and protocol: the protocol that the socket gets, or -errno. */
  protocol(type: number, protocol: number): number;
  /** bind: 0 or -errno. */
  bind(c: FileContext, socket: number, address: Uint8Array): number;
  connect(c: FileContext, socket: number, address: Uint8Array, nonBlocking: boolean): number;
  listen(c: FileContext, socket: number, backlog: number): number;
  /** Sends, to `address` or to the peer: bytes or -errno. */
  send(c: FileContext, socket: number, buffers: Buffers, o: Sending, address?: Uint8Array): number;
  /** getsockname, and the address of the peer; -ENOTCONN. */
  ownName(s: VfsState, socket: number): Uint8Array;
  peerName(s: VfsState, socket: number): Uint8Array | number;
  /** What accept and recvfrom give as a sender's address. */
  senderName(s: VfsState, socket: number, name: Uint8Array): Uint8Array;
  /** The last description is gone; the record is freed after it. Without any lock. */
  close?(s: VfsState, socket: number): void;
}
