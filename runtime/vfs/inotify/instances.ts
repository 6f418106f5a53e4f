/**
 * inotify instances in the shared region: their rings of events that have not been read. In: events. Out: struct inotify_event, one after the other. Source: man 7 inotify.
 * Functions whose name ends in Locked are called with the region's lock held.
 */
import { EINVAL, EMFILE } from '../../linux/errno.js';
import { AREA, INOTIFY, INOTIFY_EVENTS, INOTIFY_RING, MAX_INOTIFIES } from '../layout.js';
import { putRound, takeRound } from '../ring-bytes.js';
import type { VfsState } from '../state.js';

export const IN = {
  ACCESS: 0x1,
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  CLOSE_NOWRITE: 0x10,
  OPEN: 0x20,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  DELETE_SELF: 0x400,
  MOVE_SELF: 0x800,
  /** Every event above. */
  ALL: 0xfff,
  Q_OVERFLOW: 0x4000,
  IGNORED: 0x8000,
  ONLYDIR: 0x100_0000,
  DONT_FOLLOW: 0x200_0000,
  EXCL_UNLINK: 0x400_0000,
  MASK_CREATE: 0x1000_0000,
  MASK_ADD: 0x2000_0000,
  ISDIR: 0x4000_0000,
  ONESHOT: 0x8000_0000,
} as const;

/** Bytes of an event without its name; names are padded to a multiple of it. */
const EVENT_BYTES = 16;

export const inotifyWord = (instance: number): number => AREA.INOTIFIES + instance * INOTIFY.SIZE;
export const inotifyQueue = (instance: number): number => inotifyWord(instance) + INOTIFY.QUEUE;

/** -EMFILE when there are MAX_INOTIFIES. */
export function newInotify(s: VfsState): number {
  return s.locked(() => {
    const instance = s.takeFree(AREA.INOTIFIES, MAX_INOTIFIES, INOTIFY.SIZE, INOTIFY.USED);
    return instance < 0 ? -EMFILE : instance;
  });
}

/** Bytes that a read would give at most: FIONREAD. */
export function unreadBytes(s: VfsState, instance: number): number {
  const w = inotifyWord(instance);
  return (s.get(w + INOTIFY.HEAD) - s.get(w + INOTIFY.TAIL)) | 0;
}

const byteOf = (instance: number, position: number): number =>
  AREA.INOTIFY_RINGS * 4 + instance * INOTIFY_RING + (position & (INOTIFY_RING - 1));

function event(wd: number, mask: number, cookie: number, name: string): Buffer {
  const padded = name === '' ? 0 : (name.length + EVENT_BYTES) & ~(EVENT_BYTES - 1);
  const bytes = Buffer.alloc(EVENT_BYTES + padded);
  bytes.writeInt32LE(wd, 0);
  bytes.writeUInt32LE(mask >>> 0, 4);
  bytes.writeUInt32LE(cookie >>> 0, 8);
  bytes.writeUInt32LE(padded, 12);
  bytes.write(name, EVENT_BYTES, 'latin1');
  return bytes;
}

/** Adds an event, unless the last one is the same; the instance's queue is to be woken then. Where there is no room, an overflow is what is told last. */
export function queueEventLocked(
  s: VfsState,
  instance: number,
  wd: number,
  mask: number,
  cookie: number,
  name: string,
): void {
  const w = inotifyWord(instance);
  const count = s.peek(w + INOTIFY.COUNT);
  let bytes = event(wd, mask, cookie, name);
  if (count > 0 && (mask & IN.IGNORED) === 0 && isLast(s, instance, bytes)) return;
  const used = (s.peek(w + INOTIFY.HEAD) - s.peek(w + INOTIFY.TAIL)) | 0;
  if (count >= INOTIFY_EVENTS || used + bytes.length > INOTIFY_RING - EVENT_BYTES) {
    bytes = event(-1, IN.Q_OVERFLOW, 0, '');
    // There is one of these at most.
    if (count > INOTIFY_EVENTS || isLast(s, instance, bytes)) return;
  }
  const head = s.peek(w + INOTIFY.HEAD);
  putRound(s, byteOf(instance, 0), INOTIFY_RING, head, bytes);
  s.set(w + INOTIFY.LAST, head);
  s.set(w + INOTIFY.HEAD, (head + bytes.length) | 0);
  s.set(w + INOTIFY.COUNT, count + 1);
}

/** Whether the last event is this one, whatever its cookie. */
function isLast(s: VfsState, instance: number, bytes: Buffer): boolean {
  const last = s.peek(inotifyWord(instance) + INOTIFY.LAST);
  for (let n = 0; n < bytes.length; n++) {
    if (n >= 8 && n < 12) continue;
    if (s.bytes[byteOf(instance, last + n)] !== bytes[n]) return false;
  }
  return true;
}

/** Takes as many whole events as `size` bytes hold; undefined: there is none. -EINVAL: not even the first one fits. */
export function takeEvents(s: VfsState, instance: number, size: number): Uint8Array | number | undefined {
  return s.locked(() => {
    const w = inotifyWord(instance);
    const [tail, unread] = [s.peek(w + INOTIFY.TAIL), unreadBytes(s, instance)];
    if (unread === 0) return undefined;
    let [taken, count] = [0, 0];
    while (taken < unread) {
      const length = EVENT_BYTES + s.peek((byteOf(instance, tail + taken) + 12) >> 2);
      if (taken + length > size) break;
      taken += length;
      count++;
    }
    if (count === 0) return -EINVAL;
    const out = new Uint8Array(taken);
    takeRound(s, byteOf(instance, 0), INOTIFY_RING, tail, out);
    s.set(w + INOTIFY.TAIL, (tail + taken) | 0);
    s.set(w + INOTIFY.COUNT, s.peek(w + INOTIFY.COUNT) - count);
    return out;
  });
}
