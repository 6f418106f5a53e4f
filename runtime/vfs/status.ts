/**
 * Status of open files and of paths. In: descriptions, targets. Out: StatRecord, or -errno. Source: man 2 stat.
 */
import * as fs from 'node:fs';
import { hostBytes } from './byte-path.js';
import { withLinked } from './fd-table.js';
import type { FileContext } from './file-context.js';
import {
  madeUp,
  makeDev,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  type StatRecord,
} from './file-stat.js';
import { hostFailure } from './host-error.js';
import { fileKind, fileOps, filePath, hostFd, KIND } from './open-files.js';
import { nodeAt, type Target } from './resolve.js';
import type { SpecialNode } from './special-node.js';
import { ENOENT } from '../linux/errno.js';

/** Inode of nodes that lift64 makes up. */
const MADE_UP_INODE = 12;

export function statOpenFile(c: FileContext, file: number): StatRecord | number {
  const s = c.state;
  const fd = hostFd(s, file);
  if (fd >= 0) {
    try {
      const status = fs.fstatSync(fd, { bigint: true });
      return (Number(status.mode) & S_IFMT) === S_IFSOCK && fileKind(s, file) !== KIND.PATH ? asPipe(status) : status;
    } catch (e) {
      return hostFailure(e);
    }
  }
  return fileOps(s, file).stat(c, file);
}

/** A socket that lift64 was started with (Node's pipes are such) is read and written, and nothing else: a pipe to the guest, which would otherwise call what sockets alone have. */
const asPipe = (status: StatRecord): StatRecord => ({
  ...pick(status),
  mode: (status.mode & ~BigInt(S_IFMT)) | BigInt(S_IFIFO),
});

/** Status of what is at the description's path now. */
export function statNamed(c: FileContext, file: number): StatRecord | number {
  const node = nodeAt(c, filePath(c.state, file), false);
  if (typeof node === 'number') return node;
  return node === undefined ? -ENOENT : statNode(c, node);
}

/** Status of the node itself: of the link, where it is one. */
export function statNode(c: FileContext, node: SpecialNode): StatRecord | number {
  if (node.twin !== undefined) {
    try {
      const twin = fs.lstatSync(hostBytes(node.twin), { bigint: true });
      const size = node.type === 'link' && twin.size !== 0n ? BigInt(String(node.target()).length) : twin.size;
      return { ...pick(twin), size };
    } catch {
      // A host without such a file.
    }
  }
  switch (node.type) {
    case 'file':
      return madeUp(S_IFREG | node.mode, MADE_UP_INODE);
    case 'link':
    case 'descriptor':
      return madeUp(S_IFLNK | 0o777, MADE_UP_INODE, { size: 64n });
    case 'directory':
      return madeUp(S_IFDIR | (node.mode ?? 0o555), MADE_UP_INODE, { nlink: 2n });
    case 'memory':
      return madeUp(S_IFREG | 0o600, MADE_UP_INODE);
    case 'terminal':
      return node.status();
    case 'device':
      return madeUp(S_IFCHR | 0o666, node.minor, { rdev: makeDev(1, node.minor) });
  }
}

function pick(r: StatRecord): StatRecord {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks } = r;
  const { atimeNs, mtimeNs, ctimeNs, birthtimeNs } = r;
  return { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks, atimeNs, mtimeNs, ctimeNs, birthtimeNs };
}

/** Status of a target; `follow`: of what a link leads to (the target has been resolved accordingly). */
export function statTarget(c: FileContext, target: Target, follow: boolean): StatRecord | number {
  const node = target.node;
  if (node?.type === 'descriptor' && follow) return withLinked(c.state, node, (file) => statOpenFile(c, file));
  if (node !== undefined) return statNode(c, node);
  try {
    return follow || target.object === true
      ? fs.statSync(target.host, { bigint: true })
      : fs.lstatSync(target.host, { bigint: true });
  } catch (e) {
    return hostFailure(e);
  }
}
