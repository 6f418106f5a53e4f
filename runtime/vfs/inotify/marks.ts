/**
 * What inotify instances watch: marks on files, found by device and inode. In: files, masks, events. Out: watch descriptors; events in the rings of the instances. Source: man 7 inotify.
 */
import { EEXIST, EINVAL, ENOSPC } from '../../linux/errno.js';
import { AREA, HEAD, INOTIFY, INOTIFY_MARK, MARK_BUCKETS, MAX_MARKS } from '../layout.js';
import { isSameNode, type NodeId, storedNode, storeNode } from '../node-id.js';
import { READABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';
import { wakeAll } from '../wait-queue.js';
import { IN, inotifyQueue, inotifyWord, queueEventLocked } from './instances.js';

/** Whether the host watches the file of a mark, too (host-watches.ts). */
export const HOST_WATCH = { NONE: 0, ASKED: 1, WATCHED: 2 } as const;

/** Bits of a mark that the guest sets. */
const KEPT = IN.ALL | IN.EXCL_UNLINK | IN.ONESHOT;

const markWord = (mark: number): number => AREA.MARKS + mark * INOTIFY_MARK.SIZE;
export const markField = (s: VfsState, mark: number, field: number): number => s.get(markWord(mark) + field);
export const setMarkField = (s: VfsState, mark: number, field: number, value: number): void => {
  s.set(markWord(mark) + field, value);
};

/** Whether the mark still is what it was in its life `life`. */
export const isMarkAlive = (s: VfsState, mark: number, life: number): boolean =>
  markField(s, mark, INOTIFY_MARK.INSTANCE) !== 0 && markField(s, mark, INOTIFY_MARK.LIFE) === life;

/** Whether anything is watched at all. */
export const isWatching = (s: VfsState): boolean => s.peek(AREA.HEAD + HEAD.MARKS) !== 0;

const bucketOf = (id: NodeId): number => AREA.MARK_HASH + ((id[0] * 31 + id[2]) & (MARK_BUCKETS - 1));

const idOf = (s: VfsState, mark: number): NodeId => storedNode(s, markWord(mark) + INOTIFY_MARK.ID);

/** The marks on a file. Under the region's lock; a mark may be dropped while it is visited. */
function marksOn(s: VfsState, id: NodeId): number[] {
  const found: number[] = [];
  for (let m = s.peek(bucketOf(id)); m !== 0; m = s.peek(markWord(m) + INOTIFY_MARK.HASH_NEXT))
    if (isSameNode(idOf(s, m), id)) found.push(m);
  return found;
}

export const hasMark = (s: VfsState, id: NodeId): boolean => s.locked(() => marksOn(s, id).length > 0);

export interface AddedMark {
  readonly mark: number;
  readonly wd: number;
  readonly life: number;
  /** The host is to be asked to watch the file. */
  readonly asksHost: boolean;
}

/** What the host can tell. */
const OF_HOST = IN.ALL & ~(IN.OPEN | IN.ACCESS | IN.CLOSE_WRITE | IN.CLOSE_NOWRITE);

/** Watches a file, or changes what is told of it; -ENOSPC, -EEXIST. `onHost`: programs of the host may change it. */
export function addMark(s: VfsState, instance: number, id: NodeId, mask: number, onHost: boolean): AddedMark | number {
  const added = (mark: number): AddedMark => {
    const w = markWord(mark);
    const asksHost = onHost && (mask & OF_HOST) !== 0 && s.peek(w + INOTIFY_MARK.HOST) === HOST_WATCH.NONE;
    if (asksHost) {
      s.set(w + INOTIFY_MARK.HOST, HOST_WATCH.ASKED);
      Atomics.add(s.words, AREA.HEAD + HEAD.HOST_MARKS, 1);
    }
    return { mark, wd: s.peek(w + INOTIFY_MARK.WD), life: s.peek(w + INOTIFY_MARK.LIFE), asksHost };
  };
  return s.locked(() => {
    const old = marksOn(s, id).find((m) => s.peek(markWord(m)) === instance + 1);
    if (old !== undefined) {
      const w = markWord(old);
      if ((mask & IN.MASK_CREATE) !== 0) return -EEXIST;
      const kept = (mask & IN.MASK_ADD) !== 0 ? s.peek(w + INOTIFY_MARK.MASK) : 0;
      s.set(w + INOTIFY_MARK.MASK, kept | (mask & KEPT));
      return added(old);
    }
    const hint = s.peek(AREA.HEAD + HEAD.MARK_HINT);
    const mark = 1 + s.findFree(markWord(1), MAX_MARKS - 1, INOTIFY_MARK.SIZE, INOTIFY_MARK.INSTANCE, hint);
    if (mark === 0) return -ENOSPC;
    s.set(AREA.HEAD + HEAD.MARK_HINT, mark % (MAX_MARKS - 1));
    const w = markWord(mark);
    const life = s.peek(w + INOTIFY_MARK.LIFE) + 1;
    s.words.fill(0, w, w + INOTIFY_MARK.SIZE);
    const i = inotifyWord(instance);
    const wd = s.peek(i + INOTIFY.WD) + 1;
    s.set(i + INOTIFY.WD, wd);
    s.set(w + INOTIFY_MARK.LIFE, life);
    s.set(w + INOTIFY_MARK.WD, wd);
    s.set(w + INOTIFY_MARK.MASK, mask & KEPT);
    storeNode(s, w + INOTIFY_MARK.ID, id);
    s.set(w + INOTIFY_MARK.HASH_NEXT, s.peek(bucketOf(id)));
    s.set(bucketOf(id), mark);
    s.set(w + INOTIFY_MARK.OF_INSTANCE, s.peek(i + INOTIFY.MARKS));
    s.set(i + INOTIFY.MARKS, mark);
    s.set(w, instance + 1);
    Atomics.add(s.words, AREA.HEAD + HEAD.MARKS, 1);
    // Names that were looked up while nothing was watched may be old by now.
    Atomics.add(s.words, AREA.HEAD + HEAD.NAMES, 1);
    return added(mark);
  });
}

/** What is to be done once the region's lock is free. */
class Effects {
  private readonly wakes = new Set<number>();
  private readonly drops: { readonly mark: number; readonly life: number }[] = [];

  constructor(private readonly s: VfsState) {}

  queue(instance: number, wd: number, mask: number, cookie: number, name: string): void {
    queueEventLocked(this.s, instance, wd, mask, cookie, name);
    this.wakes.add(instance);
  }

  /** The mark goes; its instance is told when it lives on. */
  drop(mark: number, tells: boolean): void {
    const { s } = this;
    const w = markWord(mark);
    const instance = s.peek(w) - 1;
    unlink(s, bucketOf(idOf(s, mark)), INOTIFY_MARK.HASH_NEXT, mark);
    unlink(s, inotifyWord(instance) + INOTIFY.MARKS, INOTIFY_MARK.OF_INSTANCE, mark);
    if (s.peek(w + INOTIFY_MARK.HOST) !== HOST_WATCH.NONE) {
      Atomics.sub(s.words, AREA.HEAD + HEAD.HOST_MARKS, 1);
      this.drops.push({ mark, life: s.peek(w + INOTIFY_MARK.LIFE) });
    }
    s.set(w, 0);
    Atomics.sub(s.words, AREA.HEAD + HEAD.MARKS, 1);
    if (tells) this.queue(instance, s.peek(w + INOTIFY_MARK.WD), IN.IGNORED, 0, '');
  }

  apply(): void {
    for (const instance of this.wakes) wakeAll(this.s, inotifyQueue(instance), READABLE);
    for (const { mark, life } of this.drops) this.s.port.requestWatch({ mark, life });
  }
}

/** Takes `mark` out of a list. */
function unlink(s: VfsState, first: number, link: number, mark: number): void {
  let at = first;
  while (s.peek(at) !== mark) at = markWord(s.peek(at)) + link;
  s.set(at, s.peek(markWord(mark) + link));
}

function withEffects<T>(s: VfsState, fn: (effects: Effects) => T): T {
  const effects = new Effects(s);
  const value = s.locked(() => fn(effects));
  effects.apply();
  return value;
}

/** Watches no longer; -EINVAL: there is no such watch descriptor. */
export function removeMark(s: VfsState, instance: number, wd: number): number {
  return withEffects(s, (effects) => {
    for (let m = s.peek(inotifyWord(instance) + INOTIFY.MARKS); m !== 0;) {
      if (s.peek(markWord(m) + INOTIFY_MARK.WD) === wd) {
        effects.drop(m, true);
        return 0;
      }
      m = s.peek(markWord(m) + INOTIFY_MARK.OF_INSTANCE);
    }
    return -EINVAL;
  });
}

/** The instance has no users any more. Under the region's lock; what is given is to be done once that is free. */
export function freeInotifyLocked(s: VfsState, instance: number): () => void {
  const effects = new Effects(s);
  const w = inotifyWord(instance);
  for (let m = s.peek(w + INOTIFY.MARKS); m !== 0; m = s.peek(w + INOTIFY.MARKS)) effects.drop(m, false);
  s.set(w + INOTIFY.USED, 0);
  return () => {
    effects.apply();
  };
}

/** The marks of an instance, newest first. */
export function marksOf(
  s: VfsState,
  instance: number,
): readonly { readonly wd: number; readonly mask: number; readonly id: NodeId }[] {
  return s.locked(() => {
    const found = [];
    for (let m = s.peek(inotifyWord(instance) + INOTIFY.MARKS); m !== 0;) {
      const w = markWord(m);
      found.push({ wd: s.peek(w + INOTIFY_MARK.WD), mask: s.peek(w + INOTIFY_MARK.MASK), id: idOf(s, m) });
      m = s.peek(w + INOTIFY_MARK.OF_INSTANCE);
    }
    return found;
  });
}

/** What has happened to a file, as those see it that watch it, or (`name` given) the directory that it is in. */
export interface MarkEvent {
  readonly on: NodeId;
  readonly mask: number;
  readonly name?: string;
  readonly cookie?: number;
  /** The name has been removed already. */
  readonly gone?: boolean;
  /** The watched file is no more: its marks go. */
  readonly last?: boolean;
}

/** Tells all that watch, one event after the other. */
export function tellMarks(s: VfsState, events: readonly MarkEvent[]): void {
  withEffects(s, (effects) => {
    for (const { on, mask, name = '', cookie = 0, gone = false, last = false } of events) {
      for (const m of marksOn(s, on)) {
        const w = markWord(m);
        const wanted = s.peek(w + INOTIFY_MARK.MASK);
        const excluded = gone && (wanted & IN.EXCL_UNLINK) !== 0;
        const told = (mask & wanted & IN.ALL) !== 0 && !excluded;
        if (told) effects.queue(s.peek(w) - 1, s.peek(w + INOTIFY_MARK.WD), mask, cookie, name);
        if (last || (told && (wanted & IN.ONESHOT) !== 0)) effects.drop(m, true);
      }
    }
  });
}
