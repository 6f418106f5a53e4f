/**
 * Open file descriptions: entries of the shared region, counted by the descriptors and the system calls that hold them. The last reference
 * closes what is behind; what a kind does is its row in kinds/. In: kinds, host descriptors, paths. Out: description numbers. Source: man 2 open ("Open file descriptions").
 */
import * as fs from 'node:fs';
import { InternalError } from '../../src/base/errors.js';
import { ENFILE } from '../linux/errno.js';
import { bytePath, type BytePath } from './byte-path.js';
import { dropWatchesOf } from './epoll-watches.js';
import type { AfterClose, FileOps } from './file-ops.js';
import { AREA, FILE, HEAD, MAX_FILES, PATH_MAX } from './layout.js';
import { lock, unlock } from './lock.js';
import { O_RDONLY, O_WRONLY } from './open-flags.js';
import type { MountPoint } from './mount-table.js';
import { countEnd, newPipe, pipeInode } from './pipes.js';
import { dropLocks } from './record-locks.js';
import type { VfsState } from './state.js';
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
  EPOLL: 12,
  TIMERFD: 13,
  SIGNALFD: 14,
  /** OBJECT is the index of the process in the kernel's table. */
  PIDFD: 15,
  /** OBJECT is the instance. */
  INOTIFY: 16,
  /** /proc/PID/mem; OBJECT is the process's id. */
  MEMORY: 18,
  /** Slave of a pair of pseudo-terminals; OBJECT is its record. */
  TERMINAL: 20,
  /** Master of a pair. */
  PTMX: 21,
  /** Socket of a guest (runtime/net). */
  SOCKET: 30,
  /** POSIX message queue. */
  MQUEUE: 31,
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
  /** The host descriptor stays open: it is another's. */
  KEPT: 32,
} as const;

export interface NewFile {
  readonly kind: Kind;
  /** Access mode and status flags. */
  readonly flags: number;
  readonly hostFd?: number;
  readonly object?: number;
  readonly marks?: number;
  /** Index of the mount that it is in, where there are mounts. */
  readonly mount?: number | undefined;
  /** 64 bits. */
  readonly offset?: bigint;
  /** Absolute guest path, or the name that /proc/self/fd shows. */
  readonly path: BytePath;
}

/** First word of the record. */
export const fileWord = (file: number): number => AREA.FILES + file * FILE.SIZE;

/** A new description with one reference; -ENFILE when there are MAX_FILES: what is behind it stays with the caller then. */
export function newFile(s: VfsState, f: NewFile): number {
  return s.locked(() => {
    const hint = s.get(AREA.HEAD + HEAD.FILE_HINT);
    const file = s.findFree(AREA.FILES, MAX_FILES, FILE.SIZE, FILE.REFS, hint);
    if (file < 0) return -ENFILE;
    s.set(AREA.HEAD + HEAD.FILE_HINT, (file + 1) % MAX_FILES);
    const w = fileWord(file);
    const generation = s.get(w + FILE.GENERATION) + 1;
    s.words.fill(0, w, w + FILE.SIZE);
    s.set(w + FILE.GENERATION, generation);
    s.set(w + FILE.KIND, f.kind);
    s.set(w + FILE.FLAGS, f.flags);
    s.set(w + FILE.HOST_FD, f.hostFd ?? -1);
    s.set(w + FILE.OBJECT, f.object ?? 0);
    if (f.offset !== undefined) s.setBig64(w + FILE.OFFSET_LO, f.offset);
    s.set(w + FILE.MARKS, f.marks ?? 0);
    s.set(w + FILE.MOUNT, (f.mount ?? -1) + 1);
    const length = Math.min(f.path.length, PATH_MAX);
    s.set(w + FILE.PATH_LENGTH, length);
    s.setText(pathWord(file), f.path.slice(0, length));
    s.set(w + FILE.REFS, 1);
    return file;
  });
}

const pathWord = (file: number): number => AREA.PATHS + (file * PATH_MAX) / 4;

export const fileKind = (s: VfsState, file: number): Kind => s.peek(fileWord(file) + FILE.KIND) as Kind;
/** What the kind of the description does. */
export function fileOps(s: VfsState, file: number): FileOps {
  if (s.kinds === undefined) throw new InternalError('the main thread has no open files');
  return s.kinds[fileKind(s, file)];
}
export const fileFlags = (s: VfsState, file: number): number => s.peek(fileWord(file) + FILE.FLAGS);
export const setFileFlags = (s: VfsState, file: number, flags: number): void => {
  s.set(fileWord(file) + FILE.FLAGS, flags);
};
export const hostFd = (s: VfsState, file: number): number => s.peek(fileWord(file) + FILE.HOST_FD);
export const fileObject = (s: VfsState, file: number): number => s.peek(fileWord(file) + FILE.OBJECT);
export const fileGeneration = (s: VfsState, file: number): number => s.get(fileWord(file) + FILE.GENERATION);
/** Whether the description of this life is still open. */
export const isOpen = (s: VfsState, file: number, generation: number): boolean =>
  s.get(fileWord(file) + FILE.REFS) > 0 && fileGeneration(s, file) === generation;
export const fileMarks = (s: VfsState, file: number): number => s.peek(fileWord(file) + FILE.MARKS);
export const clearMark = (s: VfsState, file: number, mark: number): void => {
  Atomics.and(s.words, fileWord(file) + FILE.MARKS, ~mark);
};
/** The mount that the file is in; undefined: in none, or there are no mounts. */
export const fileMount = (s: VfsState, file: number): MountPoint | undefined =>
  s.tree?.byIndex(s.peek(fileWord(file) + FILE.MOUNT) - 1);
export const fileSeals = (s: VfsState, file: number): number => s.peek(fileWord(file) + FILE.SEALS);
export const addSeals = (s: VfsState, file: number, seals: number): void => {
  Atomics.or(s.words, fileWord(file) + FILE.SEALS, seals);
};
export const fileOwner = (s: VfsState, file: number): number => s.get(fileWord(file) + FILE.OWNER);
export const setFileOwner = (s: VfsState, file: number, owner: number): void => {
  s.set(fileWord(file) + FILE.OWNER, owner);
};
export const filePath = (s: VfsState, file: number): BytePath =>
  bytePath(s.text(pathWord(file), s.get(fileWord(file) + FILE.PATH_LENGTH)));

/** Owner of the record locks and the flock of a description. */
export const lockOwner = (file: number): number => -(file + 1);

export const fileOffset = (s: VfsState, file: number): number => s.get64(fileWord(file) + FILE.OFFSET_LO);
export const setFileOffset = (s: VfsState, file: number, offset: number): void => {
  s.set64(fileWord(file) + FILE.OFFSET_LO, offset);
};

/** Runs `fn` with the offset of the description held: system calls that use it exclude each other (man 2 read, BUGS). */
export function withOffset<T>(s: VfsState, file: number, fn: () => T): T {
  const index = fileWord(file) + FILE.OFFSET_LOCK;
  lock(s.words, index, s.port.slot);
  try {
    return fn();
  } finally {
    unlock(s.words, index);
  }
}

/** One more reference. The caller holds one, or the region's lock. */
export function refFile(s: VfsState, file: number): void {
  Atomics.add(s.words, fileWord(file) + FILE.REFS, 1);
}

/** One reference less; the last one closes. */
export function putFile(s: VfsState, file: number): void {
  const w = fileWord(file);
  let after: AfterClose | undefined;
  const last = s.locked(() => {
    // With one reference left, nobody else can add any.
    if (s.get(w + FILE.REFS) > 1) {
      Atomics.sub(s.words, w + FILE.REFS, 1);
      return false;
    }
    dropWatchesOf(s, file);
    after = fileOps(s, file).close?.(s, file);
    return true;
  });
  if (last) closed(s, file, after);
}

/** The last reference has gone. */
function closed(s: VfsState, file: number, after: AfterClose | undefined): void {
  const host = hostFd(s, file);
  const marks = fileMarks(s, file);
  dropLocks(s, lockOwner(file));
  // The entry is free from here on.
  s.set(fileWord(file) + FILE.REFS, 0);
  if (after?.queue !== undefined) wakeAll(s, after.queue);
  after?.then?.();
  if (host >= 0 && after?.keepsHost !== true) closeHost(host, marks);
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
    mount: fileMount(s, file)?.index,
    path: filePath(s, file),
  });
  if (created < 0) return created;
  s.locked(() => {
    fileOps(s, created).open?.(s, created);
  });
  return created;
}

/**
 * Closes a host descriptor. The three standard ones stay open when lift64 was started with them: a number that is free for a moment may be taken by another
 * worker that is just starting (its event loop's epoll or eventfd), and Node aborts when it comes to close that. So the reader of a pipe sees its end when lift64 ends.
 */
function closeHost(host: number, marks: number): void {
  if ((marks & MARK.KEPT) !== 0 || ((marks & MARK.INHERITED) !== 0 && host <= 2)) return;
  fs.closeSync(host);
}
