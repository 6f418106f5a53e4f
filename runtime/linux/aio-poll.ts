/**
 * Polls of Linux AIO (IOCB_CMD_POLL): each is a watch, for once, of an epoll instance that belongs to the context, and an entry of a table in the shared region. Who makes a file ready marks the watch, and calls the
 * threads that have submitted polls; they complete them wherever they are, in guest code or asleep. In: contexts, iocbs. Out: completions.
 * A poll does not keep its file open, as Linux would: with the last descriptor of the file it ends, without completion. Source: man 2 io_submit (IOCB_CMD_POLL), fs/aio.c of Linux (aio_poll).
 */
import { addToCounter } from '../vfs/counters.js';
import { addToEpoll, isPollable, newEpoll, removeFromEpoll, takeEvents } from '../vfs/epoll.js';
import { EPOLLERR, EPOLLHUP, EPOLLONESHOT, epollQueue, makeCalling } from '../vfs/epoll-watches.js';
import { AIO_POLL, AREA, MAX_AIO_POLLS } from '../vfs/layout.js';
import { fileKind, fileObject, fileOps, KIND } from '../vfs/open-files.js';
import { enqueue } from '../vfs/queue-bits.js';
import type { VfsState } from '../vfs/state.js';
import { aioEpoll, aiosOf, complete, setAioEpoll } from './aio-context.js';
import { EAGAIN } from './errno.js';
import type { Thread } from './thread.js';

const word = (poll: number): number => AREA.AIO_POLLS + poll * AIO_POLL.SIZE;
/** Beyond all descriptors: a file may be polled several times. */
const asFd = (poll: number): number => 0x4000_0000 + poll;

export interface AioPoll {
  /** What is told. */
  readonly data: bigint;
  /** Address of the iocb. */
  readonly object: bigint;
  readonly file: number;
  readonly events: number;
  /** Description of the eventfd that counts completions; -1: none. */
  readonly counterFile: number;
}

/** Begins a poll, or completes it at once. A negative errno. */
export function submitPoll(t: Thread, context: number, poll: AioPoll): number {
  const { state } = t.files;
  const { file } = poll;
  const events = poll.events | EPOLLERR | EPOLLHUP;
  const now = fileOps(state, file).readiness(state, file, events) & events;
  if (now !== 0 || !isPollable(state, file)) {
    finish(t, context, poll, now);
    return 0;
  }
  const epoll = epollOf(t, context);
  if (epoll < 0) return epoll;
  const entry = state.locked(() => {
    const free = state.findFree(AREA.AIO_POLLS, MAX_AIO_POLLS, AIO_POLL.SIZE, AIO_POLL.CONTEXT);
    if (free < 0) return -EAGAIN;
    const w = word(free);
    state.setBig64(w + AIO_POLL.DATA, poll.data);
    state.setBig64(w + AIO_POLL.OBJECT, poll.object);
    state.set(w + AIO_POLL.FILE, file);
    state.set(w + AIO_POLL.COUNTER_FILE, poll.counterFile);
    state.set(w + AIO_POLL.LIFE, (state.get(w + AIO_POLL.LIFE) + 1) | 0);
    state.set(w + AIO_POLL.CONTEXT, context + 1);
    return free;
  });
  if (entry < 0) return entry;
  attend(t, context);
  const dataHi = state.get(word(entry) + AIO_POLL.LIFE);
  const failure = addToEpoll(
    state,
    epoll,
    { file, fd: asFd(entry) },
    { events: events | EPOLLONESHOT, dataLo: entry, dataHi },
  );
  if (failure < 0) state.set(word(entry) + AIO_POLL.CONTEXT, 0);
  return failure < 0 ? -EAGAIN : 0;
}

/** The thread is called from now on when a poll of the context may have to be completed. */
export function attend(t: Thread, context: number): void {
  const epoll = aioEpoll(t.files.state, context);
  if (epoll < 0) return;
  enqueue(t.files.state, epollQueue(epoll));
  t.afterWake ??= () => {
    for (const c of aiosOf(t)) completePolls(t, c);
  };
}

/** The instance of the context, which is made at its first poll. */
function epollOf(t: Thread, context: number): number {
  const { state } = t.files;
  const known = aioEpoll(state, context);
  if (known >= 0) return known;
  const fresh = newEpoll(state);
  if (fresh < 0) return -EAGAIN;
  makeCalling(state, fresh);
  setAioEpoll(state, context, fresh);
  return fresh;
}

/** How many polls of the context are under way. */
export function pendingPolls(s: VfsState, context: number): number {
  if (aioEpoll(s, context) < 0) return 0;
  let count = 0;
  for (let poll = 0; poll < MAX_AIO_POLLS; poll++) if (s.get(word(poll) + AIO_POLL.CONTEXT) === context + 1) count++;
  return count;
}

/** Completes the polls of the context whose events have come. */
export function completePolls(t: Thread, context: number): void {
  const { state } = t.files;
  const epoll = aioEpoll(state, context);
  if (epoll < 0) return;
  // A look at a file may sleep.
  const { afterWake } = t;
  t.afterWake = undefined;
  try {
    for (const { events, dataLo: poll, dataHi: life } of takeEvents(state, epoll, MAX_AIO_POLLS)) {
      if (state.get(word(poll) + AIO_POLL.LIFE) === life) end(t, context, poll, events);
    }
  } finally {
    t.afterWake = afterWake;
  }
}

/** Ends the poll of the iocb at `object`, without events; false: there is none. */
export function cancelPoll(t: Thread, context: number, object: bigint): boolean {
  const { state } = t.files;
  for (let poll = 0; poll < MAX_AIO_POLLS; poll++) {
    const w = word(poll);
    if (state.get(w + AIO_POLL.CONTEXT) !== context + 1 || state.getBig64(w + AIO_POLL.OBJECT) !== object) continue;
    if (end(t, context, poll, 0)) return true;
  }
  return false;
}

/** The context ends, and all its polls with it. */
export function dropPolls(s: VfsState, context: number): void {
  for (let poll = 0; poll < MAX_AIO_POLLS; poll++)
    Atomics.compareExchange(s.words, word(poll) + AIO_POLL.CONTEXT, context + 1, 0);
}

/** Ends a poll; false when another thread has. */
function end(t: Thread, context: number, poll: number, events: number): boolean {
  const { state } = t.files;
  const w = word(poll);
  const [data, object] = [state.getBig64(w + AIO_POLL.DATA), state.getBig64(w + AIO_POLL.OBJECT)];
  const [file, counterFile] = [state.get(w + AIO_POLL.FILE), state.get(w + AIO_POLL.COUNTER_FILE)];
  if (Atomics.compareExchange(state.words, w + AIO_POLL.CONTEXT, context + 1, 0) !== context + 1) return false;
  removeFromEpoll(state, aioEpoll(state, context), { file, fd: asFd(poll) });
  finish(t, context, { data, object, file, events, counterFile }, events);
  return true;
}

function finish(t: Thread, context: number, { data, object, counterFile }: AioPoll, events: number): void {
  const { state } = t.files;
  complete(t, context, { data, object, result: BigInt(events & 0xffff) });
  if (counterFile >= 0 && fileKind(state, counterFile) === KIND.COUNTER)
    addToCounter(state, fileObject(state, counterFile), 1n);
}
