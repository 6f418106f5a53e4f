/** Character devices that do not block: the host's, and the memory devices that lift64 serves. In: descriptions. Out: their rows of operations. Source: man 4 null, random. */
import { ENOENT } from '../../linux/errno.js';
import { currentPath } from '../descriptor-path.js';
import { hostRead, hostWrite, once } from '../file-io.js';
import type { FileOps } from '../file-ops.js';
import { toldOfClose } from '../inotify/file-events.js';
import { readDevice, writeDevice } from '../memory-devices.js';
import { fileObject, filePath, hostFd } from '../open-files.js';
import { openByPathAgain } from '../open.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import { statNode } from '../status.js';

/** OBJECT is the minor number of a memory device that needs no call of the host, or 0. */
export const characterOps: FileOps = {
  seekable: true,
  read: ({ state: s }, file, _size, buffers, position) => {
    const minor = fileObject(s, file);
    if (minor !== 0) return once(buffers, (list) => readDevice(minor, list));
    return once(buffers, (list) => hostRead(hostFd(s, file), list, position ?? null));
  },
  write: ({ state: s }, file, _size, buffers, position) => {
    const minor = fileObject(s, file);
    if (minor !== 0) return once(buffers, (list) => writeDevice(minor, list));
    return once(buffers, (list) => hostWrite(hostFd(s, file), list, position ?? null));
  },
  readiness: () => READABLE | WRITABLE,
  close: toldOfClose,
  stat: () => -ENOENT,
  link: currentPath,
  seek: () => 0,
};

/** In-memory device, for hosts without. */
export const deviceOps: FileOps = {
  seekable: true,
  read: ({ state }, file, _size, buffers) => once(buffers, (list) => readDevice(fileObject(state, file), list)),
  write: ({ state }, file, _size, buffers) => once(buffers, (list) => writeDevice(fileObject(state, file), list)),
  readiness: () => READABLE | WRITABLE,
  stat: (c, file) => statNode(c, { type: 'device', minor: fileObject(c.state, file) }),
  link: filePath,
  seek: () => 0,
  again: openByPathAgain,
};
