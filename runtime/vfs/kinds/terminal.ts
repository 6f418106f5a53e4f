/** Terminals: slaves of pseudo-terminals. In: descriptions. Out: their row of operations. Source: man 7 pty, man 4 tty. */
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { openPath } from '../open.js';
import { TTY } from '../layout.js';
import { statSlave } from '../terminal/nodes.js';
import { slaveClosed, ttyOf } from '../terminal/pairs.js';
import { readableBytes, readSlave, slaveReadiness, writeSlave } from '../terminal/slave-io.js';
import { terminalIoctl } from '../terminal/terminal-ioctl.js';

const DEVPTS_SUPER_MAGIC = 0x1cd1;
const nothing = (): void => undefined;

export const terminalOps: FileOps = {
  seekable: false,
  read: ({ state }, file, size, buffers) => readSlave(ttyOf(state, file), file, size, buffers, nothing),
  write: ({ state }, file, _size, buffers) => writeSlave(ttyOf(state, file), file, buffers),
  readiness: (s, file) => slaveReadiness(ttyOf(s, file)),
  queue: (s, file) => ttyOf(s, file).queue,
  open: (s, file) => {
    const tty = ttyOf(s, file);
    tty.set(TTY.SLAVES, tty.get(TTY.SLAVES) + 1);
  },
  close: (s, file) => slaveClosed(s, fileObject(s, file)),
  stat: ({ state }, file) => statSlave(ttyOf(state, file)),
  link: filePath,
  fileSystem: DEVPTS_SUPER_MAGIC,
  readable: ({ state }, file) => readableBytes(ttyOf(state, file)),
  ioctl: (t, file, request, arg) => terminalIoctl(t, file, ttyOf(t.files.state, file), 'slave', request, arg),
  again: (c, file, flags) => openPath(c, -1, filePath(c.state, file), flags, 0),
};
