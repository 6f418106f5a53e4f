/** /proc/PID/mem: the memory of a process, at its addresses. In: descriptions, whose OBJECT is the process's id. Out: their row of operations. Source: man 5 proc_pid_mem. */
import { EINVAL, EIO } from '../../linux/errno.js';
import { joined, once, scatter } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { fileObject, fileOffset, filePath, setFileOffset } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import { SEEK_CUR, SEEK_SET, seekTo } from '../seek-to.js';
import { statNamed } from '../status.js';
import type { FileContext } from '../file-context.js';

/** Bytes of one transfer; man 2 read allows less than was asked for. */
const MOST = 1 << 20;

function transfer(
  c: FileContext,
  file: number,
  bytes: Uint8Array,
  write: boolean,
  position: number | undefined,
): number {
  const s = c.state;
  const at = position ?? fileOffset(s, file);
  const n = c.config.proc.accessMemory(fileObject(s, file), at, bytes, write);
  if (n === 0 && bytes.length > 0) return -EIO;
  if (position === undefined) setFileOffset(s, file, at + n);
  return n;
}

export const memoryOps: FileOps = {
  seekable: true,
  // Not straight into the guest's buffers: to get at the memory of another process the thread may have to wait.
  read: (c, file, size, buffers, position) => {
    const bytes = new Uint8Array(Math.min(size, MOST));
    const n = transfer(c, file, bytes, false, position);
    return n < 0 ? n : once(buffers, (list) => scatter(bytes.subarray(0, n), list, 0));
  },
  write: (c, file, _size, buffers, position) => {
    const bytes = once(buffers, (list) => Uint8Array.from(joined(list)));
    return typeof bytes === 'number' ? bytes : transfer(c, file, bytes, true, position);
  },
  readiness: () => READABLE | WRITABLE,
  stat: statNamed,
  link: filePath,
  seek: (s, file, offset, whence) =>
    whence === SEEK_SET || whence === SEEK_CUR ? seekTo(s, file, offset, whence, () => 0) : -EINVAL,
  again: openByPathAgain,
};
