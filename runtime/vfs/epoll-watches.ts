/**
 * What epoll instances watch: a table of watches in the shared region, each in up to five lists: those of its instance, of its description, of the wait queue behind that, of its
 * hash chain, and of the watches of its instance that may be ready. Who wakes a queue marks its watches ready, so that a wait looks at nothing else.
 * In: numbers of instances and descriptions. Out: watches, under the mutex HEAD.WATCH_LOCK, which is taken inside the region's and holds no other.
 * Source: man 7 epoll, man 2 epoll_ctl.
 */
import { AREA, EPOLL, FILE, HEAD, MAX_WATCHES, QUEUE, WATCH, WATCH_BUCKETS } from './layout.js';
import { lock, unlock } from './lock.js';
import { callSlots, hasWaiters, wakeOneSlot, wakeSlots } from './queue-bits.js';
import type { VfsState } from './state.js';

export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;
/** Bits that say how to watch; the others are events. */
export const HOW = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;
/** Key of a wake that says nothing of the events. */
export const ANY_EVENT = 0x7fff_ffff;
/** Key of a wake for which nothing is ready: whoever waits is to see anew how long to sleep. */
export const LOOK_AGAIN = 0;

export const WATCH_FLAG = {
  /** In the ready list. */
  READY: 1,
  /** Nobody tells when it becomes ready: asked at each wait. First in the list of its instance. */
  ASKED: 2,
} as const;

/** Instances that watch each other, at most: as in Linux. */
const MOST_NESTED = 5;

export const epollWord = (epoll: number): number => AREA.EPOLLS + epoll * EPOLL.SIZE;
export const watchWord = (watch: number): number => AREA.WATCHES + watch * WATCH.SIZE;
/** Woken when an instance may have become ready: for poll, and for instances that watch it. */
export const epollQueue = (epoll: number): number => epollWord(epoll) + EPOLL.QUEUE;
export const epollWaiters = (epoll: number): number => epollWord(epoll) + EPOLL.WAITERS;
const fileWord = (file: number): number => AREA.FILES + file * FILE.SIZE;

/** Runs `fn` with the watches held. */
export function withWatches<T>(s: VfsState, fn: () => T): T {
  lock(s.words, AREA.HEAD + HEAD.WATCH_LOCK, s.port.slot);
  try {
    return fn();
  } finally {
    unlock(s.words, AREA.HEAD + HEAD.WATCH_LOCK);
  }
}

// ---------------------------------------------------------------- lists

/** A list by the word of its first entry, that of its last (or -1: not kept), and the field of its links. */
interface List {
  readonly first: number;
  readonly last: number;
  readonly link: number;
}

const ofEpoll = (epoll: number): List => ({
  first: epollWord(epoll) + EPOLL.FIRST,
  last: epollWord(epoll) + EPOLL.LAST,
  link: WATCH.OF_EPOLL,
});
const readyOf = (epoll: number): List => ({
  first: epollWord(epoll) + EPOLL.READY_FIRST,
  last: epollWord(epoll) + EPOLL.READY_LAST,
  link: WATCH.READY,
});
const ofQueue = (queue: number): List => ({ first: queue + QUEUE.WATCHES, last: -1, link: WATCH.OF_QUEUE });
const ofFile = (file: number): List => ({ first: fileWord(file) + FILE.WATCHES, last: -1, link: WATCH.OF_FILE });

function prepend(s: VfsState, list: List, watch: number): void {
  const { first, last, link } = list;
  const head = s.peek(first);
  s.set(watchWord(watch) + link, head);
  s.set(watchWord(watch) + link + 1, 0);
  if (head !== 0) s.set(watchWord(head) + link + 1, watch);
  else if (last >= 0) s.set(last, watch);
  s.set(first, watch);
}

/** Of lists whose last entry is kept. */
function append(s: VfsState, list: List, watch: number): void {
  const { first, last, link } = list;
  const tail = s.peek(last);
  s.set(watchWord(watch) + link, 0);
  s.set(watchWord(watch) + link + 1, tail);
  if (tail !== 0) s.set(watchWord(tail) + link, watch);
  else s.set(first, watch);
  s.set(last, watch);
}

function remove(s: VfsState, list: List, watch: number): void {
  const { first, last, link } = list;
  const next = s.peek(watchWord(watch) + link);
  const previous = s.peek(watchWord(watch) + link + 1);
  if (previous !== 0) s.set(watchWord(previous) + link, next);
  else s.set(first, next);
  if (next !== 0) s.set(watchWord(next) + link + 1, previous);
  else if (last >= 0) s.set(last, previous);
}

// ---------------------------------------------------------------- watches

export interface NewWatch {
  readonly epoll: number;
  readonly file: number;
  readonly fd: number;
  readonly events: number;
  readonly dataLo: number;
  readonly dataHi: number;
  /** Queue that is woken when its readiness changes; undefined: it never does. */
  readonly queue: number | undefined;
  readonly asked: boolean;
}

const bucketOf = (epoll: number, file: number, fd: number): number =>
  AREA.WATCH_HASH + ((Math.imul(file + 1, 0x9e37_79b1) ^ Math.imul(fd, 0x85eb) ^ (epoll << 5)) & (WATCH_BUCKETS - 1));

/** The watch of `file` by descriptor `fd`; 0: there is none. As all below, with the watches held. */
export function findWatch(s: VfsState, epoll: number, file: number, fd: number): number {
  for (let w = s.peek(bucketOf(epoll, file, fd)); w !== 0; w = s.peek(watchWord(w) + WATCH.HASH_NEXT)) {
    const at = watchWord(w);
    if (s.peek(at) === epoll + 1 && s.peek(at + WATCH.FILE) === file && s.peek(at + WATCH.FD) === fd) return w;
  }
  return 0;
}

/** Gives 0 when the table is full. */
export function addWatch(s: VfsState, n: NewWatch): number {
  const watch = takeFree(s);
  if (watch === 0) return 0;
  const at = watchWord(watch);
  s.set(at + WATCH.EPOLL, n.epoll + 1);
  s.set(at + WATCH.FILE, n.file);
  s.set(at + WATCH.FD, n.fd);
  s.set(at + WATCH.EVENTS, n.events);
  s.set(at + WATCH.DATA_LO, n.dataLo);
  s.set(at + WATCH.DATA_HI, n.dataHi);
  s.set(at + WATCH.FLAGS, n.asked ? WATCH_FLAG.ASKED : 0);
  s.set(at + WATCH.LIFE, (s.peek(at + WATCH.LIFE) + 1) | 0);
  s.set(at + WATCH.QUEUE, n.queue ?? 0);
  const bucket = bucketOf(n.epoll, n.file, n.fd);
  s.set(at + WATCH.HASH_NEXT, s.peek(bucket));
  s.set(bucket, watch);
  if (n.asked) prepend(s, ofEpoll(n.epoll), watch);
  else append(s, ofEpoll(n.epoll), watch);
  prepend(s, ofFile(n.file), watch);
  if (n.queue !== undefined) prepend(s, ofQueue(n.queue), watch);
  return watch;
}

function takeFree(s: VfsState): number {
  const free = s.peek(AREA.HEAD + HEAD.WATCH_FREE);
  if (free !== 0) {
    s.set(AREA.HEAD + HEAD.WATCH_FREE, s.peek(watchWord(free) + WATCH.HASH_NEXT));
    return free;
  }
  const fresh = s.peek(AREA.HEAD + HEAD.WATCH_HIGH) + 1;
  if (fresh >= MAX_WATCHES) return 0;
  s.set(AREA.HEAD + HEAD.WATCH_HIGH, fresh);
  return fresh;
}

export function removeWatch(s: VfsState, watch: number): void {
  const at = watchWord(watch);
  const epoll = s.peek(at) - 1;
  const file = s.peek(at + WATCH.FILE);
  const queue = s.peek(at + WATCH.QUEUE);
  const bucket = bucketOf(epoll, file, s.peek(at + WATCH.FD));
  let link = bucket;
  while (s.peek(link) !== watch) link = watchWord(s.peek(link)) + WATCH.HASH_NEXT;
  s.set(link, s.peek(at + WATCH.HASH_NEXT));
  unmark(s, watch);
  remove(s, ofEpoll(epoll), watch);
  remove(s, ofFile(file), watch);
  if (queue !== 0) remove(s, ofQueue(queue), watch);
  s.set(at, 0);
  s.set(at + WATCH.HASH_NEXT, s.peek(AREA.HEAD + HEAD.WATCH_FREE));
  s.set(AREA.HEAD + HEAD.WATCH_FREE, watch);
}

/** Watches of an instance that have to be asked. */
export function askedWatches(s: VfsState, epoll: number): number[] {
  const found: number[] = [];
  for (let w = s.peek(epollWord(epoll) + EPOLL.FIRST); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_EPOLL)) {
    if ((s.peek(watchWord(w) + WATCH.FLAGS) & WATCH_FLAG.ASKED) === 0) break;
    found.push(w);
  }
  return found;
}

/** All watches of an instance, in no order. Takes the mutex. */
export function watchesOf(s: VfsState, epoll: number): Omit<NewWatch, 'queue' | 'asked'>[] {
  return withWatches(s, () => {
    const found: Omit<NewWatch, 'queue' | 'asked'>[] = [];
    for (let w = s.peek(epollWord(epoll) + EPOLL.FIRST); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_EPOLL)) {
      const at = watchWord(w);
      const [file, fd, events, dataLo, dataHi] = [
        s.peek(at + WATCH.FILE),
        s.peek(at + WATCH.FD),
        s.peek(at + WATCH.EVENTS),
        s.peek(at + WATCH.DATA_LO),
        s.peek(at + WATCH.DATA_HI),
      ];
      found.push({ epoll, file, fd, events, dataLo, dataHi });
    }
    return found;
  });
}

/** A description is closed: whatever watches it ends. The caller holds the region's lock. */
export function dropWatchesOf(s: VfsState, file: number): void {
  const first = fileWord(file) + FILE.WATCHES;
  if (s.peek(first) === 0) return;
  withWatches(s, () => {
    while (s.peek(first) !== 0) removeWatch(s, s.peek(first));
  });
}

/** An instance is closed: all its watches end. The caller holds the region's lock. */
export function dropWatchesBy(s: VfsState, epoll: number): void {
  const first = epollWord(epoll) + EPOLL.FIRST;
  withWatches(s, () => {
    while (s.peek(first) !== 0) removeWatch(s, s.peek(first));
  });
}

// ---------------------------------------------------------------- readiness

/** Puts the watch at the end of the ready list, unless it is in it, and wakes who waits for that. */
export function mark(s: VfsState, watch: number): void {
  const epoll = s.peek(watchWord(watch)) - 1;
  putReady(s, epoll, watch);
  wakeOneSlot(s, epollWaiters(epoll));
  tellPollers(s, epoll);
}

/** As mark, without waking anybody. */
export function putReady(s: VfsState, epoll: number, watch: number): void {
  const at = watchWord(watch);
  const flags = s.peek(at + WATCH.FLAGS);
  if ((flags & WATCH_FLAG.READY) !== 0) return;
  s.set(at + WATCH.FLAGS, flags | WATCH_FLAG.READY);
  append(s, readyOf(epoll), watch);
  Atomics.add(s.words, epollWord(epoll) + EPOLL.READY_COUNT, 1);
}

/** Who is in the instance's queue is called from now on, even if it does not wait. */
export function makeCalling(s: VfsState, epoll: number): void {
  s.set(epollWord(epoll) + EPOLL.CALLING, 1);
}

function tellPollers(s: VfsState, epoll: number): void {
  const queue = epollQueue(epoll);
  if (s.peek(epollWord(epoll) + EPOLL.CALLING) !== 0) callSlots(s, queue);
  else wakeSlots(s, queue);
  if (s.peek(queue + QUEUE.WATCHES) !== 0) markLocked(s, queue, ANY_EVENT);
}

/** Takes the watch out of the ready list. */
export function unmark(s: VfsState, watch: number): void {
  const at = watchWord(watch);
  const flags = s.peek(at + WATCH.FLAGS);
  if ((flags & WATCH_FLAG.READY) === 0) return;
  const epoll = s.peek(at) - 1;
  s.set(at + WATCH.FLAGS, flags & ~WATCH_FLAG.READY);
  remove(s, readyOf(epoll), watch);
  Atomics.sub(s.words, epollWord(epoll) + EPOLL.READY_COUNT, 1);
}

/** The object behind `queue` has changed. Takes the mutex. */
export function markQueue(s: VfsState, queue: number, key: number): void {
  withWatches(s, () => {
    markLocked(s, queue, key);
  });
}

/** Of the exclusive watches, all up to the first whose instance has a thread waiting are told; of the others, all. */
function markLocked(s: VfsState, queue: number, key: number): void {
  let taken = false;
  if (key === LOOK_AGAIN) {
    lookAgain(s, queue);
    return;
  }
  for (let w = s.peek(queue + QUEUE.WATCHES); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_QUEUE)) {
    const at = watchWord(w);
    const events = s.peek(at + WATCH.EVENTS);
    if ((events & ~HOW & key) === 0) continue;
    if ((events & EPOLLEXCLUSIVE) !== 0) {
      if (taken) continue;
      taken = hasWaiters(s, epollWaiters(s.peek(at) - 1));
    }
    mark(s, w);
  }
}

function lookAgain(s: VfsState, queue: number): void {
  for (let w = s.peek(queue + QUEUE.WATCHES); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_QUEUE)) {
    const epoll = s.peek(watchWord(w)) - 1;
    wakeSlots(s, epollWaiters(epoll));
    wakeSlots(s, epollQueue(epoll));
    lookAgain(s, epollQueue(epoll));
  }
}

// ---------------------------------------------------------------- nesting

/**
 * Whether `epoll` may watch instance `target`: no circle, and no more than MOST_NESTED one in the other. `instanceOf` gives the instance behind a description.
 */
export function mayNest(
  s: VfsState,
  epoll: number,
  target: number,
  instanceOf: (file: number) => number | undefined,
): boolean {
  const below = (from: number, depth: number): number => {
    if (from === epoll || depth > MOST_NESTED) return Infinity;
    let most = 0;
    for (let w = s.peek(epollWord(from) + EPOLL.FIRST); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_EPOLL)) {
      const inner = instanceOf(s.peek(watchWord(w) + WATCH.FILE));
      if (inner !== undefined) most = Math.max(most, 1 + below(inner, depth + 1));
    }
    return most;
  };
  const above = (from: number, depth: number): number => {
    if (depth > MOST_NESTED) return Infinity;
    let most = 0;
    for (let w = s.peek(epollQueue(from) + QUEUE.WATCHES); w !== 0; w = s.peek(watchWord(w) + WATCH.OF_QUEUE)) {
      most = Math.max(most, 1 + above(s.peek(watchWord(w)) - 1, depth + 1));
    }
    return most;
  };
  return above(epoll, 0) + 2 + below(target, 0) <= MOST_NESTED;
}
