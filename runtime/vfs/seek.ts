/**
 * lseek, truncation and allocation of open files. In: descriptions. Out: offsets, or -errno. Source: man 2 lseek, ftruncate, fallocate.
 */
import * as fs from 'node:fs';
import { afterResize, afterWrite, beforeRead } from './coherence.js';
import { EBADF, EFBIG, EINVAL, EOPNOTSUPP, EPERM, ESPIPE, EISDIR, ENODEV } from '../linux/errno.js';
import { SIGXFSZ } from '../linux/signals.js';
import type { FileContext } from './file-context.js';
import { hostCall, hostFailure } from './host-error.js';
import { fileFlags, fileKind, fileOps, fileSeals, hostFd, KIND } from './open-files.js';
import { O_ACCMODE, O_RDONLY } from './open-flags.js';
import type { VfsState } from './state.js';
import { SEEK_HOLE, SEEK_SET } from './seek-to.js';

/** Moves the offset; the new one, or -errno. */
export function seekFile(s: VfsState, file: number, offset: number, whence: number): number {
  if (fileKind(s, file) === KIND.PATH) return -EBADF;
  if (whence < SEEK_SET || whence > SEEK_HOLE) return -EINVAL;
  return fileOps(s, file).seek?.(s, file, offset, whence) ?? -ESPIPE;
}

const F_SEAL_SHRINK = 0x2;
const F_SEAL_GROW = 0x4;
const F_SEAL_WRITES = 0x18;

/** ftruncate. */
export function truncateFile(c: FileContext, file: number, length: number): number {
  const s = c.state;
  if (length < 0) return -EINVAL;
  if (fileKind(s, file) === KIND.PATH) return -EBADF;
  if (fileKind(s, file) !== KIND.FILE || (fileFlags(s, file) & O_ACCMODE) === O_RDONLY) return -EINVAL;
  if (length > c.port.fileSizeLimit()) {
    c.port.raise(SIGXFSZ);
    return -EFBIG;
  }
  try {
    const fd = hostFd(s, file);
    const seals = fileSeals(s, file);
    if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) !== 0) {
      const { size } = fs.fstatSync(fd);
      if (length < size && (seals & F_SEAL_SHRINK) !== 0) return -EPERM;
      if (length > size && (seals & F_SEAL_GROW) !== 0) return -EPERM;
    }
    beforeRead(c, fd);
    fs.ftruncateSync(fd, length);
    afterResize(c, fd);
    return 0;
  } catch (e) {
    return hostFailure(e);
  }
}

const FALLOC_FL_KEEP_SIZE = 0x1;
const FALLOC_FL_PUNCH_HOLE = 0x2;
const FALLOC_FL_ZERO_RANGE = 0x10;
/** Bytes of zeros that one host call writes. */
const ZEROS = 1 << 20;

/** fallocate: sizes are as asked, but no blocks are reserved and none are freed: Node has no call for it. */
export function allocateFile(c: FileContext, file: number, mode: number, offset: number, length: number): number {
  const s = c.state;
  const kind = fileKind(s, file);
  if (kind === KIND.PATH || (fileFlags(s, file) & O_ACCMODE) === O_RDONLY) return -EBADF;
  if (offset < 0 || length <= 0) return -EINVAL;
  // Offsets are exact numbers; no file of the host is as long.
  if (offset + length > Number.MAX_SAFE_INTEGER) return -EFBIG;
  if (kind === KIND.PIPE_READ || kind === KIND.PIPE_WRITE || kind === KIND.STREAM) return -ESPIPE;
  if (kind === KIND.DIRECTORY || kind === KIND.SPECIAL_DIRECTORY) return -EISDIR;
  if (kind !== KIND.FILE) return -ENODEV;
  const known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
  const keep = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  const punch = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
  if ((mode & ~known) !== 0 || (punch && !keep)) return -EOPNOTSUPP;
  const seals = fileSeals(s, file);
  return hostCall(() => {
    const fd = hostFd(s, file);
    const { size } = fs.fstatSync(fd);
    const end = offset + length;
    if ((seals & F_SEAL_WRITES) !== 0 || (!keep && end > size && (seals & F_SEAL_GROW) !== 0)) return -EPERM;
    if (!keep && end > c.port.fileSizeLimit()) {
      c.port.raise(SIGXFSZ);
      return -EFBIG;
    }
    if (punch || (mode & FALLOC_FL_ZERO_RANGE) !== 0) {
      writeZeros(fd, offset, Math.min(end, size));
      afterWrite(c, fd, offset, Math.max(0, Math.min(end, size) - offset));
    }
    if (!keep && end > size) fs.ftruncateSync(fd, end);
    return 0;
  });
}

function writeZeros(fd: number, from: number, to: number): void {
  const zeros = new Uint8Array(Math.min(ZEROS, Math.max(0, to - from)));
  for (let at = from; at < to;) at += fs.writeSync(fd, zeros, 0, Math.min(zeros.length, to - at), at);
}
