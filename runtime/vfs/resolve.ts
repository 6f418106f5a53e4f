/**
 * From a system call's path arguments to what a host call takes. In: directory descriptor, path bytes. Out: a Target, valid while the callback runs.
 * Where descriptors can be named (/proc/self/fd of a Linux host), relative paths start at the directory itself, wherever it has been moved.
 * Source: man 7 path_resolution, man 2 openat.
 */
import * as fs from 'node:fs';
import { EACCES, EBADF, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS } from '../linux/errno.js';
import { bytePath, hostBytes, isAbsolute, joinPath, type BytePath } from './byte-path.js';
import { fdPath } from './descriptor-path.js';
import { pinFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { workingDirectory } from './fs-struct.js';
import { PATH_MAX } from './layout.js';
import { type MountPoint, MountTable } from './mount-table.js';
import { lookupNode, servedOf } from './mounts.js';
import { fileKind, fileMount, filePath, hostFd, KIND, putFile } from './open-files.js';
import { AT_FDCWD, O_PATH, toHostFlags } from './open-flags.js';
import type { SpecialNode } from './special-node.js';
import { Walk, type Place, type WalkRules } from './walk.js';

export interface Target {
  /** Absolute guest path; not normalised. */
  readonly guest: BytePath;
  /** For host calls; meaningless when there is a node. */
  readonly host: Buffer;
  /** Set when lift64 serves the file itself. */
  readonly node: SpecialNode | undefined;
  /** The mount that it is in, where the guest has mounts. */
  readonly mount?: MountPoint;
  /** `host` leads to the opened file itself, not to its name. */
  readonly object?: true;
  /** Nothing has the name yet. */
  readonly missing?: true;
  /** A device, on a mount that has none. */
  readonly device?: true;
}

export interface ResolveOptions {
  /** Follow a symbolic link as last component (where the guest has no mounts: for lift64's own; the host decides by the call). */
  readonly follow: boolean;
  /** Look under -L PREFIX first: for what must exist. */
  readonly prefix: boolean;
  /** The call takes the name, and never follows it. */
  readonly names?: true;
  /** The last component need not exist: for a file that is opened, or for a new name. */
  readonly creates?: 'file' | 'name';
  /** Of openat2. */
  readonly rules?: WalkRules;
  /** Follow links, but give the name of what they lead to. */
  readonly named?: true;
}

export const LOOKUP: ResolveOptions = { follow: true, prefix: true };
export const LOOKUP_LINK: ResolveOptions = { follow: false, prefix: true };
/** For calls that remove or change the name, and for those that make it. */
export const NAME: ResolveOptions = { follow: false, prefix: false, names: true };
export const NEW_NAME: ResolveOptions = { ...NAME, creates: 'name' };

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
  const tree = c.state.tree ?? (options.rules === undefined ? undefined : hostTree());
  if (tree !== undefined) return withWalked(c, tree, dirfd, path, options, fn);
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

// ---------------------------------------------------------------- where the guest has mounts

/** The host's tree as a table, for lookups with rules where the guest has no mounts. */
let wholeHost: MountTable | undefined;
function hostTree(): MountTable {
  const own = { fd: -1, isFile: false, readOnly: false };
  return (wholeHost ??= new MountTable({
    hostRoot: true,
    mounts: [
      { ...own, at: bytePath('/'), type: 'host', fd: fs.openSync('/', toHostFlags(O_PATH)), source: '/' },
      { ...own, at: bytePath('/proc'), type: 'proc', source: 'proc' },
      { ...own, at: bytePath('/dev'), type: 'dev', source: 'dev' },
    ],
  }));
}

function withWalked<T>(
  c: FileContext,
  tree: MountTable,
  dirfd: number,
  path: BytePath,
  options: ResolveOptions,
  fn: (target: Target) => T,
): T | number {
  const walk = new Walk(servedOf(c), tree, options.rules);
  const pinned = isAbsolute(path) && options.rules?.inRoot !== true ? -1 : pinBase(c, dirfd);
  try {
    if (pinned < -1) return pinned;
    const target = lookupFrom(c, walk, tree, pinned, path, options);
    return typeof target === 'number' ? target : fn(target);
  } finally {
    walk.close();
    if (pinned >= 0) putFile(c.state, pinned);
  }
}

/** Pinned description of the directory that a relative path starts from; -1: the working directory is known by its path alone. -EBADF. */
function pinBase(c: FileContext, dirfd: number): number {
  return dirfd === AT_FDCWD ? workingDirectory(c.state, c.fs, true).file : pinFile(c.state, c.table, dirfd);
}

function lookupFrom(
  c: FileContext,
  walk: Walk,
  tree: MountTable,
  pinned: number,
  path: BytePath,
  options: ResolveOptions,
): Target | number {
  if (isAbsolute(path) && options.rules?.inRoot !== true) {
    const { prefix } = c.config;
    if (options.prefix && prefix !== undefined && prefix !== '') {
      const there = walk.lookup(walk.root(), prefix + path, LOOKUP);
      if (typeof there !== 'number') return options.follow ? there : walk.lookup(walk.root(), prefix + path, options);
    }
    return walk.lookup(walk.root(), path, options);
  }
  const start = startOf(c, walk, tree, pinned);
  return typeof start === 'number' ? start : walk.lookup(start, path, options);
}

/** -EACCES: a directory that lift64 was started with leads out of the guest's tree. */
function startOf(c: FileContext, walk: Walk, tree: MountTable, pinned: number): Place | number {
  const s = c.state;
  if (pinned < 0) return walk.placeAt(workingDirectory(s, c.fs).path) ?? -ENOENT;
  const kind = fileKind(s, pinned);
  if (kind !== KIND.DIRECTORY && kind !== KIND.PATH && kind !== KIND.SPECIAL_DIRECTORY) return -ENOTDIR;
  const fd = hostFd(s, pinned);
  if (fd < 0) return walk.placeAt(filePath(s, pinned)) ?? -ENOENT;
  const mount = s.tree === undefined ? tree.root : fileMount(s, pinned);
  if (mount === undefined) return -EACCES;
  if (kind === KIND.PATH && !fs.fstatSync(fd).isDirectory()) return -ENOTDIR;
  return walk.placeOf(mount, fd, filePath(s, pinned));
}

/** What of lift64's own is at an absolute path now; undefined: nothing of its own. */
export function nodeAt(c: FileContext, path: BytePath, follow: boolean): SpecialNode | number | undefined {
  const { tree } = c.state;
  if (tree === undefined) {
    const found = lookupNode(c, path, follow);
    return typeof found === 'number' ? found : found.node;
  }
  return withTarget(c, AT_FDCWD, path, follow ? LOOKUP : LOOKUP_LINK, (target) => target.node);
}

/** Path for a host call that changes names or attributes; -EPERM for what lift64 serves itself, -EROFS. */
export function hostOnly(target: Target): Buffer | number {
  if (target.node !== undefined) return -EPERM;
  return target.mount?.readOnly === true ? -EROFS : target.host;
}
