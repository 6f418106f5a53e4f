/**
 * From a system call's path arguments to what a host call takes. In: directory descriptor, path bytes. Out: a Target, valid while the callback runs.
 * Where descriptors can be named (/proc/self/fd of a Linux host), relative paths start at the directory itself, wherever it has been moved.
 * Source: man 7 path_resolution, man 2 openat.
 */
import * as fs from 'node:fs';
import { EBADF, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM } from '../linux/errno.js';
import { bytePath, hostBytes, isAbsolute, joinPath, type BytePath } from './byte-path.js';
import { fdPath } from './descriptor-path.js';
import { pinFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { workingDirectory } from './fs-struct.js';
import { PATH_MAX } from './layout.js';
import { lookupNode } from './mounts.js';
import { fileKind, filePath, KIND, putFile } from './open-files.js';
import { AT_FDCWD, LINUX_HOST } from './open-flags.js';
import type { SpecialNode } from './special-node.js';

export interface Target {
  /** Absolute guest path; not normalised. */
  readonly guest: BytePath;
  /** For host calls; meaningless when there is a node. */
  readonly host: Buffer;
  /** Set when lift64 serves the file itself. */
  readonly node: SpecialNode | undefined;
}

export interface ResolveOptions {
  /** Follow a symbolic link as last component (for lift64's own; the host decides by the call). */
  readonly follow: boolean;
  /** Look under -L PREFIX first: for what must exist. */
  readonly prefix: boolean;
}

export const LOOKUP: ResolveOptions = { follow: true, prefix: true };
export const LOOKUP_LINK: ResolveOptions = { follow: false, prefix: true };
/** For calls that make or remove the name. */
export const NAME: ResolveOptions = { follow: false, prefix: false };

/** Calls `fn` with the target; its result, or -errno. The empty path is -ENOENT: AT_EMPTY_PATH is the callers'. */
export function withTarget<T>(
  c: FileContext,
  dirfd: number,
  path: BytePath,
  options: ResolveOptions,
  fn: (target: Target) => T,
): T | number {
  if (path === '') return -ENOENT;
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  const base = isAbsolute(path) ? undefined : baseOf(c, dirfd);
  if (typeof base === 'number') return base;
  try {
    const target = resolve(c, base, path, options);
    return typeof target === 'number' ? target : fn(target);
  } finally {
    if (base !== undefined && base.file >= 0) putFile(c.state, base.file);
  }
}

interface Base {
  readonly path: BytePath;
  /** The base for host calls. */
  readonly host: BytePath;
  /** Pinned description, or -1. */
  readonly file: number;
}

/** The directory that a relative path starts from, pinned; -EBADF, -ENOTDIR. */
function baseOf(c: FileContext, dirfd: number): Base | number {
  const s = c.state;
  if (dirfd === AT_FDCWD) {
    const cwd = workingDirectory(s, c.fs, true);
    return { ...cwd, host: cwd.file < 0 ? cwd.path : fdPath(s, cwd.file) };
  }
  const file = pinFile(s, c.table, dirfd);
  if (file < 0) return -EBADF;
  const kind = fileKind(s, file);
  if (kind !== KIND.DIRECTORY && kind !== KIND.PATH && kind !== KIND.SPECIAL_DIRECTORY) {
    putFile(s, file);
    return -ENOTDIR;
  }
  return { path: filePath(s, file), host: fdPath(s, file), file };
}

function resolve(c: FileContext, base: Base | undefined, path: BytePath, options: ResolveOptions): Target | number {
  const guest = base === undefined ? path : joinPath(base.path, path);
  const found = lookupNode(c, guest, options.follow);
  if (typeof found === 'number') return found;
  if (found.node !== undefined) return { guest: found.path, host: hostBytes(found.path), node: found.node };
  if (found.host !== undefined) return { guest: found.path, host: hostBytes(found.host), node: undefined };
  if (found.path !== guest) return { guest: found.path, host: hostBytes(found.path), node: undefined };
  if (base !== undefined) return { guest, host: hostBytes(joinPath(base.host, path)), node: undefined };
  return { guest, host: options.prefix ? underPrefix(c, path) : hostBytes(path), node: undefined };
}

/** An absolute path of the guest under -L PREFIX, when it exists there. */
function underPrefix(c: FileContext, path: BytePath): Buffer {
  const prefix = c.config.prefix;
  if (prefix !== undefined && prefix !== '') {
    const there = hostBytes(prefix + path);
    try {
      fs.lstatSync(there);
      return there;
    } catch {
      // Not there, or not to be seen: the path itself is meant.
    }
  }
  return hostBytes(path);
}

/** Path for a host call that changes names or attributes; -EPERM for what lift64 serves itself. */
export function hostOnly(target: Target): Buffer | number {
  return target.node === undefined ? target.host : -EPERM;
}

/**
 * The host's path for a guest path, for those who open it themselves (exec, the ELF loader): -errno when it is lift64's own. Links of /proc
 * (/proc/self/exe) are followed.
 */
export function hostPathOf(c: FileContext, dirfd: number, path: BytePath): Buffer | number {
  return withTarget(c, dirfd, path, LOOKUP, (target) => {
    if (target.node?.type === 'descriptor') return descriptorHostPath(c, target.node.fd);
    if (target.node !== undefined) return -EPERM;
    // The base is let go on return: a path through its descriptor would not outlive that.
    return LINUX_HOST && target.host.toString('latin1', 0, 14) === '/proc/self/fd/' && !isAbsolute(path)
      ? hostBytes(target.guest)
      : target.host;
  });
}

function descriptorHostPath(c: FileContext, fd: number): Buffer | number {
  const file = pinFile(c.state, c.table, fd);
  if (file < 0) return -ENOENT;
  const path = fdPath(c.state, file);
  putFile(c.state, file);
  return hostBytes(bytePath(path));
}
