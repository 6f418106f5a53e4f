/**
 * Reads, writes and readiness of the master's side of a pair. In: buffers. Out: bytes transferred, or -errno. Source: man 7 pty, man 2 ioctl_tty (TIOCPKT).
 */
import { EAGAIN, EIO } from '../../linux/errno.js';
import { blocking, once, rest } from '../file-io.js';
import type { Buffers } from '../file-ops.js';
import { TTY } from '../layout.js';
import { POLLHUP, POLLPRI, READABLE, WRITABLE } from '../poll-events.js';
import { signalForeground } from './access.js';
import { receive } from './line-discipline.js';
import { TTY_FLAG, type Tty } from './tty.js';

/** Free places with which the master counts as writable: a byte may take two, and one is kept for the end of a line. */
const LEAST_ROOM = 3;

export function readMaster(tty: Tty, file: number, size: number, buffers: Buffers): number {
  const s = tty.s;
  if (size === 0) return 0;
  return blocking(s, file, [tty.queue], () =>
    once(buffers, (list) => {
      const n = s.locked(() => takeOutput(tty, list));
      if (n === undefined) return tty.has(TTY_FLAG.SLAVES_GONE) ? -EIO : undefined;
      tty.wake();
      return n;
    }),
  );
}

/** Undefined: there is nothing. In packet mode a byte tells what it is. */
function takeOutput(tty: Tty, list: readonly Uint8Array[]): number | undefined {
  const packets = tty.has(TTY_FLAG.PACKET);
  let n = 0;
  if (packets) {
    const events = tty.get(TTY.PACKET);
    const first = list.find((b) => b.length > 0);
    if (events === 0 && !hasOutput(tty)) return undefined;
    if (first !== undefined) first[0] = events;
    tty.set(TTY.PACKET, 0);
    if (events !== 0) return 1;
    n = 1;
  } else if (!hasOutput(tty)) {
    return undefined;
  }
  for (const part of rest(list, n)) n += tty.takeShown(part);
  return n;
}

const hasOutput = (tty: Tty): boolean => tty.shownBytes > 0;

/** What a user types. */
export function writeMaster(tty: Tty, file: number, buffers: Buffers): number {
  const s = tty.s;
  let done = 0;
  const n = blocking(s, file, [tty.queue], () =>
    once(buffers, (list) => {
      const before = done;
      const signals: number[] = [];
      s.locked(() => {
        for (const part of rest(list, done)) {
          const taken = receive(tty, tty.show, part, signals);
          done += taken;
          if (taken < part.length) break;
        }
      });
      for (const signal of signals) signalForeground(tty, signal);
      if (done > before) tty.wake();
      return done > before || list.every((b) => b.length === 0) ? done : undefined;
    }),
  );
  return n === -EAGAIN && done > 0 ? done : n;
}

export function masterReadiness(tty: Tty): number {
  const events = tty.has(TTY_FLAG.PACKET) ? tty.get(TTY.PACKET) : 0;
  return (
    (hasOutput(tty) || events !== 0 ? READABLE : 0) |
    (events !== 0 ? POLLPRI : 0) |
    (tty.has(TTY_FLAG.SLAVES_GONE) ? READABLE | POLLHUP : 0) |
    (tty.typedRoom >= LEAST_ROOM ? WRITABLE : 0)
  );
}
