/** In-memory files whose content is made when they are opened (/proc). In: descriptions. Out: their row of operations. Source: man 5 proc. */
import { EIO } from '../../linux/errno.js';
import { blobBytes, freeBlob } from '../blobs.js';
import { atOffset, joined, once, scatter } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath, withOffset } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import { nodeAt } from '../resolve.js';
import { seekTo } from '../seek-to.js';
import { statNamed } from '../status.js';

export const blobOps: FileOps = {
  seekable: true,
  read: ({ state: s }, file, _size, buffers, position) =>
    atOffset(s, file, position, buffers, (list, at) => scatter(blobBytes(s, fileObject(s, file)), list, at ?? 0)),
  write: (c, file, _size, buffers) => {
    const node = nodeAt(c, filePath(c.state, file), true);
    if (typeof node === 'number') return node;
    if (node?.type !== 'file' || node.write === undefined) return -EIO;
    const write = node.write;
    return once(buffers, (list) => write(joined(list)));
  },
  readiness: () => READABLE | WRITABLE,
  close: (s, file) => {
    freeBlob(s, fileObject(s, file));
    return undefined;
  },
  stat: statNamed,
  link: filePath,
  seek: (s, file, offset, whence) =>
    withOffset(s, file, () => seekTo(s, file, offset, whence, () => blobBytes(s, fileObject(s, file)).length)),
  again: openByPathAgain,
};
