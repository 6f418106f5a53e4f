/**
 * The ends of pipes. In: descriptions. Out: their row of operations. A pipe that is opened for reading and writing (through /proc/self/fd) is an end of both sorts.
 * Source: man 7 pipe.
 */
import { EPIPE } from '../../linux/errno.js';
import { SIGPIPE } from '../../linux/signals.js';
import { blocking, isNonBlocking, joined, once, rest, sizeOf } from '../file-io.js';
import type { Buffers, FileOps } from '../file-ops.js';
import { madeUp, makeDev, S_IFIFO } from '../file-stat.js';
import { PIPE_CAPACITY } from '../layout.js';
import { fileFlags, fileKind, fileObject, filePath, KIND, newFileOnSameObject } from '../open-files.js';
import { O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from '../open-flags.js';
import {
  countEnd,
  PIPE_BUF,
  pipeFill,
  pipeInode,
  pipeQueue,
  pipeReaders,
  pipeWriters,
  putIntoPipe,
  readPipe,
} from '../pipes.js';
import { POLLERR, POLLHUP, READABLE, WRITABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';

/** Device number of the file system of pipes, as a Linux kernel commonly gives it. */
const PIPE_DEV = makeDev(0, 13);
const PIPEFS_MAGIC = 0x5049_5045;

function count(s: VfsState, file: number, by: 1 | -1): void {
  const pipe = fileObject(s, file);
  const both = (fileFlags(s, file) & O_ACCMODE) === O_RDWR;
  if (both || fileKind(s, file) === KIND.PIPE_READ) countEnd(s, pipe, false, by);
  if (both || fileKind(s, file) === KIND.PIPE_WRITE) countEnd(s, pipe, true, by);
}

function write(s: VfsState, file: number, buffers: Buffers): number {
  const pipe = fileObject(s, file);
  let done = 0;
  let total = 0;
  const n = blocking(s, file, [pipeQueue(pipe)], () =>
    once(buffers, (list) => {
      total = sizeOf(list);
      if (total === 0) return 0;
      if (pipeReaders(s, pipe) === 0) return -EPIPE;
      if (total <= PIPE_BUF) return putIntoPipe(s, pipe, joined(list), true) > 0 ? total : undefined;
      for (const part of rest(list, done)) {
        const put = putIntoPipe(s, pipe, part, false);
        done += put;
        if (put < part.length) break;
      }
      return done === total || (done > 0 && isNonBlocking(s, file)) ? done : undefined;
    }),
  );
  if (n === -EPIPE) s.port.raise(SIGPIPE);
  // What was written before an error counts.
  return n < 0 && done > 0 ? done : n;
}

export const pipeOps: FileOps = {
  seekable: false,
  read: ({ state: s }, file, size, buffers) => {
    const pipe = fileObject(s, file);
    if (size === 0) return 0;
    return blocking(s, file, [pipeQueue(pipe)], () => once(buffers, (list) => readPipe(s, pipe, list)));
  },
  write: ({ state }, file, _size, buffers) => write(state, file, buffers),
  readiness: (s, file) => {
    const pipe = fileObject(s, file);
    const access = fileFlags(s, file) & O_ACCMODE;
    let events = 0;
    if (access !== O_WRONLY) {
      // In the order of readPipe.
      if (pipeWriters(s, pipe) === 0) events |= POLLHUP;
      if (pipeFill(s, pipe) > 0) events |= READABLE;
    }
    if (access !== O_RDONLY) {
      if (PIPE_CAPACITY - pipeFill(s, pipe) >= PIPE_BUF) events |= WRITABLE;
      if (pipeReaders(s, pipe) === 0) events |= POLLERR;
    }
    return events;
  },
  queue: (s, file) => pipeQueue(fileObject(s, file)),
  open: (s, file) => {
    count(s, file, 1);
  },
  close: (s, file) => {
    count(s, file, -1);
    return { queue: pipeQueue(fileObject(s, file)) };
  },
  stat: ({ state }, file) => madeUp(S_IFIFO | 0o600, pipeInode(state, fileObject(state, file)), { dev: PIPE_DEV }),
  link: filePath,
  fileSystem: PIPEFS_MAGIC,
  readable: ({ state }, file) => pipeFill(state, fileObject(state, file)),
  again: ({ state }, file, flags) =>
    newFileOnSameObject(state, file, (flags & O_ACCMODE) === O_WRONLY ? KIND.PIPE_WRITE : KIND.PIPE_READ, flags),
};
