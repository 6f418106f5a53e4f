/**
 * Reading and writing open files: what holds for all kinds; the rest is their rows' (kinds/). In: descriptions, and guest buffers. Out: bytes transferred, or -errno.
 * Source: man 2 read, write, readv, pread.
 */
import { EBADF, ESPIPE } from '../linux/errno.js';
import type { FileContext } from './file-context.js';
import type { Buffers } from './file-ops.js';
import { toldOfFile } from './inotify/file-events.js';
import { IN } from './inotify/instances.js';
import { isWatching } from './inotify/marks.js';
import { fileFlags, fileKind, fileOps, KIND } from './open-files.js';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from './open-flags.js';
import type { VfsState } from './state.js';

/** Reads up to `size` bytes, that of all buffers; `position` for pread, without it at the description's offset. */
export function readFile(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number {
  const s = c.state;
  if ((fileFlags(s, file) & O_ACCMODE) === O_WRONLY) return -EBADF;
  if (position !== undefined && !isSeekable(s, file)) return noPosition(s, file);
  const ops = fileOps(s, file);
  if (!isWatching(s)) return ops.read(c, file, size, buffers, position);
  return toldOfFile(s, file, IN.ACCESS, 0, () => ops.read(c, file, size, buffers, position));
}

/** Writes `size` bytes, that of all buffers; `position` for pwrite. */
export function writeFile(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number {
  const s = c.state;
  if ((fileFlags(s, file) & O_ACCMODE) === O_RDONLY) return -EBADF;
  if (position !== undefined && !isSeekable(s, file)) return noPosition(s, file);
  const ops = fileOps(s, file);
  if (!isWatching(s)) return ops.write(c, file, size, buffers, position);
  return toldOfFile(s, file, IN.MODIFY, 0, () => ops.write(c, file, size, buffers, position));
}

const noPosition = (s: VfsState, file: number): number => (fileKind(s, file) === KIND.PATH ? -EBADF : -ESPIPE);

/** Whether the description has an offset, or takes pread's. */
export function isSeekable(s: VfsState, file: number): boolean {
  return fileOps(s, file).seekable;
}
