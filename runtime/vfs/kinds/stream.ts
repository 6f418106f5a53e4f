/**
 * Terminals, FIFOs of the host, and pipes and sockets that lift64 was started with. In: descriptions. Out: their row of operations. Source: man 7 fifo, man 4 tty.
 */
import * as fs from 'node:fs';
import { EAGAIN, ENOENT, ENOTTY, EPIPE } from '../../linux/errno.js';
import { SIGPIPE } from '../../linux/signals.js';
import { currentPath } from '../descriptor-path.js';
import { hostWrite, isNonBlocking, once, rest, sizeOf } from '../file-io.js';
import type { Buffers, FileOps } from '../file-ops.js';
import { hostCall } from '../host-error.js';
import { toldOfClose } from '../inotify/file-events.js';
import { FILE } from '../layout.js';
import { fileFlags, fileMarks, fileObject, fileWord, hostFd, KIND, MARK, newFileOnSameObject } from '../open-files.js';
import { LINUX_HOST, O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from '../open-flags.js';
import { READABLE, WRITABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';
import {
  countStream,
  readStream,
  recheckOf,
  STREAM_MODE,
  streamFill,
  streamMode,
  streamQueue,
  streamReadable,
} from '../streams.js';
import { terminalIoctl } from '../terminal/terminal-ioctl.js';
import { HOST_TTY, Tty } from '../terminal/tty.js';
import { doubling, TIMED_OUT, waitUntil } from '../wait-queue.js';

/** How long a non-blocking read waits for the main thread's answer, in ms. */
const MAIN_ANSWER_MS = 10;
/** Sleeps, in ms, of a write to a host descriptor that is full: they double while nothing can be written. */
const FIRST_WRITE_RECHECK_MS = 0.05;
const LAST_WRITE_RECHECK_MS = 8;

function read(s: VfsState, file: number, buffers: Buffers): number {
  const stream = fileObject(s, file);
  const attempt = (): number | undefined =>
    once(buffers, (list) => readStream(s, stream, list.find((b) => b.length > 0) ?? new Uint8Array(0)));
  const nonBlocking = isNonBlocking(s, file);
  const self = streamMode(s, stream) !== STREAM_MODE.MAIN;
  if (nonBlocking && self) return attempt() ?? -EAGAIN;
  const ms = nonBlocking ? MAIN_ANSWER_MS : Infinity;
  const n = waitUntil(s, [streamQueue(stream)], attempt, ms, recheckOf(s, stream));
  return n === TIMED_OUT ? -EAGAIN : n;
}

/** The host says when it is full, and nobody when it is so no more. */
function write(s: VfsState, file: number, buffers: Buffers): number {
  const fd = writeFdOf(s, file);
  const nonBlocking = isNonBlocking(s, file);
  let done = 0;
  let recheck = doubling(FIRST_WRITE_RECHECK_MS, LAST_WRITE_RECHECK_MS);
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      const n = hostWrite(fd, done === 0 ? list : rest(list, done), null);
      if (n === -EAGAIN) return nonBlocking ? -EAGAIN : undefined;
      if (n < 0) return n;
      done += n;
      recheck = doubling(FIRST_WRITE_RECHECK_MS, LAST_WRITE_RECHECK_MS);
      return nonBlocking || done === sizeOf(list) ? done : undefined;
    });
  const n = waitUntil(s, [], attempt, Infinity, () => recheck());
  if (n === -EPIPE) s.port.raise(SIGPIPE);
  if (n === TIMED_OUT) return done;
  return n < 0 && done > 0 ? done : n;
}

/**
 * The descriptor for writes. A write to a pipe or terminal that lift64 was started with could block in the host for ever, where no signal reaches the thread:
 * so it is opened anew, non-blocking, at the first write. Where the host refuses (sockets, another user's pipe), the writes do block.
 */
function writeFdOf(s: VfsState, file: number): number {
  const own = hostFd(s, file);
  const marks = fileMarks(s, file);
  if ((marks & MARK.INHERITED) === 0 || (marks & (MARK.FIFO | MARK.TERMINAL)) === 0 || !LINUX_HOST) return own;
  const index = fileWord(file) + FILE.WRITE_FD;
  const known = s.get(index);
  if (known !== 0) return known > 0 ? known - 1 : own;
  const { O_WRONLY: writes, O_NONBLOCK: waitsNot, O_NOCTTY: takesNot } = fs.constants;
  const opened = hostCall(() => fs.openSync(`/proc/self/fd/${String(own)}`, writes | waitsNot | takesNot));
  const before = Atomics.compareExchange(s.words, index, 0, opened < 0 ? -1 : opened + 1);
  if (before === 0) return opened < 0 ? own : opened;
  if (opened >= 0) fs.closeSync(opened);
  return before > 0 ? before - 1 : own;
}

/** A terminal's descriptor can both, whatever lift64 was given it for; a pipe's only what it can. */
function againAccess(had: number, wanted: number): number {
  return (had & O_ACCMODE) === O_RDWR ? wanted : had & O_ACCMODE;
}

export const streamOps: FileOps = {
  seekable: false,
  read: ({ state }, file, size, buffers) => (size === 0 ? 0 : read(state, file, buffers)),
  write: ({ state }, file, _size, buffers) => write(state, file, buffers),
  readiness: (s, file, wanted) => {
    const access = fileFlags(s, file) & O_ACCMODE;
    const readable = access !== O_WRONLY && (wanted & READABLE) !== 0 && streamReadable(s, fileObject(s, file));
    return (readable ? READABLE : 0) | (access === O_RDONLY ? 0 : WRITABLE);
  },
  queue: (s, file) => streamQueue(fileObject(s, file)),
  recheck: (s, file) => recheckOf(s, fileObject(s, file)),
  open: (s, file) => {
    countStream(s, fileObject(s, file), 1);
  },
  close: (s, file) => {
    const keepsHost = countStream(s, fileObject(s, file), -1) > 0;
    const writeFd = s.get(fileWord(file) + FILE.WRITE_FD) - 1;
    const told = toldOfClose(s, file);
    return {
      keepsHost,
      then: () => {
        told?.then?.();
        if (writeFd >= 0) fs.closeSync(writeFd);
      },
    };
  },
  stat: () => -ENOENT,
  link: currentPath,
  readable: ({ state }, file) => {
    const stream = fileObject(state, file);
    // Sets off the look for a first byte.
    streamReadable(state, stream);
    return streamFill(state, stream);
  },
  // Other terminals of the host than the one that lift64 runs in have its modes and size.
  ioctl: (t, file, request, arg) => {
    const { state } = t.files;
    if ((fileMarks(state, file) & MARK.TERMINAL) === 0) return -ENOTTY;
    return terminalIoctl(t, new Tty(state, HOST_TTY), 'slave', request, arg);
  },
  again: ({ state }, file, flags) =>
    newFileOnSameObject(
      state,
      file,
      KIND.STREAM,
      (flags & ~O_ACCMODE) | againAccess(fileFlags(state, file), flags & O_ACCMODE),
    ),
};
