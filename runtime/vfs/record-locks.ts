/**
 * Advisory locks within lift64: byte ranges (fcntl, of processes and of open file descriptions) and whole files (flock). Other programs of the
 * host neither see nor keep them: Node has no call for it. In: the file's device and inode, owner, range. Out: conflicts.
 * Source: man 2 fcntl (advisory record locking, open file description locks), man 2 flock.
 */
import { EDEADLK, ENOLCK } from '../linux/errno.js';
import { AREA, HEAD, LOCK, MAX_RECORD_LOCKS } from './layout.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

/** WAIT: no lock, but a process (owner) that waits for another one (pid), by thread slot (start). */
export const LOCK_SPACE = { RECORD: 1, FLOCK: 2, WAIT: 3 } as const;
export const LOCK_TYPE = { NONE: 0, SHARED: 1, EXCLUSIVE: 2 } as const;
/** End of a lock that reaches to the end of the file, however long. */
export const LOCK_END = Number.MAX_SAFE_INTEGER;

export interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface FileLock {
  readonly space: number;
  /** A process: its fd table. An open file description: -(description + 1). */
  readonly owner: number;
  readonly pid: number;
  readonly type: number;
  /** Bytes; end is exclusive. */
  readonly start: number;
  readonly end: number;
}

const word = (i: number): number => AREA.RECORD_LOCKS + i * LOCK.SIZE;
export const lockQueue = AREA.LOCK_QUEUE;
export const locksHeld = (s: VfsState): number => s.get(AREA.HEAD + HEAD.LOCKS_HELD);

function readLock(s: VfsState, i: number): FileLock {
  const w = word(i);
  return {
    space: s.get(w + LOCK.SPACE),
    owner: s.get(w + LOCK.OWNER),
    pid: s.get(w + LOCK.PID),
    type: s.get(w + LOCK.TYPE),
    start: s.get64(w + LOCK.START_LO),
    end: s.get64(w + LOCK.END_LO),
  };
}

const low = (v: bigint): number => Number(BigInt.asIntN(32, v));
const high = (v: bigint): number => Number(BigInt.asIntN(32, v >> 32n));

function isOn(s: VfsState, i: number, id: FileId): boolean {
  const w = word(i);
  return (
    s.get(w + LOCK.INO_LO) === low(id.ino) &&
    s.get(w + LOCK.INO_HI) === high(id.ino) &&
    s.get(w + LOCK.DEV_LO) === low(id.dev) &&
    s.get(w + LOCK.DEV_HI) === high(id.dev)
  );
}

function writeLock(s: VfsState, i: number, id: FileId, l: FileLock): void {
  const w = word(i);
  s.set(w + LOCK.SPACE, l.space);
  s.set(w + LOCK.OWNER, l.owner);
  s.set(w + LOCK.PID, l.pid);
  s.set(w + LOCK.DEV_LO, low(id.dev));
  s.set(w + LOCK.DEV_HI, high(id.dev));
  s.set(w + LOCK.INO_LO, low(id.ino));
  s.set(w + LOCK.INO_HI, high(id.ino));
  s.set64(w + LOCK.START_LO, l.start);
  s.set64(w + LOCK.END_LO, l.end);
  s.set(w + LOCK.TYPE, l.type);
}

const overlap = (a: FileLock, b: FileLock): boolean => a.start < b.end && b.start < a.end;

/** Entries in use on the file, in this space. */
function entries(s: VfsState, id: FileId, space: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < MAX_RECORD_LOCKS; i++) {
    const w = word(i);
    if (s.get(w + LOCK.TYPE) !== 0 && s.get(w + LOCK.SPACE) === space && isOn(s, i, id)) found.push(i);
  }
  return found;
}

/** The first lock of another owner that `l` would conflict with. */
export function findConflict(s: VfsState, id: FileId, l: FileLock): FileLock | undefined {
  for (const i of entries(s, id, l.space)) {
    const other = readLock(s, i);
    if (other.owner === l.owner || !overlap(other, l)) continue;
    if (other.type === LOCK_TYPE.EXCLUSIVE || l.type === LOCK_TYPE.EXCLUSIVE) return other;
  }
  return undefined;
}

/** Sets `l`, or clears its range when its type is NONE. The conflicting lock when there is one; -ENOLCK when the table is full; 0 when done. */
export function setLock(s: VfsState, id: FileId, l: FileLock): FileLock | number {
  const result = s.locked(() => {
    const conflict = l.type === LOCK_TYPE.NONE ? undefined : findConflict(s, id, l);
    if (conflict !== undefined) return conflict;
    let { start, end } = l;
    const rest: FileLock[] = [];
    const mine = entries(s, id, l.space).filter((i) => s.get(word(i) + LOCK.OWNER) === l.owner);
    const replaced: number[] = [];
    for (const i of mine) {
      const old = readLock(s, i);
      if (old.end < l.start || old.start > l.end) continue;
      if (old.type === l.type) {
        // Overlaps or touches: one lock from now on.
        start = Math.min(start, old.start);
        end = Math.max(end, old.end);
        replaced.push(i);
      } else if (overlap(old, l)) {
        if (old.start < l.start) rest.push({ ...old, end: l.start });
        if (old.end > l.end) rest.push({ ...old, start: l.end });
        replaced.push(i);
      }
    }
    if (l.type !== LOCK_TYPE.NONE) rest.push({ ...l, start, end });
    const free: number[] = [...replaced];
    for (let i = 0; i < MAX_RECORD_LOCKS && free.length < rest.length; i++) {
      if (s.get(word(i) + LOCK.TYPE) === 0) free.push(i);
    }
    if (free.length < rest.length) return -ENOLCK;
    for (const i of replaced) s.set(word(i) + LOCK.TYPE, 0);
    rest.forEach((lock, n) => {
      writeLock(s, free[n] ?? 0, id, lock);
    });
    Atomics.add(s.words, AREA.HEAD + HEAD.LOCKS_HELD, rest.length - replaced.length);
    return 0;
  });
  if (result === 0) wakeAll(s, lockQueue);
  return result;
}

/** Processes that wait for one another, followed no further: as far as Linux goes. */
const LONGEST_CHAIN = 10;

/** Notes that the process `owner` waits for a lock of `blocker`; -EDEADLK when that one waits for `owner`, itself or by others. Undone by endWait. */
export function beginWait(s: VfsState, owner: number, blocker: number): number {
  return s.locked(() => {
    let last = blocker;
    for (let n = 0; n < LONGEST_CHAIN; n++) {
      if (last === owner) return -EDEADLK;
      const next = blockerOf(s, last);
      if (next === undefined) break;
      last = next;
    }
    clearWait(s);
    const free = s.findFree(AREA.RECORD_LOCKS, MAX_RECORD_LOCKS, LOCK.SIZE, LOCK.TYPE);
    // In a full table, deadlocks go unseen.
    if (free < 0) return 0;
    const lock = { space: LOCK_SPACE.WAIT, owner, pid: blocker, type: LOCK_TYPE.SHARED, start: s.port.slot, end: 0 };
    writeLock(s, free, { dev: 0n, ino: 0n }, lock);
    Atomics.add(s.words, AREA.HEAD + HEAD.LOCKS_HELD, 1);
    return 0;
  });
}

/** The calling thread waits no more. */
export function endWait(s: VfsState): void {
  s.locked(() => {
    clearWait(s);
  });
}

function waiting(s: VfsState, accept: (lock: FileLock) => boolean): number {
  for (let i = 0; i < MAX_RECORD_LOCKS; i++) {
    const w = word(i);
    if (s.get(w + LOCK.TYPE) !== 0 && s.get(w + LOCK.SPACE) === LOCK_SPACE.WAIT && accept(readLock(s, i))) return i;
  }
  return -1;
}

function blockerOf(s: VfsState, owner: number): number | undefined {
  const i = waiting(s, (lock) => lock.owner === owner);
  return i < 0 ? undefined : readLock(s, i).pid;
}

function clearWait(s: VfsState): void {
  const mine = waiting(s, (lock) => lock.start === s.port.slot);
  if (mine < 0) return;
  s.set(word(mine) + LOCK.TYPE, 0);
  Atomics.sub(s.words, AREA.HEAD + HEAD.LOCKS_HELD, 1);
}

/** Drops the locks of an owner: on one file, or on all. */
export function dropLocks(s: VfsState, owner: number, id?: FileId): void {
  if (locksHeld(s) === 0) return;
  const dropped = s.locked(() => {
    let n = 0;
    for (let i = 0; i < MAX_RECORD_LOCKS; i++) {
      const w = word(i);
      if (s.get(w + LOCK.TYPE) === 0 || s.get(w + LOCK.OWNER) !== owner) continue;
      if (id !== undefined && !isOn(s, i, id)) continue;
      s.set(w + LOCK.TYPE, 0);
      n++;
    }
    Atomics.sub(s.words, AREA.HEAD + HEAD.LOCKS_HELD, n);
    return n;
  });
  if (dropped > 0) wakeAll(s, lockQueue);
}
