/**
 * Contexts of Linux AIO: a record in the shared region, and a ring of completions in guest memory, where the C library looks at it, too. In: address spaces, completions. Out: events.
 * Source: man 2 io_setup, man 2 io_getevents; struct aio_ring of fs/aio.c of Linux.
 */
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { MAP, PROT } from '../memory/address-space.js';
import { mmOfSpace } from '../process/mm.js';
import { freeEpoll } from '../vfs/epoll.js';
import { dropWatchesBy } from '../vfs/epoll-watches.js';
import { AIO, AREA, MAX_AIOS } from '../vfs/layout.js';
import { lock, unlock } from '../vfs/lock.js';
import type { VfsState } from '../vfs/state.js';
import { wakeAll } from '../vfs/wait-queue.js';
import { EAGAIN } from './errno.js';
import type { Thread } from './thread.js';

/** Bytes of struct aio_ring before its events, and of an event. */
const HEADER_BYTES = 32;
export const EVENT_BYTES = 32;
const MAGIC = 0xa10a_10a1;
/** Offsets in struct aio_ring. */
const RING = { NR: 4, HEAD: 8, TAIL: 12, MAGIC: 16, COMPAT: 20, LENGTH: 28 } as const;
/** As Linux on two processors: this many events at least. */
const FEWEST = 8;

const word = (context: number): number => AREA.AIOS + context * AIO.SIZE;
export const aioQueue = (context: number): number => word(context) + AIO.QUEUE;

export interface AioEvent {
  readonly data: bigint;
  /** Address of the iocb. */
  readonly object: bigint;
  readonly result: bigint;
}

/** A context of the thread's address space with room for `events` completions: its number; -EAGAIN, or what mmap says. */
export function newAio(t: Thread, events: number): number {
  const { state } = t.files;
  const pages = Math.ceil((HEADER_BYTES + EVENT_BYTES * (Math.max(events, FEWEST) * 2 + 2)) / PAGE_SIZE);
  const slots = Math.floor((pages * PAGE_SIZE - HEADER_BYTES) / EVENT_BYTES);
  const context = state.locked(() => {
    let free = state.findFree(AREA.AIOS, MAX_AIOS, AIO.SIZE, AIO.USED);
    for (let c = 0; free < 0 && c < MAX_AIOS; c++) if (!isAlive(t, c)) free = c;
    if (free < 0) return -EAGAIN;
    const w = word(free);
    releaseEpoll(state, free);
    state.words.fill(0, w, w + AIO.SIZE);
    state.set64(w + AIO.SPACE, t.task.mmRecord.space);
    state.set(w + AIO.SLOTS, slots);
    state.set(w + AIO.USED, 1);
    return free;
  });
  if (context < 0) return context;
  const address = t.mm.mmap({
    addr: 0,
    length: pages * PAGE_SIZE,
    prot: PROT.READ | PROT.WRITE,
    flags: MAP.PRIVATE | MAP.ANONYMOUS,
  });
  if (address < 0) {
    state.set(word(context) + AIO.USED, 0);
    return address;
  }
  const { mem } = t;
  mem.writeU32(address + RING.NR, slots);
  mem.writeU32(address + RING.MAGIC, MAGIC);
  mem.writeU32(address + RING.COMPAT, 1);
  mem.writeU32(address + RING.LENGTH, HEADER_BYTES);
  state.set64(word(context) + AIO.ADDRESS, address);
  return context;
}

/** The process that made it still has that memory. */
function isAlive(t: Thread, context: number): boolean {
  const space = t.files.state.get64(word(context) + AIO.SPACE);
  const mm = t.kernel.mm(mmOfSpace(space));
  return mm.refs > 0 && mm.space === space;
}

/** The context whose ring is at `address` of the thread's memory; -1: none. */
export function findAio(t: Thread, address: number): number {
  const { state } = t.files;
  return aiosOf(t).find((c) => address !== 0 && aioAddress(state, c) === address) ?? -1;
}

export const aioAddress = (s: VfsState, context: number): number => s.get64(word(context) + AIO.ADDRESS);

/** Contexts of the thread's address space. */
export function aiosOf(t: Thread): number[] {
  const { state } = t.files;
  const { space } = t.task.mmRecord;
  const found: number[] = [];
  for (let c = 0; c < MAX_AIOS; c++) {
    const w = word(c);
    if (state.get(w + AIO.USED) !== 0 && state.get64(w + AIO.SPACE) === space) found.push(c);
  }
  return found;
}

/** The epoll instance of the context's polls (aio-poll.ts); -1: none yet. */
export const aioEpoll = (s: VfsState, context: number): number => s.get(word(context) + AIO.EPOLL) - 1;
export function setAioEpoll(s: VfsState, context: number, epoll: number): void {
  s.set(word(context) + AIO.EPOLL, epoll + 1);
}

/** The caller holds the region's lock. */
function releaseEpoll(s: VfsState, context: number): void {
  const epoll = aioEpoll(s, context);
  if (epoll < 0) return;
  dropWatchesBy(s, epoll);
  freeEpoll(s, epoll);
  s.set(word(context) + AIO.EPOLL, 0);
}

/** Gives up the context; false: another thread has. Who waits for its events looks again. */
export function freeAio(t: Thread, context: number): boolean {
  const { state } = t.files;
  const w = word(context);
  const [address, slots] = [aioAddress(state, context), state.get(w + AIO.SLOTS)];
  if (Atomics.exchange(state.words, w + AIO.USED, 0) === 0) return false;
  state.locked(() => {
    releaseEpoll(state, context);
  });
  t.mm.munmap(address, Math.ceil((HEADER_BYTES + EVENT_BYTES * slots) / PAGE_SIZE) * PAGE_SIZE);
  wakeAll(state, aioQueue(context));
  return true;
}

/** Runs `fn` with the ring to itself; undefined when the guest has taken its memory away. Its pages are made writable before: that may stop the world, which nobody may do who holds the mutex. */
function withRing<T>(t: Thread, context: number, fn: (ring: DataView, slots: number) => T): T | undefined {
  const { state } = t.files;
  const w = word(context);
  const slots = state.get(w + AIO.SLOTS);
  const bytes = t.mem.slice(aioAddress(state, context), HEADER_BYTES + EVENT_BYTES * slots, true);
  if (bytes === undefined) return undefined;
  lock(state.words, w + AIO.LOCK, state.port.slot);
  try {
    return fn(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), slots);
  } finally {
    unlock(state.words, w + AIO.LOCK);
  }
}

/** Head and tail, which the guest can change, too. */
function ends(ring: DataView, slots: number): { head: number; tail: number; filled: number } {
  const head = ring.getUint32(RING.HEAD, true) % slots;
  const tail = ring.getUint32(RING.TAIL, true) % slots;
  return { head, tail, filled: (tail - head + slots) % slots };
}

/** Whether one more completion has room, beside those of the `pending` polls. */
export function hasRoom(t: Thread, context: number, pending: number): boolean {
  return withRing(t, context, (ring, slots) => ends(ring, slots).filled + pending < slots - 1) ?? false;
}

export function complete(t: Thread, context: number, event: AioEvent): void {
  withRing(t, context, (ring, slots) => {
    const { tail } = ends(ring, slots);
    const at = HEADER_BYTES + tail * EVENT_BYTES;
    ring.setBigUint64(at, event.data, true);
    ring.setBigUint64(at + 8, event.object, true);
    ring.setBigInt64(at + 16, event.result, true);
    ring.setBigInt64(at + 24, 0n, true);
    ring.setUint32(RING.TAIL, (tail + 1) % slots, true);
  });
  wakeAll(t.files.state, aioQueue(context));
}

/** How many completions there are, `most` at most. */
export const countEvents = (t: Thread, context: number, most: number): number =>
  Math.min(most, withRing(t, context, (ring, slots) => ends(ring, slots).filled) ?? 0);

/** Takes up to `most` completions, as they lie there. */
export function takeAioEvents(t: Thread, context: number, most: number): Uint8Array {
  const taken = withRing(t, context, (ring, slots) => {
    const { head, filled } = ends(ring, slots);
    const count = Math.min(most, filled);
    const out = new Uint8Array(count * EVENT_BYTES);
    for (let n = 0; n < count; n++) {
      const from = ring.byteOffset + HEADER_BYTES + ((head + n) % slots) * EVENT_BYTES;
      out.set(new Uint8Array(ring.buffer, from, EVENT_BYTES), n * EVENT_BYTES);
    }
    ring.setUint32(RING.HEAD, (head + count) % slots, true);
    return out;
  });
  return taken ?? new Uint8Array(0);
}
