/** The kinds of open files: a row each. In: nothing. Out: the table that every VfsState holds. To add a kind: a number in open-files.ts, a row here. */
import type { FileKinds } from '../file-ops.js';
import { KIND } from '../open-files.js';
import { blobOps } from './blob.js';
import { counterOps } from './counter.js';
import { characterOps, deviceOps } from './device.js';
import { directoryOps, pathOps, specialDirectoryOps } from './directory.js';
import { epollOps } from './epoll.js';
import { hostFileOps } from './host-file.js';
import { inotifyOps } from './inotify.js';
import { memoryOps } from './memory.js';
import { mqueueOps } from './mqueue.js';
import { pidfdOps } from './pidfd.js';
import { pipeOps } from './pipe.js';
import { ptmxOps } from './ptmx.js';
import { signalfdOps } from './signalfd.js';
import { socketOps } from './socket.js';
import { streamOps } from './stream.js';
import { terminalOps } from './terminal.js';
import { timerfdOps } from './timerfd.js';

export const FILE_KINDS: FileKinds = {
  [KIND.FILE]: hostFileOps,
  [KIND.DIRECTORY]: directoryOps,
  [KIND.CHARACTER]: characterOps,
  [KIND.PATH]: pathOps,
  [KIND.PIPE_READ]: pipeOps,
  [KIND.PIPE_WRITE]: pipeOps,
  [KIND.COUNTER]: counterOps,
  [KIND.STREAM]: streamOps,
  [KIND.BLOB]: blobOps,
  [KIND.DEVICE]: deviceOps,
  [KIND.SPECIAL_DIRECTORY]: specialDirectoryOps,
  [KIND.EPOLL]: epollOps,
  [KIND.TIMERFD]: timerfdOps,
  [KIND.SIGNALFD]: signalfdOps,
  [KIND.PIDFD]: pidfdOps,
  [KIND.INOTIFY]: inotifyOps,
  [KIND.MEMORY]: memoryOps,
  [KIND.MQUEUE]: mqueueOps,
  [KIND.TERMINAL]: terminalOps,
  [KIND.PTMX]: ptmxOps,
  [KIND.SOCKET]: socketOps,
};
