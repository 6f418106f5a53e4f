/**
 * Opening: from a target to a description. In: targets, flags, modes. Out: description numbers with one reference, or -errno.
 * Source: man 2 open, man 7 fifo.
 */
import * as fs from 'node:fs';
import { isTerminal } from '../linux/node-modules.js';
import { EACCES, EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EROFS } from '../linux/errno.js';
import { openNamelessFile } from '../memory/nameless-file.js';
import { newBlob } from './blobs.js';
import type { BytePath } from './byte-path.js';
import { afterResize } from './coherence.js';
import { withLinked } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from './file-stat.js';
import { umaskOf } from './fs-struct.js';
import { hostCall, hostFailure } from './host-error.js';
import { beforeOpening, tellOpened } from './inotify/file-events.js';
import { servedDevice } from './memory-devices.js';
import type { MountPoint } from './mount-table.js';
import { fileFlags, fileKind, fileOps, filePath, hostFd, KIND, MARK, newFile, type Kind } from './open-files.js';
import {
  CREATION_FLAGS,
  LINUX_HOST,
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  TMPFILE_BIT,
  toHostFlags,
} from './open-flags.js';
import { withTarget, type ResolveOptions, type Target } from './resolve.js';
import type { DescriptorNode, SpecialNode, TerminalNode } from './special-node.js';
import type { VfsState } from './state.js';
import { isHostTerminal, openControllingTerminal, openMaster, openSlave } from './terminal/pairs.js';
import { newStream, STREAM_MODE } from './streams.js';
import { TIMED_OUT, waitUntil } from './wait-queue.js';
import type { WalkRules } from './walk.js';

/** How often a FIFO that has no reader yet is tried again, in ms. */
const FIFO_RETRY_MS = 5;

/** Opens a path; `mode` is that of a new file, before the umask. */
export function openPath(
  c: FileContext,
  dirfd: number,
  path: BytePath,
  asked: number,
  mode: number,
  rules?: WalkRules,
): number {
  const flags = (asked & O_PATH) === 0 ? asked : asked & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const creates = (flags & (O_CREAT | TMPFILE_BIT)) !== 0;
  const follow = (flags & O_NOFOLLOW) === 0 && (flags & (O_CREAT | O_EXCL)) !== (O_CREAT | O_EXCL);
  const how: ResolveOptions = {
    follow,
    prefix: !creates && rules === undefined,
    ...((flags & O_CREAT) !== 0 ? { creates: 'file' } : {}),
    ...(rules === undefined ? {} : { rules }),
  };
  let file: number;
  do {
    file = withTarget(c, dirfd, path, how, (target) => {
      // All files are large ones on x86-64, and F_GETFL says so.
      const all = (flags & O_PATH) !== 0 ? flags : flags | O_LARGEFILE;
      if (target.node !== undefined) return openNode(c, target.guest, target.node, all);
      const opened = openHost(c, target, all, mode & 0o7777 & ~umaskOf(c.state, c.fs));
      return target.missing === true && follow && opened === -ELOOP ? RACED : opened;
    });
  } while (file === RACED);
  return file;
}

/** The name that was to be made is a link by now: look again. */
const RACED = Number.MIN_SAFE_INTEGER;
const NO_FOLLOW = fs.constants.O_NOFOLLOW;

/** Flags for the host: a name in a mount is never followed, and what has been opened already is reached by a link of /proc. */
function hostFlagsOf(target: Target, flags: number): number {
  const host = toHostFlags(flags);
  if (target.mount === undefined) return host;
  return target.object === true ? host & ~NO_FOLLOW : host | NO_FOLLOW;
}

/** Errno for what a mount does not allow, or 0. */
function refusedByMount(target: Target, flags: number): number {
  if (target.mount === undefined || (flags & O_PATH) !== 0) return 0;
  if (target.device === true) return -EACCES;
  if (!target.mount.readOnly) return 0;
  if (target.missing === true || (flags & TMPFILE_BIT) !== 0) return -EROFS;
  if ((flags & O_ACCMODE) === O_RDONLY && (flags & O_TRUNC) === 0) return 0;
  const st = fs.lstatSync(target.host, { throwIfNoEntry: false });
  if (st === undefined) return (flags & O_CREAT) !== 0 ? -EROFS : -ENOENT;
  const isObject = target.object === true ? fs.statSync(target.host) : st;
  return isObject.isFile() || isObject.isDirectory() ? -EROFS : 0;
}

function openHost(c: FileContext, target: Target, flags: number, mode: number): number {
  const refused = refusedByMount(target, flags);
  if (refused < 0) return refused;
  const host = hostFlagsOf(target, flags);
  const [creates, empties] = [(flags & O_CREAT) !== 0, (flags & O_TRUNC) !== 0];
  const made = beforeOpening(c.state, target.host, creates, empties);
  let fd: number;
  try {
    fd = fs.openSync(target.host, host, mode);
  } catch (e) {
    const failure = hostFailure(e);
    if (failure !== -ENXIO || !isFifo(target.host) || (flags & O_NONBLOCK) !== 0) return failure;
    const opened = waitForReader(c, target.host, host);
    if (opened < 0) return opened;
    fd = opened;
  }
  if (empties) afterResize(c, fd);
  const file = describe(c.state, fd, target.guest, flags, 0, target.mount);
  if (file >= 0 && (flags & O_PATH) === 0) tellOpened(c.state, file, made, empties);
  return file;
}

function isFifo(path: Buffer): boolean {
  const st = fs.statSync(path, { throwIfNoEntry: false });
  return st?.isFIFO() === true;
}

/** Opens a FIFO for writing, once it has a reader. */
function waitForReader(c: FileContext, path: Buffer, flags: number): number {
  const attempt = (): number | undefined => {
    const fd = hostCall(() => fs.openSync(path, flags));
    return fd === -ENXIO ? undefined : fd;
  };
  const fd = waitUntil(c.state, [], attempt, Infinity, () => FIFO_RETRY_MS);
  return fd === TIMED_OUT ? -ENXIO : fd;
}

/** A description for an open descriptor of the host, which it takes over (closes on failure). `marks`: MARK.INHERITED, or 0. */
export function describe(
  s: VfsState,
  fd: number,
  path: BytePath,
  flags: number,
  marks: number,
  mount?: MountPoint,
): number {
  const inherited = (marks & MARK.INHERITED) !== 0;
  const kept = flags & ~CREATION_FLAGS;
  let kind: Kind = KIND.CHARACTER;
  let more = marks;
  let mode: number = STREAM_MODE.MAIN;
  let failure = 0;
  let object = 0;
  if ((flags & O_PATH) !== 0 && LINUX_HOST) {
    kind = KIND.PATH;
  } else {
    const st = fs.fstatSync(fd);
    switch (st.mode & S_IFMT) {
      case S_IFREG:
      case S_IFBLK:
        kind = KIND.FILE;
        if (inherited) more |= MARK.HOST_OFFSET;
        break;
      case S_IFDIR:
        kind = KIND.DIRECTORY;
        if ((flags & O_ACCMODE) !== O_RDONLY) failure = -EISDIR;
        break;
      case S_IFIFO:
        kind = KIND.STREAM;
        more |= MARK.FIFO;
        if (!inherited) mode = (flags & O_NONBLOCK) === 0 ? STREAM_MODE.SELF_FIFO : STREAM_MODE.SELF;
        break;
      case S_IFSOCK:
        kind = KIND.STREAM;
        break;
      case S_IFCHR:
        object = servedDevice(st.rdev);
        if (object !== 0 || !isTerminal(fd)) break;
        more |= MARK.TERMINAL;
        if (isHostTerminal(s, st.rdev)) {
          kind = KIND.TERMINAL;
          break;
        }
        kind = KIND.STREAM;
        if (!inherited) mode = STREAM_MODE.SELF;
        break;
      default:
        break;
    }
  }
  if (failure === 0 && kind === KIND.STREAM) {
    object = newStream(s, fd, mode);
    if (object < 0) failure = object;
  }
  const made = { kind, flags: kept, hostFd: fd, object, marks: more, mount: mount?.index, path };
  const file = failure < 0 ? failure : newFile(s, made);
  if (file < 0 && !inherited) fs.closeSync(fd);
  return file;
}

function openNode(c: FileContext, path: BytePath, node: SpecialNode, flags: number): number {
  if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return -EEXIST;
  if ((flags & O_DIRECTORY) !== 0 && node.type !== 'directory') return -ENOTDIR;
  const s = c.state;
  const kept = flags & ~CREATION_FLAGS;
  const writes = (flags & O_ACCMODE) !== O_RDONLY;
  if ((flags & O_PATH) !== 0) return newFile(s, { kind: KIND.PATH, flags: kept, path });
  switch (node.type) {
    case 'link':
      return -ELOOP;
    case 'directory':
      return writes ? -EISDIR : newFile(s, { kind: KIND.SPECIAL_DIRECTORY, flags: kept, path });
    case 'memory':
      return newFile(s, { kind: KIND.MEMORY, object: node.pid, flags: kept, path });
    case 'device':
      return newFile(s, { kind: KIND.DEVICE, object: node.minor, flags: kept, path });
    case 'terminal':
      return openTerminal(c, node.terminal, path, kept | (flags & O_NOCTTY));
    case 'descriptor':
      return (flags & O_NOFOLLOW) !== 0 ? -ELOOP : openAgain(c, node, kept);
    case 'file': {
      if (writes && node.write === undefined) return -EACCES;
      const content = node.content();
      if (typeof content === 'number') return content;
      const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
      const blob = newBlob(s, bytes);
      if (blob !== undefined) return newFile(s, { kind: KIND.BLOB, object: blob, flags: kept, path });
      const fd = anonymousHostFile();
      if (fd < 0) return fd;
      for (let n = 0; n < bytes.length;) n += fs.writeSync(fd, bytes, n, bytes.length - n, n);
      return describe(s, fd, path, flags, 0);
    }
  }
}

function openTerminal(c: FileContext, which: TerminalNode['terminal'], path: BytePath, flags: number): number {
  if (which === 'ptmx') return openMaster(c, path, flags & ~O_NOCTTY);
  return which === 'tty' ? openControllingTerminal(c, path, flags) : openSlave(c, which, path, flags);
}

/** Opens what is behind a descriptor once more, through /proc/self/fd: another description of the same pipe or terminal. */
function openAgain(c: FileContext, node: DescriptorNode, flags: number): number {
  const s = c.state;
  return withLinked(s, node, (file) => {
    const again = fileOps(s, file).again?.(c, file, flags);
    return again ?? (s.tree === undefined ? -ENXIO : reopen(s, file, flags));
  });
}

/** FileOps.again of files that lift64 serves: by the path that they were opened by. */
export const openByPathAgain = (c: FileContext, file: number, flags: number): number =>
  openPath(c, -1, filePath(c.state, file), flags, 0);

/** A file of no mount: one that lift64 was started with, or one without a name. It gives no more access than the guest has already. */
function reopen(s: VfsState, file: number, flags: number): number {
  const kind = fileKind(s, file);
  if (kind !== KIND.FILE && kind !== KIND.CHARACTER) return kind === KIND.DIRECTORY ? -EACCES : -ENXIO;
  const had = fileFlags(s, file) & O_ACCMODE;
  if (had !== O_RDWR && had !== (flags & O_ACCMODE)) return -EACCES;
  const fd = hostCall(() => fs.openSync(`/proc/self/fd/${String(hostFd(s, file))}`, toHostFlags(flags)));
  return fd < 0 ? fd : describe(s, fd, filePath(s, file), flags, 0);
}

/** An unnamed file of the host, open for reading and writing; -errno. For memfd_create and large in-memory files. */
export function anonymousHostFile(): number {
  return hostCall(() => {
    const fd = openNamelessFile(0);
    fs.fchmodSync(fd, 0o777);
    return fd;
  });
}
