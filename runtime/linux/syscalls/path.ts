/**
 * Attributes of files by path or descriptor: mode, owner, times, length; umask. In: paths and descriptors. Out: rows.
 * Source: man 2 chmod, chown, utimensat, truncate, umask.
 */
import * as fs from 'node:fs';
import { canOwn } from '../../process/owners.js';
import { setUmask } from '../../vfs/fs-struct.js';
import { afterResize, beforeRead } from '../../vfs/coherence.js';
import { fdPath } from '../../vfs/descriptor-path.js';
import { hostBytes } from '../../vfs/byte-path.js';
import { offsetOf, onHostPath, pathAt, withFd, withPath } from '../../vfs/guest-args.js';
import { hostCall } from '../../vfs/host-error.js';
import { toldOfFile, toldOfPath } from '../../vfs/inotify/file-events.js';
import { IN } from '../../vfs/inotify/instances.js';
import { fileKind, fileMount, hostFd, KIND } from '../../vfs/open-files.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../vfs/open-flags.js';
import { hostOnly, LOOKUP, LOOKUP_LINK, withTarget } from '../../vfs/resolve.js';
import { allocateFile, truncateFile } from '../../vfs/seek.js';
import { realtime } from '../clocks.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EBADF, EFAULT, EFBIG, EINVAL, EOPNOTSUPP, EPERM, EROFS } from '../errno.js';
import { SIGXFSZ } from '../signals.js';
import { readTimePair } from '../structs.js';
import type { Thread } from '../thread.js';

/** A host call on what a descriptor stands for; O_PATH descriptors are refused unless `path` says how to go by their path. `mask`: what inotify tells of it. */
function onDescriptor(
  t: Thread,
  fd: number,
  mask: number,
  call: (host: number) => void,
  path?: (host: Buffer) => void,
): number {
  return withFd(t, fd, (file): number => toldOfFile(t.files.state, file, mask, -1, () => onFile(t, file, call, path)));
}

function onFile(t: Thread, file: number, call: (host: number) => void, path?: (host: Buffer) => void): number {
  const { state } = t.files;
  const host = hostFd(state, file);
  if (fileMount(state, file)?.readOnly === true) return -EROFS;
  if (fileKind(state, file) === KIND.PATH) {
    if (path === undefined || host < 0) return -EBADF;
    return done(() => {
      path(hostBytes(fdPath(state, file)));
    });
  }
  return host < 0
    ? -EPERM
    : done(() => {
        call(host);
      });
}

/** A host call on the file that a path names, or on the link; `mask`: what inotify tells of it. */
function onPath(
  t: Thread,
  dirfd: number,
  addr: number,
  follow: boolean,
  mask: number,
  call: (host: Buffer) => void,
): number {
  return onHostPath(t, dirfd, addr, follow ? LOOKUP : LOOKUP_LINK, (host) => {
    toldOfPath(t.files.state, host, follow, mask, () => {
      call(host);
    });
  });
}

const done = (call: () => void): number =>
  hostCall(() => {
    call();
    return 0;
  });

// ---------------------------------------------------------------- mode and owner

const MODE_BITS = 0o7777;

const chmod = (t: Thread, dirfd: number, addr: number, mode: number): number =>
  onPath(t, dirfd, addr, true, IN.ATTRIB, (host) => {
    fs.chmodSync(host, mode & MODE_BITS);
  });

const fchmod = (t: Thread, fd: number, mode: number, byPath: boolean): number =>
  onDescriptor(
    t,
    fd,
    IN.ATTRIB,
    (host) => {
      fs.fchmodSync(host, mode & MODE_BITS);
    },
    byPath
      ? (host) => {
          fs.chmodSync(host, mode & MODE_BITS);
        }
      : undefined,
  );

const fchmodat2: Handler = (t, a) => {
  const flags = a.i32(3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  if ((flags & AT_EMPTY_PATH) !== 0 && a.i32(0) !== AT_FDCWD && pathAt(t, a.ptr(1)) === '')
    return fchmod(t, a.i32(0), a.u32(2), true);
  if ((flags & AT_SYMLINK_NOFOLLOW) === 0) return chmod(t, a.i32(0), a.ptr(1), a.u32(2));
  return withPath(t, a.ptr(1), (path) =>
    withTarget(t.files, a.i32(0), path, LOOKUP_LINK, (target): number => {
      const host = hostOnly(target);
      if (typeof host === 'number') return host;
      return hostCall(() => {
        // Modes of links can't be set, on Linux either.
        if (fs.lstatSync(host).isSymbolicLink()) return -EOPNOTSUPP;
        return toldOfPath(t.files.state, host, false, IN.ATTRIB, () => {
          fs.chmodSync(host, a.u32(2) & MODE_BITS);
          return 0;
        });
      });
    }),
  );
};

/** -1 leaves the id as it is, for Node as for Linux. */
const idOf = (a: SyscallArgs, i: number): number => (a.i32(i) === -1 ? -1 : a.u32(i));
const chownEvent = (uid: number, gid: number): number => (uid === -1 && gid === -1 ? 0 : IN.ATTRIB);

function chown(t: Thread, dirfd: number, addr: number, uid: number, gid: number, follow: boolean): number {
  if (!canOwn(t.kernel, uid, gid)) return -EINVAL;
  return onPath(t, dirfd, addr, follow, chownEvent(uid, gid), (host) => {
    (follow ? fs.chownSync : fs.lchownSync)(host, uid, gid);
  });
}

function fchown(t: Thread, fd: number, uid: number, gid: number, byPath: boolean): number {
  if (!canOwn(t.kernel, uid, gid)) return -EINVAL;
  const change = (host: number): void => {
    fs.fchownSync(host, uid, gid);
  };
  const changeByPath = (host: Buffer | string): void => {
    fs.chownSync(host, uid, gid);
  };
  return onDescriptor(t, fd, chownEvent(uid, gid), change, byPath ? changeByPath : undefined);
}

const fchownat: Handler = (t, a) => {
  const flags = a.i32(4);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const [uid, gid] = [idOf(a, 2), idOf(a, 3)];
  if ((flags & AT_EMPTY_PATH) !== 0 && a.i32(0) !== AT_FDCWD && pathAt(t, a.ptr(1)) === '')
    return fchown(t, a.i32(0), uid, gid, true);
  return chown(t, a.i32(0), a.ptr(1), uid, gid, (flags & AT_SYMLINK_NOFOLLOW) === 0);
};

// ---------------------------------------------------------------- times

/** A time to set: nanoseconds since 1970, now, or as it is. */
type NewTime = bigint | 'omit';

const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;
const NS = 1_000_000_000n;

/** Two timespecs (`unit` 1) or timevals (`unit` 1000 ns); none: both now. */
function timesAt(t: Thread, addr: number, unit: bigint): [NewTime, NewTime] | number {
  const clock = realtime(t.kernel);
  const now = BigInt(clock.sec) * NS + BigInt(clock.nsec);
  if (addr === 0) return [now, now];
  const times: NewTime[] = [];
  for (const at of [addr, addr + 16]) {
    const pair = readTimePair(t.mem, at);
    if (pair === undefined) return -EFAULT;
    if (unit === 1n && pair.frac === UTIME_NOW) times.push(now);
    else if (unit === 1n && pair.frac === UTIME_OMIT) times.push('omit');
    else if (pair.frac < 0n || pair.frac * unit >= NS) return -EINVAL;
    else times.push(pair.sec * NS + pair.frac * unit);
  }
  const [atime = now, mtime = now] = times;
  return [atime, mtime];
}

/**
 * A time as Node's utimes takes it. The host gets whole microseconds, cut off from a double: so a little is added, that no microsecond is lost.
 * Numbers below 0 mean now to Node; a Date (milliseconds) does not.
 */
function nodeTime(time: NewTime, current: bigint): number | Date {
  const ns = time === 'omit' ? current : time;
  if (ns < 0n) return new Date(Math.floor(Number(ns) / 1e6));
  return (Number(ns / 1000n) + 0.4) / 1e6;
}

type SetTimes = (atime: number | Date, mtime: number | Date) => void;

function apply(times: [NewTime, NewTime], now: fs.BigIntStats, set: SetTimes): void {
  if (times[0] === 'omit' && times[1] === 'omit') return;
  set(nodeTime(times[0], now.atimeNs), nodeTime(times[1], now.mtimeNs));
}

/** Both times are attributes, one alone says what has been done. */
function timesEvent([atime, mtime]: [NewTime, NewTime]): number {
  if (atime === 'omit') return mtime === 'omit' ? 0 : IN.MODIFY;
  return mtime === 'omit' ? IN.ACCESS : IN.ATTRIB;
}

function setTimes(
  t: Thread,
  dirfd: number,
  addr: number,
  times: [NewTime, NewTime] | number,
  flags: number,
): SyscallResult {
  if (typeof times === 'number') return times;
  if (addr === 0 || ((flags & AT_EMPTY_PATH) !== 0 && pathAt(t, addr) === '')) {
    if (dirfd === AT_FDCWD) return -EFAULT;
    return onDescriptor(
      t,
      dirfd,
      timesEvent(times),
      (host) => {
        apply(times, fs.fstatSync(host, { bigint: true }), (atime, mtime) => {
          fs.futimesSync(host, atime, mtime);
        });
      },
      (host) => {
        apply(times, fs.statSync(host, { bigint: true }), (atime, mtime) => {
          fs.utimesSync(host, atime, mtime);
        });
      },
    );
  }
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return onPath(t, dirfd, addr, follow, timesEvent(times), (host) => {
    const now = follow ? fs.statSync(host, { bigint: true }) : fs.lstatSync(host, { bigint: true });
    apply(times, now, (atime, mtime) => {
      (follow ? fs.utimesSync : fs.lutimesSync)(host, atime, mtime);
    });
  });
}

const utimensat: Handler = (t, a) => {
  const flags = a.i32(3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return setTimes(t, a.i32(0), a.ptr(1), timesAt(t, a.ptr(2), 1n), flags);
};

/** struct utimbuf: access and modification time in seconds. */
const utime: Handler = (t, a) => {
  const addr = a.ptr(1);
  if (addr === 0) return setTimes(t, AT_FDCWD, a.ptr(0), timesAt(t, 0, 1n), 0);
  const pair = readTimePair(t.mem, addr);
  return pair === undefined ? -EFAULT : setTimes(t, AT_FDCWD, a.ptr(0), [pair.sec * NS, pair.frac * NS], 0);
};

// ---------------------------------------------------------------- length

const truncate: Handler = (t, a) => {
  const length = offsetOf(a.i64(1));
  if (length < 0) return -EINVAL;
  if (length > t.files.port.fileSizeLimit()) {
    t.files.port.raise(SIGXFSZ);
    return -EFBIG;
  }
  return onPath(t, AT_FDCWD, a.ptr(0), true, IN.MODIFY, (host) => {
    const fd = fs.openSync(host, 'r+');
    try {
      beforeRead(t.files, fd);
      fs.ftruncateSync(fd, length);
      afterResize(t.files, fd);
    } finally {
      fs.closeSync(fd);
    }
  });
};

const ftruncate: Handler = (t, a) =>
  withFd(t, a.i32(0), (file) =>
    toldOfFile(t.files.state, file, IN.MODIFY, -1, () => truncateFile(t.files, file, offsetOf(a.i64(1)))),
  );

const fallocate: Handler = (t, a) =>
  withFd(t, a.i32(0), (file) =>
    toldOfFile(t.files.state, file, IN.MODIFY, -1, () =>
      allocateFile(t.files, file, a.i32(1), offsetOf(a.i64(2)), offsetOf(a.i64(3))),
    ),
  );

const TIMES_NOTE = 'to a microsecond, the finest that Node sets';

export const pathRows = [
  { nr: 76, name: 'truncate', args: 's,ld', support: 'yes', handler: truncate },
  { nr: 77, name: 'ftruncate', args: 'd,ld', support: 'yes', handler: ftruncate },
  { nr: 90, name: 'chmod', args: 's,o', support: 'yes', handler: (t, a) => chmod(t, AT_FDCWD, a.ptr(0), a.u32(1)) },
  { nr: 91, name: 'fchmod', args: 'd,o', support: 'yes', handler: (t, a) => fchmod(t, a.i32(0), a.u32(1), false) },
  {
    nr: 92,
    name: 'chown',
    args: 's,d,d',
    support: 'yes',
    handler: (t, a) => chown(t, AT_FDCWD, a.ptr(0), idOf(a, 1), idOf(a, 2), true),
  },
  {
    nr: 93,
    name: 'fchown',
    args: 'd,d,d',
    support: 'yes',
    handler: (t, a) => fchown(t, a.i32(0), idOf(a, 1), idOf(a, 2), false),
  },
  {
    nr: 94,
    name: 'lchown',
    args: 's,d,d',
    support: 'yes',
    handler: (t, a) => chown(t, AT_FDCWD, a.ptr(0), idOf(a, 1), idOf(a, 2), false),
  },
  {
    nr: 95,
    name: 'umask',
    args: 'o',
    support: 'yes',
    handler: (t, a) => setUmask(t.files.state, t.files.fs, a.u32(0) & 0o777),
  },
  { nr: 132, name: 'utime', args: 's,p', support: 'yes', handler: utime },
  {
    nr: 235,
    name: 'utimes',
    args: 's,p',
    support: 'partly',
    note: TIMES_NOTE,
    handler: (t, a) => setTimes(t, AT_FDCWD, a.ptr(0), timesAt(t, a.ptr(1), 1000n), 0),
  },
  {
    nr: 260,
    name: 'fchownat',
    args: 'at,s,d,d,af',
    support: 'yes',
    handler: fchownat,
  },
  {
    nr: 261,
    name: 'futimesat',
    args: 'at,s,p',
    support: 'partly',
    note: TIMES_NOTE,
    handler: (t, a) => setTimes(t, a.i32(0), a.ptr(1), timesAt(t, a.ptr(2), 1000n), 0),
  },
  {
    nr: 268,
    name: 'fchmodat',
    args: 'at,s,o',
    support: 'yes',
    handler: (t, a) => chmod(t, a.i32(0), a.ptr(1), a.u32(2)),
  },
  { nr: 280, name: 'utimensat', args: 'at,s,p,af', support: 'partly', note: TIMES_NOTE, handler: utimensat },
  {
    nr: 285,
    name: 'fallocate',
    args: 'd,x,ld,ld',
    support: 'partly',
    note: 'lengths and zeros are as asked, but no blocks are reserved and none are freed; collapsing and inserting ranges: EOPNOTSUPP',
    handler: fallocate,
  },
  { nr: 452, name: 'fchmodat2', args: 'at,s,o,af', support: 'yes', handler: fchmodat2 },
] as const satisfies readonly SyscallRow[];
