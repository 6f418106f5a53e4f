/**
 * Host descriptors whose reads can block: terminals, FIFOs, and pipes and sockets that lift64 was started with. No worker may block in
 * the host, so a stream has a ring that the main thread fills on demand (MAIN), or a descriptor that does not block (SELF: opened by us).
 * Only as much is read as was asked for: what the guest does not read stays for the programs after it; poll asks for one byte.
 * In: stream numbers and buffers. Out: byte counts. Source: DESIGN.md section 7; man 7 fifo.
 */
import * as fs from 'node:fs';
import { EAGAIN, ENFILE } from '../linux/errno.js';
import { hostFailure } from './host-error.js';
import { AREA, MAX_STREAMS, STREAM, STREAM_CAPACITY } from './layout.js';
import { READABLE } from './poll-events.js';
import { putRound, takeRound } from './ring-bytes.js';
import type { VfsState } from './state.js';
import { doubling, wakeAll } from './wait-queue.js';

export const STREAM_MODE = {
  MAIN: 1,
  SELF: 2,
  /** SELF, and a FIFO opened to wait for its writers: an end of file before the first one is none. */
  SELF_FIFO: 3,
} as const;

/** Sleeps, in ms, between looks at a descriptor that does not block: they double. */
const FIRST_RECHECK_MS = 1;
const LAST_RECHECK_MS = 16;
/** The main thread looks again after this time at a descriptor that someone has made non-blocking. */
const MAIN_RETRY_MS = 5;

const word = (stream: number): number => AREA.STREAMS + stream * STREAM.SIZE;
/** First byte of the stream's ring. */
const ringOf = (stream: number): number => AREA.STREAM_RINGS * 4 + stream * STREAM_CAPACITY;
export const streamQueue = (stream: number): number => word(stream) + STREAM.QUEUE;
export const streamMode = (s: VfsState, stream: number): number => s.get(word(stream) + STREAM.MODE);
export const streamFill = (s: VfsState, stream: number): number =>
  (s.get(word(stream) + STREAM.HEAD) - s.get(word(stream) + STREAM.TAIL)) >>> 0;

/** A new stream over `hostFd`; -ENFILE when there are MAX_STREAMS. */
export function newStream(s: VfsState, hostFd: number, mode: number): number {
  return s.locked(() => {
    const stream = s.takeFree(AREA.STREAMS, MAX_STREAMS, STREAM.SIZE, STREAM.REFS);
    if (stream < 0) return -ENFILE;
    const w = word(stream);
    s.set(w + STREAM.HOST_FD, hostFd);
    s.set(w + STREAM.MODE, mode);
    return stream;
  });
}

/** One more or one less description. The caller holds the region's lock. */
export function countStream(s: VfsState, stream: number, by: 1 | -1): number {
  const refs = s.get(word(stream) + STREAM.REFS) + by;
  s.set(word(stream) + STREAM.REFS, refs);
  return refs;
}

function put(s: VfsState, stream: number, src: Uint8Array): void {
  const w = word(stream);
  const head = s.get(w + STREAM.HEAD);
  putRound(s, ringOf(stream), STREAM_CAPACITY, head, src);
  s.set(w + STREAM.HEAD, (head + src.length) | 0);
}

/** What is there already: bytes, 0 at the end of the file, a negative errno, undefined for nothing. */
function takeReady(s: VfsState, stream: number, dst: Uint8Array): number | undefined {
  return s.locked(() => {
    const w = word(stream);
    const n = Math.min(dst.length, streamFill(s, stream));
    if (n > 0) {
      const tail = s.get(w + STREAM.TAIL);
      takeRound(s, ringOf(stream), STREAM_CAPACITY, tail, dst.subarray(0, n));
      s.set(w + STREAM.TAIL, (tail + n) | 0);
      return n;
    }
    const error = Atomics.exchange(s.words, w + STREAM.ERROR, 0);
    if (error !== 0) return -error;
    return Atomics.exchange(s.words, w + STREAM.EOF, 0) !== 0 ? 0 : undefined;
  });
}

/** Asks the main thread for up to `count` bytes, unless it is at it already. */
function ask(s: VfsState, stream: number, count: number): void {
  if (Atomics.compareExchange(s.words, word(stream) + STREAM.WANTED, 0, Math.min(count, STREAM_CAPACITY)) === 0) {
    s.port.requestStream(stream);
  }
}

/** Reads from a non-blocking descriptor; undefined when it has nothing now. */
function readSelf(s: VfsState, stream: number, dst: Uint8Array): number | undefined {
  const w = word(stream);
  try {
    const n = fs.readSync(s.get(w + STREAM.HOST_FD), dst, 0, dst.length, null);
    if (n > 0) s.set(w + STREAM.CONNECTED, 1);
    else if (streamMode(s, stream) === STREAM_MODE.SELF_FIFO && s.get(w + STREAM.CONNECTED) === 0) return undefined;
    return n;
  } catch (e) {
    const failure = hostFailure(e);
    if (failure !== -EAGAIN) return failure;
    s.set(w + STREAM.CONNECTED, 1);
    return undefined;
  }
}

/** One attempt to read, for waitUntil: bytes read, 0 at the end, a negative errno, undefined when nothing has come yet. `dst` is not empty. */
export function readStream(s: VfsState, stream: number, dst: Uint8Array): number | undefined {
  const ready = takeReady(s, stream, dst);
  if (ready !== undefined) return ready;
  if (streamMode(s, stream) !== STREAM_MODE.MAIN) return readSelf(s, stream, dst);
  ask(s, stream, dst.length);
  return undefined;
}

/** Whether a read would return at once. False also sets off the look for a first byte. */
export function streamReadable(s: VfsState, stream: number): boolean {
  const w = word(stream);
  const ready = (): boolean =>
    streamFill(s, stream) > 0 || s.get(w + STREAM.EOF) !== 0 || s.get(w + STREAM.ERROR) !== 0;
  if (ready()) return true;
  if (streamMode(s, stream) === STREAM_MODE.MAIN) {
    ask(s, stream, 1);
    return false;
  }
  const byte = new Uint8Array(1);
  const n = readSelf(s, stream, byte);
  if (n === undefined) return false;
  s.locked(() => {
    if (n > 0) put(s, stream, byte);
    else if (n === 0) s.set(w + STREAM.EOF, 1);
    else s.set(w + STREAM.ERROR, -n);
  });
  // For edges: what the look has found is new.
  wakeAll(s, streamQueue(stream), READABLE);
  return true;
}

/** For waitUntil: how long to sleep before the next look; undefined when the queue is woken. */
export function recheckOf(s: VfsState, stream: number): (() => number) | undefined {
  return streamMode(s, stream) === STREAM_MODE.MAIN ? undefined : doubling(FIRST_RECHECK_MS, LAST_RECHECK_MS);
}

/** The main thread's side: reads for MAIN streams without blocking anything but a thread of the host's pool. */
export class StreamService {
  /**
   * @param state has the main thread's port
   * @param reader reads without holding a thread of the host's pool (runtime/threads/host-reader.ts): process.exit would wait for it
   */
  constructor(
    private readonly state: VfsState,
    private readonly reader: {
      read(fd: number, buffer: Uint8Array, callback: (error: NodeJS.ErrnoException | null, n: number) => void): void;
    },
  ) {}

  /** Serves the request that a worker has posted through KernelPort.requestStream. */
  request(stream: number): void {
    const s = this.state;
    const w = word(stream);
    const wanted = s.get(w + STREAM.WANTED);
    if (wanted === 0) return;
    const buffer = new Uint8Array(wanted);
    this.reader.read(s.get(w + STREAM.HOST_FD), buffer, (error, n) => {
      if (error !== null && hostFailure(error) === -EAGAIN) {
        setTimeout(() => {
          this.request(stream);
        }, MAIN_RETRY_MS);
        return;
      }
      s.locked(() => {
        if (error !== null) s.set(w + STREAM.ERROR, -hostFailure(error));
        else if (n === 0) s.set(w + STREAM.EOF, 1);
        else put(s, stream, buffer.subarray(0, n));
        s.set(w + STREAM.WANTED, 0);
      });
      wakeAll(s, streamQueue(stream), READABLE);
    });
  }
}
