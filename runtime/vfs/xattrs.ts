/**
 * Extended attributes of files in memory (--tmpfs), by device and inode: kept in the shared region for as long as the file has a name. In: files, names, values. Out: values; -errno. Source: man 7 xattr.
 */
import { EEXIST, ENODATA, ENOSPC } from '../linux/errno.js';
import { AREA, HEAD, MAX_XATTRS, XATTR, XATTR_BYTES } from './layout.js';
import { isSameNode, type NodeId, storedNode, storeNode } from './node-id.js';
import type { VfsState } from './state.js';

export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

const word = (n: number): number => AREA.XATTRS + n * XATTR.SIZE;
const valueOf = (n: number): number => AREA.XATTR_VALUES * 4 + n * XATTR_BYTES;

/** Whether any file has some. */
export const hasXattrs = (s: VfsState): boolean => s.get(AREA.HEAD + HEAD.XATTRS) !== 0;

const isOf = (s: VfsState, n: number, id: NodeId): boolean =>
  s.peek(word(n)) !== 0 && isSameNode(storedNode(s, word(n) + XATTR.ID), id);

const nameOf = (s: VfsState, n: number): string => s.text(word(n) + XATTR.NAME, s.peek(word(n)) - 1);

/** Numbers of the attributes of a file. Under the region's lock. */
function all(s: VfsState, id: NodeId): number[] {
  const found: number[] = [];
  if (hasXattrs(s)) for (let n = 0; n < MAX_XATTRS; n++) if (isOf(s, n, id)) found.push(n);
  return found;
}

const find = (s: VfsState, id: NodeId, name: string): number | undefined =>
  all(s, id).find((n) => nameOf(s, n) === name);

export const listXattrs = (s: VfsState, id: NodeId): string[] => s.locked(() => all(s, id).map((n) => nameOf(s, n)));

export function getXattr(s: VfsState, id: NodeId, name: string): Uint8Array | number {
  return s.locked(() => {
    const n = find(s, id, name);
    if (n === undefined) return -ENODATA;
    return s.bytes.slice(valueOf(n), valueOf(n) + s.peek(word(n) + XATTR.VALUE_LENGTH));
  });
}

/** `flags`: XATTR_CREATE, XATTR_REPLACE, or 0. -ENOSPC: too long, or too many. */
export function setXattr(s: VfsState, id: NodeId, name: string, value: Uint8Array, flags: number): number {
  return s.locked(() => {
    let n = find(s, id, name);
    if (n !== undefined && (flags & XATTR_CREATE) !== 0) return -EEXIST;
    if (n === undefined && (flags & XATTR_REPLACE) !== 0) return -ENODATA;
    if (value.length > XATTR_BYTES) return -ENOSPC;
    if (n === undefined) {
      n = s.takeFree(AREA.XATTRS, MAX_XATTRS, XATTR.SIZE, 0);
      if (n < 0) return -ENOSPC;
      storeNode(s, word(n) + XATTR.ID, id);
      s.setText(word(n) + XATTR.NAME, name);
      s.set(word(n), name.length + 1);
      Atomics.add(s.words, AREA.HEAD + HEAD.XATTRS, 1);
    }
    s.bytes.set(value, valueOf(n));
    s.set(word(n) + XATTR.VALUE_LENGTH, value.length);
    return 0;
  });
}

function free(s: VfsState, n: number): void {
  s.set(word(n), 0);
  Atomics.sub(s.words, AREA.HEAD + HEAD.XATTRS, 1);
}

export function removeXattr(s: VfsState, id: NodeId, name: string): number {
  return s.locked(() => {
    const n = find(s, id, name);
    if (n === undefined) return -ENODATA;
    free(s, n);
    return 0;
  });
}

/** The last name of the file is gone. */
export function dropXattrs(s: VfsState, id: NodeId): void {
  s.locked(() => {
    for (const n of all(s, id)) free(s, n);
  });
}
