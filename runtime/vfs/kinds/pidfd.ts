/** pidfd. In: descriptions; their object is the process's index, their offset its id. Out: their row of operations. Source: man 2 pidfd_open, man 5 proc (/proc/PID/fdinfo). */
import { EINVAL } from '../../linux/errno.js';
import type { FileOps } from '../file-ops.js';
import { fileObject, fileOffset, filePath } from '../open-files.js';
import { POLLHUP, READABLE } from '../poll-events.js';
import { processQueue } from '../process-queue.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

export const pidfdOps: FileOps = {
  seekable: false,
  read: () => -EINVAL,
  write: () => -EINVAL,
  readiness: (s, file) => {
    const state = s.port.processState(fileObject(s, file), fileOffset(s, file));
    if (state === 'alive') return 0;
    return state === 'zombie' ? READABLE : READABLE | POLLHUP;
  },
  queue: (s, file) => processQueue(fileObject(s, file)),
  stat: statAnonymous,
  link: filePath,
  fileSystem: ANON_INODE_FS_MAGIC,
  info: (s, file) => {
    const pid = fileOffset(s, file);
    const shown = s.port.processState(fileObject(s, file), pid) === 'gone' ? -1 : pid;
    return `Pid:\t${String(shown)}\nNSpid:\t${String(shown)}\n`;
  },
};
