/** Sockets as open files. In: descriptions. Out: their row of operations; what they are is in runtime/net. Source: man 7 socket. */
import { isNonBlocking } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { bytePath } from '../byte-path.js';
import { madeUp, makeDev, S_IFSOCK } from '../file-stat.js';
import { fileObject, putFile } from '../open-files.js';
import type { VfsState } from '../state.js';
import { destroy } from '../../net/connection.js';
import { SOCKET } from '../../net/layout.js';
import { interfaceIoctl } from '../../net/interface-ioctl.js';
import { familyOf } from '../../net/open-socket.js';
import { socketReadable, socketReadiness } from '../../net/poll.js';
import { receive } from '../../net/receive.js';
import { get, netLocked, socketQueue } from '../../net/socket-table.js';
import { originOf } from '../../net/origin.js';

/** Device number of the file system of sockets, as a Linux kernel commonly gives it. */
const SOCKET_DEV = makeDev(0, 8);
const SOCKFS_MAGIC = 0x534f_434b;

const inode = (s: VfsState, file: number): number => get(s, fileObject(s, file), SOCKET.INODE);

export const socketOps: FileOps = {
  seekable: false,
  read: ({ state: s }, file, size, buffers) => {
    if (size === 0) return 0;
    const { n, origin } = receive(s, fileObject(s, file), buffers, 0, isNonBlocking(s, file));
    // Descriptions that nobody asks for are closed.
    for (const passed of origin?.files ?? []) putFile(s, passed);
    return n;
  },
  write: (c, file, _size, buffers) => {
    const s = c.state;
    const socket = fileObject(s, file);
    const sending = { flags: 0, nonBlocking: isNonBlocking(s, file), origin: originOf(s, socket) };
    return familyOf(s, socket).send(c, socket, buffers, sending);
  },
  readiness: (s, file) => socketReadiness(s, fileObject(s, file)),
  queue: (s, file) => socketQueue(fileObject(s, file)),
  close: (s, file) => {
    const socket = fileObject(s, file);
    return {
      then: () => {
        familyOf(s, socket).close?.(s, socket);
        netLocked(s, (after) => {
          destroy(s, socket, after);
        });
      },
    };
  },
  stat: ({ state }, file) => madeUp(S_IFSOCK | 0o777, inode(state, file), { dev: SOCKET_DEV }),
  link: (s, file) => bytePath(`socket:[${String(inode(s, file))}]`),
  fileSystem: SOCKFS_MAGIC,
  ioctl: (t, _file, request, arg) => interfaceIoctl(t, request, arg),
  readable: ({ state }, file) => socketReadable(state, fileObject(state, file)),
};
