/**
 * What a lift64 starts with: its first process's fd table and fs struct. In: the file layer's state on the main thread. Out: table and struct numbers. Called once, on the main
 * thread, before the first guest thread. Source: man 2 execve (descriptors), DESIGN.md section 7.
 */
import * as fs from 'node:fs';
import { InternalError } from '../../src/base/errors.js';
import { bytePath, fromBytes, type BytePath } from './byte-path.js';
import { installFile, newTable } from './fd-table.js';
import { newFs } from './fs-struct.js';
import { hostName } from './mount-table.js';
import { MARK } from './open-files.js';
import { LINUX_HOST, O_ACCMODE, O_APPEND, O_LARGEFILE, O_RDONLY, O_RDWR, O_WRONLY } from './open-flags.js';
import { describe } from './open.js';
import { inheritedAtStart } from './start-descriptors.js';
import type { VfsState } from './state.js';

export interface Inherited {
  readonly table: number;
  readonly fs: number;
  /** The host's umask, to be put back at the end. */
  readonly umask: number;
}

/**
 * Takes over the descriptors that lift64 was started with, or those of `stdio` as 0, 1 and 2; the working directory (or `directory`) and the umask; the host's umask is 0 from here on, so that the guest's counts.
 */
export function inheritFiles(s: VfsState, stdio?: readonly number[], directory?: BytePath): Inherited {
  const table = newTable(s);
  const umask = process.umask(0);
  const struct = newFs(s, directory ?? workingDirectoryOfHost(), umask);
  if (table < 0 || struct < 0) throw new InternalError('no room for the first process in the file tables');
  // An isolated guest has standard input and output of the host, and nothing else.
  const isolated = s.tree?.hostRoot === false;
  const known = inheritedDescriptors().filter(([fd]) => !isolated || fd <= 2);
  const given = stdio?.map((host, fd): [number, number, number] => [fd, host, fd === 0 ? O_RDONLY : O_WRONLY]);
  for (const [fd, host, flags] of given ?? known.map(([own, mode]): [number, number, number] => [own, own, mode])) {
    const own = known.find((d) => d[0] === host);
    const file = describe(s, host, nameOf(host), own?.[1] ?? flags, own === undefined ? 0 : MARK.INHERITED);
    if (file >= 0) installFile(s, table, file, false, fd + 1, fd);
  }
  return { table, fs: struct, umask };
}

function workingDirectoryOfHost(): BytePath {
  return LINUX_HOST
    ? fromBytes(fs.readlinkSync('/proc/self/cwd', { encoding: 'buffer' }))
    : fromBytes(Buffer.from(process.cwd()));
}

function nameOf(fd: number): BytePath {
  if (!LINUX_HOST) return bytePath(fd === 0 ? '/dev/stdin' : fd === 1 ? '/dev/stdout' : '/dev/stderr');
  return hostName(fd);
}

/** Descriptors with their access mode and status flags. */
function inheritedDescriptors(): [fd: number, flags: number][] {
  if (!LINUX_HOST) return [0, 1, 2].filter(isOpen).map((fd) => [fd, O_RDWR]);
  return inheritedAtStart()
    .filter((d) => isOpen(d.fd))
    .map(({ fd, flags }) => [
      fd,
      // The numbers of these are the same on all Linux hosts. O_NONBLOCK is not the guest's: others may have set it.
      flags & (O_ACCMODE | O_APPEND | O_LARGEFILE),
    ]);
}

function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
