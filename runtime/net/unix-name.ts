/**
 * Addresses of Unix sockets. In: sockaddr_un bytes as the guest gives them. Out: names, and the sockets that have them. A path is known by the device and inode of its file, so that links and
 * other names of it lead to the same socket. Source: man 7 unix.
 */
import { EINVAL } from '../linux/errno.js';
import { AREA } from '../vfs/layout.js';
import type { VfsState } from '../vfs/state.js';
import { AF } from './constants.js';
import { NET, SOCKET } from './layout.js';
import { FLAG, get, nameOf, socketsWith, socketWord } from './socket-table.js';

/** Longest sockaddr_un: the family, and 108 bytes. */
const LONGEST = 110;

export type UnixName =
  | { readonly type: 'unnamed' }
  /** `bytes`: the whole address. */
  | { readonly type: 'abstract'; readonly bytes: Uint8Array }
  /** Without its NUL, one character a byte. */
  | { readonly type: 'path'; readonly path: string; readonly bytes: Uint8Array };

/** Parses an address; -EINVAL. */
export function unixName(address: Uint8Array): UnixName | number {
  const family = (address[0] ?? 0) | ((address[1] ?? 0) << 8);
  if (address.length < 2 || address.length > LONGEST || family !== AF.UNIX) return -EINVAL;
  if (address.length === 2) return { type: 'unnamed' };
  if (address[2] === 0) return { type: 'abstract', bytes: address };
  const end = address.indexOf(0, 2);
  const path = address.subarray(2, end < 0 ? address.length : end);
  const bytes = new Uint8Array(path.length + 3);
  bytes.set(address.subarray(0, 2));
  bytes.set(path, 2);
  return { type: 'path', path: Buffer.from(path).toString('latin1'), bytes };
}

/** sockaddr_un of a socket without an address. */
export const UNNAMED = Uint8Array.of(AF.UNIX, 0);

/** The socket of a type that is bound to an abstract name; -1: each type has names of its own. Under the mutex. */
export function findAbstract(s: VfsState, bytes: Uint8Array, type: number): number {
  const same = (socket: number): boolean =>
    get(s, socket, SOCKET.FAMILY) === AF.UNIX &&
    get(s, socket, SOCKET.TYPE) === type &&
    get(s, socket, SOCKET.NAME_LENGTH) === bytes.length &&
    isOwner(s, socket) &&
    Buffer.compare(nameOf(s, socket, 'own'), bytes) === 0;
  for (const socket of socketsWith(s, same)) return socket;
  return -1;
}

/** The socket whose file this is; -1. Under the mutex. */
export function findBoundFile(s: VfsState, dev: bigint, ino: bigint): number {
  const same = (socket: number): boolean =>
    get(s, socket, SOCKET.FAMILY) === AF.UNIX &&
    isOwner(s, socket) &&
    ino === BigInt(s.get64(socketWord(socket, SOCKET.INO))) &&
    dev === BigInt(s.get64(socketWord(socket, SOCKET.DEV)));
  for (const socket of socketsWith(s, same)) return socket;
  return -1;
}

/** Sockets that accept made have the listener's address, but are not found by it. */
const isOwner = (s: VfsState, socket: number): boolean => (get(s, socket, SOCKET.FLAGS) & FLAG.BOUND) !== 0;

/** A free abstract name of five hexadecimal digits. Under the mutex. */
export function freeAbstractName(s: VfsState, type: number): Uint8Array {
  for (;;) {
    const n = s.get(AREA.NET + NET.AUTOBIND);
    s.set(AREA.NET + NET.AUTOBIND, (n + 1) & 0xf_ffff);
    const bytes = Uint8Array.from([AF.UNIX, 0, 0, ...Buffer.from(n.toString(16).padStart(5, '0'))]);
    if (findAbstract(s, bytes, type) < 0) return bytes;
  }
}
