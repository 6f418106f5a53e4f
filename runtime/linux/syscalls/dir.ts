/**
 * Directories and names: listing, working directory, making, removing, renaming, linking. In: paths. Out: rows.
 * Source: man 2 getdents, getcwd, chdir, mkdir, rmdir, unlink, rename, link, symlink, mknod.
 */
import { nodeModules } from '../node-modules.js';
import * as fs from 'node:fs';
import { bytePath, hostBytes, normalize, type BytePath } from '../../vfs/byte-path.js';
import { currentPath, fdPath } from '../../vfs/descriptor-path.js';
import { readDirectory } from '../../vfs/directories.js';
import { pinFile } from '../../vfs/fd-table.js';
import { S_IFIFO, S_IFMT, S_IFREG } from '../../vfs/file-stat.js';
import { setWorkingDirectory, umaskOf, workingDirectory } from '../../vfs/fs-struct.js';
import { onHostPath, pathAt, withFd, withPath } from '../../vfs/guest-args.js';
import { hostCall, hostFailure } from '../../vfs/host-error.js';
import { making, removing, renaming } from '../../vfs/inotify/file-events.js';
import { fileKind, fileMount, filePath, hostFd, KIND, putFile } from '../../vfs/open-files.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  LINUX_HOST,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  toHostFlags,
} from '../../vfs/open-flags.js';
import { openPath } from '../../vfs/open.js';
import {
  hostOnly,
  LOOKUP,
  NAME,
  NEW_NAME,
  nodeAt,
  withTarget,
  type ResolveOptions,
  type Target,
} from '../../vfs/resolve.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE, EXDEV } from '../errno.js';
import type { Thread } from '../thread.js';

const getdents =
  (old: boolean): Handler =>
  (t, a) =>
    withFd(t, a.i32(0), (file): SyscallResult => {
      if (fileKind(t.files.state, file) === KIND.PATH) return -EBADF;
      const size = a.u32(2);
      // Looked at first: entries that are not stored would be skipped.
      if (!t.mem.canWrite(a.ptr(1), Math.min(size, 1))) return -EFAULT;
      const bytes = readDirectory(t.files, file, size, old);
      if (typeof bytes === 'number') return bytes;
      return t.mem.write(a.ptr(1), bytes) ? bytes.length : -EFAULT;
    });

// ---------------------------------------------------------------- working directory

function getcwd(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, fs: struct } = t.files;
  const cwd = workingDirectory(state, struct, true);
  let { path } = cwd;
  if (cwd.file >= 0) {
    try {
      const host = hostFd(state, cwd.file);
      if (host >= 0 && fs.fstatSync(host).nlink === 0) return -ENOENT;
      path = directoryPath(t, cwd.file);
    } finally {
      putFile(state, cwd.file);
    }
  }
  const bytes = Buffer.concat([hostBytes(path), Buffer.of(0)]);
  if (bytes.length > a.ptr(1)) return -ERANGE;
  return t.mem.write(a.ptr(0), bytes) ? bytes.length : -EFAULT;
}

/** Where a directory is now, in guest terms: directories of lift64's own /proc have the names that they were opened by. */
function directoryPath(t: Thread, file: number): BytePath {
  const { state } = t.files;
  const opened = filePath(state, file);
  const clean = normalize(opened);
  if (clean === '/proc' || clean.startsWith('/proc/') || hostFd(state, file) < 0) return clean;
  if (LINUX_HOST) return currentPath(state, file);
  return bytePath(fs.realpathSync.native(hostBytes(opened), { encoding: 'buffer' }).toString('latin1'));
}

/** Enters the directory; takes over the caller's reference to `file`. */
function enter(t: Thread, file: number): SyscallResult {
  const { state, fs: struct } = t.files;
  const kind = fileKind(state, file);
  const failure = hostCall(() => {
    if (kind === KIND.SPECIAL_DIRECTORY) return 0;
    if (kind !== KIND.DIRECTORY && kind !== KIND.PATH) return -ENOTDIR;
    if (hostFd(state, file) < 0) {
      const node = nodeAt(t.files, filePath(state, file), false);
      return typeof node === 'number' ? node : node?.type === 'directory' ? 0 : -ENOTDIR;
    }
    if (state.tree !== undefined && fileMount(state, file) === undefined) return -EACCES;
    const host = hostBytes(fdPath(state, file));
    if (!fs.statSync(host).isDirectory()) return -ENOTDIR;
    fs.accessSync(host, fs.constants.X_OK);
    return 0;
  });
  if (failure < 0) putFile(state, file);
  else setWorkingDirectory(state, struct, directoryPath(t, file), file);
  return failure;
}

function chdir(t: Thread, a: SyscallArgs): SyscallResult {
  return withPath(t, a.ptr(0), (path): SyscallResult => {
    // Where there is no O_PATH, the directory must be readable.
    const file = openPath(t.files, AT_FDCWD, path, LINUX_HOST ? O_PATH | O_DIRECTORY : O_DIRECTORY, 0);
    return file < 0 ? file : enter(t, file);
  });
}

function fchdir(t: Thread, a: SyscallArgs): SyscallResult {
  const file = pinFile(t.files.state, t.files.table, a.i32(0));
  return file < 0 ? file : enter(t, file);
}

// ---------------------------------------------------------------- making and removing

const masked = (t: Thread, mode: number, bits: number): number => mode & bits & ~umaskOf(t.files.state, t.files.fs);

const mkdir = (t: Thread, dirfd: number, addr: number, mode: number): number =>
  onHostPath(t, dirfd, addr, NEW_NAME, (host) => {
    making(t.files.state, host, { isDirectory: true }, () => {
      fs.mkdirSync(host, masked(t, mode, 0o1777));
    });
  });

const unlink = (t: Thread, dirfd: number, addr: number): number =>
  onHostPath(t, dirfd, addr, NAME, (host) => {
    removing(t.files.state, host, () => {
      fs.unlinkSync(host);
    });
  });

const rmdir = (t: Thread, dirfd: number, addr: number): number =>
  onHostPath(t, dirfd, addr, NAME, (host) => {
    removing(t.files.state, host, () => {
      fs.rmdirSync(host);
    });
  });

const unlinkat: Handler = (t, a) => {
  const flags = a.i32(2);
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  return (flags === 0 ? unlink : rmdir)(t, a.i32(0), a.ptr(1));
};

function mknod(t: Thread, dirfd: number, addr: number, mode: number): SyscallResult {
  const type = mode & S_IFMT;
  if (type !== 0 && type !== S_IFREG && type !== S_IFIFO) return -EPERM;
  const permissions = masked(t, mode, 0o7777);
  return withPath(t, addr, (path) =>
    withTarget(t.files, dirfd, path, NEW_NAME, (target): number => {
      const host = hostOnly(target);
      if (typeof host === 'number') return host;
      return hostCall(() =>
        making(t.files.state, host, {}, () => {
          if (type === S_IFIFO) return makeFifo(host, permissions);
          fs.closeSync(fs.openSync(host, 'wx', permissions));
          return 0;
        }),
      );
    }),
  );
}

/** Node makes no FIFOs: the host's mkfifo does. A name that is no UTF-8 can't be told to it. */
function makeFifo(path: Buffer, mode: number): number {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) return -EEXIST;
  const text = path.toString();
  if (!Buffer.from(text).equals(path)) return -EPERM;
  // Permissions are checked here: the program's own failure says no more than that it failed.
  const slash = text.lastIndexOf('/');
  fs.accessSync(slash < 0 ? '.' : text.slice(0, slash + 1), fs.constants.W_OK | fs.constants.X_OK);
  // A descriptor of ours, by which a relative path may begin, is no descriptor of the program.
  const name = text.replace(/^\/proc\/self\//, `/proc/${String(process.pid)}/`);
  try {
    nodeModules.childProcess().execFileSync('mkfifo', ['--', name], { stdio: 'ignore' });
  } catch {
    return -EPERM;
  }
  // By descriptor: another thread may have given the name to a link by now.
  const fd = fs.openSync(path, toHostFlags(O_PATH | O_NOFOLLOW));
  try {
    if (fs.fstatSync(fd).isFIFO()) fs.chmodSync(LINUX_HOST ? `/proc/self/fd/${String(fd)}` : path, mode);
    return 0;
  } finally {
    fs.closeSync(fd);
  }
}

// ---------------------------------------------------------------- renaming and linking

interface Names {
  readonly fromDir: number;
  readonly from: number;
  readonly toDir: number;
  readonly to: number;
}

/** The host's names of both; -EXDEV where they are in different mounts. */
function withTwoNames(
  t: Thread,
  n: Names,
  options: { readonly from: ResolveOptions; readonly to: ResolveOptions },
  call: (from: Buffer, to: Buffer, source: Target) => number,
): SyscallResult {
  const [from, to] = [pathAt(t, n.from), pathAt(t, n.to)];
  if (typeof from === 'number') return from;
  if (typeof to === 'number') return to;
  return withTarget(t.files, n.fromDir, from, options.from, (source) =>
    withTarget(t.files, n.toDir, to, options.to, (target): number => {
      if (source.mount !== target.mount) return -EXDEV;
      const [a, b] = [hostOnly(source), hostOnly(target)];
      if (typeof a === 'number') return a;
      if (typeof b === 'number') return b;
      return hostCall(() => call(a, b, source));
    }),
  );
}

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

function rename(t: Thread, names: Names, flags: number): SyscallResult {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0 || flags === (RENAME_NOREPLACE | RENAME_EXCHANGE))
    return -EINVAL;
  return withTwoNames(t, names, { from: NAME, to: NAME }, (from, to) =>
    renaming(t.files.state, from, to, flags === RENAME_EXCHANGE, () => {
      if (flags === RENAME_NOREPLACE) return renameToNew(from, to);
      if (flags === RENAME_EXCHANGE) return exchange(from, to);
      fs.renameSync(from, to);
      return 0;
    }),
  );
}

/** By a name between: for a moment, one of the two is not there. What can't be done is undone. */
function exchange(from: Buffer, to: Buffer): number {
  const [a, b] = [fs.lstatSync(from), fs.lstatSync(to)];
  if (a.ino === b.ino && a.dev === b.dev) return 0;
  const between = Buffer.concat([
    dirOf(from),
    Buffer.from(`.lift64-${process.pid}-${Math.random().toString(36).slice(2)}`),
  ]);
  fs.renameSync(from, between);
  let back: Buffer | undefined;
  try {
    fs.renameSync(to, from);
    back = to;
    fs.renameSync(between, to);
    return 0;
  } catch (e) {
    if (back !== undefined) fs.renameSync(from, back);
    fs.renameSync(between, from);
    // It was there before: it lies below what has been moved.
    if (hostFailure(e) === -ENOENT) return -EINVAL;
    throw e;
  }
}

/** With the slash at its end. */
function dirOf(path: Buffer): Buffer {
  let end = path.length;
  while (end > 0 && path[end - 1] === 0x2f) end--;
  return path.subarray(0, path.lastIndexOf(0x2f, end - 1) + 1);
}

/** link fails where the new name exists; directories can't be linked, so there another process of the host can come in between. */
function renameToNew(from: Buffer, to: Buffer): number {
  if (fs.lstatSync(from).isDirectory()) {
    if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) return -EEXIST;
    fs.renameSync(from, to);
    return 0;
  }
  fs.linkSync(from, to);
  fs.unlinkSync(from);
  return 0;
}

function link(t: Thread, names: Names, flags: number): SyscallResult {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  if ((flags & AT_EMPTY_PATH) !== 0 && pathAt(t, names.from) === '') return linkDescriptor(t, names);
  const follow = (flags & AT_SYMLINK_FOLLOW) !== 0;
  return withTwoNames(t, names, { from: follow ? LINKED : NAME, to: NEW_NAME }, (from, to, source) => {
    const real = follow && source.mount === undefined;
    return linkHost(t, real ? fs.realpathSync.native(from, { encoding: 'buffer' }) : from, to);
  });
}

const linkHost = (t: Thread, from: Buffer, to: Buffer): number =>
  making(t.files.state, to, { source: from }, () => {
    fs.linkSync(from, to);
    return 0;
  });

/** What a link leads to, by its name. */
const LINKED: ResolveOptions = { ...LOOKUP, named: true };

/** By the name that the file has: one without a name (O_TMPFILE) can't be linked. */
function linkDescriptor(t: Thread, names: Names): SyscallResult {
  return withFd(t, names.fromDir, (file) =>
    withPath(t, names.to, (path) =>
      withTarget(t.files, AT_FDCWD, currentPath(t.files.state, file), NAME, (source) =>
        withTarget(t.files, names.toDir, path, NEW_NAME, (target): number => {
          const [from, to] = [hostOnly(source), hostOnly(target)];
          if (source.mount !== target.mount) return -EXDEV;
          if (typeof from === 'number') return from;
          if (typeof to === 'number') return to;
          return hostCall(() => {
            const [is, was] = [fs.lstatSync(from), fs.fstatSync(hostFd(t.files.state, file))];
            if (is.ino !== was.ino || is.dev !== was.dev) return -ENOENT;
            return linkHost(t, from, to);
          });
        }),
      ),
    ),
  );
}

function symlink(t: Thread, text: number, dirfd: number, addr: number): SyscallResult {
  return withPath(t, text, (to): SyscallResult => {
    if (to === '') return -ENOENT;
    return onHostPath(t, dirfd, addr, NEW_NAME, (host) => {
      making(t.files.state, host, {}, () => {
        fs.symlinkSync(hostBytes(to), host);
      });
    });
  });
}

const atCwd = (from: number, to: number): Names => ({ fromDir: AT_FDCWD, from, toDir: AT_FDCWD, to });
const at = (a: SyscallArgs): Names => ({ fromDir: a.i32(0), from: a.ptr(1), toDir: a.i32(2), to: a.ptr(3) });
const MKNOD_NOTE = 'FIFOs by the mkfifo program of the host; devices and sockets EPERM';
const LINK_NOTE = 'a file without a name (O_TMPFILE) can not be given one';

export const dirRows = [
  { nr: 78, name: 'getdents', args: 'd,p,u', support: 'yes', handler: getdents(true) },
  { nr: 79, name: 'getcwd', args: 'p,lu', support: 'yes', handler: getcwd },
  { nr: 80, name: 'chdir', args: 's', support: 'yes', handler: chdir },
  { nr: 81, name: 'fchdir', args: 'd', support: 'yes', handler: fchdir },
  {
    nr: 82,
    name: 'rename',
    args: 's,s',
    support: 'yes',
    handler: (t, a) => rename(t, atCwd(a.ptr(0), a.ptr(1)), 0),
  },
  { nr: 83, name: 'mkdir', args: 's,o', support: 'yes', handler: (t, a) => mkdir(t, AT_FDCWD, a.ptr(0), a.u32(1)) },
  { nr: 84, name: 'rmdir', args: 's', support: 'yes', handler: (t, a) => rmdir(t, AT_FDCWD, a.ptr(0)) },
  { nr: 86, name: 'link', args: 's,s', support: 'yes', handler: (t, a) => link(t, atCwd(a.ptr(0), a.ptr(1)), 0) },
  { nr: 87, name: 'unlink', args: 's', support: 'yes', handler: (t, a) => unlink(t, AT_FDCWD, a.ptr(0)) },
  { nr: 88, name: 'symlink', args: 's,s', support: 'yes', handler: (t, a) => symlink(t, a.ptr(0), AT_FDCWD, a.ptr(1)) },
  {
    nr: 133,
    name: 'mknod',
    args: 's,o,x',
    support: 'partly',
    note: MKNOD_NOTE,
    handler: (t, a) => mknod(t, AT_FDCWD, a.ptr(0), a.u32(1)),
  },
  { nr: 217, name: 'getdents64', args: 'd,p,u', support: 'yes', handler: getdents(false) },
  {
    nr: 258,
    name: 'mkdirat',
    args: 'at,s,o',
    support: 'yes',
    handler: (t, a) => mkdir(t, a.i32(0), a.ptr(1), a.u32(2)),
  },
  {
    nr: 259,
    name: 'mknodat',
    args: 'at,s,o,x',
    support: 'partly',
    note: MKNOD_NOTE,
    handler: (t, a) => mknod(t, a.i32(0), a.ptr(1), a.u32(2)),
  },
  { nr: 263, name: 'unlinkat', args: 'at,s,af', support: 'yes', handler: unlinkat },
  { nr: 264, name: 'renameat', args: 'at,s,at,s', support: 'yes', handler: (t, a) => rename(t, at(a), 0) },
  {
    nr: 265,
    name: 'linkat',
    args: 'at,s,at,s,af',
    support: 'partly',
    note: LINK_NOTE,
    handler: (t, a) => link(t, at(a), a.i32(4)),
  },
  {
    nr: 266,
    name: 'symlinkat',
    args: 's,at,s',
    support: 'yes',
    handler: (t, a) => symlink(t, a.ptr(0), a.i32(1), a.ptr(2)),
  },
  {
    nr: 316,
    name: 'renameat2',
    args: 'at,s,at,s,x',
    support: 'partly',
    note: 'RENAME_WHITEOUT: EINVAL; RENAME_EXCHANGE, and RENAME_NOREPLACE of a directory, are not atomic',
    handler: (t, a) => rename(t, at(a), a.i32(4)),
  },
] as const satisfies readonly SyscallRow[];
