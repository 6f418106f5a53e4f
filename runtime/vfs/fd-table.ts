/**
 * fd tables (files_struct): descriptors of a process, shared by clone with CLONE_FILES, copied without. In: table numbers, from 1. Out: descriptions, or
 * -errno. A table is also the owner of record locks, as in Linux.
 * Source: man 2 dup, man 2 clone (CLONE_FILES), man 2 execve.
 */
import { EBADF, EMFILE, ENFILE, ENOENT, ENOMEM } from '../linux/errno.js';
import { AREA, MAX_FDS, MAX_TABLES, TABLE } from './layout.js';
import { fileKind, fileOps, hostFd, KIND, putFile, refFile } from './open-files.js';
import { dropLocks, locksHeld } from './record-locks.js';
import type { DescriptorNode } from './special-node.js';
import type { VfsState } from './state.js';
import { fileIdOf } from './file-stat.js';

const CLOEXEC = 1;
const word = (table: number): number => AREA.TABLES + table * TABLE.SIZE;
const entryOf = (table: number, fd: number): number => word(table) + TABLE.FDS + fd;
const inRange = (fd: number): boolean => fd >= 0 && fd < MAX_FDS;

/** An empty table with one reference; -ENFILE when there are MAX_TABLES. */
export function newTable(s: VfsState): number {
  return s.locked(() => {
    const table = s.findFree(AREA.TABLES, MAX_TABLES, TABLE.SIZE, TABLE.REFS, 1);
    if (table <= 0) return -ENFILE;
    const w = word(table);
    s.words.fill(0, w + TABLE.FDS, w + TABLE.FDS + s.get(w + TABLE.HIGH));
    s.set(w + TABLE.HIGH, 0);
    s.set(w + TABLE.REFS, 1);
    return table;
  });
}

/** One more user of the table (CLONE_FILES). */
export function shareTable(s: VfsState, table: number): void {
  Atomics.add(s.words, word(table) + TABLE.REFS, 1);
}

export const isTableShared = (s: VfsState, table: number): boolean => s.get(word(table) + TABLE.REFS) > 1;

/** A copy (fork): the same descriptions, one reference more each. -ENOMEM when there is no table left. */
export function copyTable(s: VfsState, table: number): number {
  const copy = newTable(s);
  if (copy < 0) return -ENOMEM;
  s.locked(() => {
    const high = s.get(word(table) + TABLE.HIGH);
    for (let fd = 0; fd < high; fd++) {
      const entry = s.get(entryOf(table, fd));
      if (entry === 0) continue;
      s.set(entryOf(copy, fd), entry);
      refFile(s, (entry >> 1) - 1);
    }
    s.set(word(copy) + TABLE.HIGH, high);
  });
  return copy;
}

/** One user less; the last one closes all descriptors and ends the table's record locks. From any thread. */
export function releaseTable(s: VfsState, table: number): void {
  const last = s.locked(() => {
    if (s.get(word(table) + TABLE.REFS) === 1) return true;
    Atomics.sub(s.words, word(table) + TABLE.REFS, 1);
    return false;
  });
  if (!last) return;
  dropLocks(s, table);
  for (let fd = 0, high = s.get(word(table) + TABLE.HIGH); fd < high; fd++) closeFd(s, table, fd);
  s.set(word(table) + TABLE.REFS, 0);
}

/** The description behind `fd`, with a reference that the caller returns by putFile; -EBADF. */
export function pinFile(s: VfsState, table: number, fd: number): number {
  if (!inRange(fd)) return -EBADF;
  return s.locked(() => {
    const entry = s.get(entryOf(table, fd));
    if (entry === 0) return -EBADF;
    const file = (entry >> 1) - 1;
    refFile(s, file);
    return file;
  });
}

/** Calls `fn` with the description that a link of /proc/PID/fd leads to; -ENOENT. */
export function withLinked<T>(s: VfsState, link: DescriptorNode, fn: (file: number) => T): T | number {
  const file = pinFile(s, link.table, link.fd);
  if (file < 0) return -ENOENT;
  try {
    return fn(file);
  } finally {
    putFile(s, file);
  }
}

/**
 * The description behind `fd` of a table that no other thread uses, without a reference: nobody can close it before the caller does. Undefined where the table is shared: pinFile then.
 * Most programs have one thread, and a reference costs two passages of the region's lock, 0.3 us.
 */
export function ownFile(s: VfsState, table: number, fd: number): number | undefined {
  if (s.peek(word(table) + TABLE.REFS) !== 1) return undefined;
  const entry = inRange(fd) ? s.peek(entryOf(table, fd)) : 0;
  return entry === 0 ? -EBADF : (entry >> 1) - 1;
}

/** Puts `file` (the caller's reference goes to the table) at the lowest free descriptor from `min` on; -EMFILE at `limit`. */
export function installFile(
  s: VfsState,
  table: number,
  file: number,
  cloexec: boolean,
  limit: number,
  min = 0,
): number {
  return s.locked(() => {
    const w = word(table);
    const end = Math.min(limit, MAX_FDS);
    for (let fd = min; fd < end; fd++) {
      if (s.get(entryOf(table, fd)) !== 0) continue;
      s.set(entryOf(table, fd), ((file + 1) << 1) | (cloexec ? CLOEXEC : 0));
      if (fd >= s.get(w + TABLE.HIGH)) s.set(w + TABLE.HIGH, fd + 1);
      return fd;
    }
    return -EMFILE;
  });
}

/** Puts `file` (with the caller's reference) at `fd`; what was there is closed (dup2). `fd` is below MAX_FDS. */
export function replaceFile(s: VfsState, table: number, fd: number, file: number, cloexec: boolean): void {
  const before = s.locked(() => {
    const old = s.get(entryOf(table, fd));
    s.set(entryOf(table, fd), ((file + 1) << 1) | (cloexec ? CLOEXEC : 0));
    if (fd >= s.get(word(table) + TABLE.HIGH)) s.set(word(table) + TABLE.HIGH, fd + 1);
    return old;
  });
  if (before !== 0) letGo(s, table, (before >> 1) - 1);
}

/** Closes `fd`; -EBADF, else 0. The record locks that the table has on the file end, by whichever descriptor they were set. */
export function closeFd(s: VfsState, table: number, fd: number): number {
  if (!inRange(fd)) return -EBADF;
  const entry = s.locked(() => Atomics.exchange(s.words, entryOf(table, fd), 0));
  if (entry === 0) return -EBADF;
  letGo(s, table, (entry >> 1) - 1);
  return 0;
}

function letGo(s: VfsState, table: number, file: number): void {
  if (locksHeld(s) > 0 && fileKind(s, file) === KIND.FILE) {
    const id = fileIdOf(hostFd(s, file));
    if (id !== undefined) dropLocks(s, table, id);
  }
  fileOps(s, file).flush?.(s, file);
  putFile(s, file);
}

/** FD_CLOEXEC of `fd`; undefined when it is not open. */
export function isCloexec(s: VfsState, table: number, fd: number): boolean | undefined {
  if (!inRange(fd)) return undefined;
  const entry = s.get(entryOf(table, fd));
  return entry === 0 ? undefined : (entry & CLOEXEC) !== 0;
}

/** Sets FD_CLOEXEC; -EBADF, else 0. */
export function setCloexec(s: VfsState, table: number, fd: number, on: boolean): number {
  if (!inRange(fd)) return -EBADF;
  return s.locked(() => {
    const entry = s.get(entryOf(table, fd));
    if (entry === 0) return -EBADF;
    s.set(entryOf(table, fd), on ? entry | CLOEXEC : entry & ~CLOEXEC);
    return 0;
  });
}

/** Open descriptors, ascending. */
export function openFds(s: VfsState, table: number): number[] {
  const fds: number[] = [];
  for (let fd = 0, high = s.get(word(table) + TABLE.HIGH); fd < high; fd++) {
    if (s.get(entryOf(table, fd)) !== 0) fds.push(fd);
  }
  return fds;
}

/** Closes the descriptors that exec closes. The table is not shared (the kernel copies a shared one first). */
export function closeOnExec(s: VfsState, table: number): void {
  for (const fd of openFds(s, table)) {
    if (isCloexec(s, table, fd) === true) closeFd(s, table, fd);
  }
}

/** Whether a descriptor below `limit` is free. */
export function hasFreeFd(s: VfsState, table: number, limit: number): boolean {
  const high = s.get(word(table) + TABLE.HIGH);
  const end = Math.min(limit, MAX_FDS);
  if (high < end) return true;
  for (let fd = 0; fd < end; fd++) if (s.get(entryOf(table, fd)) === 0) return true;
  return false;
}
