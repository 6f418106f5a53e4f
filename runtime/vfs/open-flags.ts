/**
 * Flags of open as x86-64 numbers them, and the host's. In: guest flags. Out: host flags. Source: man 2 open; include/uapi/asm-generic/fcntl.h
 * (x86-64 has the generic values, other hosts differ in some).
 */
import { constants } from 'node:fs';

export const O_ACCMODE = 3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_ASYNC = 0o20000;
export const O_DIRECT = 0o40000;
export const O_LARGEFILE = 0o100000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
/** O_SYNC without O_DSYNC. */
export const SYNC_BIT = 0o4000000;
export const O_PATH = 0o10000000;
/** O_TMPFILE without O_DIRECTORY. */
export const TMPFILE_BIT = 0o20000000;
export const KNOWN_FLAGS =
  O_ACCMODE |
  O_CREAT |
  O_EXCL |
  O_NOCTTY |
  O_TRUNC |
  O_APPEND |
  O_NONBLOCK |
  O_DSYNC |
  O_ASYNC |
  O_DIRECT |
  O_LARGEFILE |
  O_DIRECTORY |
  O_NOFOLLOW |
  O_NOATIME |
  O_CLOEXEC |
  SYNC_BIT |
  O_PATH |
  TMPFILE_BIT;
/** Flags that a description does not keep. */
export const CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
/** What F_SETFL can change. */
export const SETTABLE_FLAGS = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_SYNC_TYPE = 0x6000;

/** True where descriptors can be named by path, and O_PATH exists. */
export const LINUX_HOST = process.platform === 'linux';

// Node's types declare all constants; on some hosts some are undefined.
const c = constants as Partial<typeof constants>;
const PAIRS: readonly (readonly [guest: number, host: number])[] = [
  [O_CREAT, c.O_CREAT ?? 0],
  [O_EXCL, c.O_EXCL ?? 0],
  [O_TRUNC, c.O_TRUNC ?? 0],
  [O_APPEND, c.O_APPEND ?? 0],
  [O_DSYNC, c.O_DSYNC ?? 0],
  [SYNC_BIT, c.O_SYNC ?? 0],
  [O_DIRECT, c.O_DIRECT ?? 0],
  [O_DIRECTORY, c.O_DIRECTORY ?? 0],
  [O_NOFOLLOW, c.O_NOFOLLOW ?? 0],
  [O_NOATIME, c.O_NOATIME ?? 0],
  [O_PATH, LINUX_HOST ? O_PATH : 0],
  [TMPFILE_BIT, LINUX_HOST ? TMPFILE_BIT : 0],
];

/**
 * Flags for fs.openSync. Never takes a controlling terminal, and never blocks: FIFOs and terminals are opened non-blocking, and waited for by
 * streams.ts; other files do not care.
 */
export function toHostFlags(flags: number): number {
  let host = flags & O_ACCMODE;
  for (const [guest, bit] of PAIRS) if ((flags & guest) !== 0) host |= bit;
  if ((flags & O_PATH) === 0) host |= (c.O_NONBLOCK ?? 0) | (c.O_NOCTTY ?? 0);
  return host;
}
