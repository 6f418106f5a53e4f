/**
 * What guests do to files of the host, as inotify tells it: places of files, and events for those that watch them or the directories that they are in. Nothing is looked up while nothing is watched.
 * In: descriptions, paths of the host, host calls. Out: events. Source: man 7 inotify; what Linux tells in which order has been seen there (tests/guest/src/inotify.c).
 */
import * as fs from 'node:fs';
import { ENOENT } from '../../linux/errno.js';
import { baseName, dirName, fromBytes, hostBytes } from '../byte-path.js';
import type { AfterClose } from '../file-ops.js';
import { AREA, FILE, HEAD, MAX_FILES } from '../layout.js';
import { hostName } from '../mount-table.js';
import { fileFlags, fileGeneration, fileMarks, filePath, fileWord, hostFd, MARK } from '../open-files.js';
import { isSameNode, nodeId, type NodeId } from '../node-id.js';
import { LINUX_HOST, O_ACCMODE, O_NOFOLLOW, O_PATH, O_RDONLY, toHostFlags } from '../open-flags.js';
import type { VfsState } from '../state.js';
import { dropXattrs, hasXattrs } from '../xattrs.js';
import { IN } from './instances.js';
import { hasMark, isWatching, type MarkEvent, tellMarks } from './marks.js';
import { noteOwn } from './own-changes.js';

/** A name in a directory. */
interface Entry {
  readonly dir: NodeId;
  readonly name: string;
}

/** A file, and where it is. */
export interface Place {
  readonly id: NodeId;
  readonly isDirectory: boolean;
  /** Undefined: it is in no directory. */
  readonly entry: Entry | undefined;
  /** The name has been removed; or all of them have. */
  readonly gone: boolean;
  readonly unlinked: boolean;
  /** Of the host. */
  readonly path: string;
}

/** What of the bits of an event is told to the directory, too. */
const OF_ENTRY = IN.ACCESS | IN.MODIFY | IN.ATTRIB | IN.CLOSE_WRITE | IN.CLOSE_NOWRITE | IN.OPEN;
/** What the host may tell of a name that is being made. */
const MADE = IN.CREATE | IN.MODIFY | IN.ATTRIB;
const DELETED = ' (deleted)';

const lstat = (path: string): fs.BigIntStats | undefined =>
  fs.lstatSync(hostBytes(path), { bigint: true, throwIfNoEntry: false });
/** Directories have one name. */
const isLastName = (st: fs.BigIntStats): boolean => st.isDirectory() || st.nlink === 1n;

/** Undefined for what has no such name. */
function entryAt(path: string): Entry | undefined {
  if (!path.startsWith('/') && LINUX_HOST && !path.includes('/')) return entryAt(`./${path}`);
  const name = baseName(path);
  if (name === '') return undefined;
  const dir = fs.statSync(hostBytes(dirName(path)), { bigint: true, throwIfNoEntry: false });
  return dir === undefined ? undefined : { dir: nodeId(dir), name };
}

/** Where the file behind a descriptor of the host is; `opened`: the name that it was opened by, for hosts that tell no other. */
function placeOfFd(fd: number, opened: string): Place | undefined {
  try {
    const st = fs.fstatSync(fd, { bigint: true });
    const id = nodeId(st);
    let path: string = LINUX_HOST ? hostName(fd) : opened;
    let gone = false;
    if (path.endsWith(DELETED)) {
      const there = lstat(path);
      gone = there === undefined || !isSameNode(nodeId(there), id);
      if (gone) path = path.slice(0, -DELETED.length);
    }
    const entry = path.startsWith('/') && path !== '/' ? entryAt(path) : undefined;
    return { id, isDirectory: st.isDirectory(), entry, gone, unlinked: st.nlink === 0n, path };
  } catch {
    return undefined;
  }
}

/** The place of an open file, if anybody watches anything. */
function placeOfFile(s: VfsState, file: number): Place | undefined {
  const fd = isWatching(s) ? hostFd(s, file) : -1;
  if (fd < 0 || (fileMarks(s, file) & MARK.MEMFD) !== 0) return undefined;
  const [generation, names] = [fileGeneration(s, file), s.get(AREA.HEAD + HEAD.NAMES)];
  const known = s.places.get(file);
  if (known?.generation === generation && known.names === names) return known.place;
  const place = placeOfFd(fd, filePath(s, file));
  s.places.set(file, { generation, names, place });
  return place;
}

/** What a description with O_PATH stands for, to be watched. What lift64 serves itself has an identity of its own, and nothing happens to it. -ENOENT. */
export function placeToWatch(
  s: VfsState,
  file: number,
): (Omit<Place, 'entry'> & { readonly isLink: boolean }) | number {
  const fd = hostFd(s, file);
  const path = filePath(s, file);
  if (fd >= 0) {
    const place = placeOfFd(fd, path);
    return place === undefined ? -ENOENT : { ...place, isLink: fs.fstatSync(fd).isSymbolicLink() };
  }
  let hash = 0;
  for (let i = 0; i < path.length; i++) hash = (Math.imul(hash, 31) + path.charCodeAt(i)) | 0;
  return { id: [-1, -1, hash, path.length], isDirectory: false, gone: false, unlinked: false, path, isLink: false };
}

/** The place of what a path of the host leads to, or of the link that it names. */
function placeOfPath(host: Buffer, follow: boolean): Place | undefined {
  try {
    const fd = fs.openSync(host, toHostFlags(follow ? O_PATH : O_PATH | O_NOFOLLOW));
    try {
      return placeOfFd(fd, fromBytes(host));
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Something is about to happen to the file: what the host tells of it is the guests' own then. */
function expectEvent(s: VfsState, { id, entry }: Place, mask: number): void {
  noteOwn(s, id, '', mask);
  if (entry !== undefined) noteOwn(s, entry.dir, entry.name, mask);
}

/** Something has happened to the file: tells those that watch the directory, then those that watch the file. */
function tell(s: VfsState, place: Place, mask: number): void {
  if (mask === 0) return;
  expectEvent(s, place, mask);
  const { id, entry, gone } = place;
  const full = place.isDirectory ? mask | IN.ISDIR : mask;
  const events: MarkEvent[] = [{ on: id, mask: full }];
  if (entry !== undefined && (mask & OF_ENTRY) !== 0)
    events.unshift({ on: entry.dir, mask: full, name: entry.name, gone });
  tellMarks(s, events);
}

/** Something has happened to an open file: tells of it, if anybody watches anything. */
export function tellOfFile(s: VfsState, file: number, mask: number): void {
  const place = placeOfFile(s, file);
  if (place !== undefined) tell(s, place, mask);
}

/** Runs `fn`, which does to an open file what `mask` says when it gives more than `least`. */
export function toldOfFile(s: VfsState, file: number, mask: number, least: number, fn: () => number): number {
  const place = placeOfFile(s, file);
  if (place === undefined) return fn();
  expectEvent(s, place, mask);
  const n = fn();
  if (n > least) tell(s, place, mask);
  return n;
}

/** Runs a host call that does to the file at `host` what `mask` says, or throws. */
export function toldOfPath<T>(s: VfsState, host: Buffer, follow: boolean, mask: number, fn: () => T): T {
  const place = isWatching(s) ? placeOfPath(host, follow) : undefined;
  if (place !== undefined) expectEvent(s, place, mask);
  const value = fn();
  if (place !== undefined) tell(s, place, mask);
  return value;
}

/** A file has been opened; `made`: it was not there, `emptied`: it was cut to nothing. */
export function tellOpened(s: VfsState, file: number, made: boolean, emptied: boolean): void {
  const place = placeOfFile(s, file);
  if (place === undefined) return;
  if (made && place.entry !== undefined) tellEntry(s, place.entry, IN.CREATE);
  tell(s, place, IN.OPEN);
  if (emptied && !made) tell(s, place, IN.MODIFY);
}

/** A file of the host is about to be opened. True: it will be a new one. */
export function beforeOpening(s: VfsState, host: Buffer, creates: boolean, empties: boolean): boolean {
  if (!isWatching(s) || !(creates || empties)) return false;
  const place = placeOfPath(host, true);
  if (place !== undefined) {
    if (empties) expectEvent(s, place, IN.MODIFY);
    return false;
  }
  const entry = creates ? entryAt(fromBytes(host)) : undefined;
  if (entry !== undefined) noteOwn(s, entry.dir, entry.name, MADE);
  return creates;
}

/** Part of FileOps.close of all files of the host; `quietly`: a close that is not told (O_PATH). */
export function toldOfClose(s: VfsState, file: number, quietly = false): AfterClose | undefined {
  if (!isWatching(s)) return undefined;
  const fd = hostFd(s, file);
  const opened = filePath(s, file);
  const writes = (fileFlags(s, file) & O_ACCMODE) !== O_RDONLY;
  return {
    then: () => {
      s.places.delete(file);
      const place = fd < 0 ? undefined : placeOfFd(fd, opened);
      if (place === undefined) return;
      if (!quietly) tell(s, place, writes ? IN.CLOSE_WRITE : IN.CLOSE_NOWRITE);
      if (place.unlinked) tellLast(s, place.id);
    },
  };
}

// ---------------------------------------------------------------- names

function tellEntry(s: VfsState, { dir, name }: Entry, mask: number, cookie = 0): void {
  noteOwn(s, dir, name, mask);
  tellMarks(s, [{ on: dir, mask, name, cookie }]);
}

/** Names that were looked up before are old now. */
const namesHaveChanged = (s: VfsState): void => {
  Atomics.add(s.words, AREA.HEAD + HEAD.NAMES, 1);
};

/** Runs a host call that makes a name, or throws, or gives -errno; `source`: the file that it is a second name of. */
export function making<T>(s: VfsState, host: Buffer, more: { isDirectory?: true; source?: Buffer }, fn: () => T): T {
  const entry = isWatching(s) ? entryAt(fromBytes(host)) : undefined;
  if (entry !== undefined) noteOwn(s, entry.dir, entry.name, MADE);
  const value = fn();
  if (entry === undefined || (typeof value === 'number' && value < 0)) return value;
  const source = more.source === undefined ? undefined : lstat(fromBytes(more.source));
  if (source !== undefined) tellNode(s, nodeId(source), IN.ATTRIB);
  tellEntry(s, entry, more.isDirectory === true ? IN.CREATE | IN.ISDIR : IN.CREATE);
  return value;
}

function tellNode(s: VfsState, on: NodeId, mask: number): void {
  noteOwn(s, on, '', mask);
  tellMarks(s, [{ on, mask }]);
}

/** Runs a host call that removes the name `host`; extended attributes go with the last name of a file. */
export function removing(s: VfsState, host: Buffer, fn: () => void): void {
  const kept = hasXattrs(s) ? lstat(fromBytes(host)) : undefined;
  toldOfRemoval(s, host, fn);
  dropWithLast(s, kept);
}

function dropWithLast(s: VfsState, removed: fs.BigIntStats | undefined): void {
  if (removed !== undefined && isLastName(removed)) dropXattrs(s, nodeId(removed));
}

function toldOfRemoval(s: VfsState, host: Buffer, fn: () => void): void {
  const path = fromBytes(host);
  const entry = isWatching(s) ? entryAt(path) : undefined;
  const st = entry === undefined ? undefined : lstat(path);
  if (entry !== undefined) noteOwn(s, entry.dir, entry.name, IN.DELETE);
  if (st !== undefined) noteOwn(s, nodeId(st), '', IN.DELETE_SELF | IN.ATTRIB);
  fn();
  if (entry === undefined || st === undefined) return;
  namesHaveChanged(s);
  tellRemoved(s, st);
  tellEntry(s, entry, st.isDirectory() ? IN.DELETE | IN.ISDIR : IN.DELETE);
}

/** A name of the file is gone. */
function tellRemoved(s: VfsState, before: fs.BigIntStats): void {
  const id = nodeId(before);
  if (!before.isDirectory()) tellNode(s, id, IN.ATTRIB);
  if (isLastName(before)) tellLast(s, id);
}

/** The last name of a file is gone: it is no more, unless a guest has it open. */
function tellLast(s: VfsState, id: NodeId): void {
  if (!hasMark(s, id) || isHeldOpen(s, id)) return;
  noteOwn(s, id, '', IN.DELETE_SELF);
  tellMarks(s, [{ on: id, mask: IN.DELETE_SELF, last: true }]);
}

function isHeldOpen(s: VfsState, id: NodeId): boolean {
  for (let file = 0; file < MAX_FILES; file++) {
    if (s.peek(fileWord(file) + FILE.REFS) === 0) continue;
    const fd = hostFd(s, file);
    if (fd < 0) continue;
    try {
      if (isSameNode(nodeId(fs.fstatSync(fd, { bigint: true })), id)) return true;
    } catch {
      // It has been closed meanwhile.
    }
  }
  return false;
}

/** Runs a host call that gives the file at `from` the name `to`, or (`exchanges`) each the other's name. */
export function renaming(s: VfsState, from: Buffer, to: Buffer, exchanges: boolean, fn: () => number): number {
  if (!hasXattrs(s) || exchanges) return toldOfRename(s, from, to, exchanges, fn);
  const [moved, replaced] = [lstat(fromBytes(from)), lstat(fromBytes(to))];
  const n = toldOfRename(s, from, to, exchanges, fn);
  const isOther = moved !== undefined && replaced !== undefined && !isSameNode(nodeId(moved), nodeId(replaced));
  if (n >= 0 && isOther) dropWithLast(s, replaced);
  return n;
}

function toldOfRename(s: VfsState, from: Buffer, to: Buffer, exchanges: boolean, fn: () => number): number {
  if (!isWatching(s)) return fn();
  const [a, b] = [fromBytes(from), fromBytes(to)];
  const [source, target] = [entryAt(a), entryAt(b)];
  const [moved, replaced] = [lstat(a), lstat(b)];
  if (source === undefined || target === undefined || moved === undefined) return fn();
  for (const [entry, st] of [
    [source, moved],
    [target, replaced],
  ] as const) {
    noteOwn(s, entry.dir, entry.name, IN.MOVED_FROM);
    if (st !== undefined) noteOwn(s, nodeId(st), '', IN.MOVE_SELF | IN.ATTRIB);
  }
  const n = fn();
  // Two names of one file: nothing has been done.
  if (n < 0 || (replaced !== undefined && isSameNode(nodeId(moved), nodeId(replaced)))) return n;
  namesHaveChanged(s);
  tellMoved(s, source, target, moved, exchanges ? undefined : replaced);
  if (exchanges && replaced !== undefined) tellMoved(s, target, source, replaced, undefined);
  return n;
}

function tellMoved(
  s: VfsState,
  from: Entry,
  to: Entry,
  moved: fs.BigIntStats,
  replaced: fs.BigIntStats | undefined,
): void {
  const directory = moved.isDirectory() ? IN.ISDIR : 0;
  const cookie = Atomics.add(s.words, AREA.HEAD + HEAD.COOKIE, 1) + 1;
  tellEntry(s, from, IN.MOVED_FROM | directory, cookie);
  tellEntry(s, to, IN.MOVED_TO | directory, cookie);
  if (replaced?.isDirectory() === false) tellNode(s, nodeId(replaced), IN.ATTRIB);
  tellNode(s, nodeId(moved), IN.MOVE_SELF);
  if (replaced !== undefined && isLastName(replaced)) tellLast(s, nodeId(replaced));
}
