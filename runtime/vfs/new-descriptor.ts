/** Descriptors for descriptions. In: the description, FD_CLOEXEC. Out: the descriptor, or -errno; the description is closed then. */
import { installFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { newFile, type NewFile, putFile } from './open-files.js';

/** The lowest free descriptor from `min` on for `file`; the caller's reference goes to it. */
export function giveDescriptor(c: FileContext, file: number, cloexec: boolean, min = 0): number {
  const fd = installFile(c.state, c.table, file, cloexec, c.port.fdLimit(), min);
  if (fd < 0) putFile(c.state, file);
  return fd;
}

/** `giveUp` frees the object when there is no room for the description. */
export function newDescriptor(c: FileContext, f: NewFile, cloexec: boolean, giveUp?: () => void): number {
  const file = newFile(c.state, f);
  if (file >= 0) return giveDescriptor(c, file, cloexec);
  giveUp?.();
  return file;
}
