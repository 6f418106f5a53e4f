/** Terminals: slaves of pseudo-terminals, and the host's. In: descriptions. Out: their row of operations. Source: man 7 pty, man 4 tty. */
import type { FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { TTY } from '../layout.js';
import { statTerminal } from '../terminal/nodes.js';
import { hostReadiness, readHost, writeHost } from '../terminal/host-io.js';
import { slaveClosed, ttyOf } from '../terminal/pairs.js';
import { readableBytes, readSlave, slaveReadiness, writeSlave } from '../terminal/slave-io.js';
import { terminalIoctl } from '../terminal/terminal-ioctl.js';

const DEVPTS_SUPER_MAGIC = 0x1cd1;
const nothing = (): void => undefined;

export const terminalOps: FileOps = {
  seekable: false,
  read: ({ state }, file, size, buffers) => {
    const tty = ttyOf(state, file);
    return tty.isHost ? readHost(tty, file, size, buffers) : readSlave(tty, file, size, buffers, nothing);
  },
  write: ({ state }, file, _size, buffers) => {
    const tty = ttyOf(state, file);
    return tty.isHost ? writeHost(tty, file, buffers) : writeSlave(tty, file, buffers);
  },
  readiness: (s, file, wanted) => {
    const tty = ttyOf(s, file);
    return tty.isHost ? hostReadiness(tty, wanted) : slaveReadiness(tty);
  },
  queue: (s, file) => ttyOf(s, file).queue,
  open: (s, file) => {
    const tty = ttyOf(s, file);
    tty.set(TTY.SLAVES, tty.get(TTY.SLAVES) + 1);
  },
  close: (s, file) => slaveClosed(s, fileObject(s, file)),
  stat: ({ state }, file) => statTerminal(ttyOf(state, file)),
  link: filePath,
  fileSystem: DEVPTS_SUPER_MAGIC,
  readable: ({ state }, file) => readableBytes(ttyOf(state, file)),
  ioctl: (t, file, request, arg) => terminalIoctl(t, ttyOf(t.files.state, file), 'slave', request, arg),
  again: openByPathAgain,
};
