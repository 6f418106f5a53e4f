/** A descriptor for a new description. In: the description, FD_CLOEXEC. Out: the descriptor, or -errno; what is behind the description is closed with it then. */
import { installFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { newFile, type NewFile, putFile } from './open-files.js';

/** `giveUp` frees the object when there is no room for the description. */
export function newDescriptor(c: FileContext, f: NewFile, cloexec: boolean, giveUp?: () => void): number {
  const file = newFile(c.state, f);
  if (file < 0) {
    giveUp?.();
    return file;
  }
  const fd = installFile(c.state, c.table, file, cloexec, c.port.fdLimit());
  if (fd < 0) putFile(c.state, file);
  return fd;
}
