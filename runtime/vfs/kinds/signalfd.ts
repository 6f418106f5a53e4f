/**
 * signalfd: what is pending for whoever reads it. In: descriptions, whose offset is the mask. Out: their row of operations; the mask.
 * Source: man 2 signalfd.
 */
import { EINVAL } from '../../linux/errno.js';
import { encodeSignalfd, SIGNALFD_BYTES } from '../../linux/signalfd-info.js';
import { blocking, once, scatter } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { FILE } from '../layout.js';
import { filePath, fileWord } from '../open-files.js';
import { READABLE } from '../poll-events.js';
import { processQueue } from '../process-queue.js';
import type { VfsState } from '../state.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

const signalfdMask = (s: VfsState, file: number): bigint => s.getBig64(fileWord(file) + FILE.OFFSET_LO);

export function setSignalfdMask(s: VfsState, file: number, mask: bigint): void {
  s.setBig64(fileWord(file) + FILE.OFFSET_LO, mask);
}

/** As many records as fit into the buffers, the first of them waited for. */
function take(s: VfsState, mask: bigint, list: readonly Uint8Array[], size: number): number | undefined {
  const out = new Uint8Array(size - (size % SIGNALFD_BYTES));
  if (out.length === 0) return -EINVAL;
  let n = 0;
  for (; n < out.length; n += SIGNALFD_BYTES) {
    const info = s.port.takeSignal(mask);
    if (info === undefined) break;
    encodeSignalfd(info, out.subarray(n, n + SIGNALFD_BYTES));
  }
  return n > 0 ? scatter(out.subarray(0, n), list, 0) : undefined;
}

export const signalfdOps: FileOps = {
  seekable: false,
  read: ({ state: s }, file, size, buffers) =>
    blocking(s, file, [processQueue(s.port.process)], () =>
      once(buffers, (list) => take(s, signalfdMask(s, file), list, size)),
    ),
  write: () => -EINVAL,
  readiness: (s, file) => (s.port.hasSignal(signalfdMask(s, file)) ? READABLE : 0),
  queue: (s) => processQueue(s.port.process),
  stat: statAnonymous,
  link: filePath,
  fileSystem: ANON_INODE_FS_MAGIC,
  info: (s, file) => `sigmask:\t${signalfdMask(s, file).toString(16).padStart(16, '0')}\n`,
};
