/**
 * File status: stat and statx, access, readlink, statfs. In: paths and descriptors. Out: rows.
 * Source: man 2 stat, statx, access, readlink, statfs.
 */
import * as fs from 'node:fs';
import { withShownOwner } from '../../process/owners.js';
import { bytePath, hostBytes, type BytePath } from '../../vfs/byte-path.js';
import { fdLink, fdPath } from '../../vfs/descriptor-path.js';
import {
  encodeStat,
  encodeStatFs,
  encodeStatx,
  S_IFLNK,
  S_IFMT,
  type StatFsRecord,
  type StatRecord,
} from '../../vfs/file-stat.js';
import { withLinked } from '../../vfs/fd-table.js';
import { pathAt, withFd, withPath } from '../../vfs/guest-args.js';
import { hostCall } from '../../vfs/host-error.js';
import type { MountPoint } from '../../vfs/mount-table.js';
import { fileKind, fileMount, fileOps, filePath, hostFd, KIND } from '../../vfs/open-files.js';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
} from '../../vfs/open-flags.js';
import { LOOKUP, LOOKUP_LINK, withTarget, type Target } from '../../vfs/resolve.js';
import type { SpecialNode } from '../../vfs/special-node.js';
import { statOpenFile, statTarget } from '../../vfs/status.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EFAULT, EINVAL, ENOENT, EROFS } from '../errno.js';
import type { Thread } from '../thread.js';

// ---------------------------------------------------------------- stat

/** Status of a path, or, when the path is empty and AT_EMPTY_PATH says so, of the descriptor (AT_FDCWD: of the working directory). */
function statusAt(t: Thread, dirfd: number, path: BytePath, flags: number): StatRecord | number {
  let name = path;
  if (path === '' && (flags & AT_EMPTY_PATH) !== 0) {
    if (dirfd !== AT_FDCWD) return withFd(t, dirfd, (file) => statOpenFile(t.files, file));
    name = bytePath('.');
  }
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return withTarget(t.files, dirfd, name, follow ? LOOKUP : LOOKUP_LINK, (target) =>
    statTarget(t.files, target, follow),
  );
}

function storeStat(t: Thread, addr: number, record: StatRecord | number): SyscallResult {
  if (typeof record === 'number') return record;
  return t.mem.write(addr, encodeStat(withShownOwner(t.kernel, record))) ? 0 : -EFAULT;
}

const statPath = (t: Thread, a: SyscallArgs, flags: number): SyscallResult =>
  storeStat(
    t,
    a.ptr(1),
    withPath(t, a.ptr(0), (path) => statusAt(t, AT_FDCWD, path, flags)),
  );

const fstat: Handler = (t, a) =>
  storeStat(
    t,
    a.ptr(1),
    withFd(t, a.i32(0), (file) => statOpenFile(t.files, file)),
  );

const newfstatat: Handler = (t, a) => {
  const flags = a.i32(3);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) !== 0) return -EINVAL;
  return storeStat(
    t,
    a.ptr(2),
    withPath(t, a.ptr(1), (path) => statusAt(t, a.i32(0), path, flags)),
  );
};

/** Reserved bit of statx's mask. */
const STATX_RESERVED = 0x8000_0000;
const STATX_FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE;

const statx: Handler = (t, a) => {
  const flags = a.i32(2);
  const sync = flags & AT_STATX_SYNC_TYPE;
  if ((flags & ~STATX_FLAGS) !== 0 || sync === AT_STATX_SYNC_TYPE || (a.u32(3) & STATX_RESERVED) !== 0) return -EINVAL;
  // Without a path: the descriptor (Linux 6.11).
  const empty = a.ptr(1) === 0 && (flags & AT_EMPTY_PATH) !== 0;
  const path = empty ? bytePath('') : pathAt(t, a.ptr(1));
  if (typeof path === 'number') return path;
  const record = statusAt(t, a.i32(0), path, flags);
  if (typeof record === 'number') return record;
  return t.mem.write(a.ptr(4), encodeStatx(withShownOwner(t.kernel, record))) ? 0 : -EFAULT;
};

// ---------------------------------------------------------------- access

const X_OK = 1;
const W_OK = 2;

function access(t: Thread, dirfd: number, addr: number, mode: number, flags: number): SyscallResult {
  if ((mode & ~7) !== 0 || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return withPath(t, addr, (path): SyscallResult => {
    if (path === '' && (flags & AT_EMPTY_PATH) !== 0) {
      if (dirfd === AT_FDCWD) return accessPath(t, dirfd, bytePath('.'), mode, true);
      return withFd(t, dirfd, (file) => {
        const host = hostFd(t.files.state, file);
        return host < 0 ? 0 : hostAccess(hostBytes(fdPath(t.files.state, file)), mode);
      });
    }
    return accessPath(t, dirfd, path, mode, (flags & AT_SYMLINK_NOFOLLOW) === 0);
  });
}

function accessPath(t: Thread, dirfd: number, path: BytePath, mode: number, follow: boolean): number {
  return withTarget(t.files, dirfd, path, follow ? LOOKUP : LOOKUP_LINK, (target): number => {
    if (target.node !== undefined) return nodeAccess(target.node, mode);
    if (!follow) {
      const st = statTarget(t.files, target, false);
      if (typeof st === 'number') return st;
      // A link allows everything.
      if ((Number(st.mode) & S_IFMT) === S_IFLNK) return 0;
    }
    const failure = hostAccess(target.host, mode);
    return failure === 0 && (mode & W_OK) !== 0 && isReadOnly(target) ? -EROFS : failure;
  });
}

/** Files and directories of a read-only mount; devices and FIFOs there can be written. */
function isReadOnly(target: Target): boolean {
  if (target.mount?.readOnly !== true) return false;
  const st = fs.statSync(target.host);
  return st.isFile() || st.isDirectory();
}

const hostAccess = (path: Buffer, mode: number): number =>
  hostCall(() => {
    fs.accessSync(path, mode);
    return 0;
  });

function nodeAccess(node: SpecialNode, mode: number): number {
  if (node.type !== 'file') return 0;
  if ((mode & X_OK) !== 0) return -EACCES;
  return (mode & W_OK) !== 0 && node.write === undefined ? -EACCES : 0;
}

// ---------------------------------------------------------------- readlink

function readlink(t: Thread, dirfd: number, addr: number, out: number, size: number): SyscallResult {
  if (size <= 0) return -EINVAL;
  return withPath(t, addr, (path): SyscallResult => {
    const link = path === '' && dirfd !== AT_FDCWD ? linkOfDescriptor(t, dirfd) : linkOfPath(t, dirfd, path);
    if (typeof link === 'number') return link;
    const part = link.subarray(0, size);
    return t.mem.write(out, part) ? part.length : -EFAULT;
  });
}

/** readlinkat with an empty path: of a link opened with O_PATH and O_NOFOLLOW. */
function linkOfDescriptor(t: Thread, fd: number): Buffer | number {
  const { state } = t.files;
  return withFd(t, fd, (file): Buffer | number => {
    const st = statOpenFile(t.files, file);
    if (typeof st === 'number') return st;
    if (fileKind(state, file) !== KIND.PATH || (Number(st.mode) & S_IFMT) !== S_IFLNK) return -ENOENT;
    // The host's readlink of /proc/self/fd/N gives the link's own path.
    const path = hostFd(state, file) < 0 ? filePath(state, file) : fdLink(state, file);
    return linkOfPath(t, AT_FDCWD, path);
  });
}

function linkOfPath(t: Thread, dirfd: number, path: BytePath): Buffer | number {
  return withTarget(t.files, dirfd, path, LOOKUP_LINK, (target): Buffer | number => {
    const { node } = target;
    // The root of a mount, by the host's link to its descriptor.
    if (target.object === true) return -EINVAL;
    if (node === undefined) return hostCall(() => fs.readlinkSync(target.host, { encoding: 'buffer' }));
    switch (node.type) {
      case 'link': {
        const to = node.target();
        return typeof to === 'number' ? to : hostBytes(to);
      }
      case 'descriptor':
        return withLinked(t.files.state, node, (file) => hostBytes(fdLink(t.files.state, file)));
      case 'file':
      case 'directory':
      case 'device':
      case 'memory':
      case 'terminal':
        return -EINVAL;
    }
  });
}

// ---------------------------------------------------------------- statfs

const PROC_SUPER_MAGIC = 0x9fa0n;

const ownFileSystem = (type: bigint): StatFsRecord => ({
  type,
  bsize: 4096n,
  blocks: 0n,
  bfree: 0n,
  bavail: 0n,
  files: 0n,
  ffree: 0n,
});

function storeStatFs(t: Thread, addr: number, record: StatFsRecord | number): SyscallResult {
  if (typeof record === 'number') return record;
  return t.mem.write(addr, encodeStatFs(record)) ? 0 : -EFAULT;
}

/** What a file system says of itself, and whether the guest's mount of it is read-only. */
const hostFileSystem = (path: Buffer, mount: MountPoint | undefined): StatFsRecord | number =>
  hostCall(() => ({ ...fs.statfsSync(path, { bigint: true }), readOnly: mount?.readOnly === true }));

const statfs: Handler = (t, a) =>
  storeStatFs(
    t,
    a.ptr(1),
    withPath(t, a.ptr(0), (path) =>
      withTarget(t.files, AT_FDCWD, path, LOOKUP, (target) =>
        target.node !== undefined ? ownFileSystem(PROC_SUPER_MAGIC) : hostFileSystem(target.host, target.mount),
      ),
    ),
  );

const fstatfs: Handler = (t, a) =>
  storeStatFs(
    t,
    a.ptr(1),
    withFd(t, a.i32(0), (file): StatFsRecord | number => {
      const { state } = t.files;
      if (hostFd(state, file) >= 0) {
        return hostFileSystem(hostBytes(fdPath(state, file)), fileMount(state, file));
      }
      const magic = fileOps(state, file).fileSystem;
      return ownFileSystem(magic === undefined ? PROC_SUPER_MAGIC : BigInt(magic));
    }),
  );

const STATFS_NOTE = 'Node tells neither f_fsid (0) nor the mount flags (ST_RELATIME)';

export const statRows = [
  { nr: 4, name: 'stat', args: 's,p', support: 'yes', handler: (t, a) => statPath(t, a, 0) },
  {
    nr: 5,
    name: 'fstat',
    args: 'd,p',
    support: 'yes',
    note: 'a socket that lift64 was started with is a pipe',
    handler: fstat,
  },
  { nr: 6, name: 'lstat', args: 's,p', support: 'yes', handler: (t, a) => statPath(t, a, AT_SYMLINK_NOFOLLOW) },
  {
    nr: 21,
    name: 'access',
    args: 's,am',
    support: 'yes',
    handler: (t, a) => access(t, AT_FDCWD, a.ptr(0), a.i32(1), 0),
  },
  {
    nr: 89,
    name: 'readlink',
    args: 's,p,d',
    support: 'yes',
    handler: (t, a) => readlink(t, AT_FDCWD, a.ptr(0), a.ptr(1), a.i32(2)),
  },
  { nr: 137, name: 'statfs', args: 's,p', support: 'partly', note: STATFS_NOTE, handler: statfs },
  { nr: 138, name: 'fstatfs', args: 'd,p', support: 'partly', note: STATFS_NOTE, handler: fstatfs },
  { nr: 262, name: 'newfstatat', args: 'at,s,p,af', support: 'yes', handler: newfstatat },
  {
    nr: 267,
    name: 'readlinkat',
    args: 'at,s,p,d',
    support: 'yes',
    handler: (t, a) => readlink(t, a.i32(0), a.ptr(1), a.ptr(2), a.i32(3)),
  },
  {
    nr: 269,
    name: 'faccessat',
    args: 'at,s,am',
    support: 'yes',
    handler: (t, a) => access(t, a.i32(0), a.ptr(1), a.i32(2), 0),
  },
  {
    nr: 332,
    name: 'statx',
    args: 'at,s,af,x,p',
    support: 'partly',
    note: 'no attributes, no mount id',
    handler: statx,
  },
  {
    nr: 439,
    name: 'faccessat2',
    args: 'at,s,am,af',
    support: 'yes',
    handler: (t, a) => access(t, a.i32(0), a.ptr(1), a.i32(2), a.i32(3)),
  },
] as const satisfies readonly SyscallRow[];
