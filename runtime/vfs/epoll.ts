/**
 * epoll instances: what may be watched, and taking what is ready. In: instances, descriptions, events. Out: events, or -errno. The system calls are in linux/syscalls/epoll.ts.
 * A wait looks at the ready list, which wakes fill (epoll-watches.ts), and at the few watches whose objects wake nobody (ASKED): its cost does not grow with the descriptors that are watched.
 * Source: man 7 epoll, man 2 epoll_ctl, man 2 epoll_wait.
 */
import { EEXIST, EINTR, EINVAL, ELOOP, ENFILE, ENOENT, ENOSPC } from '../linux/errno.js';
import {
  addWatch,
  askedWatches,
  EPOLLET,
  EPOLLERR,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLONESHOT,
  epollWaiters,
  epollWord,
  findWatch,
  HOW,
  mark,
  mayNest,
  putReady,
  removeWatch,
  unmark,
  WATCH_FLAG,
  watchWord,
  withWatches,
} from './epoll-watches.js';
import { AREA, EPOLL, MAX_EPOLLS, WATCH } from './layout.js';
import { lock, unlock } from './lock.js';
import { fileKind, fileObject, fileOps, KIND, putFile, refFile } from './open-files.js';
import { dequeue, enqueue, wakeOneSlot } from './queue-bits.js';
import type { VfsState } from './state.js';

export interface EpollEvent {
  readonly events: number;
  readonly dataLo: number;
  readonly dataHi: number;
}

/** A watch taken out of the ready list, and the reference to its description. */
interface Claimed extends EpollEvent {
  readonly watch: number;
  readonly life: number;
  readonly file: number;
}

/** Watches that are taken out of the ready list at a time. */
const BATCH = 64;

/** Events of the description, of those that are watched for. */
function readinessNow(s: VfsState, file: number, events: number): number {
  const wanted = events & ~HOW;
  return fileOps(s, file).readiness(s, file, wanted) & wanted;
}

/** Whether a description of its kind can be watched: files and directories are always ready. */
export function isPollable(s: VfsState, file: number): boolean {
  const ops = fileOps(s, file);
  return ops.queue !== undefined || ops.recheck !== undefined;
}

/** The instance behind a description, if it is one. */
export const instanceOf = (s: VfsState, file: number): number | undefined =>
  fileKind(s, file) === KIND.EPOLL ? fileObject(s, file) : undefined;

/** A new instance; -ENFILE when there are MAX_EPOLLS. */
export function newEpoll(s: VfsState): number {
  const epoll = s.locked(() => s.takeFree(AREA.EPOLLS, MAX_EPOLLS, EPOLL.SIZE, EPOLL.USED));
  return epoll < 0 ? -ENFILE : epoll;
}

/** The caller holds the region's lock, and has dropped its watches. */
export function freeEpoll(s: VfsState, epoll: number): void {
  s.set(epollWord(epoll) + EPOLL.USED, 0);
}

// ---------------------------------------------------------------- epoll_ctl

/** What is watched: a description by a descriptor. */
export interface Target {
  readonly file: number;
  readonly fd: number;
}

/** EPOLL_CTL_ADD of what can be watched (isPollable). */
export function addToEpoll(s: VfsState, epoll: number, target: Target, e: EpollEvent): number {
  const { file, fd } = target;
  const ops = fileOps(s, file);
  const queue = ops.queue?.(s, file);
  const asked = ops.recheck?.(s, file) !== undefined;
  const inner = instanceOf(s, file);
  const events = e.events | EPOLLERR | EPOLLHUP;
  const watch = withWatches(s, () => {
    if (findWatch(s, epoll, file, fd) !== 0) return -EEXIST;
    if (inner !== undefined && !mayNest(s, epoll, inner, (f) => instanceOf(s, f))) return -ELOOP;
    return addWatch(s, { ...e, epoll, file, fd, events, queue, asked }) || -ENOSPC;
  });
  if (watch < 0) return watch;
  lookOnce(s, epoll, target, events);
  return 0;
}

/** A change of what is watched counts as an edge. */
function lookOnce(s: VfsState, epoll: number, { file, fd }: Target, events: number): void {
  if (readinessNow(s, file, events) === 0) return;
  withWatches(s, () => {
    const watch = findWatch(s, epoll, file, fd);
    if (watch !== 0) mark(s, watch);
  });
}

/** EPOLL_CTL_MOD. */
export function changeInEpoll(s: VfsState, epoll: number, target: Target, e: EpollEvent): number {
  const events = e.events | EPOLLERR | EPOLLHUP;
  const done = withWatches(s, () => {
    const watch = findWatch(s, epoll, target.file, target.fd);
    if (watch === 0) return -ENOENT;
    const at = watchWord(watch);
    if ((s.peek(at + WATCH.EVENTS) & EPOLLEXCLUSIVE) !== 0) return -EINVAL;
    s.set(at + WATCH.EVENTS, events);
    s.set(at + WATCH.DATA_LO, e.dataLo);
    s.set(at + WATCH.DATA_HI, e.dataHi);
    return 0;
  });
  if (done === 0) lookOnce(s, epoll, target, events);
  return done;
}

/** EPOLL_CTL_DEL. */
export function removeFromEpoll(s: VfsState, epoll: number, target: Target): number {
  return withWatches(s, () => {
    const watch = findWatch(s, epoll, target.file, target.fd);
    if (watch === 0) return -ENOENT;
    removeWatch(s, watch);
    return 0;
  });
}

// ---------------------------------------------------------------- what is ready

/** Looks at the watches that nobody marks; those that have become ready are marked. The caller holds SCAN. */
function askAll(s: VfsState, epoll: number): void {
  if (!hasAsked(s, epoll)) return;
  const asked = claim(s, () => askedWatches(s, epoll));
  const found = asked.filter((w) => readinessNow(s, w.file, w.events) !== 0);
  // For edges, the look itself has woken the queue when something is new.
  const level = found.filter((w) => (w.events & EPOLLET) === 0);
  if (level.length > 0)
    withWatches(s, () => {
      for (const w of level) if (lives(s, w)) putReady(s, epoll, w.watch);
    });
  for (const w of asked) putFile(s, w.file);
}

/** Whether it has watches that nobody marks. */
function hasAsked(s: VfsState, epoll: number): boolean {
  const first = s.get(epollWord(epoll) + EPOLL.FIRST);
  return first !== 0 && (s.get(watchWord(first) + WATCH.FLAGS) & WATCH_FLAG.ASKED) !== 0;
}

/** The watches that `choose` names, with references to their descriptions: these can't be closed meanwhile, since a description's last reference goes under the region's lock. */
function claim(s: VfsState, choose: () => readonly number[]): Claimed[] {
  return s.locked(() =>
    withWatches(s, () =>
      choose().map((watch) => {
        const at = watchWord(watch);
        const file = s.peek(at + WATCH.FILE);
        refFile(s, file);
        return {
          watch,
          life: s.peek(at + WATCH.LIFE),
          file,
          events: s.peek(at + WATCH.EVENTS),
          dataLo: s.peek(at + WATCH.DATA_LO),
          dataHi: s.peek(at + WATCH.DATA_HI),
        };
      }),
    ),
  );
}

/** Whether the watch is the one that was claimed. The watches are held. */
const lives = (s: VfsState, w: Claimed): boolean =>
  s.peek(watchWord(w.watch)) !== 0 && s.peek(watchWord(w.watch) + WATCH.LIFE) === w.life;

/** Takes up to `count` watches off the front of the ready list. */
function takeReady(s: VfsState, epoll: number, count: number): Claimed[] {
  return claim(s, () => {
    const found: number[] = [];
    while (found.length < count) {
      const watch = s.peek(epollWord(epoll) + EPOLL.READY_FIRST);
      if (watch === 0) break;
      unmark(s, watch);
      found.push(watch);
    }
    return found;
  });
}

function scanning<T>(s: VfsState, epoll: number, fn: () => T): T {
  const scan = epollWord(epoll) + EPOLL.SCAN;
  lock(s.words, scan, s.port.slot);
  try {
    return fn();
  } finally {
    unlock(s.words, scan);
  }
}

const readyCount = (s: VfsState, epoll: number): number => s.get(epollWord(epoll) + EPOLL.READY_COUNT);

/** Takes up to `most` events, without waiting: level-triggered watches go to the end of the ready list, so that all have their turn. */
export function takeEvents(s: VfsState, epoll: number, most: number): EpollEvent[] {
  const done: Claimed[] = [];
  const found = scanning(s, epoll, () => {
    const hits: EpollEvent[] = [];
    askAll(s, epoll);
    for (let left = readyCount(s, epoll); left > 0 && hits.length < most;) {
      const batch = takeReady(s, epoll, Math.min(left, most - hits.length, BATCH));
      if (batch.length === 0) break;
      left -= batch.length;
      done.push(...batch);
      const ready = batch.flatMap((w) => {
        const events = readinessNow(s, w.file, w.events);
        return events === 0 ? [] : [{ w, events }];
      });
      withWatches(s, () => {
        for (const { w } of ready) afterReport(s, epoll, w);
      });
      for (const { w, events } of ready) hits.push({ events, dataLo: w.dataLo, dataHi: w.dataHi });
    }
    return hits;
  });
  for (const w of done) putFile(s, w.file);
  if (readyCount(s, epoll) > 0) wakeOneSlot(s, epollWaiters(epoll));
  return found;
}

function afterReport(s: VfsState, epoll: number, w: Claimed): void {
  if (!lives(s, w)) return;
  const at = watchWord(w.watch);
  if ((w.events & EPOLLONESHOT) !== 0) s.set(at + WATCH.EVENTS, s.peek(at + WATCH.EVENTS) & HOW);
  else if ((w.events & EPOLLET) === 0) putReady(s, epoll, w.watch);
}

/** Whether a wait would give something. */
export function isEpollReady(s: VfsState, epoll: number): boolean {
  const done: Claimed[] = [];
  const ready = scanning(s, epoll, () => {
    askAll(s, epoll);
    for (let left = readyCount(s, epoll); left > 0; left--) {
      const [w] = takeReady(s, epoll, 1);
      if (w === undefined) break;
      done.push(w);
      if (readinessNow(s, w.file, w.events) === 0) continue;
      withWatches(s, () => {
        if (lives(s, w)) putReady(s, epoll, w.watch);
      });
      return true;
    }
    return false;
  });
  for (const w of done) putFile(s, w.file);
  return ready;
}

/** Until when a look at the instance may be put off, in ms: for those of its watches that nobody marks. */
export function epollRecheck(s: VfsState, epoll: number): () => number {
  const known = new Map<number, () => number>();
  return () => {
    if (!hasAsked(s, epoll)) return Infinity;
    let least = Infinity;
    for (const w of claim(s, () => askedWatches(s, epoll))) {
      const next = known.get(w.file) ?? fileOps(s, w.file).recheck?.(s, w.file);
      if (next !== undefined) known.set(w.file, next);
      least = Math.min(least, next?.() ?? Infinity);
      putFile(s, w.file);
    }
    return least;
  };
}

/** epoll_wait: events, none when the time is up; -EINTR. */
export function waitForEvents(s: VfsState, epoll: number, most: number, timeoutMs: number): EpollEvent[] | number {
  let found = takeEvents(s, epoll, most);
  if (found.length > 0 || timeoutMs === 0) return found;
  const deadline = performance.now() + timeoutMs;
  const waiters = epollWaiters(epoll);
  const recheck = epollRecheck(s, epoll);
  try {
    for (;;) {
      // A wake takes the thread out of the queue.
      enqueue(s, waiters);
      const sequence = s.port.sequence();
      found = takeEvents(s, epoll, most);
      if (found.length > 0) return found;
      if (s.port.interrupted()) return -EINTR;
      const left = deadline - performance.now();
      if (left <= 0) return [];
      s.port.park(sequence, Math.min(left, recheck()));
    }
  } finally {
    dequeue(s, waiters);
    // The wake may have been meant for another one.
    if (readyCount(s, epoll) > 0) wakeOneSlot(s, waiters);
  }
}
