/**
 * Arguments of file system calls: descriptors, paths and buffers in guest memory. In: a thread, guest addresses. Out: descriptions, byte paths, buffers; -errno.
 * Paths and iovecs are read once; buffers are checked whenever they are used. Source: man 2 open, man 2 readv.
 */
import { EFAULT, EINVAL, ENAMETOOLONG } from '../linux/errno.js';
import type { SyscallResult } from '../linux/context.js';
import type { Thread } from '../linux/thread.js';
import { fromBytes, type BytePath } from './byte-path.js';
import { ownFile, pinFile } from './fd-table.js';
import { hostCall } from './host-error.js';
import { PATH_MAX } from './layout.js';
import { putFile } from './open-files.js';
import { hostOnly, withTarget, type ResolveOptions } from './resolve.js';
import type { Buffers } from './file-ops.js';

/** Most bytes of one transfer (MAX_RW_COUNT). */
export const MAX_TRANSFER = 0x7fff_f000;
/** Most buffers of one readv or writev. */
const IOV_MAX = 1024;
const IOVEC_BYTES = 16;
const PAGE = 4096;

/** Calls `fn`, which closes no descriptor, with the description behind `fd`; -EBADF when there is none. */
export function withFd<T>(t: Thread, fd: number, fn: (file: number) => T): T | number {
  const { state, table } = t.files;
  const own = ownFile(state, table, fd);
  if (own !== undefined) return own < 0 ? own : fn(own);
  const file = pinFile(state, table, fd);
  if (file < 0) return file;
  try {
    return fn(file);
  } finally {
    putFile(state, file);
  }
}

/** The path at `addr`; -EFAULT, -ENAMETOOLONG. */
export function pathAt(t: Thread, addr: number): BytePath | number {
  const bytes = t.mem.cstring(addr, PATH_MAX);
  if (bytes === undefined) return -EFAULT;
  return bytes.length >= PATH_MAX ? -ENAMETOOLONG : fromBytes(bytes);
}

export function withPath<T>(t: Thread, addr: number, fn: (path: BytePath) => T): T | number {
  const path = pathAt(t, addr);
  return typeof path === 'number' ? path : fn(path);
}

/** A host call on the file that a path names; 0 or -errno, -EPERM for lift64's own files. */
export function onHostPath(
  t: Thread,
  dirfd: number,
  addr: number,
  options: ResolveOptions,
  call: (host: Buffer) => void,
): number {
  return withPath(t, addr, (path) =>
    withTarget(t.files, dirfd, path, options, (target) => {
      const host = hostOnly(target);
      if (typeof host === 'number') return host;
      return hostCall(() => {
        call(host);
        return 0;
      });
    }),
  );
}

/** One buffer of the guest. */
export interface GuestRange {
  readonly addr: number;
  readonly size: number;
}

/** Buffers of a transfer and their size together, bytes. */
export interface Transfer {
  readonly size: number;
  readonly buffers: Buffers;
}

/** The buffer of a read (`forWrite`: the guest's memory is written) or a write. */
export function oneBuffer(t: Thread, addr: number, length: number, forWrite: boolean): Transfer {
  const size = Math.min(length, MAX_TRANSFER);
  return {
    size,
    buffers: () => {
      const slice = t.mem.slice(addr, size, forWrite);
      return slice === undefined ? reachable(t, [{ addr, size }], forWrite) : [slice];
    },
  };
}

/** The ranges of an iovec that are not empty; -EFAULT, -EINVAL. */
export function iovecRanges(t: Thread, addr: number, count: number): GuestRange[] | number {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  const bytes = t.mem.read(addr, count * IOVEC_BYTES);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ranges: GuestRange[] = [];
  for (let at = 0; at < bytes.length; at += IOVEC_BYTES) {
    const size = view.getBigInt64(at + 8, true);
    if (size < 0n) return -EINVAL;
    if (size > 0n) ranges.push({ addr: Number(view.getBigUint64(at, true)), size: Number(size) });
  }
  return ranges;
}

/** The buffers of an iovec; -EFAULT, -EINVAL. */
export function manyBuffers(t: Thread, addr: number, count: number, forWrite: boolean): Transfer | number {
  const all = iovecRanges(t, addr, count);
  if (typeof all === 'number') return all;
  const ranges: GuestRange[] = [];
  let total = 0;
  for (const r of all) {
    const size = Math.min(r.size, MAX_TRANSFER - total);
    if (size > 0) ranges.push({ addr: r.addr, size });
    total += size;
  }
  return {
    size: total,
    buffers: () => {
      const slices: Uint8Array[] = [];
      for (const r of ranges) {
        const slice = t.mem.slice(r.addr, r.size, forWrite);
        if (slice === undefined) return reachable(t, ranges, forWrite);
        slices.push(slice);
      }
      return slices;
    },
  };
}

/** What of the ranges comes before the first byte that can't be reached: a transfer ends there. -EFAULT when that is nothing. */
function reachable(t: Thread, ranges: readonly GuestRange[], forWrite: boolean): readonly Uint8Array[] | number {
  const slices: Uint8Array[] = [];
  const can = (addr: number, size: number): boolean =>
    forWrite ? t.mem.canWrite(addr, size) : t.mem.canRead(addr, size);
  for (const { addr, size } of ranges) {
    let good = 0;
    while (good < size) {
      const step = Math.min(size - good, PAGE - ((addr + good) % PAGE));
      if (!can(addr + good, step)) break;
      good += step;
    }
    const slice = good > 0 ? t.mem.slice(addr, good, forWrite) : undefined;
    if (slice !== undefined) slices.push(slice);
    if (good < size) break;
  }
  return slices.length === 0 ? -EFAULT : slices;
}

/** An off_t or loff_t argument as a number; larger than 2**53 - 1 is cut to that, which no file reaches. */
export function offsetOf(value: bigint): number {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > most ? most : value < -most ? -most : value);
}

/** Runs a call on the host's descriptor behind `fd`; `none` where lift64 serves the file itself. */
export function onHostFd(t: Thread, fd: number, none: number, call: (host: number) => void): SyscallResult {
  return withFd(t, fd, (file) => {
    const host = t.files.hostFd(file);
    if (host < 0) return none;
    return hostCall(() => {
      call(host);
      return 0;
    });
  });
}
