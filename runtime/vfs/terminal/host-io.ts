/**
 * Reads and writes of the host's terminal, in a guest's thread. In: buffers. Out: bytes transferred, or -errno. Input comes from the main thread (host-terminal.ts); output goes
 * to a descriptor that does not block. Source: man 4 tty.
 */
import { EAGAIN, EIO } from '../../linux/errno.js';
import { hostWrite, isNonBlocking, joined, once, rest, sizeOf } from '../file-io.js';
import type { Buffers } from '../file-ops.js';
import { TTY } from '../layout.js';
import { READABLE } from '../poll-events.js';
import { doubling, TIMED_OUT, waitUntil } from '../wait-queue.js';
import { mayWrite } from './access.js';
import { hostIsCooked, hostOutput, rawNewline } from './host-modes.js';
import { putOutput } from './output.js';
import { inputReady, isStopped, readSlave, slaveReadiness } from './slave-io.js';
import { TTY_FLAG, type Tty } from './tty.js';

/** Sleeps, in ms, while the terminal takes nothing: they double. */
const FIRST_RECHECK_MS = 0.1;
const LAST_RECHECK_MS = 8;
/** How long a non-blocking read or a look at the readiness waits for the main thread's answer, in ms. */
const ANSWER_MS = 10;
/** How long a change of modes waits for the main thread, in ms. */
const SWITCH_MS = 1000;

/** Asks for input, once. In raw mode it comes by itself. */
function ask(tty: Tty): void {
  const before = tty.s.locked(() => {
    const wanted = tty.get(TTY.WANTED);
    tty.set(TTY.WANTED, 1);
    return wanted;
  });
  if (before === 0) tty.s.port.terminalChanged();
}

/** After new modes: what is typed from now on finds the host's terminal as it is to be. */
export function changeHost(tty: Tty): void {
  const raw = !hostIsCooked(tty);
  const isSwitched = (): 0 | undefined => (tty.has(TTY_FLAG.HOST_RAW) === raw ? 0 : undefined);
  if (isSwitched() === 0) return;
  tty.s.port.terminalChanged();
  waitUntil(tty.s, [tty.queue], isSwitched, SWITCH_MS);
}

export function readHost(tty: Tty, file: number, size: number, buffers: Buffers): number {
  const fetch = (): void => {
    ask(tty);
  };
  const n = readSlave(tty, file, size, buffers, fetch);
  if (n !== -EAGAIN || !isNonBlocking(tty.s, file)) return n;
  // What the host has already may take a moment to come.
  const came = waitUntil(tty.s, [tty.queue], () => (inputReady(tty) ? 0 : undefined), ANSWER_MS);
  return came === 0 ? readSlave(tty, file, size, buffers, fetch) : -EAGAIN;
}

export function writeHost(tty: Tty, file: number, buffers: Buffers): number {
  const s = tty.s;
  const allowed = mayWrite(tty, s.port);
  if (allowed < 0) return allowed;
  if (!hostOutput(tty)) return writeProcessed(tty, buffers);
  let done = 0;
  return writing(tty, isNonBlocking(s, file), () =>
    once(buffers, (list) => {
      const n = hostWrite(tty.get(TTY.HOST_FD), done === 0 ? list : rest(list, done), null);
      if (n === -EAGAIN) return undefined;
      if (n < 0) return n;
      done += n;
      return done === sizeOf(list) || isNonBlocking(s, file) ? done : undefined;
    }),
  );
}

/** All of it: where one byte becomes several, none can be left over. */
function writeProcessed(tty: Tty, buffers: Buffers): number {
  let bytes: Uint8Array | undefined;
  let size = 0;
  let done = 0;
  const n = writing(tty, false, () => {
    if (bytes === undefined) {
      const list = buffers();
      if (typeof list === 'number') return list;
      const out: number[] = [];
      size = sizeOf(list);
      tty.s.locked(() => {
        for (const byte of joined(list)) putOutput(tty, (b) => out.push(rawNewline(b)), byte);
      });
      bytes = Uint8Array.from(out);
    }
    const k = hostWrite(tty.get(TTY.HOST_FD), [bytes.subarray(done)], null);
    if (k === -EAGAIN) return undefined;
    if (k < 0) return k;
    done += k;
    return done === bytes.length ? size : undefined;
  });
  // Interrupted: the bytes that are out count, or about as many.
  return n < 0 && done > 0 ? Math.min(done, size) : n;
}

/** Waits while output is stopped, and while the host has no room, which nobody tells. */
function writing(tty: Tty, nonBlocking: boolean, attempt: () => number | undefined): number {
  const pause = doubling(FIRST_RECHECK_MS, LAST_RECHECK_MS);
  const look = (): number | undefined => {
    if (tty.has(TTY_FLAG.HUNG)) return -EIO;
    const n = isStopped(tty) ? undefined : attempt();
    return n === undefined && nonBlocking ? -EAGAIN : n;
  };
  const n = waitUntil(tty.s, [tty.queue], look, Infinity, () => (isStopped(tty) ? Infinity : pause()));
  return n === TIMED_OUT ? -EAGAIN : n;
}

export function hostReadiness(tty: Tty, wanted: number): number {
  if ((wanted & READABLE) !== 0 && !inputReady(tty)) ask(tty);
  return slaveReadiness(tty);
}
