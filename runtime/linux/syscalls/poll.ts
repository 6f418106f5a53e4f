/**
 * Waiting for files: poll and select. In: descriptors and events in guest memory. Out: rows. Source: man 2 poll, man 2 select; man 7 signal for restarts.
 */
import { pinFile } from '../../vfs/fd-table.js';
import { fileOps, putFile } from '../../vfs/open-files.js';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../../vfs/poll-events.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EBADF, EFAULT, EINVAL, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTSYS } from '../errno.js';
import { readTimePair } from '../structs.js';
import type { Thread } from '../thread.js';
import { masked, type Timeout, timeoutAt } from '../wait-args.js';

interface Watch {
  readonly fd: number;
  /** Events that are waited for. */
  readonly events: number;
  /** Events that end the wait, and are reported. */
  readonly hits: number;
}

/**
 * Waits until one of the descriptors has an event that hits: the hits of each, all 0 when the time is up.
 * -ERESTARTSYS when the thread is interrupted. Negative descriptors are left out; those that are not open have POLLNVAL.
 */
function watch(t: Thread, list: readonly Watch[], timeoutMs: number): number[] | number {
  const { state, table } = t.files;
  const files = list.map(({ fd }) => (fd < 0 ? -1 : pinFile(state, table, fd)));
  try {
    const look = (): number[] | undefined => {
      const found = list.map(({ fd, events, hits }, i) => {
        const file = files[i] ?? -1;
        if (fd < 0) return 0;
        return file < 0 ? POLLNVAL : fileOps(state, file).readiness(state, file, events) & hits;
      });
      return found.some((hit) => hit !== 0) ? found : undefined;
    };
    const queues = new Set<number>();
    const rechecks: (() => number)[] = [];
    for (const file of files) {
      if (file < 0) continue;
      const ops = fileOps(state, file);
      const queue = ops.queue?.(state, file);
      if (queue !== undefined) queues.add(queue);
      const recheck = ops.recheck?.(state, file);
      if (recheck !== undefined) rechecks.push(recheck);
    }
    const recheck = rechecks.length === 0 ? undefined : (): number => Math.min(...rechecks.map((next) => next()));
    const found = waitUntil(state, [...queues], look, timeoutMs, recheck);
    return found === TIMED_OUT ? list.map(() => 0) : found;
  } finally {
    for (const file of files) if (file >= 0) putFile(state, file);
  }
}

// ---------------------------------------------------------------- poll

const POLLFD_BYTES = 8;

function poll(t: Thread, addr: number, count: number, timeoutMs: number): number {
  if (count > t.files.port.fdLimit()) return -EINVAL;
  const bytes = t.mem.read(addr, count * POLLFD_BYTES);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const list: Watch[] = [];
  for (let at = 0; at < bytes.length; at += POLLFD_BYTES) {
    const events = view.getUint16(at + 4, true);
    list.push({ fd: view.getInt32(at, true), events, hits: events | POLLERR | POLLHUP | POLLNVAL });
  }
  const found = watch(t, list, timeoutMs);
  if (typeof found === 'number') return found;
  found.forEach((events, i) => {
    view.setUint16(i * POLLFD_BYTES + 6, events, true);
  });
  if (!t.mem.write(addr, bytes)) return -EFAULT;
  return found.filter((events) => events !== 0).length;
}

/** poll goes on after a stop or a handler-less signal with the time that is left. */
function pollMs(t: Thread, addr: number, count: number, timeoutMs: number): SyscallResult {
  const deadline = performance.now() + timeoutMs;
  const result = poll(t, addr, count, timeoutMs);
  if (result !== -ERESTARTSYS) return result;
  t.task.restart = () => pollMs(t, addr, count, Math.max(0, deadline - performance.now()));
  return -ERESTART_RESTARTBLOCK;
}

const pollRow: Handler = (t, a) => pollMs(t, a.ptr(0), a.u32(1), a.i32(2) < 0 ? Infinity : a.i32(2));

// ---------------------------------------------------------------- ppoll

/** A wait that stores the time left, and is restarted only when no handler has run. */
function timed(timeout: Timeout | number, wait: (ms: number) => number): number {
  if (typeof timeout === 'number') return timeout;
  const result = wait(timeout.ms);
  timeout.store();
  return result === -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

const ppoll: Handler = (t, a) => {
  const timeout = timeoutAt(t, a.ptr(2), 'timespec');
  return masked(t, a.ptr(3), a.ptr(4), () => timed(timeout, (ms) => poll(t, a.ptr(0), a.u32(1), ms)));
};

// ---------------------------------------------------------------- select

/** What each set asks for, and what puts a descriptor into it. */
const SETS = [
  { arg: 1, ask: POLLIN | POLLRDNORM | POLLRDBAND, hit: POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR },
  { arg: 2, ask: POLLOUT | POLLWRNORM | POLLWRBAND, hit: POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR },
  { arg: 3, ask: POLLPRI, hit: POLLPRI },
] as const;

function select(t: Thread, a: SyscallArgs, timeoutMs: number): number {
  if (a.i32(0) < 0) return -EINVAL;
  const count = Math.min(a.i32(0), t.files.port.fdLimit());
  const size = Math.ceil(count / 64) * 8;
  const sets: { addr: number; bits: Uint8Array; ask: number; hit: number }[] = [];
  for (const { arg, ask, hit } of SETS) {
    const addr = a.ptr(arg);
    if (addr === 0) continue;
    const bits = t.mem.read(addr, size);
    if (bits === undefined) return -EFAULT;
    sets.push({ addr, bits, ask, hit });
  }
  const has = (bits: Uint8Array, fd: number): boolean => (((bits[fd >> 3] ?? 0) >> (fd & 7)) & 1) !== 0;
  const list: Watch[] = [];
  for (let fd = 0; fd < count; fd++) {
    let [events, hits] = [0, POLLNVAL];
    for (const set of sets) {
      if (!has(set.bits, fd)) continue;
      events |= set.ask;
      hits |= set.hit;
    }
    if (events !== 0) list.push({ fd, events, hits });
  }
  const found = watch(t, list, timeoutMs);
  if (typeof found === 'number') return found;
  if (found.some((hits) => (hits & POLLNVAL) !== 0)) return -EBADF;
  let hits = 0;
  for (const { addr, bits, hit } of sets) {
    const out = new Uint8Array(size);
    list.forEach(({ fd }, i) => {
      if (!has(bits, fd) || ((found[i] ?? 0) & hit) === 0) return;
      out[fd >> 3] = (out[fd >> 3] ?? 0) | (1 << (fd & 7));
      hits++;
    });
    if (!t.mem.write(addr, out)) return -EFAULT;
  }
  return hits;
}

const selectRow: Handler = (t, a) => timed(timeoutAt(t, a.ptr(4), 'timeval'), (ms) => select(t, a, ms));

/** Argument 5: pointer to { const sigset_t *mask; size_t size }. */
const pselect6: Handler = (t, a) => {
  const timeout = timeoutAt(t, a.ptr(4), 'timespec');
  let [mask, size] = [0, 0];
  if (a.ptr(5) !== 0) {
    const pair = readTimePair(t.mem, a.ptr(5));
    if (pair === undefined) return -EFAULT;
    [mask, size] = [Number(BigInt.asUintN(64, pair.sec)), Number(pair.frac)];
  }
  return masked(t, mask, size, () => timed(timeout, (ms) => select(t, a, ms)));
};

export const pollRows = [
  { nr: 7, name: 'poll', args: 'p,u,d', support: 'yes', handler: pollRow },
  { nr: 23, name: 'select', args: 'd,p,p,p,p', support: 'yes', handler: selectRow },
  { nr: 270, name: 'pselect6', args: 'd,p,p,p,ts,p', support: 'yes', handler: pselect6 },
  { nr: 271, name: 'ppoll', args: 'p,u,ts,p,lu', support: 'yes', handler: ppoll },
] as const satisfies readonly SyscallRow[];
