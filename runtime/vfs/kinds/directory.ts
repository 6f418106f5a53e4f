/** Directories of the host, and those that it has not; and descriptions with O_PATH. In: descriptions. Out: their rows of operations. Source: man 2 open, getdents, lseek. */
import { EBADF, EINVAL, EISDIR, ENOENT } from '../../linux/errno.js';
import { currentPath } from '../descriptor-path.js';
import type { FileOps } from '../file-ops.js';
import { toldOfClose } from '../inotify/file-events.js';
import { filePath, withOffset } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { POLLNVAL, READABLE, WRITABLE } from '../poll-events.js';
import { SEEK_CUR, SEEK_SET, seekTo } from '../seek-to.js';
import { statNamed } from '../status.js';

export const directoryOps: FileOps = {
  seekable: true,
  read: () => -EISDIR,
  write: () => -EBADF,
  readiness: () => READABLE | WRITABLE,
  close: toldOfClose,
  stat: () => -ENOENT,
  link: currentPath,
  seek: (s, file, offset, whence) => {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
    return withOffset(s, file, () => seekTo(s, file, offset, whence, () => 0));
  },
};

export const specialDirectoryOps: FileOps = {
  ...directoryOps,
  stat: statNamed,
  link: filePath,
  again: openByPathAgain,
};

/** Nothing can be done with it but what its path allows. */
export const pathOps: FileOps = {
  seekable: false,
  read: () => -EBADF,
  write: () => -EBADF,
  readiness: () => POLLNVAL,
  close: (s, file) => toldOfClose(s, file, true),
  // Of a link of lift64's own: of the link itself.
  stat: statNamed,
  link: currentPath,
  seek: () => -EBADF,
};
