/** inotify instances. In: descriptions. Out: their row of operations. Source: man 7 inotify; fs/notify/fdinfo.c of Linux (fdinfo). */
import { EINVAL } from '../../linux/errno.js';
import { blocking, once, scatter, sizeOf } from '../file-io.js';
import type { Buffers, FileOps } from '../file-ops.js';
import { inotifyQueue, takeEvents, unreadBytes } from '../inotify/instances.js';
import { freeInotifyLocked, marksOf } from '../inotify/marks.js';
import type { NodeId } from '../node-id.js';
import { fileObject, filePath } from '../open-files.js';
import { READABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

function read(s: VfsState, file: number, buffers: Buffers): number {
  const instance = fileObject(s, file);
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const events = takeEvents(s, instance, sizeOf(list));
      return typeof events === 'object' ? scatter(events, list, 0) : events;
    });
  return blocking(s, file, [inotifyQueue(instance)], attempt);
}

const hex = (low: number, high: number): string => ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16);

/** A device number as the kernel keeps it: 12 bits major, 20 bits minor. */
function kernelDevice([low]: NodeId): string {
  const minor = (low & 0xff) | ((low >>> 12) & 0xfff00);
  return (((((low >>> 8) & 0xfff) << 20) | minor) >>> 0).toString(16);
}

export const inotifyOps: FileOps = {
  seekable: false,
  read: ({ state }, file, _size, buffers) => read(state, file, buffers),
  write: () => -EINVAL,
  readiness: (s, file) => (unreadBytes(s, fileObject(s, file)) > 0 ? READABLE : 0),
  queue: (s, file) => inotifyQueue(fileObject(s, file)),
  close: (s, file) => ({ then: freeInotifyLocked(s, fileObject(s, file)) }),
  stat: statAnonymous,
  link: filePath,
  seek: () => 0,
  fileSystem: ANON_INODE_FS_MAGIC,
  readable: ({ state }, file) => unreadBytes(state, fileObject(state, file)),
  info: (s, file) =>
    marksOf(s, fileObject(s, file))
      .map(
        ({ wd, mask, id }) =>
          `inotify wd:${wd.toString(16)} ino:${hex(id[2], id[3])} sdev:${kernelDevice(id)} mask:${(mask >>> 0).toString(16)} ignored_mask:0 \n`,
      )
      .join(''),
};
