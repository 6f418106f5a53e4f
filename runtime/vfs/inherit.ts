/**
 * What a lift64 starts with: its first process's fd table and fs struct. In: the file layer's state on the main thread. Out: table and struct numbers. Called once, on the main
 * thread, before the first guest thread. Source: man 2 execve (descriptors), DESIGN.md section 7.
 */
import * as fs from 'node:fs';
import { devNull } from 'node:os';
import { InternalError } from '../../src/base/errors.js';
import { bytePath, fromBytes, type BytePath } from './byte-path.js';
import { installFile, newTable } from './fd-table.js';
import { newFs } from './fs-struct.js';
import { hostName } from './mount-table.js';
import { KIND, MARK, newFile, refFile } from './open-files.js';
import { LINUX_HOST, O_ACCMODE, O_APPEND, O_LARGEFILE, O_RDONLY, O_RDWR, O_WRONLY } from './open-flags.js';
import { describe } from './open.js';
import { pipeInode } from './pipes.js';
import { inheritedAtStart } from './start-descriptors.js';
import type { VfsState } from './state.js';

/** What a guest's descriptor 0, 1 or 2 is. */
export type StandardStream =
  /** A descriptor of the host, which stays open. */
  | { readonly kind: 'host'; readonly fd: number }
  /** /dev/null. */
  | { readonly kind: 'null' }
  /** A pipe whose other end is the main thread's (host-pipes.ts). */
  | { readonly kind: 'pipe'; readonly pipe: number }
  /** The same description as descriptor 1. */
  | { readonly kind: 'stdout' };
export type StandardStreams = readonly [StandardStream, StandardStream, StandardStream];

export interface Inherited {
  readonly table: number;
  readonly fs: number;
  /** The host's umask, to be put back at the end. */
  readonly umask: number;
}

/**
 * Takes over the descriptors that lift64 was started with, or those of `stdio` alone; the working directory (or `directory`) and the umask; the host's umask is 0 from here on, so that the guest's counts.
 */
export function inheritFiles(s: VfsState, stdio?: StandardStreams, directory?: BytePath): Inherited {
  const table = newTable(s);
  const umask = process.umask(0);
  const struct = newFs(s, directory ?? workingDirectoryOfHost(), umask);
  if (table < 0 || struct < 0) throw new InternalError('no room for the first process in the file tables');
  // An isolated guest has standard input and output of the host, and nothing else.
  const isolated = s.tree?.hostRoot === false;
  const install = (fd: number, file: number): void => {
    if (file >= 0) installFile(s, table, file, false, fd + 1, fd);
  };
  const known = inheritedDescriptors().filter(([fd]) => !isolated || fd <= 2);
  const takeOver = (host: number, flags: number, kept: number): number =>
    describe(s, host, nameOf(host), flags, MARK.INHERITED | kept);
  if (stdio === undefined) for (const [fd, flags] of known) install(fd, takeOver(fd, flags, 0));
  else {
    const files: number[] = [];
    for (const [fd, stream] of stdio.entries()) {
      files[fd] = standardFile(s, stream, fd === 0 ? O_RDONLY : O_WRONLY, files[1] ?? -1, (host, flags) =>
        takeOver(host, known.find((d) => d[0] === host)?.[1] ?? flags, MARK.KEPT),
      );
      install(fd, files[fd]);
    }
  }
  return { table, fs: struct, umask };
}

/** A description for a standard stream; negative: there is none. */
function standardFile(
  s: VfsState,
  stream: StandardStream,
  flags: number,
  output: number,
  takeOver: (host: number, flags: number) => number,
): number {
  switch (stream.kind) {
    case 'host':
      return isOpen(stream.fd) ? takeOver(stream.fd, flags) : -1;
    case 'null':
      return describe(s, fs.openSync(devNull, 'r+'), bytePath('/dev/null'), O_RDWR, 0);
    case 'pipe': {
      const { pipe } = stream;
      const path = bytePath(`pipe:[${String(pipeInode(s, pipe))}]`);
      return newFile(s, { kind: flags === O_RDONLY ? KIND.PIPE_READ : KIND.PIPE_WRITE, flags, object: pipe, path });
    }
    case 'stdout':
      if (output >= 0) refFile(s, output);
      return output;
  }
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
