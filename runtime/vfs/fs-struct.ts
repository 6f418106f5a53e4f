/**
 * fs structs: working directory and umask of a process, shared by clone with CLONE_FS. They are the guest's own: a worker has no chdir.
 * In: struct numbers, from 1. Out: paths and masks. Source: man 2 clone (CLONE_FS), man 2 umask, man 2 chdir.
 */
import { ENOMEM } from '../linux/errno.js';
import { bytePath, type BytePath } from './byte-path.js';
import { AREA, FS, MAX_TABLES } from './layout.js';
import { putFile, refFile } from './open-files.js';
import type { VfsState } from './state.js';

const word = (fs: number): number => AREA.FS + fs * FS.SIZE;

/** A struct with one reference; -ENOMEM. `cwd` is absolute. */
export function newFs(s: VfsState, cwd: BytePath, umask: number): number {
  return s.locked(() => {
    const fs = s.findFree(AREA.FS, MAX_TABLES, FS.SIZE, FS.REFS, 1);
    if (fs <= 0) return -ENOMEM;
    const w = word(fs);
    s.set(w + FS.UMASK, umask);
    s.set(w + FS.CWD_FILE, 0);
    s.set(w + FS.CWD_LENGTH, cwd.length);
    s.setText(w + FS.CWD, cwd);
    s.set(w + FS.REFS, 1);
    return fs;
  });
}

/** One more user (CLONE_FS). */
export function shareFs(s: VfsState, fs: number): void {
  Atomics.add(s.words, word(fs) + FS.REFS, 1);
}

export const isFsShared = (s: VfsState, fs: number): boolean => s.get(word(fs) + FS.REFS) > 1;

/** A copy (fork); -ENOMEM. */
export function copyFs(s: VfsState, fs: number): number {
  const copy = newFs(s, workingDirectory(s, fs).path, umaskOf(s, fs));
  if (copy < 0) return copy;
  s.locked(() => {
    const file = s.get(word(fs) + FS.CWD_FILE);
    if (file !== 0) refFile(s, file - 1);
    s.set(word(copy) + FS.CWD_FILE, file);
  });
  return copy;
}

/** One user less. From any thread. */
export function releaseFs(s: VfsState, fs: number): void {
  const w = word(fs);
  const file = s.locked(() => {
    if (Atomics.sub(s.words, w + FS.REFS, 1) > 1) return 0;
    return Atomics.exchange(s.words, w + FS.CWD_FILE, 0);
  });
  if (file !== 0) putFile(s, file - 1);
}

/** The working directory: its path when it was entered, and the description that holds it, with a reference for the caller; -1 when there is none. */
export function workingDirectory(s: VfsState, fs: number, pin = false): { path: BytePath; file: number } {
  return s.locked(() => {
    const w = word(fs);
    const path = bytePath(s.text(w + FS.CWD, s.get(w + FS.CWD_LENGTH)));
    const file = s.get(w + FS.CWD_FILE) - 1;
    if (pin && file >= 0) refFile(s, file);
    return { path, file };
  });
}

/** Enters a directory; the caller's reference to `file` goes to the struct. */
export function setWorkingDirectory(s: VfsState, fs: number, path: BytePath, file: number): void {
  const before = s.locked(() => {
    const w = word(fs);
    s.set(w + FS.CWD_LENGTH, path.length);
    s.setText(w + FS.CWD, path);
    return Atomics.exchange(s.words, w + FS.CWD_FILE, file + 1);
  });
  if (before !== 0) putFile(s, before - 1);
}

export const umaskOf = (s: VfsState, fs: number): number => s.get(word(fs) + FS.UMASK);

/** Sets the umask (9 bits) and returns the one before. */
export function setUmask(s: VfsState, fs: number, mask: number): number {
  return Atomics.exchange(s.words, word(fs) + FS.UMASK, mask & 0o777);
}
