/**
 * What a lift64 starts with: its first process's fd table and fs struct. In: the main thread's context. Out: table and struct numbers. Called once, on the main
 * thread, before the first guest thread. Source: man 2 execve (descriptors), DESIGN.md section 7.
 */
import * as fs from 'node:fs';
import { InternalError } from '../../src/base/errors.js';
import { bytePath, fromBytes, hostBytes } from './byte-path.js';
import { installFile, newTable } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { newFs } from './fs-struct.js';
import { MAX_FDS } from './layout.js';
import { MARK } from './open-files.js';
import { LINUX_HOST, O_ACCMODE, O_APPEND, O_CLOEXEC, O_LARGEFILE, O_RDWR } from './open-flags.js';
import { describe } from './open.js';

export interface Inherited {
  readonly table: number;
  readonly fs: number;
}

/** Takes over the descriptors that lift64 was started with, the working directory and the umask; the host's umask is 0 from here on, so that the guest's counts. */
export function inheritFiles(c: FileContext): Inherited {
  const s = c.state;
  const table = newTable(s);
  const umask = process.umask(0);
  const struct = newFs(s, workingDirectoryOfHost(), umask);
  if (table < 0 || struct < 0) throw new InternalError('no room for the first process in the file tables');
  for (const [fd, flags] of inheritedDescriptors()) {
    const file = describe(c, fd, nameOf(fd), flags, MARK.INHERITED);
    if (file >= 0) installFile(s, table, file, false, fd + 1, fd);
  }
  return { table, fs: struct };
}

function workingDirectoryOfHost(): ReturnType<typeof bytePath> {
  return LINUX_HOST
    ? fromBytes(fs.readlinkSync('/proc/self/cwd', { encoding: 'buffer' }))
    : fromBytes(Buffer.from(process.cwd()));
}

function nameOf(fd: number): ReturnType<typeof bytePath> {
  if (!LINUX_HOST) return bytePath(fd === 0 ? '/dev/stdin' : fd === 1 ? '/dev/stdout' : '/dev/stderr');
  return fromBytes(fs.readlinkSync(hostBytes(`/proc/self/fd/${String(fd)}`), { encoding: 'buffer' }));
}

/** Descriptors with their access mode and status flags. Node's own are all close-on-exec. */
function inheritedDescriptors(): [fd: number, flags: number][] {
  if (!LINUX_HOST) return [0, 1, 2].filter(isOpen).map((fd) => [fd, O_RDWR]);
  const found: [number, number][] = [];
  for (const name of fs.readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd >= MAX_FDS || !isOpen(fd)) continue;
    const match = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'));
    const flags = Number.parseInt(match?.[1] ?? '2', 8);
    if (fd > 2 && (flags & O_CLOEXEC) !== 0) continue;
    // The numbers of the access mode and O_APPEND are those of all Linux hosts. O_NONBLOCK is not the guest's: others may have set it.
    found.push([fd, flags & (O_ACCMODE | O_APPEND | O_LARGEFILE)]);
  }
  return found;
}

function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
