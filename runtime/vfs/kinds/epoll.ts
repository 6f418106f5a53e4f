/** epoll instances. In: descriptions. Out: their row of operations. Source: man 7 epoll, man 5 proc (/proc/PID/fdinfo). */
import { EINVAL } from '../../linux/errno.js';
import { epollRecheck, freeEpoll, isEpollReady } from '../epoll.js';
import { dropWatchesBy, epollQueue, watchesOf } from '../epoll-watches.js';
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { READABLE } from '../poll-events.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

export const epollOps: FileOps = {
  seekable: false,
  read: () => -EINVAL,
  write: () => -EINVAL,
  readiness: (s, file) => (isEpollReady(s, fileObject(s, file)) ? READABLE : 0),
  queue: (s, file) => epollQueue(fileObject(s, file)),
  // What it watches may have to be asked.
  recheck: (s, file) => epollRecheck(s, fileObject(s, file)),
  close: (s, file) => {
    dropWatchesBy(s, fileObject(s, file));
    freeEpoll(s, fileObject(s, file));
    return undefined;
  },
  stat: statAnonymous,
  link: filePath,
  fileSystem: ANON_INODE_FS_MAGIC,
  info: (s, file) =>
    watchesOf(s, fileObject(s, file))
      .map(({ fd, events, dataLo, dataHi }) => {
        const data = (BigInt(dataHi >>> 0) << 32n) | BigInt(dataLo >>> 0);
        return `tfd: ${String(fd).padStart(8)} events: ${(events >>> 0).toString(16).padStart(8)} data: ${data.toString(16).padStart(16)}\n`;
      })
      .join(''),
};
