/** Descriptors for descriptions. In: the description, FD_CLOEXEC. Out: the descriptor, or -errno; the description is closed then. */
import { closeFd, installFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { newFile, type NewFile, putFile } from './open-files.js';

/** The lowest free descriptor from `min` on for `file`; the caller's reference goes to it. */
export function giveDescriptor(c: FileContext, file: number, cloexec: boolean, min = 0): number {
  const fd = installFile(c.state, c.table, file, cloexec, c.port.fdLimit(), min);
  if (fd < 0) putFile(c.state, file);
  return fd;
}

/** Two of them, or none. */
export function giveBoth(
  c: FileContext,
  files: readonly [number, number],
  cloexec: boolean,
): readonly [number, number] | number {
  const first = giveDescriptor(c, files[0], cloexec);
  if (first < 0) {
    putFile(c.state, files[1]);
    return first;
  }
  const second = giveDescriptor(c, files[1], cloexec);
  if (second >= 0) return [first, second];
  closeFd(c.state, c.table, first);
  return second;
}

/** `giveUp` frees the object when there is no room for the description. */
export function newDescriptor(c: FileContext, f: NewFile, cloexec: boolean, giveUp?: () => void): number {
  const file = newFile(c.state, f);
  if (file >= 0) return giveDescriptor(c, file, cloexec);
  giveUp?.();
  return file;
}
