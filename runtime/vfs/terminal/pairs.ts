/**
 * Pairs of pseudo-terminals: how they are made, opened, closed and hung up. In: opens of /dev/ptmx, /dev/pts/N and /dev/tty. Out: descriptions with one reference, or
 * -errno. Source: man 4 ptmx, man 4 tty, man 7 pty, man 3 grantpt.
 */
import { EBUSY, EIO, ENOENT, ENOSPC, ENXIO } from '../../linux/errno.js';
import { bytePath, type BytePath } from '../byte-path.js';
import type { FileContext } from '../file-context.js';
import type { AfterClose } from '../file-ops.js';
import { AREA, MAX_TTYS, TTY } from '../layout.js';
import { fileObject, KIND, newFile } from '../open-files.js';
import { O_ACCMODE, O_NOCTTY, O_WRONLY } from '../open-flags.js';
import type { VfsState } from '../state.js';
import { openedTerminal } from './access.js';
import { findPair, HOST_TTY, Tty, TTY_FLAG } from './tty.js';

/** Permission bits of a new slave, and the group tty. */
const SLAVE_MODE = 0o620;
const TTY_GROUP = 5;

export const ttyOf = (s: VfsState, file: number): Tty => new Tty(s, fileObject(s, file));
export const slavePath = (tty: Tty): BytePath => bytePath(`/dev/pts/${String(tty.get(TTY.NUMBER))}`);

/** Opens /dev/ptmx: a new pair, whose slave is locked; -ENOSPC. */
export function openMaster(c: FileContext, path: BytePath, flags: number): number {
  const s = c.state;
  const uid = process.getuid?.() ?? 0;
  const index = s.locked(() => {
    const free = s.findFree(AREA.TTYS + TTY.SIZE, MAX_TTYS - 1, TTY.SIZE, TTY.USED) + HOST_TTY + 1;
    if (free <= HOST_TTY) return -ENOSPC;
    const tty = new Tty(s, free);
    const number = freeNumber(s);
    tty.reset();
    tty.set(TTY.NUMBER, number);
    tty.set(TTY.MASTERS, 1);
    tty.set(TTY.UID, uid);
    tty.set(TTY.GID, TTY_GROUP);
    tty.set(TTY.MODE, SLAVE_MODE);
    tty.setFlag(TTY_FLAG.LOCKED, true);
    return free;
  });
  if (index < 0) return index;
  const file = newFile(s, { kind: KIND.PTMX, flags, object: index, path });
  if (file < 0) s.locked(() => masterClosed(s, index));
  return file;
}

/** The lowest number that no pair has, nor the host's terminal. The caller holds the region's lock. */
function freeNumber(s: VfsState): number {
  const taken = new Set<number>();
  for (let i = 0; i < MAX_TTYS; i++) {
    const tty = new Tty(s, i);
    if (tty.get(TTY.USED) !== 0) taken.add(tty.get(TTY.NUMBER));
  }
  let number = 0;
  while (taken.has(number)) number++;
  return number;
}

/** Numbers of the pairs whose masters are open: the names in /dev/pts. */
export function slaveNumbers(s: VfsState): number[] {
  const found: number[] = [];
  for (let i = HOST_TTY + 1; i < MAX_TTYS; i++) {
    const tty = new Tty(s, i);
    if (tty.get(TTY.MASTERS) > 0) found.push(tty.get(TTY.NUMBER));
  }
  return found.sort((a, b) => a - b);
}

/** Opens /dev/pts/NUMBER. */
export function openSlave(c: FileContext, number: number, path: BytePath, flags: number): number {
  const tty = findPair(c.state, number);
  return tty === undefined ? -ENOENT : openTty(c, tty, path, flags);
}

/** Whether the host's device `rdev` is the terminal that lift64 runs in. */
export function isHostTerminal(s: VfsState, rdev: number): boolean {
  const tty = new Tty(s, HOST_TTY);
  return tty.get(TTY.USED) !== 0 && tty.get(TTY.HOST_RDEV) === rdev;
}

/** Opens /dev/tty; -ENXIO for a process without a controlling terminal. */
export function openControllingTerminal(c: FileContext, path: BytePath, flags: number): number {
  const index = c.port.jobs?.terminal ?? -1;
  return index < 0 ? -ENXIO : openTty(c, new Tty(c.state, index), path, flags | O_NOCTTY);
}

/** A description of a slave, or of the host's terminal. */
export function openTty(c: FileContext, tty: Tty, path: BytePath, flags: number): number {
  const s = c.state;
  const failure = s.locked(() => {
    if (tty.has(TTY_FLAG.HUNG) || tty.has(TTY_FLAG.LOCKED)) return -EIO;
    if (tty.has(TTY_FLAG.EXCLUSIVE) && s.port.jobs?.isRoot !== true) return -EBUSY;
    tty.set(TTY.SLAVES, tty.get(TTY.SLAVES) + 1);
    tty.setFlag(TTY_FLAG.SLAVES_GONE, false);
    return 0;
  });
  if (failure < 0) return failure;
  const file = newFile(s, { kind: KIND.TERMINAL, flags: flags & ~O_NOCTTY, object: tty.index, path });
  if (file < 0) s.locked(() => slaveClosed(s, tty.index));
  else if ((flags & O_NOCTTY) === 0 && (flags & O_ACCMODE) !== O_WRONLY) openedTerminal(tty, s.port);
  return file;
}

/** One slave less; the last one ends the session's hold of the terminal, and what the master reads. Under the region's lock. */
export function slaveClosed(s: VfsState, index: number): AfterClose {
  const tty = new Tty(s, index);
  const left = tty.get(TTY.SLAVES) - 1;
  tty.set(TTY.SLAVES, left);
  if (left > 0 || tty.isHost) return {};
  const session = tty.get(TTY.SESSION);
  tty.clearSession();
  tty.setFlag(TTY_FLAG.SLAVES_GONE, true);
  if (tty.get(TTY.MASTERS) === 0) tty.set(TTY.USED, 0);
  if (session === 0) return { queue: tty.queue };
  return {
    queue: tty.queue,
    then: () => {
      s.port.jobs?.dropTerminal(session, index);
    },
  };
}

/** One master less; the last one hangs up. Under the region's lock. */
export function masterClosed(s: VfsState, index: number): AfterClose {
  const tty = new Tty(s, index);
  const left = tty.get(TTY.MASTERS) - 1;
  tty.set(TTY.MASTERS, left);
  if (left > 0) return {};
  const session = tty.get(TTY.SESSION);
  const foreground = tty.get(TTY.FOREGROUND);
  hangUp(tty);
  if (tty.get(TTY.SLAVES) === 0) tty.set(TTY.USED, 0);
  return {
    queue: tty.queue,
    then: () => {
      if (session !== 0) s.port.jobs?.hangUp(session, index, foreground);
    },
  };
}

/** The slave's descriptors are dead from here on. Under the region's lock. */
export function hangUp(tty: Tty): void {
  tty.setFlag(TTY_FLAG.HUNG, true);
  tty.clearSession();
  tty.flushTyped();
}

/** The session's leader exits: gives the foreground process group of its terminal, 0 none, and frees the terminal. */
export function endSession(s: VfsState, index: number, session: number): number {
  return s.locked(() => {
    const tty = new Tty(s, index);
    if (tty.get(TTY.SESSION) !== session) return 0;
    const foreground = tty.get(TTY.FOREGROUND);
    tty.clearSession();
    return foreground;
  });
}
