/**
 * File system calls of every program: reading, writing, opening, descriptors, status, directories, names. In: the file layer (runtime/vfs). Out: rows.
 * Source: man 2 of each call.
 */
import * as fs from 'node:fs';
import { type BytePath, fromBytes, hostBytes } from '../../vfs/byte-path.js';
import { readDirectory } from '../../vfs/directories.js';
import { closeFd, installFile, isCloexec, openFds, pinFile, replaceFile, setCloexec } from '../../vfs/fd-table.js';
import { encodeStat, encodeStatFs, encodeStatx, type StatRecord } from '../../vfs/file-stat.js';
import { setUmask, setWorkingDirectory, umaskOf, workingDirectory } from '../../vfs/fs-struct.js';
import { hostCall } from '../../vfs/host-error.js';
import { fdPath } from '../../vfs/descriptor-path.js';
import {
  fileFlags,
  fileKind,
  fileMarks,
  filePath,
  fileObject,
  hostFd,
  KIND,
  MARK,
  newFile,
  putFile,
  setFileFlags,
} from '../../vfs/open-files.js';
import { openPath } from '../../vfs/open.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SETTABLE_FLAGS,
} from '../../vfs/open-flags.js';
import { newPipe, pipeFill, pipeInode } from '../../vfs/pipes.js';
import { POLLNVAL, readiness, readinessQueue } from '../../vfs/readiness.js';
import { hostOnly, LOOKUP, LOOKUP_LINK, NAME, withTarget } from '../../vfs/resolve.js';
import { allocateFile, seekFile, truncateFile } from '../../vfs/seek.js';
import { statOpenFile, statTarget } from '../../vfs/status.js';
import {
  foregroundGroup,
  readTermios,
  setForegroundGroup,
  TERMIOS_BYTES,
  windowSize,
  writeTermios,
} from '../../vfs/terminal.js';
import { type Buffers, readFile, writeFile } from '../../vfs/transfer.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import {
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTTY,
  EOPNOTSUPP,
  ERANGE,
  ERESTARTNOHAND,
  ERESTARTSYS,
} from '../errno.js';
import { readTimePair } from '../structs.js';
import type { Thread } from '../thread.js';

/** Most bytes of one read or write: MAX_RW_COUNT. */
const MOST = 0x7fff_f000;
const PATH_MAX = 4096;
const IOV_MAX = 1024;

// ---------------------------------------------------------------- helpers

/** Calls `fn` with the description behind `fd`; -EBADF when there is none. */
function withFd<T>(t: Thread, fd: number, fn: (file: number) => T): T | number {
  const { state, table } = t.files;
  const file = pinFile(state, table, fd);
  if (file < 0) return file;
  try {
    return fn(file);
  } finally {
    putFile(state, file);
  }
}

/** A path in guest memory; -EFAULT, -ENAMETOOLONG. */
function pathAt(t: Thread, addr: number): BytePath | number {
  const bytes = t.mem.cstring(addr, PATH_MAX);
  if (bytes === undefined) return -EFAULT;
  return bytes.length >= PATH_MAX ? -ENAMETOOLONG : fromBytes(bytes);
}

/** Calls `fn` with the path at `addr`. */
function withPath(t: Thread, addr: number, fn: (path: BytePath) => SyscallResult): SyscallResult {
  const path = pathAt(t, addr);
  return typeof path === 'number' ? path : fn(path);
}

/** A host call on a name; `follow` for what the last component leads to. */
function onName(t: Thread, dirfd: number, addr: number, follow: boolean, call: (host: Buffer) => void): SyscallResult {
  return withPath(t, addr, (path) =>
    withTarget(t.files, dirfd, path, follow ? LOOKUP : NAME, (target) => {
      const host = hostOnly(target);
      if (typeof host === 'number') return host;
      const r = hostCall(() => {
        call(host);
        return 0;
      });
      return r;
    }),
  );
}

/** One guest buffer, checked when it is used. */
const buffer =
  (t: Thread, addr: number, size: number, forWrite: boolean): Buffers =>
  () => {
    const slice = t.mem.slice(addr, size, forWrite);
    return slice === undefined ? -EFAULT : [slice];
  };

/** The buffers of an iovec: their total size, or -errno. */
function vectors(
  t: Thread,
  addr: number,
  count: number,
  forWrite: boolean,
): { size: number; buffers: Buffers } | number {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  const list: { addr: number; size: number }[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    const base = t.mem.readU64(addr + 16 * i);
    const length = t.mem.readU64(addr + 16 * i + 8);
    if (base === undefined || length === undefined) return -EFAULT;
    if (length > 0x7fff_ffff_ffff_ffffn) return -EINVAL;
    const n = Math.min(Number(length), MOST - size);
    list.push({ addr: Number(base), size: n });
    size += n;
  }
  return {
    size,
    buffers: () => {
      const slices = list.filter((v) => v.size > 0).map((v) => t.mem.slice(v.addr, v.size, forWrite));
      return slices.some((s) => s === undefined) ? -EFAULT : (slices as Uint8Array[]);
    },
  };
}

const sizeOf = (a: SyscallArgs, i: number): number => Math.min(a.ptr(i), MOST);

// ---------------------------------------------------------------- reading and writing

const read = (t: Thread, a: SyscallArgs): SyscallResult =>
  withFd(t, a.i32(0), (f) => readFile(t.files, f, sizeOf(a, 2), buffer(t, a.ptr(1), sizeOf(a, 2), true)));
const write = (t: Thread, a: SyscallArgs): SyscallResult =>
  withFd(t, a.i32(0), (f) => writeFile(t.files, f, sizeOf(a, 2), buffer(t, a.ptr(1), sizeOf(a, 2), false)));

function positioned(a: SyscallArgs, i: number, fn: (position: number) => SyscallResult): SyscallResult {
  const position = a.i64(i);
  return position < 0n ? -EINVAL : fn(Number(position));
}
const pread = (t: Thread, a: SyscallArgs): SyscallResult =>
  positioned(a, 3, (at) =>
    withFd(t, a.i32(0), (f) => readFile(t.files, f, sizeOf(a, 2), buffer(t, a.ptr(1), sizeOf(a, 2), true), at)),
  );
const pwrite = (t: Thread, a: SyscallArgs): SyscallResult =>
  positioned(a, 3, (at) =>
    withFd(t, a.i32(0), (f) => writeFile(t.files, f, sizeOf(a, 2), buffer(t, a.ptr(1), sizeOf(a, 2), false), at)),
  );

function vectored(forRead: boolean, at: boolean) {
  return (t: Thread, a: SyscallArgs): SyscallResult =>
    withFd(t, a.i32(0), (f) => {
      const v = vectors(t, a.ptr(1), a.i32(2), forRead);
      if (typeof v === 'number') return v;
      const position = at && a.i64(3) !== -1n ? Number(a.i64(3)) : undefined;
      if (position !== undefined && position < 0) return -EINVAL;
      return (forRead ? readFile : writeFile)(t.files, f, v.size, v.buffers, position);
    });
}

const COPY_CHUNK = 1 << 16;

/** Copies through a buffer of ours: sendfile and copy_file_range. Offsets in guest memory are read and written back. */
function copy(t: Thread, from: number, to: number, fromOffset: number, toOffset: number, size: number): SyscallResult {
  const inAt = fromOffset === 0 ? undefined : t.mem.readU64(fromOffset);
  const outAt = toOffset === 0 ? undefined : t.mem.readU64(toOffset);
  if ((fromOffset !== 0 && inAt === undefined) || (toOffset !== 0 && outAt === undefined)) return -EFAULT;
  const chunk = new Uint8Array(COPY_CHUNK);
  let done = 0;
  const result = withFd(t, from, (source) =>
    withFd(t, to, (target) => {
      while (done < size) {
        const want = Math.min(size - done, COPY_CHUNK);
        const n = readFile(
          t.files,
          source,
          want,
          () => [chunk.subarray(0, want)],
          inAt === undefined ? undefined : Number(inAt) + done,
        );
        if (n <= 0) return done > 0 ? done : n;
        const w = writeFile(
          t.files,
          target,
          n,
          () => [chunk.subarray(0, n)],
          outAt === undefined ? undefined : Number(outAt) + done,
        );
        if (w < 0) return done > 0 ? done : w;
        done += w;
        if (w < n) break;
      }
      return done;
    }),
  );
  if (result > 0 && inAt !== undefined) t.mem.writeU64(fromOffset, inAt + BigInt(result));
  if (result > 0 && outAt !== undefined) t.mem.writeU64(toOffset, outAt + BigInt(result));
  return result;
}

// ---------------------------------------------------------------- opening and descriptors

function open(t: Thread, dirfd: number, addr: number, flags: number, mode: number): SyscallResult {
  return withPath(t, addr, (path) => {
    const { files } = t;
    const file = openPath(files, dirfd, path, flags, mode);
    if (file < 0) return file;
    const fd = installFile(files.state, files.table, file, (flags & O_CLOEXEC) !== 0, files.port.fdLimit());
    if (fd < 0) putFile(files.state, file);
    return fd;
  });
}

function close(t: Thread, a: SyscallArgs): SyscallResult {
  return closeFd(t.files.state, t.files.table, a.i32(0));
}

const CLOSE_RANGE_CLOEXEC = 4;

function closeRange(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table } = t.files;
  const [first, last, flags] = [a.u32(0), a.u32(1), a.u32(2)];
  if (first > last || (flags & ~(CLOSE_RANGE_CLOEXEC | 2)) !== 0) return -EINVAL;
  for (const fd of openFds(state, table)) {
    if (fd < first || fd > last) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) setCloexec(state, table, fd, true);
    else closeFd(state, table, fd);
  }
  return 0;
}

function duplicate(t: Thread, fd: number, min: number, cloexec: boolean): SyscallResult {
  const { state, table, port } = t.files;
  const file = pinFile(state, table, fd);
  if (file < 0) return file;
  const copy = installFile(state, table, file, cloexec, port.fdLimit(), min);
  if (copy < 0) putFile(state, file);
  return copy;
}

function dup2(t: Thread, from: number, to: number, cloexec: boolean): SyscallResult {
  const { state, table, port } = t.files;
  if (to < 0 || to >= port.fdLimit()) return -EBADF;
  const file = pinFile(state, table, from);
  if (file < 0) return file;
  if (from === to) {
    putFile(state, file);
    return to;
  }
  replaceFile(state, table, to, file, cloexec);
  return to;
}

const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  GETLK: 5,
  SETLK: 6,
  SETLKW: 7,
  DUPFD_CLOEXEC: 1030,
  GETPIPE_SZ: 1032,
} as const;
const F_UNLCK = 2;

function fcntl(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table } = t.files;
  const fd = a.i32(0);
  return withFd(t, fd, (file) => {
    switch (a.i32(1)) {
      case F.DUPFD:
      case F.DUPFD_CLOEXEC:
        return a.i32(2) < 0 ? -EINVAL : Number(duplicate(t, fd, a.i32(2), a.i32(1) === F.DUPFD_CLOEXEC));
      case F.GETFD:
        return isCloexec(state, table, fd) === true ? 1 : 0;
      case F.SETFD:
        return setCloexec(state, table, fd, (a.i32(2) & 1) !== 0);
      case F.GETFL:
        return fileFlags(state, file);
      case F.SETFL:
        setFileFlags(state, file, (fileFlags(state, file) & ~SETTABLE_FLAGS) | (a.i32(2) & SETTABLE_FLAGS));
        return 0;
      case F.GETLK:
        return t.mem.slice(a.ptr(2), 32, true)?.fill(F_UNLCK, 0, 1) === undefined ? -EFAULT : 0;
      case F.SETLK:
      case F.SETLKW:
        return t.mem.canRead(a.ptr(2), 32) ? 0 : -EFAULT;
      case F.GETPIPE_SZ:
        return 65536;
      default:
        return -EINVAL;
    }
  });
}

function pipe(t: Thread, addr: number, flags: number): SyscallResult {
  const { state, table, port } = t.files;
  const id = newPipe(state);
  if (id < 0) return id;
  const end = (kind: typeof KIND.PIPE_READ | typeof KIND.PIPE_WRITE, access: number): number => {
    const file = newFile(state, {
      kind,
      flags: access | (flags & O_NONBLOCK),
      object: id,
      path: fromBytes(Buffer.from(`pipe:[${pipeInode(state, id)}]`)),
    });
    return file < 0 ? file : installFile(state, table, file, (flags & O_CLOEXEC) !== 0, port.fdLimit());
  };
  const reader = end(KIND.PIPE_READ, O_RDONLY);
  const writer = reader < 0 ? reader : end(KIND.PIPE_WRITE, O_WRONLY);
  if (writer < 0) return writer;
  if (!t.mem.writeU32(addr, reader) || !t.mem.writeU32(addr + 4, writer)) {
    closeFd(state, table, reader);
    closeFd(state, table, writer);
    return -EFAULT;
  }
  return 0;
}

const IOCTL = {
  TCGETS: 0x5401,
  TCSETS: 0x5402,
  TCSETSW: 0x5403,
  TCSETSF: 0x5404,
  TIOCGPGRP: 0x540f,
  TIOCSPGRP: 0x5410,
  TIOCGWINSZ: 0x5413,
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
} as const;

function ioctl(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table } = t.files;
  return withFd(t, a.i32(0), (file) => {
    switch (a.u32(1)) {
      case IOCTL.FIOCLEX:
        return setCloexec(state, table, a.i32(0), true);
      case IOCTL.FIONCLEX:
        return setCloexec(state, table, a.i32(0), false);
      case IOCTL.FIONBIO: {
        const on = t.mem.readU32(a.ptr(2));
        if (on === undefined) return -EFAULT;
        setFileFlags(state, file, (fileFlags(state, file) & ~O_NONBLOCK) | (on === 0 ? 0 : O_NONBLOCK));
        return 0;
      }
      case IOCTL.FIONREAD:
        if (fileKind(state, file) !== KIND.PIPE_READ) return -ENOTTY;
        return t.mem.writeU32(a.ptr(2), pipeFill(state, fileObject(state, file))) ? 0 : -EFAULT;
      default:
        return terminal(t, file, a);
    }
  });
}

function terminal(t: Thread, file: number, a: SyscallArgs): number {
  const { state } = t.files;
  if ((fileMarks(state, file) & MARK.TERMINAL) === 0) return -ENOTTY;
  switch (a.u32(1)) {
    case IOCTL.TCGETS:
      return t.mem.write(a.ptr(2), readTermios(state).subarray(0, TERMIOS_BYTES)) ? 0 : -EFAULT;
    case IOCTL.TCSETS:
    case IOCTL.TCSETSW:
    case IOCTL.TCSETSF: {
      const modes = t.mem.read(a.ptr(2), TERMIOS_BYTES);
      if (modes === undefined) return -EFAULT;
      writeTermios(state, modes);
      return 0;
    }
    case IOCTL.TIOCGWINSZ: {
      const { rows, columns } = windowSize(state);
      return t.mem.writeU32(a.ptr(2), rows | (columns << 16)) && t.mem.writeU32(a.ptr(2) + 4, 0) ? 0 : -EFAULT;
    }
    case IOCTL.TIOCGPGRP:
      return t.mem.writeU32(a.ptr(2), foregroundGroup(state) || t.files.port.processGroup) ? 0 : -EFAULT;
    case IOCTL.TIOCSPGRP: {
      const group = t.mem.readU32(a.ptr(2));
      if (group === undefined) return -EFAULT;
      setForegroundGroup(state, group);
      return 0;
    }
    default:
      return -ENOTTY;
  }
}

function lseek(t: Thread, a: SyscallArgs): SyscallResult {
  return withFd(t, a.i32(0), (f) => seekFile(t.files.state, f, Number(a.i64(1)), a.i32(2)));
}

// ---------------------------------------------------------------- status

function putStat(t: Thread, addr: number, r: StatRecord | number): SyscallResult {
  if (typeof r === 'number') return r;
  return t.mem.write(addr, encodeStat(r)) ? 0 : -EFAULT;
}

/** Status of a path, or with AT_EMPTY_PATH of a descriptor. */
function statusAt(t: Thread, dirfd: number, addr: number, flags: number): StatRecord | number {
  const path = pathAt(t, addr);
  if (typeof path === 'number') return path;
  if (path === '' && (flags & AT_EMPTY_PATH) !== 0 && dirfd !== AT_FDCWD)
    return withFd(t, dirfd, (f) => statOpenFile(t.files, f));
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const name = path === '' && (flags & AT_EMPTY_PATH) !== 0 ? fromBytes(Buffer.from('.')) : path;
  return withTarget(t.files, dirfd, name, follow ? LOOKUP : LOOKUP_LINK, (target) =>
    statTarget(t.files, target, follow),
  );
}

function statx(t: Thread, a: SyscallArgs): SyscallResult {
  const r = statusAt(t, a.i32(0), a.ptr(1), a.i32(2));
  if (typeof r === 'number') return r;
  return t.mem.write(a.ptr(4), encodeStatx(r)) ? 0 : -EFAULT;
}

/** Access by the effective ids of the host process; root may all but execute what has no x bit. */
function access(t: Thread, dirfd: number, addr: number, mode: number, flags: number): SyscallResult {
  if ((mode & ~7) !== 0) return -EINVAL;
  const r = statusAt(t, dirfd, addr, flags);
  if (typeof r === 'number') return r;
  if (mode === 0) return 0;
  return withPath(t, addr, (path) => {
    if (path === '') return 0;
    return withTarget(t.files, dirfd, path, LOOKUP, (target) => {
      if (target.node !== undefined) return (mode & 1) !== 0 ? -EACCES : 0;
      return hostCall(() => {
        fs.accessSync(target.host, mode);
        return 0;
      });
    });
  });
}

function readlink(t: Thread, dirfd: number, addr: number, out: number, size: number): SyscallResult {
  if (size <= 0) return -EINVAL;
  return withPath(t, addr, (path) =>
    withTarget(t.files, dirfd, path, LOOKUP_LINK, (target) => {
      const { node } = target;
      let link: Buffer | number;
      if (node === undefined) link = hostCall(() => fs.readlinkSync(target.host, { encoding: 'buffer' }));
      else if (node.type === 'link') {
        const text = node.target();
        link = typeof text === 'number' ? text : hostBytes(text);
      } else if (node.type === 'descriptor') link = withFd(t, node.fd, (f) => hostBytes(fdPath(t.files.state, f)));
      else return -EINVAL;
      if (typeof link === 'number') return link;
      const cut = link.subarray(0, size);
      return t.mem.write(out, cut) ? cut.length : -EFAULT;
    }),
  );
}

function getdents(old: boolean) {
  return (t: Thread, a: SyscallArgs): SyscallResult =>
    withFd(t, a.i32(0), (f) => {
      const bytes = readDirectory(t.files, f, a.u32(2), old);
      if (typeof bytes === 'number') return bytes;
      return t.mem.write(a.ptr(1), bytes) ? bytes.length : -EFAULT;
    });
}

function statfs(t: Thread, a: SyscallArgs): SyscallResult {
  return withPath(t, a.ptr(0), (path) =>
    withTarget(t.files, AT_FDCWD, path, LOOKUP, (target) => {
      const r = hostCall(() => fs.statfsSync(target.node === undefined ? target.host : '/', { bigint: true }));
      if (typeof r === 'number') return r;
      return t.mem.write(a.ptr(1), encodeStatFs(r)) ? 0 : -EFAULT;
    }),
  );
}

function fstatfs(t: Thread, a: SyscallArgs): SyscallResult {
  return withFd(t, a.i32(0), (f) => {
    const r = hostCall(() => fs.statfsSync(hostBytes(fdPath(t.files.state, f)), { bigint: true }));
    if (typeof r === 'number') return r;
    return t.mem.write(a.ptr(1), encodeStatFs(r)) ? 0 : -EFAULT;
  });
}

// ---------------------------------------------------------------- working directory and names

function getcwd(t: Thread, a: SyscallArgs): SyscallResult {
  const { path } = workingDirectory(t.files.state, t.files.fs);
  const bytes = Buffer.concat([hostBytes(path), Buffer.of(0)]);
  if (bytes.length > a.ptr(1)) return -ERANGE;
  return t.mem.write(a.ptr(0), bytes) ? bytes.length : -EFAULT;
}

const O_DIRECTORY_PATH = 0o10200000;

function chdirTo(t: Thread, path: BytePath): SyscallResult {
  const { files } = t;
  const file = openPath(files, AT_FDCWD, path, O_DIRECTORY_PATH, 0);
  if (file < 0) return file;
  setWorkingDirectory(files.state, files.fs, filePath(files.state, file), file);
  return 0;
}

function fchdir(t: Thread, a: SyscallArgs): SyscallResult {
  const { state, table, fs: struct } = t.files;
  const file = pinFile(state, table, a.i32(0));
  if (file < 0) return file;
  if (fileKind(state, file) !== KIND.DIRECTORY) {
    putFile(state, file);
    return -ENOTDIR;
  }
  setWorkingDirectory(state, struct, filePath(state, file), file);
  return 0;
}

const masked = (t: Thread, mode: number): number => mode & 0o7777 & ~umaskOf(t.files.state, t.files.fs);
const mkdir = (t: Thread, dirfd: number, addr: number, mode: number): SyscallResult =>
  onName(t, dirfd, addr, false, (host) => {
    fs.mkdirSync(host, masked(t, mode));
  });

function unlink(t: Thread, dirfd: number, addr: number, directory: boolean): SyscallResult {
  return onName(t, dirfd, addr, false, (host) => {
    if (directory) fs.rmdirSync(host);
    else fs.unlinkSync(host);
  });
}

const RENAME_NOREPLACE = 1;

function twoNames(
  t: Thread,
  fromDir: number,
  from: number,
  toDir: number,
  to: number,
  followFrom: boolean,
  call: (from: Buffer, to: Buffer) => void,
): SyscallResult {
  return withPath(t, from, (fromPath) =>
    withPath(t, to, (toPath) =>
      withTarget(t.files, fromDir, fromPath, followFrom ? LOOKUP : NAME, (source) =>
        withTarget(t.files, toDir, toPath, NAME, (target) => {
          const a = hostOnly(source);
          const b = hostOnly(target);
          if (typeof a === 'number') return a;
          if (typeof b === 'number') return b;
          return hostCall(() => {
            call(a, b);
            return 0;
          });
        }),
      ),
    ),
  );
}

function rename(t: Thread, fromDir: number, from: number, toDir: number, to: number, flags: number): SyscallResult {
  if ((flags & ~RENAME_NOREPLACE) !== 0) return -EINVAL;
  return twoNames(t, fromDir, from, toDir, to, false, (a, b) => {
    // link fails where the new name exists, as RENAME_NOREPLACE must.
    if (flags === RENAME_NOREPLACE) {
      fs.linkSync(a, b);
      fs.unlinkSync(a);
    } else fs.renameSync(a, b);
  });
}

function symlink(t: Thread, target: number, dirfd: number, addr: number): SyscallResult {
  return withPath(t, target, (text) =>
    text === ''
      ? -ENOENT
      : onName(t, dirfd, addr, false, (host) => {
          fs.symlinkSync(hostBytes(text), host);
        }),
  );
}

const chmodAt = (t: Thread, dirfd: number, addr: number, mode: number): SyscallResult =>
  onName(t, dirfd, addr, true, (host) => {
    fs.chmodSync(host, mode & 0o7777);
  });

/** A host call on an open regular file or directory. */
function onFd(t: Thread, fd: number, call: (hostFd: number) => void): SyscallResult {
  return withFd(t, fd, (f) => {
    const host = hostFd(t.files.state, f);
    if (host < 0) return -EINVAL;
    return hostCall(() => {
      call(host);
      return 0;
    });
  });
}

function chownAt(t: Thread, dirfd: number, addr: number, uid: number, gid: number, follow: boolean): SyscallResult {
  return onName(t, dirfd, addr, follow, (host) => {
    const now = follow ? fs.statSync(host) : fs.lstatSync(host);
    const u = uid === 0xffff_ffff ? now.uid : uid;
    const g = gid === 0xffff_ffff ? now.gid : gid;
    if (follow) fs.chownSync(host, u, g);
    else fs.lchownSync(host, u, g);
  });
}

const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;

/** Seconds of a timespec for Node; `now` for UTIME_NOW. */
function seconds(t: Thread, addr: number, current: number): number | undefined {
  const s = t.mem.readU64(addr);
  const ns = t.mem.readU64(addr + 8);
  if (s === undefined || ns === undefined) return undefined;
  if (ns === UTIME_NOW) return Date.now() / 1000;
  if (ns === UTIME_OMIT) return current;
  return Number(BigInt.asIntN(64, s)) + Number(ns) / 1e9;
}

function utimensat(t: Thread, a: SyscallArgs): SyscallResult {
  const [dirfd, pathAddr, times, flags] = [a.i32(0), a.ptr(1), a.ptr(2), a.i32(3)];
  const apply = (
    now: { atimeMs: number; mtimeMs: number },
    set: (atime: number, mtime: number) => void,
  ): SyscallResult => {
    const atime = times === 0 ? Date.now() / 1000 : seconds(t, times, now.atimeMs / 1000);
    const mtime = times === 0 ? Date.now() / 1000 : seconds(t, times + 16, now.mtimeMs / 1000);
    if (atime === undefined || mtime === undefined) return -EFAULT;
    return hostCall(() => {
      set(atime, mtime);
      return 0;
    });
  };
  if (pathAddr === 0)
    return withFd(t, dirfd, (f) =>
      Number(
        apply(fs.fstatSync(hostFd(t.files.state, f)), (x, y) => {
          fs.futimesSync(hostFd(t.files.state, f), x, y);
        }),
      ),
    );
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return withPath(t, pathAddr, (path) =>
    withTarget(t.files, dirfd, path, follow ? LOOKUP : NAME, (target) => {
      const host = hostOnly(target);
      if (typeof host === 'number') return host;
      const stat = hostCall(() => (follow ? fs.statSync(host) : fs.lstatSync(host)));
      if (typeof stat === 'number') return stat;
      return Number(
        apply(stat, (x, y) => {
          (follow ? fs.utimesSync : fs.lutimesSync)(host, x, y);
        }),
      );
    }),
  );
}

// ---------------------------------------------------------------- waiting for files

interface Watched {
  readonly fd: number;
  readonly events: number;
  readonly addr: number;
}

/** Waits until a watched descriptor is ready: the events of each; -errno, or [] when the time is up. */
function waitReady(
  t: Thread,
  list: readonly { readonly fd: number; readonly events: number }[],
  timeoutMs: number,
): number[] | number {
  const { state, table } = t.files;
  const files = list.map(({ fd }) => (fd < 0 ? -1 : pinFile(state, table, fd)));
  try {
    const look = (): number[] =>
      list.map(({ fd, events }, i) => {
        const file = files[i] ?? -1;
        if (fd < 0) return 0;
        return file < 0 ? POLLNVAL : readiness(state, file, events) & (events | 0x8 | 0x10);
      });
    const queues = files.flatMap((f) => {
      const q = f < 0 ? undefined : readinessQueue(state, f);
      return q === undefined ? [] : [q];
    });
    const r = waitUntil(
      state,
      queues,
      () => {
        const events = look();
        return events.some((e) => e !== 0) ? events : undefined;
      },
      timeoutMs,
      () => 20,
    );
    if (r === TIMED_OUT) return list.map(() => 0);
    if (r === -ERESTARTSYS) return -ERESTARTNOHAND;
    return r;
  } finally {
    for (const f of files) if (f >= 0) putFile(state, f);
  }
}

function poll(t: Thread, addr: number, count: number, timeoutMs: number): SyscallResult {
  if (count > 4096) return -EINVAL;
  const list: Watched[] = [];
  for (let i = 0; i < count; i++) {
    const at = addr + 8 * i;
    const fd = t.mem.readI32(at);
    const events = t.mem.readU32(at + 4);
    if (fd === undefined || events === undefined) return -EFAULT;
    list.push({ fd, events: events & 0xffff, addr: at });
  }
  const ready = waitReady(t, list, timeoutMs);
  if (typeof ready === 'number') return ready;
  list.forEach((w, i) => {
    t.mem.writeU32(w.addr + 4, w.events | ((ready[i] ?? 0) << 16));
  });
  return ready.filter((e) => e !== 0).length;
}

const timespecMs = (t: Thread, addr: number): number | undefined => {
  if (addr === 0) return Infinity;
  const ts = readTimePair(t.mem, addr);
  return ts === undefined ? undefined : Number(ts.sec) * 1000 + Number(ts.frac) / 1e6;
};

function ppoll(t: Thread, a: SyscallArgs): SyscallResult {
  const ms = timespecMs(t, a.ptr(2));
  return ms === undefined ? -EFAULT : poll(t, a.ptr(0), a.u32(1), ms);
}

/** The three sets of select: POLLIN, POLLOUT, POLLPRI. */
const SET_EVENTS = [0x1 | 0x10, 0x4, 0x2] as const;

function select(t: Thread, a: SyscallArgs, timeoutMs: number): SyscallResult {
  const count = a.i32(0);
  if (count < 0 || count > 1024) return -EINVAL;
  const bytes = Math.ceil(count / 64) * 8;
  const sets = [1, 2, 3].map((i) => (a.ptr(i) === 0 ? undefined : t.mem.slice(a.ptr(i), bytes, true)));
  if (sets.some((s, i) => s === undefined && a.ptr(i + 1) !== 0)) return -EFAULT;
  const list: { fd: number; events: number; set: number }[] = [];
  sets.forEach((set, k) => {
    for (let fd = 0; set !== undefined && fd < count; fd++)
      if (((set[fd >> 3] ?? 0) >> (fd & 7)) & 1) list.push({ fd, events: SET_EVENTS[k] ?? 0, set: k });
  });
  const ready = waitReady(t, list, timeoutMs);
  if (typeof ready === 'number') return ready;
  if (ready.includes(POLLNVAL)) return -EBADF;
  for (const set of sets) set?.fill(0);
  let n = 0;
  list.forEach(({ fd, set }, i) => {
    const target = sets[set];
    if ((ready[i] ?? 0) === 0 || target === undefined) return;
    target[fd >> 3] = (target[fd >> 3] ?? 0) | (1 << (fd & 7));
    n++;
  });
  return n;
}

function selectTimeval(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(4) === 0) return select(t, a, Infinity);
  const tv = readTimePair(t.mem, a.ptr(4));
  return tv === undefined ? -EFAULT : select(t, a, Number(tv.sec) * 1000 + Number(tv.frac) / 1000);
}

function pselect6(t: Thread, a: SyscallArgs): SyscallResult {
  const ms = timespecMs(t, a.ptr(4));
  return ms === undefined ? -EFAULT : select(t, a, ms);
}

const done = (): SyscallResult => 0;
const sync = (t: Thread, a: SyscallArgs): SyscallResult =>
  onFd(t, a.i32(0), (fd) => {
    fs.fsyncSync(fd);
  });

export const fileCoreRows = [
  { nr: 0, name: 'read', args: 'd,p,lu', support: 'yes', handler: read },
  { nr: 1, name: 'write', args: 'd,p,lu', support: 'yes', handler: write },
  {
    nr: 2,
    name: 'open',
    args: 's,of,o',
    support: 'yes',
    handler: (t, a) => open(t, AT_FDCWD, a.ptr(0), a.i32(1), a.i32(2)),
  },
  { nr: 3, name: 'close', args: 'd', support: 'yes', handler: close },
  {
    nr: 4,
    name: 'stat',
    args: 's,p',
    support: 'yes',
    handler: (t, a) => putStat(t, a.ptr(1), statusAt(t, AT_FDCWD, a.ptr(0), 0)),
  },
  {
    nr: 5,
    name: 'fstat',
    args: 'd,p',
    support: 'yes',
    handler: (t, a) =>
      putStat(
        t,
        a.ptr(1),
        withFd(t, a.i32(0), (f) => statOpenFile(t.files, f)),
      ),
  },
  {
    nr: 6,
    name: 'lstat',
    args: 's,p',
    support: 'yes',
    handler: (t, a) => putStat(t, a.ptr(1), statusAt(t, AT_FDCWD, a.ptr(0), AT_SYMLINK_NOFOLLOW)),
  },
  {
    nr: 7,
    name: 'poll',
    args: 'p,u,d',
    support: 'yes',
    handler: (t, a) => poll(t, a.ptr(0), a.u32(1), a.i32(2) < 0 ? Infinity : a.i32(2)),
  },
  { nr: 8, name: 'lseek', args: 'd,ld,wh', support: 'yes', handler: lseek },
  {
    nr: 16,
    name: 'ioctl',
    args: 'd,x,p',
    support: 'partly',
    note: 'terminals, FIONREAD, FIONBIO, FIOCLEX; others ENOTTY',
    handler: ioctl,
  },
  { nr: 17, name: 'pread64', args: 'd,p,lu,ld', support: 'yes', handler: pread },
  { nr: 18, name: 'pwrite64', args: 'd,p,lu,ld', support: 'yes', handler: pwrite },
  { nr: 19, name: 'readv', args: 'd,p,d', support: 'yes', handler: vectored(true, false) },
  { nr: 20, name: 'writev', args: 'd,p,d', support: 'yes', handler: vectored(false, false) },
  {
    nr: 21,
    name: 'access',
    args: 's,am',
    support: 'yes',
    handler: (t, a) => access(t, AT_FDCWD, a.ptr(0), a.i32(1), 0),
  },
  { nr: 22, name: 'pipe', args: 'p', support: 'yes', handler: (t, a) => pipe(t, a.ptr(0), 0) },
  {
    nr: 23,
    name: 'select',
    args: 'd,p,p,p,p',
    support: 'partly',
    note: 'the remaining time is not written back',
    handler: selectTimeval,
  },
  { nr: 32, name: 'dup', args: 'd', support: 'yes', handler: (t, a) => duplicate(t, a.i32(0), 0, false) },
  { nr: 33, name: 'dup2', args: 'd,d', support: 'yes', handler: (t, a) => dup2(t, a.i32(0), a.i32(1), false) },
  {
    nr: 40,
    name: 'sendfile',
    args: 'd,d,p,lu',
    support: 'yes',
    handler: (t, a) => copy(t, a.i32(1), a.i32(0), a.ptr(2), 0, sizeOf(a, 3)),
  },
  {
    nr: 72,
    name: 'fcntl',
    args: 'd,fc,x',
    support: 'partly',
    note: 'record locks are granted without a look at others',
    handler: fcntl,
  },
  {
    nr: 73,
    name: 'flock',
    args: 'd,x',
    support: 'partly',
    note: 'granted without a look at others',
    handler: (t, a) => withFd(t, a.i32(0), () => 0),
  },
  { nr: 74, name: 'fsync', args: 'd', support: 'yes', handler: sync },
  { nr: 75, name: 'fdatasync', args: 'd', support: 'yes', handler: sync },
  {
    nr: 76,
    name: 'truncate',
    args: 's,ld',
    support: 'yes',
    handler: (t, a) =>
      a.i64(1) < 0n
        ? -EINVAL
        : onName(t, AT_FDCWD, a.ptr(0), true, (host) => {
            fs.truncateSync(host, Number(a.i64(1)));
          }),
  },
  {
    nr: 77,
    name: 'ftruncate',
    args: 'd,ld',
    support: 'yes',
    handler: (t, a) => withFd(t, a.i32(0), (f) => truncateFile(t.files, f, Number(a.i64(1)))),
  },
  { nr: 78, name: 'getdents', args: 'd,p,u', support: 'yes', handler: getdents(true) },
  { nr: 79, name: 'getcwd', args: 'p,lu', support: 'yes', handler: getcwd },
  {
    nr: 80,
    name: 'chdir',
    args: 's',
    support: 'yes',
    handler: (t, a) => withPath(t, a.ptr(0), (path) => chdirTo(t, path)),
  },
  { nr: 81, name: 'fchdir', args: 'd', support: 'yes', handler: fchdir },
  {
    nr: 82,
    name: 'rename',
    args: 's,s',
    support: 'yes',
    handler: (t, a) => rename(t, AT_FDCWD, a.ptr(0), AT_FDCWD, a.ptr(1), 0),
  },
  { nr: 83, name: 'mkdir', args: 's,o', support: 'yes', handler: (t, a) => mkdir(t, AT_FDCWD, a.ptr(0), a.u32(1)) },
  { nr: 84, name: 'rmdir', args: 's', support: 'yes', handler: (t, a) => unlink(t, AT_FDCWD, a.ptr(0), true) },
  {
    nr: 85,
    name: 'creat',
    args: 's,o',
    support: 'yes',
    handler: (t, a) => open(t, AT_FDCWD, a.ptr(0), O_CREAT | O_WRONLY | O_TRUNC, a.i32(1)),
  },
  {
    nr: 86,
    name: 'link',
    args: 's,s',
    support: 'yes',
    handler: (t, a) =>
      twoNames(t, AT_FDCWD, a.ptr(0), AT_FDCWD, a.ptr(1), false, (x, y) => {
        fs.linkSync(x, y);
      }),
  },
  { nr: 87, name: 'unlink', args: 's', support: 'yes', handler: (t, a) => unlink(t, AT_FDCWD, a.ptr(0), false) },
  { nr: 88, name: 'symlink', args: 's,s', support: 'yes', handler: (t, a) => symlink(t, a.ptr(0), AT_FDCWD, a.ptr(1)) },
  {
    nr: 89,
    name: 'readlink',
    args: 's,p,lu',
    support: 'yes',
    handler: (t, a) => readlink(t, AT_FDCWD, a.ptr(0), a.ptr(1), a.ptr(2)),
  },
  { nr: 90, name: 'chmod', args: 's,o', support: 'yes', handler: (t, a) => chmodAt(t, AT_FDCWD, a.ptr(0), a.u32(1)) },
  {
    nr: 91,
    name: 'fchmod',
    args: 'd,o',
    support: 'yes',
    handler: (t, a) =>
      onFd(t, a.i32(0), (fd) => {
        fs.fchmodSync(fd, a.u32(1) & 0o7777);
      }),
  },
  {
    nr: 92,
    name: 'chown',
    args: 's,d,d',
    support: 'yes',
    handler: (t, a) => chownAt(t, AT_FDCWD, a.ptr(0), a.u32(1), a.u32(2), true),
  },
  {
    nr: 93,
    name: 'fchown',
    args: 'd,d,d',
    support: 'yes',
    handler: (t, a) =>
      onFd(t, a.i32(0), (fd) => {
        const s = fs.fstatSync(fd);
        fs.fchownSync(fd, a.u32(1) === 0xffff_ffff ? s.uid : a.u32(1), a.u32(2) === 0xffff_ffff ? s.gid : a.u32(2));
      }),
  },
  {
    nr: 94,
    name: 'lchown',
    args: 's,d,d',
    support: 'yes',
    handler: (t, a) => chownAt(t, AT_FDCWD, a.ptr(0), a.u32(1), a.u32(2), false),
  },
  {
    nr: 95,
    name: 'umask',
    args: 'o',
    support: 'yes',
    handler: (t, a) => setUmask(t.files.state, t.files.fs, a.u32(0) & 0o777),
  },
  { nr: 137, name: 'statfs', args: 's,p', support: 'partly', note: 'no f_fsid', handler: statfs },
  { nr: 138, name: 'fstatfs', args: 'd,p', support: 'partly', note: 'no f_fsid', handler: fstatfs },
  { nr: 162, name: 'sync', args: '', support: 'yes', handler: done },
  {
    nr: 191,
    name: 'getxattr',
    args: 's,s,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  {
    nr: 192,
    name: 'lgetxattr',
    args: 's,s,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  {
    nr: 193,
    name: 'fgetxattr',
    args: 'd,s,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  {
    nr: 194,
    name: 'listxattr',
    args: 's,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  {
    nr: 195,
    name: 'llistxattr',
    args: 's,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  {
    nr: 196,
    name: 'flistxattr',
    args: 'd,p,lu',
    support: 'no',
    note: 'Node has no extended attributes',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  { nr: 217, name: 'getdents64', args: 'd,p,u', support: 'yes', handler: getdents(false) },
  {
    nr: 221,
    name: 'fadvise64',
    args: 'd,ld,lu,d',
    support: 'partly',
    note: 'advice is taken and ignored',
    handler: (t, a) => withFd(t, a.i32(0), () => 0),
  },
  {
    nr: 257,
    name: 'openat',
    args: 'at,s,of,o',
    support: 'yes',
    handler: (t, a) => open(t, a.i32(0), a.ptr(1), a.i32(2), a.i32(3)),
  },
  {
    nr: 258,
    name: 'mkdirat',
    args: 'at,s,o',
    support: 'yes',
    handler: (t, a) => mkdir(t, a.i32(0), a.ptr(1), a.u32(2)),
  },
  {
    nr: 260,
    name: 'fchownat',
    args: 'at,s,d,d,af',
    support: 'yes',
    handler: (t, a) => chownAt(t, a.i32(0), a.ptr(1), a.u32(2), a.u32(3), (a.i32(4) & AT_SYMLINK_NOFOLLOW) === 0),
  },
  {
    nr: 262,
    name: 'newfstatat',
    args: 'at,s,p,af',
    support: 'yes',
    handler: (t, a) => putStat(t, a.ptr(2), statusAt(t, a.i32(0), a.ptr(1), a.i32(3))),
  },
  {
    nr: 263,
    name: 'unlinkat',
    args: 'at,s,af',
    support: 'yes',
    handler: (t, a) => unlink(t, a.i32(0), a.ptr(1), (a.i32(2) & AT_REMOVEDIR) !== 0),
  },
  {
    nr: 264,
    name: 'renameat',
    args: 'at,s,at,s',
    support: 'yes',
    handler: (t, a) => rename(t, a.i32(0), a.ptr(1), a.i32(2), a.ptr(3), 0),
  },
  {
    nr: 265,
    name: 'linkat',
    args: 'at,s,at,s,af',
    support: 'yes',
    handler: (t, a) =>
      twoNames(t, a.i32(0), a.ptr(1), a.i32(2), a.ptr(3), (a.i32(4) & AT_SYMLINK_FOLLOW) !== 0, (x, y) => {
        fs.linkSync(x, y);
      }),
  },
  {
    nr: 266,
    name: 'symlinkat',
    args: 's,at,s',
    support: 'yes',
    handler: (t, a) => symlink(t, a.ptr(0), a.i32(1), a.ptr(2)),
  },
  {
    nr: 267,
    name: 'readlinkat',
    args: 'at,s,p,lu',
    support: 'yes',
    handler: (t, a) => readlink(t, a.i32(0), a.ptr(1), a.ptr(2), a.ptr(3)),
  },
  {
    nr: 268,
    name: 'fchmodat',
    args: 'at,s,o',
    support: 'yes',
    handler: (t, a) => chmodAt(t, a.i32(0), a.ptr(1), a.u32(2)),
  },
  {
    nr: 269,
    name: 'faccessat',
    args: 'at,s,am',
    support: 'yes',
    handler: (t, a) => access(t, a.i32(0), a.ptr(1), a.i32(2), 0),
  },
  {
    nr: 270,
    name: 'pselect6',
    args: 'd,p,p,p,ts,p',
    support: 'partly',
    note: 'the signal mask argument is ignored',
    handler: pselect6,
  },
  {
    nr: 271,
    name: 'ppoll',
    args: 'p,u,ts,p,lu',
    support: 'partly',
    note: 'the signal mask argument is ignored',
    handler: ppoll,
  },
  {
    nr: 280,
    name: 'utimensat',
    args: 'at,s,p,af',
    support: 'partly',
    note: 'times to a microsecond',
    handler: utimensat,
  },
  {
    nr: 285,
    name: 'fallocate',
    args: 'd,x,ld,ld',
    support: 'partly',
    note: 'no blocks are reserved',
    handler: (t, a) =>
      withFd(t, a.i32(0), (f) => allocateFile(t.files, f, a.i32(1), Number(a.i64(2)), Number(a.i64(3)))),
  },
  {
    nr: 292,
    name: 'dup3',
    args: 'd,d,of',
    support: 'yes',
    handler: (t, a) =>
      a.i32(0) === a.i32(1) || (a.i32(2) & ~O_CLOEXEC) !== 0
        ? -EINVAL
        : dup2(t, a.i32(0), a.i32(1), (a.i32(2) & O_CLOEXEC) !== 0),
  },
  {
    nr: 293,
    name: 'pipe2',
    args: 'p,of',
    support: 'yes',
    handler: (t, a) => ((a.i32(1) & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 ? -EINVAL : pipe(t, a.ptr(0), a.i32(1))),
  },
  { nr: 295, name: 'preadv', args: 'd,p,d,ld', support: 'yes', handler: vectored(true, true) },
  { nr: 296, name: 'pwritev', args: 'd,p,d,ld', support: 'yes', handler: vectored(false, true) },
  {
    nr: 316,
    name: 'renameat2',
    args: 'at,s,at,s,x',
    support: 'partly',
    note: 'RENAME_EXCHANGE and RENAME_WHITEOUT: EINVAL',
    handler: (t, a) => rename(t, a.i32(0), a.ptr(1), a.i32(2), a.ptr(3), a.i32(4)),
  },
  {
    nr: 326,
    name: 'copy_file_range',
    args: 'd,p,d,p,lu,x',
    support: 'yes',
    handler: (t, a) => copy(t, a.i32(0), a.i32(2), a.ptr(1), a.ptr(3), sizeOf(a, 4)),
  },
  { nr: 332, name: 'statx', args: 'at,s,af,x,p', support: 'yes', handler: statx },
  { nr: 436, name: 'close_range', args: 'u,u,x', support: 'yes', handler: closeRange },
  {
    nr: 439,
    name: 'faccessat2',
    args: 'at,s,am,af',
    support: 'yes',
    handler: (t, a) => access(t, a.i32(0), a.ptr(1), a.i32(2), a.i32(3)),
  },
] as const satisfies readonly SyscallRow[];
