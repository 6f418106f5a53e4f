/** Masters of pseudo-terminals. In: descriptions. Out: their row of operations. Source: man 4 ptmx, man 7 pty. */
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { masterReadiness, readMaster, writeMaster } from '../terminal/master-io.js';
import { statMaster } from '../terminal/nodes.js';
import { masterClosed, ttyOf } from '../terminal/pairs.js';
import { terminalIoctl } from '../terminal/terminal-ioctl.js';

export const ptmxOps: FileOps = {
  seekable: false,
  read: ({ state }, file, size, buffers) => readMaster(ttyOf(state, file), file, size, buffers),
  write: ({ state }, file, _size, buffers) => writeMaster(ttyOf(state, file), file, buffers),
  readiness: (s, file) => masterReadiness(ttyOf(s, file)),
  queue: (s, file) => ttyOf(s, file).queue,
  close: (s, file) => masterClosed(s, fileObject(s, file)),
  stat: statMaster,
  link: filePath,
  readable: ({ state }, file) => ttyOf(state, file).shownBytes,
  ioctl: (t, file, request, arg) => terminalIoctl(t, ttyOf(t.files.state, file), 'master', request, arg),
  // Another open of /dev/ptmx is another pair.
  again: openByPathAgain,
};
