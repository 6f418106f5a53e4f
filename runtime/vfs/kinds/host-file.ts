/** Regular files and block devices of the host. In: descriptions. Out: their row of operations. Source: man 2 read, write, lseek; man 2 memfd_create (seals). */
import * as fs from 'node:fs';
import { EFBIG, ENOENT, EPERM } from '../../linux/errno.js';
import { SIGXFSZ } from '../../linux/signals.js';
import { afterWrite, beforeRead, whileWriting } from '../coherence.js';
import { currentPath } from '../descriptor-path.js';
import type { FileContext } from '../file-context.js';
import { atOffset, head, hostRead, hostWrite, once, sizeOf } from '../file-io.js';
import type { Buffers, FileOps } from '../file-ops.js';
import { toldOfClose } from '../inotify/file-events.js';
import {
  clearMark,
  fileFlags,
  fileMarks,
  fileOffset,
  filePath,
  fileSeals,
  hostFd,
  MARK,
  setFileOffset,
  withOffset,
} from '../open-files.js';
import { LINUX_HOST, O_APPEND } from '../open-flags.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import { SEEK_CUR, seekTo } from '../seek-to.js';
import { statOpenFile } from '../status.js';

const F_SEAL_WRITES = 0x8 | 0x10;
const F_SEAL_GROW = 0x4;
const INT_MAX = 0x7fff_ffff;

function write(c: FileContext, file: number, buffers: Buffers, position: number | undefined): number {
  const s = c.state;
  const fd = hostFd(s, file);
  const append = (fileFlags(s, file) & O_APPEND) !== 0;
  if ((fileSeals(s, file) & F_SEAL_WRITES) !== 0) return -EPERM;
  const limit = c.port.fileSizeLimit();
  let writtenAt: number | undefined;
  const attempt = (list: readonly Uint8Array[], at: number | null): number => {
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
      ? atOffset(s, file, position, buffers, attempt)
      : once(buffers, (list) => withOffset(s, file, () => attempt(list, null)));
  if (n > 0) afterWrite(c, fd, writtenAt, n);
  return n;
}

/** Offset of a host description, where the host tells it. */
function hostOffset(fd: number): number | undefined {
  if (!LINUX_HOST) return undefined;
  try {
    const match = /^pos:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

export const hostFileOps: FileOps = {
  seekable: true,
  read: (c, file, _size, buffers, position) => {
    const fd = hostFd(c.state, file);
    beforeRead(c, fd);
    return atOffset(c.state, file, position, buffers, (list, at) => hostRead(fd, list, at));
  },
  write: (c, file, _size, buffers, position) => whileWriting(c, () => write(c, file, buffers, position)),
  readiness: () => READABLE | WRITABLE,
  close: toldOfClose,
  stat: () => -ENOENT,
  // The host's name of a memfd is that of the file that stands in for it.
  link: (s, file) => ((fileMarks(s, file) & MARK.MEMFD) !== 0 ? filePath(s, file) : currentPath(s, file)),
  seek: (s, file, offset, whence) =>
    withOffset(s, file, () => {
      const fd = hostFd(s, file);
      if ((fileMarks(s, file) & MARK.HOST_OFFSET) !== 0) {
        const own = hostOffset(fd);
        if (own !== undefined) setFileOffset(s, file, own);
        if (whence === SEEK_CUR && offset === 0) return fileOffset(s, file);
        clearMark(s, file, MARK.HOST_OFFSET);
      }
      return seekTo(s, file, offset, whence, () => fs.fstatSync(fd).size);
    }),
  readable: (c, file) => {
    const st = statOpenFile(c, file);
    if (typeof st === 'number') return st;
    return Math.max(0, Math.min(Number(st.size) - fileOffset(c.state, file), INT_MAX));
  },
};
