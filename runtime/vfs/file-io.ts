/**
 * What reads and writes of all kinds have in common: buffers, offsets, waits, host calls. In: descriptions, buffers, attempts. Out: bytes transferred, or -errno.
 * Source: man 2 read, readv.
 */
import * as fs from 'node:fs';
import { EAGAIN } from '../linux/errno.js';
import type { Buffers } from './file-ops.js';
import { hostFailure } from './host-error.js';
import { fileFlags, fileMarks, fileOffset, MARK, setFileOffset, withOffset } from './open-files.js';
import { O_NONBLOCK } from './open-flags.js';
import type { VfsState } from './state.js';
import { TIMED_OUT, waitUntil } from './wait-queue.js';

export const sizeOf = (list: readonly Uint8Array[]): number => list.reduce((sum, b) => sum + b.length, 0);

export const isNonBlocking = (s: VfsState, file: number): boolean => (fileFlags(s, file) & O_NONBLOCK) !== 0;

/** `fn` with the buffers as they are now; -EFAULT. */
export function once<T>(buffers: Buffers, fn: (list: readonly Uint8Array[]) => T): T | number {
  const list = buffers();
  return typeof list === 'number' ? list : fn(list);
}

/** One buffer with the bytes of all. */
export function joined(list: readonly Uint8Array[]): Uint8Array {
  const [first] = list;
  return first !== undefined && list.length === 1 ? first : Buffer.concat(list);
}

/** Up to `size` bytes of the buffers that follow their first `skip`. */
export function span(list: readonly Uint8Array[], skip: number, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let [before, left] = [skip, size];
  for (const b of list) {
    if (left <= 0) break;
    if (before < b.length) {
      const part = b.subarray(before, before + left);
      out.push(part);
      left -= part.length;
    }
    before = Math.max(0, before - b.length);
  }
  return out;
}

/** The first `size` bytes of the buffers. */
export const head = (list: readonly Uint8Array[], size: number): Uint8Array[] => span(list, 0, size);

/** What follows the first `skip` bytes of the buffers. */
export const rest = (list: readonly Uint8Array[], skip: number): Uint8Array[] => span(list, skip, Infinity);

/** `bytes` from `at` on to the buffers. */
export function scatter(bytes: Uint8Array, list: readonly Uint8Array[], at: number): number {
  let n = 0;
  for (const b of list) {
    const part = bytes.subarray(at + n, at + n + b.length);
    b.set(part);
    n += part.length;
  }
  return n;
}

/**
 * Runs `fn` at `position`, or at the offset, which it moves on by the bytes transferred. The buffers are asked for before the offset is taken: to invalidate
 * code on them stops the world, which no thread may do while it holds what others wait for.
 */
export function atOffset(
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

/** Waits for `attempt`, unless the description is non-blocking. `recheckMs` as waitUntil has it. */
export function blocking(
  s: VfsState,
  file: number,
  queues: readonly number[],
  attempt: () => number | undefined,
  recheckMs?: () => number,
): number {
  const n = isNonBlocking(s, file) ? (attempt() ?? -EAGAIN) : waitUntil(s, queues, attempt, Infinity, recheckMs);
  return n === TIMED_OUT ? -EAGAIN : n;
}

export function hostRead(fd: number, list: readonly Uint8Array[], at: number | null): number {
  try {
    const [first] = list;
    if (first !== undefined && list.length === 1) return fs.readSync(fd, first, 0, first.length, at);
    return fs.readvSync(fd, list, at ?? undefined);
  } catch (e) {
    return hostFailure(e);
  }
}

export function hostWrite(fd: number, list: readonly Uint8Array[], at: number | null): number {
  try {
    const [first] = list;
    if (first !== undefined && list.length === 1) return fs.writeSync(fd, first, 0, first.length, at);
    return fs.writevSync(fd, list, at ?? undefined);
  } catch (e) {
    return hostFailure(e);
  }
}
