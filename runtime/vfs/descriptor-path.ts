/**
 * Paths that stand for open files. In: descriptions. Out: paths. Source: man 5 proc (/proc/PID/fd).
 */
import { bytePath, type BytePath } from './byte-path.js';
import { guestNameOfFd, hostName, UNREACHABLE } from './mount-table.js';
import { fileMount, fileOps, filePath, hostFd } from './open-files.js';
import { LINUX_HOST } from './open-flags.js';
import type { VfsState } from './state.js';

/** A path of the host that leads to the file itself while the description is held; on hosts that have none, the path that it was opened by. */
export function fdPath(s: VfsState, file: number): BytePath {
  const fd = hostFd(s, file);
  return fd >= 0 && LINUX_HOST ? bytePath(`/proc/self/fd/${String(fd)}`) : filePath(s, file);
}

/** What readlink of /proc/self/fd/N gives. */
export function fdLink(s: VfsState, file: number): BytePath {
  return fileOps(s, file).link(s, file);
}

/** The guest's name that an open host file has now, as the host says; else the one that it was opened by. */
export function currentPath(s: VfsState, file: number): BytePath {
  const fd = hostFd(s, file);
  if (fd < 0 || !LINUX_HOST) return filePath(s, file);
  const mount = fileMount(s, file);
  if (mount !== undefined) return guestNameOfFd(mount, fd);
  // What lift64 was started with has no name in a tree of the guest's own; devices, pipes and files without a name are called as everywhere.
  const name = hostName(fd);
  const isNamed = s.tree === undefined || s.tree.hostRoot || /^\/dev\/(?!shm\/)|^[^/]/.test(name);
  return isNamed ? name : UNREACHABLE;
}
