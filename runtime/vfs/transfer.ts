/**
 * Reading and writing open files, by what is behind them. In: descriptions, and guest buffers that are asked for anew after every wait (another thread may
 * have unmapped them). Out: bytes transferred, or -errno. Source: man 2 read, write, readv, pread; man 7 pipe.
 */
import * as fs from 'node:fs';
import { EAGAIN, EBADF, EFBIG, EINVAL, EIO, EISDIR, EPERM, EPIPE, ESPIPE } from '../linux/errno.js';
import { blobBytes } from './blobs.js';
import { afterWrite, beforeRead } from './coherence.js';
import { addToCounter, COUNTER_MAX, counterQueue, takeCounter } from './counters.js';
import type { FileContext } from './file-context.js';
import { hostFailure } from './host-error.js';
import { lookupNode } from './mounts.js';
import { readDevice, writeDevice } from './memory-devices.js';
import {
  fileFlags,
  fileKind,
  fileMarks,
  fileObject,
  fileOffset,
  filePath,
  fileSeals,
  hostFd,
  KIND,
  MARK,
  setFileOffset,
  withOffset,
  writeFdOf,
} from './open-files.js';
import { O_ACCMODE, O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY } from './open-flags.js';
import { pipeFill, pipeQueue, pipeReaders, pipeWriters, putIntoPipe, takeFromPipe } from './pipes.js';
import { readStream, recheckOf, STREAM_MODE, streamMode, streamQueue } from './streams.js';
import type { VfsState } from './state.js';
import { TIMED_OUT, waitUntil } from './wait-queue.js';

/** The guest's buffers, checked now; -EFAULT. */
export type Buffers = () => readonly Uint8Array[] | number;

export const SIGPIPE = 13;
export const SIGXFSZ = 25;
/** Writes of up to this many bytes to a pipe are not mixed with others. */
const PIPE_BUF = 4096;
/** How long a non-blocking read of a stream waits for the main thread's answer, in ms. */
const MAIN_ANSWER_MS = 10;
/** Sleeps, in ms, of a write to a host descriptor that is full: they double while nothing can be written. */
const FIRST_WRITE_RECHECK_MS = 0.05;
const LAST_WRITE_RECHECK_MS = 8;
const F_SEAL_WRITES = 0x8 | 0x10;
const F_SEAL_GROW = 0x4;

/** Reads up to `size` bytes, that of all buffers; `position` for pread, without it at the description's offset. */
export function readFile(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number {
  const s = c.state;
  if ((fileFlags(s, file) & O_ACCMODE) === O_WRONLY) return -EBADF;
  const kind = fileKind(s, file);
  const object = fileObject(s, file);
  if (position !== undefined && !isSeekable(s, file)) return kind === KIND.PATH ? -EBADF : -ESPIPE;
  switch (kind) {
    case KIND.FILE:
      beforeRead(c, hostFd(s, file));
      return atOffset(s, file, position, buffers, (list, at) => hostRead(hostFd(s, file), list, at));
    case KIND.CHARACTER:
      if (object !== 0) return once(buffers, (list) => readDevice(object, list));
      return once(buffers, (list) => hostRead(hostFd(s, file), list, position ?? null));
    case KIND.BLOB:
      return atOffset(s, file, position, buffers, (list, at) => copyFrom(blobBytes(s, object), list, at ?? 0));
    case KIND.DEVICE:
      return once(buffers, (list) => readDevice(object, list));
    case KIND.PIPE_READ:
    case KIND.PIPE_WRITE:
      if (size === 0) return 0;
      return blocking(s, file, [pipeQueue(object)], () =>
        once(buffers, (list) => {
          let n = 0;
          for (const b of list) n += takeFromPipe(s, object, b);
          return n > 0 || pipeWriters(s, object) === 0 ? n : undefined;
        }),
      );
    case KIND.COUNTER:
      return readCounter(s, file, object, buffers);
    case KIND.STREAM:
      return size === 0 ? 0 : readFromStream(s, file, object, buffers);
    case KIND.DIRECTORY:
    case KIND.SPECIAL_DIRECTORY:
      return -EISDIR;
    case KIND.PATH:
      return -EBADF;
  }
}

/** Writes `size` bytes, that of all buffers; `position` for pwrite. */
export function writeFile(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number {
  const s = c.state;
  if ((fileFlags(s, file) & O_ACCMODE) === O_RDONLY) return -EBADF;
  const kind = fileKind(s, file);
  const object = fileObject(s, file);
  if (position !== undefined && !isSeekable(s, file)) return kind === KIND.PATH ? -EBADF : -ESPIPE;
  switch (kind) {
    case KIND.FILE:
      return writeHostFile(c, file, buffers, position);
    case KIND.CHARACTER:
      if (object !== 0) return once(buffers, (list) => writeDevice(object, list));
      return once(buffers, (list) => hostWrite(hostFd(s, file), list, position ?? null));
    case KIND.BLOB:
      return writeNode(c, file, buffers);
    case KIND.DEVICE:
      return once(buffers, (list) => writeDevice(object, list));
    case KIND.PIPE_READ:
    case KIND.PIPE_WRITE:
      return writePipe(s, file, object, buffers);
    case KIND.COUNTER:
      return writeCounter(s, file, object, buffers);
    case KIND.STREAM:
      return writeStream(s, file, buffers);
    case KIND.DIRECTORY:
    case KIND.SPECIAL_DIRECTORY:
    case KIND.PATH:
      return -EBADF;
  }
}

/** Whether the description has an offset, or takes pread's. */
export function isSeekable(s: VfsState, file: number): boolean {
  const kind = fileKind(s, file);
  return (
    kind === KIND.FILE ||
    kind === KIND.BLOB ||
    kind === KIND.DEVICE ||
    kind === KIND.CHARACTER ||
    kind === KIND.DIRECTORY ||
    kind === KIND.SPECIAL_DIRECTORY
  );
}

const sizeOf = (list: readonly Uint8Array[]): number => list.reduce((sum, b) => sum + b.length, 0);

function once<T>(buffers: Buffers, fn: (list: readonly Uint8Array[]) => T): T | number {
  const list = buffers();
  return typeof list === 'number' ? list : fn(list);
}

/**
 * Runs `fn` at `position`, or at the offset, which it moves on by the bytes transferred. The buffers are asked for before the offset is taken: to invalidate
 * code on them stops the world, which no thread may do while it holds what others wait for.
 */
function atOffset(
  s: VfsState,
  file: number,
  position: number | undefined,
  buffers: Buffers,
  fn: (list: readonly Uint8Array[], at: number | null) => number,
): number {
  return once(buffers, (list) => {
    if (position !== undefined) return fn(list, position);
    if ((fileMarks(s, file) & MARK.HOST_OFFSET) !== 0) return fn(list, null);
    return withOffset(s, file, () => {
      const at = fileOffset(s, file);
      const n = fn(list, at);
      if (n > 0) setFileOffset(s, file, at + n);
      return n;
    });
  });
}

function hostRead(fd: number, list: readonly Uint8Array[], at: number | null): number {
  try {
    const [first] = list;
    if (first !== undefined && list.length === 1) return fs.readSync(fd, first, 0, first.length, at);
    return fs.readvSync(fd, list, at ?? undefined);
  } catch (e) {
    return hostFailure(e);
  }
}

function hostWrite(fd: number, list: readonly Uint8Array[], at: number | null): number {
  try {
    const [first] = list;
    if (first !== undefined && list.length === 1) return fs.writeSync(fd, first, 0, first.length, at);
    return fs.writevSync(fd, list, at ?? undefined);
  } catch (e) {
    return hostFailure(e);
  }
}

function copyFrom(bytes: Uint8Array, list: readonly Uint8Array[], at: number): number {
  let n = 0;
  for (const b of list) {
    const part = bytes.subarray(at + n, at + n + b.length);
    b.set(part);
    n += part.length;
  }
  return n;
}

/** Waits for `attempt`, unless the description is non-blocking. */
function blocking(s: VfsState, file: number, queues: readonly number[], attempt: () => number | undefined): number {
  const nonBlocking = (fileFlags(s, file) & O_NONBLOCK) !== 0;
  const n = nonBlocking ? (attempt() ?? -EAGAIN) : waitUntil(s, queues, attempt);
  return n === TIMED_OUT ? -EAGAIN : n;
}

function readFromStream(s: VfsState, file: number, stream: number, buffers: Buffers): number {
  const attempt = (): number | undefined =>
    once(buffers, (list) => readStream(s, stream, list.find((b) => b.length > 0) ?? new Uint8Array(0)));
  const nonBlocking = (fileFlags(s, file) & O_NONBLOCK) !== 0;
  const self = streamMode(s, stream) !== STREAM_MODE.MAIN;
  if (nonBlocking && self) return attempt() ?? -EAGAIN;
  const ms = nonBlocking ? MAIN_ANSWER_MS : Infinity;
  const n = waitUntil(s, [streamQueue(stream)], attempt, ms, recheckOf(s, stream));
  return n === TIMED_OUT ? -EAGAIN : n;
}

function writeHostFile(c: FileContext, file: number, buffers: Buffers, position: number | undefined): number {
  const s = c.state;
  const fd = hostFd(s, file);
  const append = (fileFlags(s, file) & O_APPEND) !== 0;
  if ((fileSeals(s, file) & F_SEAL_WRITES) !== 0) return -EPERM;
  const limit = c.port.fileSizeLimit();
  let writtenAt: number | undefined;
  const write = (list: readonly Uint8Array[], at: number | null): number => {
    let from = at;
    let data = list;
    if (append) from = fs.fstatSync(fd).size;
    if (from !== null && (limit !== Infinity || fileSeals(s, file) !== 0)) {
      const size = sizeOf(list);
      if ((fileSeals(s, file) & F_SEAL_GROW) !== 0 && from + size > fs.fstatSync(fd).size) return -EPERM;
      if (from >= limit && size > 0) {
        c.port.raise(SIGXFSZ);
        return -EFBIG;
      }
      if (from + size > limit) data = head(list, limit - from);
    }
    const n = hostWrite(fd, data, from);
    writtenAt = from ?? undefined;
    // The offset that the caller moves on starts at the end of the file, as it was.
    if (append && n > 0 && position === undefined && from !== null) setFileOffset(s, file, from + n);
    return n;
  };
  const n =
    !append || position !== undefined
      ? atOffset(s, file, position, buffers, write)
      : once(buffers, (list) => withOffset(s, file, () => write(list, null)));
  if (n > 0) afterWrite(c, fd, writtenAt, n);
  return n;
}

/** The first `size` bytes of the buffers. */
function head(list: readonly Uint8Array[], size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let left = size;
  for (const b of list) {
    if (left <= 0) break;
    out.push(b.subarray(0, left));
    left -= b.length;
  }
  return out;
}

function writeNode(c: FileContext, file: number, buffers: Buffers): number {
  const found = lookupNode(c, filePath(c.state, file), true);
  if (typeof found === 'number') return found;
  const node = found.node;
  if (node?.type !== 'file' || node.write === undefined) return -EIO;
  const write = node.write;
  return once(buffers, (list) => write(joined(list)));
}

/** One buffer with the bytes of all. */
function joined(list: readonly Uint8Array[]): Uint8Array {
  const [first] = list;
  return first !== undefined && list.length === 1 ? first : Buffer.concat(list);
}

function writePipe(s: VfsState, file: number, pipe: number, buffers: Buffers): number {
  let done = 0;
  let total = 0;
  const n = blocking(s, file, [pipeQueue(pipe)], () =>
    once(buffers, (list) => {
      total = sizeOf(list);
      if (total === 0) return 0;
      if (pipeReaders(s, pipe) === 0) return -EPIPE;
      if (total <= PIPE_BUF) return putIntoPipe(s, pipe, joined(list), true) > 0 ? total : undefined;
      done += putRest(s, pipe, list, done);
      return done === total || (done > 0 && (fileFlags(s, file) & O_NONBLOCK) !== 0) ? done : undefined;
    }),
  );
  if (n === -EPIPE) s.port.raise(SIGPIPE);
  // What was written before an error counts.
  return n < 0 && done > 0 ? done : n;
}

/** Puts what follows the first `skip` bytes of the buffers, as much as fits. */
function putRest(s: VfsState, pipe: number, list: readonly Uint8Array[], skip: number): number {
  let n = 0;
  let left = skip;
  for (const b of list) {
    if (left >= b.length) {
      left -= b.length;
      continue;
    }
    const part = b.subarray(left);
    left = 0;
    const put = putIntoPipe(s, pipe, part, false);
    n += put;
    if (put < part.length) break;
  }
  return n;
}

function readCounter(s: VfsState, file: number, counter: number, buffers: Buffers): number {
  return blocking(s, file, [counterQueue(counter)], () =>
    once(buffers, (list) => {
      const [b] = list;
      if (b === undefined || b.length < 8) return -EINVAL;
      const value = takeCounter(s, counter);
      if (value === undefined) return undefined;
      new DataView(b.buffer, b.byteOffset, 8).setBigUint64(0, value, true);
      return 8;
    }),
  );
}

function writeCounter(s: VfsState, file: number, counter: number, buffers: Buffers): number {
  return blocking(s, file, [counterQueue(counter)], () =>
    once(buffers, (list) => {
      const [b] = list;
      if (b === undefined || b.length < 8) return -EINVAL;
      const value = new DataView(b.buffer, b.byteOffset, 8).getBigUint64(0, true);
      if (value > COUNTER_MAX) return -EINVAL;
      return addToCounter(s, counter, value) ? 8 : undefined;
    }),
  );
}

/** Terminals, FIFOs, inherited pipes: the host says when they are full, and nobody when they are so no more. */
function writeStream(s: VfsState, file: number, buffers: Buffers): number {
  const fd = writeFdOf(s, file);
  const nonBlocking = (fileFlags(s, file) & O_NONBLOCK) !== 0;
  let done = 0;
  let pause = FIRST_WRITE_RECHECK_MS;
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const n = hostWrite(fd, done === 0 ? list : rest(list, done), null);
      if (n === -EAGAIN) return nonBlocking ? -EAGAIN : undefined;
      if (n < 0) return n;
      done += n;
      pause = FIRST_WRITE_RECHECK_MS;
      return nonBlocking || done === sizeOf(list) ? done : undefined;
    });
  const recheck = (): number => {
    const ms = pause;
    pause = Math.min(pause * 2, LAST_WRITE_RECHECK_MS);
    return ms;
  };
  const n = waitUntil(s, [], attempt, Infinity, recheck);
  if (n === -EPIPE) s.port.raise(SIGPIPE);
  if (n === TIMED_OUT) return done;
  return n < 0 && done > 0 ? done : n;
}

function rest(list: readonly Uint8Array[], skip: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let left = skip;
  for (const b of list) {
    if (left < b.length) out.push(b.subarray(left));
    left = Math.max(0, left - b.length);
  }
  return out;
}

/** Bytes that a read would give at once (FIONREAD of pipes). */
export function pipeBytes(s: VfsState, file: number): number {
  return pipeFill(s, fileObject(s, file));
}
