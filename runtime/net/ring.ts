/**
 * The receive ring of a socket: records of a header, the sender's address, descriptions in flight, and data. What is sent on a stream extends the last record where nothing keeps the
 * two apart. In: sockets, buffers. Out: bytes and what came with them. All of it under the sockets' mutex. Source: man 7 unix (ancillary messages, boundaries).
 */
import { span } from '../vfs/file-io.js';
import { AREA } from '../vfs/layout.js';
import { putRound, takeRound } from '../vfs/ring-bytes.js';
import type { VfsState } from '../vfs/state.js';
import { MAX_RINGS, NET, RING_BYTES, SMALL_RING_BYTES, SOCKET } from './layout.js';
import { get, set } from './socket-table.js';

/** Header: data bytes; address bytes << 16 | descriptions; pid, uid, gid of the sender. */
const HEADER_WORDS = 5;

/** Who has sent something, and what besides data. */
export interface Origin {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Descriptions, each with a reference that the record takes over. */
  readonly files: readonly number[];
  /** The sender's address, for datagrams. */
  readonly name: Uint8Array;
}

const align = (n: number): number => (n + 3) & ~3;
/** First word of the socket's ring; it has one. */
function ringWord(s: VfsState, socket: number): number {
  const ring = get(s, socket, SOCKET.RING);
  return ring === 1
    ? AREA.SMALL_RINGS + (socket * SMALL_RING_BYTES) / 4
    : AREA.SOCKET_RINGS + ((ring - 2) * RING_BYTES) / 4;
}

/** Bytes of the socket's ring, or of the one that it would get. */
export const ringCapacity = (s: VfsState, socket: number): number =>
  get(s, socket, SOCKET.RING) === 1 ? SMALL_RING_BYTES : RING_BYTES;

const wordAt = (s: VfsState, socket: number, position: number): number =>
  ringWord(s, socket) + (position & (ringCapacity(s, socket) - 1)) / 4;

/** Gives the socket a ring, unless it has one. */
function claim(s: VfsState, socket: number): void {
  if (get(s, socket, SOCKET.RING) !== 0) return;
  const free = s.peek(AREA.NET + NET.FREE_RING);
  const used = s.peek(AREA.NET + NET.RINGS_USED);
  let ring = 1;
  if (free !== 0) {
    s.set(AREA.NET + NET.FREE_RING, s.peek(AREA.RING_LINKS + free - 1));
    ring = free + 1;
  } else if (used < MAX_RINGS) {
    s.set(AREA.NET + NET.RINGS_USED, used + 1);
    ring = used + 2;
  }
  set(s, socket, SOCKET.RING, ring);
}

/** The ring is empty: another socket may have it. */
function release(s: VfsState, socket: number): void {
  const ring = get(s, socket, SOCKET.RING) - 2;
  set(s, socket, SOCKET.RING, 0);
  if (ring < 0) return;
  s.set(AREA.RING_LINKS + ring, s.peek(AREA.NET + NET.FREE_RING));
  s.set(AREA.NET + NET.FREE_RING, ring + 1);
}

/** Bytes of the ring in use. */
export const ringFill = (s: VfsState, socket: number): number =>
  (get(s, socket, SOCKET.HEAD) - get(s, socket, SOCKET.TAIL)) >>> 0;

/** Bytes that a record takes beside its data. */
const recordOverhead = (o: Origin): number => HEADER_WORDS * 4 + align(o.name.length) + o.files.length * 4;

function copyIn(s: VfsState, socket: number, position: number, src: Uint8Array): void {
  putRound(s, ringWord(s, socket) * 4, ringCapacity(s, socket), position, src);
}

function copyOut(s: VfsState, socket: number, position: number, dst: Uint8Array): void {
  takeRound(s, ringWord(s, socket) * 4, ringCapacity(s, socket), position, dst);
}

/** `size` bytes of `list`, from its byte `skip` on. */
function copyListIn(
  s: VfsState,
  socket: number,
  at: number,
  list: readonly Uint8Array[],
  skip: number,
  size: number,
): void {
  let position = at;
  for (const part of span(list, skip, size)) {
    copyIn(s, socket, position, part);
    position += part.length;
  }
}

/** Whether a record of `size` bytes fits into the ring, with up to `limit` bytes in it. */
export function recordFits(s: VfsState, socket: number, size: number, o: Origin, limit: number): boolean {
  claim(s, socket);
  // Three bytes may go to the alignment of the header.
  const fill = ringFill(s, socket) + recordOverhead(o) + size + 3;
  const fits = fill <= Math.min(limit, ringCapacity(s, socket));
  if (get(s, socket, SOCKET.RECORDS) === 0 && !fits) release(s, socket);
  return fits;
}

/** Puts a record of `size` bytes of `list` from byte `skip` on. The caller has seen that there is room. */
export function putRecord(
  s: VfsState,
  socket: number,
  list: readonly Uint8Array[],
  skip: number,
  size: number,
  o: Origin,
): void {
  claim(s, socket);
  let at = align(get(s, socket, SOCKET.HEAD) >>> 0);
  set(s, socket, SOCKET.LAST, at | 0);
  const header = [size, (o.name.length << 16) | o.files.length, o.pid, o.uid, o.gid];
  for (const value of header) {
    s.words[wordAt(s, socket, at)] = value;
    at += 4;
  }
  if (o.name.length > 0) copyIn(s, socket, at, o.name);
  at += align(o.name.length);
  for (const file of o.files) {
    s.words[wordAt(s, socket, at)] = file;
    at += 4;
  }
  copyListIn(s, socket, at, list, skip, size);
  set(s, socket, SOCKET.HEAD, (at + size) | 0);
  set(s, socket, SOCKET.RECORDS, get(s, socket, SOCKET.RECORDS) + 1);
  set(s, socket, SOCKET.DATA, get(s, socket, SOCKET.DATA) + size);
}

/** Puts as much of a stream as fits into `limit` bytes of the ring: bytes put. */
export function putStream(
  s: VfsState,
  socket: number,
  list: readonly Uint8Array[],
  skip: number,
  size: number,
  o: Origin,
  limit: number,
): number {
  claim(s, socket);
  const room = Math.min(limit, ringCapacity(s, socket)) - ringFill(s, socket);
  if (extendable(s, socket, o)) {
    const n = Math.min(size, room);
    if (n <= 0) return 0;
    const head = get(s, socket, SOCKET.HEAD);
    copyListIn(s, socket, head, list, skip, n);
    set(s, socket, SOCKET.HEAD, (head + n) | 0);
    set(s, socket, SOCKET.DATA, get(s, socket, SOCKET.DATA) + n);
    const left = get(s, socket, SOCKET.FRONT_LEFT);
    if (get(s, socket, SOCKET.RECORDS) === 1 && left > 0) set(s, socket, SOCKET.FRONT_LEFT, left + n);
    else {
      const last = wordAt(s, socket, get(s, socket, SOCKET.LAST));
      s.words[last] = (s.words[last] ?? 0) + n;
    }
    return n;
  }
  const n = Math.min(size, room - recordOverhead(o) - 3);
  if (n <= 0) return 0;
  putRecord(s, socket, list, skip, n, o);
  return n;
}

/** Whether what `o` sends now may be one record with the last one. */
function extendable(s: VfsState, socket: number, o: Origin): boolean {
  const records = get(s, socket, SOCKET.RECORDS);
  if (records === 0 || o.files.length > 0) return false;
  if (records === 1 && get(s, socket, SOCKET.FRONT_LEFT) > 0) {
    return (
      get(s, socket, SOCKET.FRONT_PID) === o.pid &&
      get(s, socket, SOCKET.FRONT_UID) === o.uid &&
      get(s, socket, SOCKET.FRONT_GID) === o.gid
    );
  }
  const last = get(s, socket, SOCKET.LAST);
  const field = (i: number): number => s.peek(wordAt(s, socket, last + i * 4));
  return (field(1) & 0xffff) === 0 && field(2) === o.pid && field(3) === o.uid && field(4) === o.gid;
}

/** Reads records one after another; nothing is taken until `store`. */
export class Cursor {
  private tail: number;
  private records: number;
  private data: number;
  /** Bytes left of the open record. */
  left = 0;
  origin: Origin | undefined;

  constructor(
    private readonly s: VfsState,
    private readonly socket: number,
  ) {
    this.tail = get(s, socket, SOCKET.TAIL);
    this.records = get(s, socket, SOCKET.RECORDS);
    this.data = get(s, socket, SOCKET.DATA);
    this.left = get(s, socket, SOCKET.FRONT_LEFT);
    if (this.left === 0) return;
    this.origin = {
      pid: get(s, socket, SOCKET.FRONT_PID),
      uid: get(s, socket, SOCKET.FRONT_UID),
      gid: get(s, socket, SOCKET.FRONT_GID),
      files: [],
      name: new Uint8Array(0),
    };
  }

  /** Opens the next record, unless one is open; false: there is none. */
  open(): boolean {
    if (this.origin !== undefined) return true;
    if (this.records === 0) return false;
    const { s, socket } = this;
    let at = align(this.tail >>> 0);
    const field = (i: number): number => s.peek(wordAt(s, socket, at + i * 4));
    this.left = field(0);
    const lengths = field(1);
    const [pid, uid, gid] = [field(2), field(3), field(4)];
    at += HEADER_WORDS * 4;
    const name = new Uint8Array(lengths >>> 16);
    if (name.length > 0) copyOut(s, socket, at, name);
    at += align(name.length);
    const files: number[] = [];
    for (let i = 0; i < (lengths & 0xffff); i++, at += 4) files.push(s.peek(wordAt(s, socket, at)));
    this.tail = at | 0;
    this.origin = { pid, uid, gid, files, name };
    return true;
  }

  /** Copies up to `most` bytes of the open record into `list` from its byte `skip` on: bytes copied. */
  copy(list: readonly Uint8Array[], skip: number, most: number): number {
    let n = 0;
    for (const part of span(list, skip, Math.min(most, this.left))) {
      copyOut(this.s, this.socket, this.tail + n, part);
      n += part.length;
    }
    this.pass(n);
    return n;
  }

  /** Goes over `n` bytes of the open record, and over the record's end. */
  private pass(n: number): void {
    this.tail = (this.tail + n) | 0;
    this.data -= n;
    this.left -= n;
    if (this.left > 0) return;
    this.origin = undefined;
    this.records--;
  }

  /** Goes to the end of the open record, whatever of it has been read. */
  skip(): void {
    if (this.origin !== undefined) this.pass(this.left);
  }

  /** What has been gone over is taken off the ring. The descriptions of opened records are the caller's. */
  store(): void {
    const { s, socket, origin } = this;
    const empty = this.records === 0;
    if (empty) {
      set(s, socket, SOCKET.HEAD, 0);
      this.tail = 0;
      release(s, socket);
    }
    set(s, socket, SOCKET.TAIL, this.tail);
    set(s, socket, SOCKET.RECORDS, this.records);
    set(s, socket, SOCKET.DATA, this.data);
    set(s, socket, SOCKET.FRONT_LEFT, origin === undefined ? 0 : this.left);
    if (origin === undefined) return;
    set(s, socket, SOCKET.FRONT_PID, origin.pid);
    set(s, socket, SOCKET.FRONT_UID, origin.uid);
    set(s, socket, SOCKET.FRONT_GID, origin.gid);
  }
}

/** Empties the ring; the descriptions that were in flight, whose references are the caller's. */
export function emptyRing(s: VfsState, socket: number): number[] {
  const cursor = new Cursor(s, socket);
  const files: number[] = [];
  while (cursor.open()) {
    files.push(...(cursor.origin?.files ?? []));
    cursor.skip();
  }
  cursor.store();
  return files;
}
