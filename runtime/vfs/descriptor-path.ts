/**
 * Paths that stand for open files. In: descriptions. Out: paths. Source: man 5 proc (/proc/PID/fd).
 */
import * as fs from 'node:fs';
import { bytePath, fromBytes, type BytePath } from './byte-path.js';
import { fileOps, filePath, hostFd } from './open-files.js';
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

/** The name that an open host file has now, as the host says; else the one that it was opened by. */
export function currentPath(s: VfsState, file: number): BytePath {
  const fd = hostFd(s, file);
  if (fd < 0 || !LINUX_HOST) return filePath(s, file);
  return fromBytes(fs.readlinkSync(`/proc/self/fd/${String(fd)}`, { encoding: 'buffer' }));
}
