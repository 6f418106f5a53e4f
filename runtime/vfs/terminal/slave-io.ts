/**
 * Reads, writes and readiness of the slave's side of a terminal. In: buffers. Out: bytes transferred, or -errno. Source: man 3 termios (canonical and noncanonical mode,
 * VMIN, VTIME), man 7 pty.
 */
import { EAGAIN, EIO } from '../../linux/errno.js';
import { isNonBlocking, once, rest } from '../file-io.js';
import type { Buffers } from '../file-ops.js';
import { TTY } from '../layout.js';
import { POLLERR, POLLHUP, READABLE, WRITABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';
import { TIMED_OUT, waitUntil } from '../wait-queue.js';
import { mayRead, mayWrite } from './access.js';
import { LONGEST_OUTPUT, putOutput } from './output.js';
import { CC, LFLAG } from './termios.js';
import { TTY_FLAG, TYPED, type Tty } from './tty.js';

/** VTIME counts tenths of a second. */
const TENTH_MS = 100;

const isCanonical = (tty: Tty): boolean => (tty.lflag & LFLAG.ICANON) !== 0;
export const isStopped = (tty: Tty): boolean => tty.has(TTY_FLAG.STOPPED) || tty.has(TTY_FLAG.TCO_STOPPED);

/** Whether a read would return at once. */
export function inputReady(tty: Tty): boolean {
  if (isCanonical(tty)) return tty.lineBytes > 0;
  const least = tty.char(CC.TIME) === 0 ? Math.max(1, tty.char(CC.MIN)) : 1;
  return tty.typedBytes >= least;
}

/** Takes up to a line, or what there is in noncanonical mode; undefined: nothing. The caller holds the region's lock. */
function take(tty: Tty, dst: Uint8Array): number | undefined {
  const canonical = isCanonical(tty);
  const ready = canonical ? tty.lineBytes : tty.typedBytes;
  if (ready === 0) return undefined;
  let at = tty.get(TTY.IN_TAIL);
  let n = 0;
  for (let left = ready; left > 0; left--) {
    const mark = canonical ? tty.markAt(at) : TYPED.PLAIN;
    if (mark !== TYPED.EOF) {
      if (n === dst.length) break;
      dst[n++] = tty.typedAt(at);
    }
    at = (at + 1) | 0;
    if (mark !== TYPED.PLAIN) break;
  }
  tty.set(TTY.IN_TAIL, at);
  if (((tty.get(TTY.IN_LINE) - at) | 0) < 0) tty.set(TTY.IN_LINE, at);
  return n;
}

/** What a read waits for in noncanonical mode. */
interface Patience {
  /** Bytes that end the read; 0: it does not wait for any. */
  readonly least: number;
  /** Longest wait, ms, for the first byte, and for each further one. */
  readonly firstMs: number;
  readonly nextMs: number;
}

function patience(tty: Tty): Patience {
  if (isCanonical(tty)) return { least: 1, firstMs: Infinity, nextMs: Infinity };
  const min = tty.char(CC.MIN);
  const ms = tty.char(CC.TIME) * TENTH_MS;
  if (min > 0) return { least: min, firstMs: Infinity, nextMs: ms === 0 ? Infinity : ms };
  return { least: ms === 0 ? 0 : 1, firstMs: ms, nextMs: ms };
}

/** @param fetch asks for input where it comes only on demand (the host's terminal); called without the lock */
export function readSlave(tty: Tty, file: number, size: number, buffers: Buffers, fetch: () => void): number {
  const s = tty.s;
  if (size === 0) return 0;
  const allowed = mayRead(tty, s.port);
  if (allowed < 0) return tty.has(TTY_FLAG.HUNG) ? 0 : allowed;
  const { least, firstMs, nextMs } = patience(tty);
  const wanted = Math.min(least, size);
  let done = 0;
  /** A line, the end of the file or enough bytes. */
  const isEnd = (n: number): boolean => n === 0 || done >= wanted;
  const attempt = (): number | undefined => {
    const n = once(buffers, (list) => takeInto(s, tty, list, done));
    if (n === undefined) {
      if (tty.has(TTY_FLAG.HUNG)) return 0;
      fetch();
      return undefined;
    }
    if (n < 0) return n;
    done += n;
    return n;
  };
  for (;;) {
    const waits = !isNonBlocking(s, file) && (least > 0 || done > 0);
    const n = waits ? waitUntil(s, [tty.queue], attempt, done === 0 ? firstMs : nextMs) : attempt();
    if (n === undefined) return done > 0 || least === 0 ? done : -EAGAIN;
    if (n === TIMED_OUT) return done;
    if (n < 0) return done > 0 ? done : n;
    if (isEnd(n)) return done;
  }
}

/** Fills the buffer that byte `skip` is in, from there on; undefined: there is nothing. */
function takeInto(s: VfsState, tty: Tty, list: readonly Uint8Array[], skip: number): number | undefined {
  const [part] = rest(list, skip);
  if (part === undefined) return undefined;
  const before = tty.typedBytes;
  const n = s.locked(() => take(tty, part));
  if (before > 0) tty.wake();
  return n;
}

/** What a program writes, to the master's ring. */
export function writeSlave(tty: Tty, file: number, buffers: Buffers): number {
  const s = tty.s;
  const allowed = mayWrite(tty, s.port);
  if (allowed < 0) return allowed;
  let done = 0;
  const attempt = (): number | undefined =>
    once(buffers, (list) => {
      if (tty.has(TTY_FLAG.HUNG)) return -EIO;
      const before = done;
      const full = s.locked(() => {
        for (const part of rest(list, done)) {
          for (const byte of part) {
            if (isStopped(tty) || tty.shownRoom < LONGEST_OUTPUT) return true;
            putOutput(tty, tty.show, byte);
            done++;
          }
        }
        return false;
      });
      if (done > before) tty.wake();
      if (!full) return done;
      return isNonBlocking(s, file) ? (done > 0 ? done : -EAGAIN) : undefined;
    });
  const n = waitUntil(s, [tty.queue], attempt);
  if (n === TIMED_OUT) return done;
  return n < 0 && done > 0 ? done : n;
}

export function slaveReadiness(tty: Tty): number {
  if (tty.has(TTY_FLAG.HUNG)) return READABLE | WRITABLE | POLLERR | POLLHUP;
  const writable = !isStopped(tty) && tty.shownRoom >= LONGEST_OUTPUT;
  return (inputReady(tty) ? READABLE : 0) | (writable ? WRITABLE : 0);
}

/** FIONREAD: bytes that a read could get. */
export function readableBytes(tty: Tty): number {
  if (!isCanonical(tty)) return tty.typedBytes;
  let n = 0;
  const end = tty.get(TTY.IN_LINE);
  for (let at = tty.get(TTY.IN_TAIL); at !== end; at = (at + 1) | 0) if (tty.markAt(at) !== TYPED.EOF) n++;
  return n;
}
