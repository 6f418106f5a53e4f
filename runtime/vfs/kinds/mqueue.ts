/** POSIX message queues. In: descriptions. Out: their row of operations. Source: man 7 mq_overview. */
import { EINVAL } from '../../linux/errno.js';
import { madeUp, makeDev, S_IFREG } from '../file-stat.js';
import type { FileOps } from '../file-ops.js';
import { hasMessage, hasRoom, mqueueQueue, putQueue, setNotification } from '../mqueues.js';
import { fileObject, filePath } from '../open-files.js';
import { READABLE, WRITABLE } from '../poll-events.js';

const MQUEUE_DEV = makeDev(0, 18);
const MQUEUE_MAGIC = 0x1980_0202;

export const mqueueOps: FileOps = {
  seekable: false,
  read: () => -EINVAL,
  write: () => -EINVAL,
  readiness: (s, file) => {
    const queue = fileObject(s, file);
    return (hasMessage(s, queue) ? READABLE : 0) | (hasRoom(s, queue) ? WRITABLE : 0);
  },
  queue: (s, file) => mqueueQueue(fileObject(s, file)),
  // Who is to be told of messages is so no more.
  flush: (s, file) => {
    setNotification(s, fileObject(s, file), s.port.pid, undefined);
  },
  close: (s, file) => {
    putQueue(s, fileObject(s, file));
    return undefined;
  },
  stat: ({ state }, file) => madeUp(S_IFREG | 0o600, fileObject(state, file) + 1, { dev: MQUEUE_DEV }),
  link: filePath,
  fileSystem: MQUEUE_MAGIC,
};
