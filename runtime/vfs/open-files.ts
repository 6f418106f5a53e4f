/**
 * Open file descriptions: entries of the shared region, counted by the descriptors and the system calls that hold them. The last reference
 * closes what is behind. In: kinds, host descriptors, paths. Out: description numbers. Source: man 2 open ("Open file descriptions").
 */
import * as fs from 'node:fs';
import { ENFILE } from '../linux/errno.js';
import { freeBlob } from './blobs.js';
import { freeCounter } from './counters.js';
import { hostCall } from './host-error.js';
import { bytePath, type BytePath } from './byte-path.js';
import { AREA, FILE, HEAD, MAX_FILES, PATH_MAX } from './layout.js';
import { lock, unlock } from './lock.js';
import { LINUX_HOST, O_RDONLY, O_WRONLY } from './open-flags.js';
import { countEnd, newPipe, pipeInode, pipeQueue } from './pipes.js';
import { dropLocks } from './record-locks.js';
import type { VfsState } from './state.js';
import { countStream } from './streams.js';
import { wakeAll } from './wait-queue.js';

/** What is behind a description. */
export const KIND = {
  /** Regular file or block device of the host: has an offset, never blocks. */
  FILE: 1,
  /** Directory of the host. */
  DIRECTORY: 2,
  /** Another host descriptor without an offset that does not block. OBJECT is the minor number of a memory device that we read and write (servedDevice), 0 for the host's. */
  CHARACTER: 3,
  /** Opened with O_PATH. */
  PATH: 4,
  PIPE_READ: 5,
  PIPE_WRITE: 6,
  /** eventfd. */
  COUNTER: 7,
  /** Terminal, FIFO, or a pipe or socket of the host. */
  STREAM: 8,
  /** In-memory file with fixed content (/proc). */
  BLOB: 9,
  /** In-memory device; OBJECT is its minor number under major 1. */
  DEVICE: 10,
  /** Directory that the host has not (/proc/self/fd). */
  SPECIAL_DIRECTORY: 11,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** MARKS bits. */
export const MARK = {
  /** lift64 was started with the host descriptor; others of the host may share it. */
  INHERITED: 1,
  /** The offset is the host description's own, not ours: an inherited file that has not been repositioned. */
  HOST_OFFSET: 2,
  MEMFD: 4,
  TERMINAL: 8,
  /** FIFO of the host, by name. */
  FIFO: 16,
} as const;

export interface NewFile {
  readonly kind: Kind;
  /** Access mode and status flags. */
  readonly flags: number;
  readonly hostFd?: number;
  readonly object?: number;
  readonly marks?: number;
  /** Absolute guest path, or the name that /proc/self/fd shows. */
  readonly path: BytePath;
}

const word = (file: number): number => AREA.FILES + file * FILE.SIZE;

/** A new description with one reference; -ENFILE when there are MAX_FILES: what is behind it stays with the caller then. */
export function newFile(s: VfsState, f: NewFile): number {
  return s.locked(() => {
    const hint = s.get(AREA.HEAD + HEAD.FILE_HINT);
    const file = s.findFree(AREA.FILES, MAX_FILES, FILE.SIZE, FILE.REFS, hint);
    if (file < 0) return -ENFILE;
    s.set(AREA.HEAD + HEAD.FILE_HINT, (file + 1) % MAX_FILES);
    const w = word(file);
    const generation = s.get(w + FILE.GENERATION) + 1;
    s.words.fill(0, w, w + FILE.SIZE);
    s.set(w + FILE.GENERATION, generation);
    s.set(w + FILE.KIND, f.kind);
    s.set(w + FILE.FLAGS, f.flags);
    s.set(w + FILE.HOST_FD, f.hostFd ?? -1);
    s.set(w + FILE.OBJECT, f.object ?? 0);
    s.set(w + FILE.MARKS, f.marks ?? 0);
    const length = Math.min(f.path.length, PATH_MAX);
    s.set(w + FILE.PATH_LENGTH, length);
    s.setText(pathWord(file), f.path.slice(0, length));
    s.set(w + FILE.REFS, 1);
    return file;
  });
}

const pathWord = (file: number): number => AREA.PATHS + (file * PATH_MAX) / 4;

export const fileKind = (s: VfsState, file: number): Kind => s.peek(word(file) + FILE.KIND) as Kind;
export const fileFlags = (s: VfsState, file: number): number => s.peek(word(file) + FILE.FLAGS);
export const setFileFlags = (s: VfsState, file: number, flags: number): void => {
  s.set(word(file) + FILE.FLAGS, flags);
};
export const hostFd = (s: VfsState, file: number): number => s.peek(word(file) + FILE.HOST_FD);
export const fileObject = (s: VfsState, file: number): number => s.peek(word(file) + FILE.OBJECT);
export const fileGeneration = (s: VfsState, file: number): number => s.get(word(file) + FILE.GENERATION);
/** Whether the description of this life is still open. */
export const isOpen = (s: VfsState, file: number, generation: number): boolean =>
  s.get(word(file) + FILE.REFS) > 0 && fileGeneration(s, file) === generation;
export const fileMarks = (s: VfsState, file: number): number => s.peek(word(file) + FILE.MARKS);
export const clearMark = (s: VfsState, file: number, mark: number): void => {
  Atomics.and(s.words, word(file) + FILE.MARKS, ~mark);
};
export const fileSeals = (s: VfsState, file: number): number => s.peek(word(file) + FILE.SEALS);
export const addSeals = (s: VfsState, file: number, seals: number): void => {
  Atomics.or(s.words, word(file) + FILE.SEALS, seals);
};
export const fileOwner = (s: VfsState, file: number): number => s.get(word(file) + FILE.OWNER);
export const setFileOwner = (s: VfsState, file: number, owner: number): void => {
  s.set(word(file) + FILE.OWNER, owner);
};
export const filePath = (s: VfsState, file: number): BytePath =>
  bytePath(s.text(pathWord(file), s.get(word(file) + FILE.PATH_LENGTH)));

/** Owner of the record locks and the flock of a description. */
export const lockOwner = (file: number): number => -(file + 1);

export const fileOffset = (s: VfsState, file: number): number => s.get64(word(file) + FILE.OFFSET_LO);
export const setFileOffset = (s: VfsState, file: number, offset: number): void => {
  s.set64(word(file) + FILE.OFFSET_LO, offset);
};

/** Runs `fn` with the offset of the description held: system calls that use it exclude each other (man 2 read, BUGS). */
export function withOffset<T>(s: VfsState, file: number, fn: () => T): T {
  const index = word(file) + FILE.OFFSET_LOCK;
  lock(s.words, index, s.port.slot);
  try {
    return fn();
  } finally {
    unlock(s.words, index);
  }
}

/** One more reference. The caller holds one, or the region's lock. */
export function refFile(s: VfsState, file: number): void {
  Atomics.add(s.words, word(file) + FILE.REFS, 1);
}

/** One reference less; the last one closes. */
export function putFile(s: VfsState, file: number): void {
  const w = word(file);
  let queue = -1;
  let host = -1;
  const last = s.locked(() => {
    // With one reference left, nobody else can add any.
    if (s.get(w + FILE.REFS) > 1) {
      Atomics.sub(s.words, w + FILE.REFS, 1);
      return false;
    }
    const object = s.get(w + FILE.OBJECT);
    host = s.get(w + FILE.HOST_FD);
    switch (fileKind(s, file)) {
      case KIND.PIPE_READ:
      case KIND.PIPE_WRITE:
        countPipe(s, file, -1);
        queue = pipeQueue(object);
        break;
      case KIND.COUNTER:
        freeCounter(s, object);
        break;
      case KIND.STREAM:
        if (countStream(s, object, -1) > 0) host = -1;
        break;
      case KIND.BLOB:
        freeBlob(s, object);
        break;
      case KIND.FILE:
      case KIND.DIRECTORY:
      case KIND.CHARACTER:
      case KIND.PATH:
      case KIND.DEVICE:
      case KIND.SPECIAL_DIRECTORY:
        break;
    }
    return true;
  });
  if (!last) return;
  const writeFd = s.get(w + FILE.WRITE_FD) - 1;
  const inherited = (s.get(w + FILE.MARKS) & MARK.INHERITED) !== 0;
  dropLocks(s, lockOwner(file));
  // The entry is free from here on.
  s.set(w + FILE.REFS, 0);
  if (queue >= 0) wakeAll(s, queue);
  if (writeFd >= 0) fs.closeSync(writeFd);
  if (host >= 0) closeHost(host, inherited);
}

/**
 * The descriptor for writes of a stream. A write to a pipe or terminal that lift64 was started with could block in the host for ever, where no signal reaches the thread:
 * so it is opened anew, non-blocking, at the first write. Where the host refuses (sockets, another user's pipe), the writes do block.
 */
export function writeFdOf(s: VfsState, file: number): number {
  const own = hostFd(s, file);
  const marks = fileMarks(s, file);
  if ((marks & MARK.INHERITED) === 0 || (marks & (MARK.FIFO | MARK.TERMINAL)) === 0 || !LINUX_HOST) return own;
  const index = word(file) + FILE.WRITE_FD;
  const known = s.get(index);
  if (known !== 0) return known > 0 ? known - 1 : own;
  const { O_WRONLY: writes, O_NONBLOCK: waitsNot, O_NOCTTY: takesNot } = fs.constants;
  const opened = hostCall(() => fs.openSync(`/proc/self/fd/${String(own)}`, writes | waitsNot | takesNot));
  const before = Atomics.compareExchange(s.words, index, 0, opened < 0 ? -1 : opened + 1);
  if (before === 0) return opened < 0 ? own : opened;
  if (opened >= 0) fs.closeSync(opened);
  return before > 0 ? before - 1 : own;
}

/** A pipe opened for reading and writing (through /proc/self/fd) is an end of both sorts. */
function countPipe(s: VfsState, file: number, by: 1 | -1): void {
  const pipe = fileObject(s, file);
  const both = (fileFlags(s, file) & 3) === 2;
  if (both || fileKind(s, file) === KIND.PIPE_READ) countEnd(s, pipe, false, by);
  if (both || fileKind(s, file) === KIND.PIPE_WRITE) countEnd(s, pipe, true, by);
}

/** Both ends of a new pipe; -ENFILE. `status`: O_NONBLOCK or 0. */
export function openPipe(s: VfsState, status: number): { reader: number; writer: number } | number {
  const object = newPipe(s);
  if (object < 0) return object;
  const path = bytePath(`pipe:[${pipeInode(s, object)}]`);
  const reader = newFile(s, { kind: KIND.PIPE_READ, flags: O_RDONLY | status, object, path });
  const writer = newFile(s, { kind: KIND.PIPE_WRITE, flags: O_WRONLY | status, object, path });
  if (reader >= 0 && writer >= 0) return { reader, writer };
  // A description that was made takes its own end away, the other end is taken away here.
  s.locked(() => {
    if (reader < 0) countEnd(s, object, false, -1);
    if (writer < 0) countEnd(s, object, true, -1);
  });
  if (reader >= 0) putFile(s, reader);
  if (writer >= 0) putFile(s, writer);
  return -ENFILE;
}

/** Another description of the pipe or stream behind `file`; -ENFILE. */
export function newFileOnSameObject(s: VfsState, file: number, kind: Kind, flags: number): number {
  const created = newFile(s, {
    kind,
    flags,
    hostFd: hostFd(s, file),
    object: fileObject(s, file),
    marks: fileMarks(s, file),
    path: filePath(s, file),
  });
  if (created < 0) return created;
  s.locked(() => {
    if (kind === KIND.STREAM) countStream(s, fileObject(s, file), 1);
    else countPipe(s, created, 1);
  });
  return created;
}

/**
 * Closes a host descriptor. The three standard ones stay open when lift64 was started with them: a number that is free for a moment may be taken by another
 * worker that is just starting (its event loop's epoll or eventfd), and Node aborts when it comes to close that. So the reader of a pipe sees its end when lift64 ends.
 */
function closeHost(host: number, inherited: boolean): void {
  if (inherited && host <= 2) return;
  fs.closeSync(host);
}
