/** eventfd. In: descriptions. Out: its row of operations. Source: man 2 eventfd. */
import { EINVAL } from '../../linux/errno.js';
import { addToCounter, COUNTER_MAX, counterQueue, counterValue, freeCounter, takeCounter } from '../counters.js';
import { blocking, once } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

export const counterOps: FileOps = {
  seekable: false,
  read: ({ state: s }, file, _size, buffers) => {
    const counter = fileObject(s, file);
    return blocking(s, file, [counterQueue(counter)], () =>
      once(buffers, ([b]) => {
        if (b === undefined || b.length < 8) return -EINVAL;
        const value = takeCounter(s, counter);
        if (value === undefined) return undefined;
        new DataView(b.buffer, b.byteOffset, 8).setBigUint64(0, value, true);
        return 8;
      }),
    );
  },
  write: ({ state: s }, file, _size, buffers) => {
    const counter = fileObject(s, file);
    return blocking(s, file, [counterQueue(counter)], () =>
      once(buffers, ([b]) => {
        if (b === undefined || b.length < 8) return -EINVAL;
        const value = new DataView(b.buffer, b.byteOffset, 8).getBigUint64(0, true);
        if (value > COUNTER_MAX) return -EINVAL;
        return addToCounter(s, counter, value) ? 8 : undefined;
      }),
    );
  },
  readiness: (s, file) => {
    const value = counterValue(s, fileObject(s, file));
    return (value > 0n ? READABLE : 0) | (value < COUNTER_MAX ? WRITABLE : 0);
  },
  queue: (s, file) => counterQueue(fileObject(s, file)),
  close: (s, file) => {
    freeCounter(s, fileObject(s, file));
    return undefined;
  },
  stat: statAnonymous,
  link: filePath,
  fileSystem: ANON_INODE_FS_MAGIC,
};
