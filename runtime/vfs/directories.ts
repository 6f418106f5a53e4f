/**
 * Listings of open directories: taken whole at the first getdents after open or a rewind, kept by the thread that took it (another
 * thread that goes on with the same description takes its own, and goes on at the same index). In: descriptions. Out: linux_dirent64 records.
 * The order is the host's own (readdir without sorting). Source: man 2 getdents, man 3 readdir.
 */
import * as fs from 'node:fs';
import { EINVAL, ENOENT, ENOTDIR } from '../linux/errno.js';
import { fromBytes, hostBytes, joinPath, type BytePath } from './byte-path.js';
import { currentPath, fdPath } from './descriptor-path.js';
import type { FileContext } from './file-context.js';
import { hostFailure } from './host-error.js';
import { tellOfFile } from './inotify/file-events.js';
import { IN } from './inotify/instances.js';
import {
  fileGeneration,
  fileKind,
  fileMount,
  fileOffset,
  filePath,
  hostFd,
  isOpen,
  KIND,
  setFileOffset,
  withOffset,
} from './open-files.js';
import { nodeAt } from './resolve.js';
import { DT, type DirectoryEntry } from './special-node.js';

export interface DirectorySnapshot {
  readonly generation: number;
  /** `.` and `..` first. */
  readonly entries: readonly DirectoryEntry[];
  /** Path that leads to the directory in host calls; undefined for lift64's own. */
  readonly host: BytePath | undefined;
}

/** Snapshots kept before those of closed directories are looked for. */
const KEPT = 64;
/** Entries that one host call fetches. */
const BATCH = 512;
/** Inode number of entries that lift64 makes up, and of those that have just vanished. */
const NO_INODE = 1n;
/** Bytes of a record besides its name, the NUL and the type included: in both formats. */
const RECORD_BYTES = 20;
const DOTS: readonly DirectoryEntry[] = [
  { name: '.', type: DT.DIR },
  { name: '..', type: DT.DIR },
];

/** Fills `size` bytes with records of getdents64, or, when `old`, of getdents. The bytes, empty at the end; -errno. */
export function readDirectory(c: FileContext, file: number, size: number, old: boolean): Uint8Array | number {
  const s = c.state;
  const kind = fileKind(s, file);
  if (kind !== KIND.DIRECTORY && kind !== KIND.SPECIAL_DIRECTORY) return -ENOTDIR;
  return withOffset(s, file, () => {
    const offset = fileOffset(s, file);
    if (offset === 0) c.directories.delete(file);
    const snapshot = snapshotOf(c, file);
    if (typeof snapshot === 'number') return snapshot;
    const out = Buffer.alloc(Math.min(size, 1 << 20));
    let used = 0;
    let index = offset;
    for (; index < snapshot.entries.length; index++) {
      const entry = snapshot.entries[index];
      if (entry === undefined) break;
      const length = (entry.name.length + RECORD_BYTES + 7) & ~7;
      if (used + length > out.length) break;
      const at = out.subarray(used, used + length);
      at.writeBigUInt64LE(BigInt.asUintN(64, inodeOf(snapshot, entry)), 0);
      at.writeBigInt64LE(BigInt(index + 1), 8);
      at.writeUInt16LE(length, 16);
      if (old) at[length - 1] = entry.type;
      else at[18] = entry.type;
      at.write(entry.name, old ? 18 : 19, 'latin1');
      used += length;
    }
    if (used === 0 && index < snapshot.entries.length) return -EINVAL;
    setFileOffset(s, file, index);
    tellOfFile(s, file, IN.ACCESS);
    return out.subarray(0, used);
  });
}

function inodeOf(snapshot: DirectorySnapshot, entry: DirectoryEntry): bigint {
  if (snapshot.host === undefined) return NO_INODE;
  try {
    return fs.lstatSync(hostBytes(joinPath(snapshot.host, entry.name)), { bigint: true }).ino;
  } catch {
    return NO_INODE;
  }
}

function snapshotOf(c: FileContext, file: number): DirectorySnapshot | number {
  const generation = fileGeneration(c.state, file);
  const kept = c.directories.get(file);
  if (kept?.generation === generation) return kept;
  const taken = fileKind(c.state, file) === KIND.DIRECTORY ? takeHost(c, file) : takeSpecial(c, file);
  if (typeof taken === 'number') return taken;
  const snapshot = { ...taken, generation };
  if (c.directories.size >= KEPT) dropClosed(c);
  c.directories.set(file, snapshot);
  return snapshot;
}

function dropClosed(c: FileContext): void {
  for (const [file, snapshot] of c.directories) {
    if (!isOpen(c.state, file, snapshot.generation)) c.directories.delete(file);
  }
}

type Taken = Pick<DirectorySnapshot, 'entries' | 'host'>;

function takeSpecial(c: FileContext, file: number): Taken | number {
  const node = nodeAt(c, filePath(c.state, file), true);
  if (typeof node === 'number') return node;
  if (node?.type !== 'directory') return -ENOENT;
  return { entries: [...DOTS, ...node.entries()], host: undefined };
}

/** Node's types know only text encodings for directory names; `buffer` gives bytes. */
interface ByteDirent {
  readonly name: Buffer;
}

function takeHost(c: FileContext, file: number): Taken | number {
  const fd = hostFd(c.state, file);
  const path = fdPath(c.state, file);
  try {
    if (fs.fstatSync(fd).nlink === 0) return -ENOENT;
    const entries: DirectoryEntry[] = [...DOTS];
    const dir = fs.opendirSync(hostBytes(path), { encoding: 'buffer' as BufferEncoding, bufferSize: BATCH });
    try {
      for (let e = dir.readSync(); e !== null; e = dir.readSync()) {
        entries.push({ name: fromBytes((e as unknown as ByteDirent).name), type: typeOf(e) });
      }
    } finally {
      dir.closeSync();
    }
    addMountPoints(c, file, entries);
    return { entries, host: quickPath(c, file, fd, path) };
  } catch (e) {
    return hostFailure(e);
  }
}

/** Mount points show in the directory that they are in, whether it has such names of its own or not. */
function addMountPoints(c: FileContext, file: number, entries: DirectoryEntry[]): void {
  const mount = fileMount(c.state, file);
  if (mount?.hasInner !== true) return;
  const names = c.state.tree?.namesIn(currentPath(c.state, file)) ?? [];
  for (const name of names) if (!entries.some((e) => e.name === name)) entries.push({ name, type: DT.DIR });
}

/** The name of the directory, when it still leads there: a path through the descriptor costs twice as much per entry. */
function quickPath(c: FileContext, file: number, fd: number, path: BytePath): BytePath {
  const name = filePath(c.state, file);
  if (name === path || c.state.tree !== undefined) return path;
  try {
    const here = fs.fstatSync(fd, { bigint: true });
    const there = fs.statSync(hostBytes(name), { bigint: true });
    return there.ino === here.ino && there.dev === here.dev ? name : path;
  } catch {
    return path;
  }
}

function typeOf(e: fs.Dirent): number {
  if (e.isFile()) return DT.REG;
  if (e.isDirectory()) return DT.DIR;
  if (e.isSymbolicLink()) return DT.LNK;
  if (e.isFIFO()) return DT.FIFO;
  if (e.isSocket()) return DT.SOCK;
  if (e.isCharacterDevice()) return DT.CHR;
  if (e.isBlockDevice()) return DT.BLK;
  return DT.UNKNOWN;
}
