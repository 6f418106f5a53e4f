/**
 * Pipes: rings in the shared region. Blocking is the callers' (open-files' operations); here is what happens at once, under the region's lock.
 * In: pipe numbers and buffers. Out: byte counts. Source: man 7 pipe.
 */
import { ENFILE } from '../linux/errno.js';
import { AREA, MAX_PIPES, PIPE, PIPE_CAPACITY } from './layout.js';
import { READABLE, WRITABLE } from './poll-events.js';
import { putRound, takeRound } from './ring-bytes.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

/** Writes of up to this many bytes are not mixed with others; with as many free a pipe counts as writable. */
export const PIPE_BUF = 4096;

const word = (pipe: number): number => AREA.PIPES + pipe * PIPE.SIZE;
/** First byte of the pipe's ring. */
const ringOf = (pipe: number): number => AREA.PIPE_RINGS * 4 + pipe * PIPE_CAPACITY;
export const pipeQueue = (pipe: number): number => word(pipe) + PIPE.QUEUE;

/** A new pipe with one reader and one writer; -ENFILE when there are MAX_PIPES. */
export function newPipe(s: VfsState): number {
  return s.locked(() => {
    for (let pipe = 0; pipe < MAX_PIPES; pipe++) {
      const w = word(pipe);
      if (s.get(w + PIPE.READERS) !== 0 || s.get(w + PIPE.WRITERS) !== 0) continue;
      s.words.fill(0, w, w + PIPE.SIZE);
      s.set(w + PIPE.READERS, 1);
      s.set(w + PIPE.WRITERS, 1);
      s.set(w + PIPE.INODE, s.nextInode());
      return pipe;
    }
    return -ENFILE;
  });
}

export const pipeInode = (s: VfsState, pipe: number): number => s.get(word(pipe) + PIPE.INODE);
export const pipeReaders = (s: VfsState, pipe: number): number => s.get(word(pipe) + PIPE.READERS);
export const pipeWriters = (s: VfsState, pipe: number): number => s.get(word(pipe) + PIPE.WRITERS);

/** One more or one less description of an end. The caller holds the region's lock, and wakes the queue after a decrease. */
export function countEnd(s: VfsState, pipe: number, writer: boolean, by: 1 | -1): void {
  const field = word(pipe) + (writer ? PIPE.WRITERS : PIPE.READERS);
  s.set(field, s.get(field) + by);
}

/** Bytes that can be read. */
export function pipeFill(s: VfsState, pipe: number): number {
  const w = word(pipe);
  return (s.get(w + PIPE.HEAD) - s.get(w + PIPE.TAIL)) >>> 0;
}

/** The same for who holds the region's lock. */
function lockedFill(s: VfsState, pipe: number): number {
  const w = word(pipe);
  return (s.peek(w + PIPE.HEAD) - s.peek(w + PIPE.TAIL)) >>> 0;
}

/** Takes up to `dst.length` bytes out of the ring; 0 when it is empty. `peek` leaves them there. */
export function takeFromPipe(s: VfsState, pipe: number, dst: Uint8Array, peek = false): number {
  const [n, wasFull] = s.locked(() => {
    const w = word(pipe);
    const tail = s.peek(w + PIPE.TAIL);
    const fill = lockedFill(s, pipe);
    const count = Math.min(dst.length, fill);
    takeRound(s, ringOf(pipe), PIPE_CAPACITY, tail, dst.subarray(0, count));
    if (!peek) s.set(w + PIPE.TAIL, (tail + count) | 0);
    return [count, PIPE_CAPACITY - fill < PIPE_BUF];
  });
  // With more room than that no writer waits.
  if (n > 0 && !peek && wasFull) wakeAll(s, pipeQueue(pipe), WRITABLE);
  return n;
}

/** As takeFromPipe, into several; 0 is the end, undefined that nothing is there yet. */
export function readPipe(s: VfsState, pipe: number, list: readonly Uint8Array[], peek = false): number | undefined {
  // Before the ring: the last writer may write and go between the two looks.
  const ended = pipeWriters(s, pipe) === 0;
  let n = 0;
  for (const dst of list) n += takeFromPipe(s, pipe, dst, peek);
  return n > 0 || ended ? n : undefined;
}

/** Puts bytes of `src` into the ring: as many as fit, or, when `whole`, all or none. */
export function putIntoPipe(s: VfsState, pipe: number, src: Uint8Array, whole: boolean): number {
  const n = s.locked(() => {
    const w = word(pipe);
    const room = PIPE_CAPACITY - lockedFill(s, pipe);
    if (whole && room < src.length) return 0;
    const count = Math.min(src.length, room);
    const head = s.peek(w + PIPE.HEAD);
    putRound(s, ringOf(pipe), PIPE_CAPACITY, head, src.subarray(0, count));
    s.set(w + PIPE.HEAD, (head + count) | 0);
    return count;
  });
  if (n > 0) wakeAll(s, pipeQueue(pipe), READABLE);
  return n;
}

/** All that is left in the ring, when nobody else uses it any more. */
export function drainUnlocked(s: VfsState, pipe: number): Uint8Array {
  const left = new Uint8Array(lockedFill(s, pipe));
  takeRound(s, ringOf(pipe), PIPE_CAPACITY, s.peek(word(pipe) + PIPE.TAIL), left);
  return left;
}
