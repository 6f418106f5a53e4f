/**
 * POSIX message queues in the shared region: named, each with room for as many messages as it was made for. In: names, messages. Out: queues, messages; -errno.
 * Source: man 7 mq_overview, man 2 mq_open, mq_send, mq_receive.
 */
import { EACCES, EEXIST, ENOENT, ENOSPC } from '../linux/errno.js';
import { AREA, MAX_MQUEUES, MQ_BYTES, MQ_MESSAGES, MQUEUE } from './layout.js';
import { READABLE, WRITABLE } from './poll-events.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

const word = (queue: number): number => AREA.MQUEUES + queue * MQUEUE.SIZE;
const headOf = (queue: number, slot: number): number => word(queue) + MQUEUE.HEADS + slot * 3;
const bytesOf = (queue: number, slot: number): number => AREA.MQ_BYTES * 4 + (queue * MQ_MESSAGES + slot) * MQ_BYTES;
export const mqueueQueue = (queue: number): number => word(queue) + MQUEUE.QUEUE;
export const mqueueField = (s: VfsState, queue: number, field: number): number => s.get(word(queue) + field);
export const hasMessage = (s: VfsState, queue: number): boolean => mqueueField(s, queue, MQUEUE.COUNT) > 0;
export const hasRoom = (s: VfsState, queue: number): boolean =>
  mqueueField(s, queue, MQUEUE.COUNT) < mqueueField(s, queue, MQUEUE.MAX_MESSAGES);

export interface QueueRequest {
  readonly name: string;
  readonly create:
    { readonly mode: number; readonly uid: number; readonly messages: number; readonly bytes: number } | undefined;
  readonly exclusive: boolean;
  /** Who opens it, and what for: 4 read, 2 write. */
  readonly euid: number;
  readonly wants: number;
}

/** The queue with this name; -1: there is none. The region's lock is held. */
function find(s: VfsState, name: string): number {
  for (let queue = 0; queue < MAX_MQUEUES; queue++) {
    const w = word(queue);
    const length = s.peek(w + MQUEUE.NAME_LENGTH);
    if (s.peek(w) > 0 && length === name.length && s.text(w + MQUEUE.NAME, length) === name) return queue;
  }
  return -1;
}

/** The queue, with a reference for a description; -ENOENT, -EEXIST, -EACCES, -ENOSPC. */
export function openQueue(s: VfsState, r: QueueRequest): number {
  return s.locked(() => {
    const found = find(s, r.name);
    if (found >= 0) {
      if (r.exclusive) return -EEXIST;
      const mode = s.peek(word(found) + MQUEUE.MODE);
      const bits = (s.peek(word(found) + MQUEUE.UID) === r.euid ? mode >> 6 : mode) & 7;
      if (r.euid !== 0 && (bits & r.wants) !== r.wants) return -EACCES;
      s.set(word(found), s.peek(word(found)) + 1);
      return found;
    }
    if (r.create === undefined) return -ENOENT;
    const queue = s.takeFree(AREA.MQUEUES, MAX_MQUEUES, MQUEUE.SIZE, MQUEUE.REFS);
    if (queue < 0) return -ENOSPC;
    const w = word(queue);
    s.set(w + MQUEUE.NAME_LENGTH, r.name.length);
    s.setText(w + MQUEUE.NAME, r.name);
    s.set(w + MQUEUE.MODE, r.create.mode);
    s.set(w + MQUEUE.UID, r.create.uid);
    s.set(w + MQUEUE.MAX_MESSAGES, r.create.messages);
    s.set(w + MQUEUE.MAX_BYTES, r.create.bytes);
    s.set(w, 2);
    return queue;
  });
}

/** Takes the name away: the queue goes with its last description. */
export function unlinkQueue(s: VfsState, name: string, euid: number): number {
  return s.locked(() => {
    const queue = find(s, name);
    if (queue < 0) return -ENOENT;
    if (euid !== 0 && s.peek(word(queue) + MQUEUE.UID) !== euid) return -EACCES;
    s.set(word(queue) + MQUEUE.NAME_LENGTH, -1);
    putQueue(s, queue);
    return 0;
  });
}

/** A reference less. The caller holds the region's lock. */
export function putQueue(s: VfsState, queue: number): void {
  s.set(word(queue), s.peek(word(queue)) - 1);
}

/** Who is to be told of a message. */
export interface Notification {
  readonly process: number;
  readonly pid: number;
  readonly how: number;
  readonly signal: number;
  readonly value: bigint;
}

/** Puts a message in; undefined: there is no room. `told`: whom the message is to be announced to, who is then no longer registered. */
export function sendMessage(
  s: VfsState,
  queue: number,
  data: Uint8Array,
  priority: number,
): { readonly told: Notification | undefined } | undefined {
  const sent = s.locked(() => {
    const w = word(queue);
    const count = s.peek(w + MQUEUE.COUNT);
    if (count >= s.peek(w + MQUEUE.MAX_MESSAGES)) return undefined;
    let slot = 0;
    while (s.peek(headOf(queue, slot)) !== 0) slot++;
    const number = s.peek(w + MQUEUE.NEXT);
    s.set(w + MQUEUE.NEXT, (number + 1) | 0);
    s.bytes.set(data, bytesOf(queue, slot));
    s.set(headOf(queue, slot), data.length + 1);
    s.set(headOf(queue, slot) + 1, priority);
    s.set(headOf(queue, slot) + 2, number);
    s.set(w + MQUEUE.COUNT, count + 1);
    const tells = count === 0 && s.peek(w + MQUEUE.RECEIVERS) === 0 && s.peek(w + MQUEUE.NOTIFY_PID) !== 0;
    return { told: tells ? takeNotification(s, queue) : undefined };
  });
  if (sent !== undefined) wakeAll(s, mqueueQueue(queue), READABLE);
  return sent;
}

function takeNotification(s: VfsState, queue: number): Notification {
  const w = word(queue);
  const told = {
    pid: s.peek(w + MQUEUE.NOTIFY_PID),
    process: s.peek(w + MQUEUE.NOTIFY_PROCESS),
    how: s.peek(w + MQUEUE.NOTIFY_HOW),
    signal: s.peek(w + MQUEUE.NOTIFY_SIGNAL),
    value: s.getBig64(w + MQUEUE.NOTIFY_VALUE),
  };
  s.set(w + MQUEUE.NOTIFY_PID, 0);
  return told;
}

/** Registers `n`, or (undefined) takes the registration of `pid` away; false: another process is registered. */
export function setNotification(s: VfsState, queue: number, pid: number, n: Notification | undefined): boolean {
  return s.locked(() => {
    const w = word(queue);
    const now = s.peek(w + MQUEUE.NOTIFY_PID);
    if (n === undefined) {
      if (now === pid) s.set(w + MQUEUE.NOTIFY_PID, 0);
      return true;
    }
    if (now !== 0 && s.port.processState(s.peek(w + MQUEUE.NOTIFY_PROCESS), now) === 'alive') return false;
    s.set(w + MQUEUE.NOTIFY_PROCESS, n.process);
    s.set(w + MQUEUE.NOTIFY_HOW, n.how);
    s.set(w + MQUEUE.NOTIFY_SIGNAL, n.signal);
    s.setBig64(w + MQUEUE.NOTIFY_VALUE, n.value);
    s.set(w + MQUEUE.NOTIFY_PID, n.pid);
    return true;
  });
}

/** One more thread that waits for a message, or one less. */
export function countReceiver(s: VfsState, queue: number, by: 1 | -1): void {
  Atomics.add(s.words, word(queue) + MQUEUE.RECEIVERS, by);
}

/** Takes the oldest message of the highest priority; undefined: there is none. */
export function receiveMessage(
  s: VfsState,
  queue: number,
): { readonly data: Uint8Array; readonly priority: number } | undefined {
  const got = s.locked(() => {
    const w = word(queue);
    let best = -1;
    for (let slot = 0; slot < MQ_MESSAGES; slot++) {
      if (s.peek(headOf(queue, slot)) !== 0 && (best < 0 || before(s, headOf(queue, slot), headOf(queue, best))))
        best = slot;
    }
    if (best < 0) return undefined;
    const head = headOf(queue, best);
    const start = bytesOf(queue, best);
    const data = s.bytes.slice(start, start + s.peek(head) - 1);
    s.set(head, 0);
    s.set(w + MQUEUE.COUNT, s.peek(w + MQUEUE.COUNT) - 1);
    return { data, priority: s.peek(head + 1) };
  });
  if (got !== undefined) wakeAll(s, mqueueQueue(queue), WRITABLE);
  return got;
}

/** Whether the message with head `a` goes before that with head `b`. */
function before(s: VfsState, a: number, b: number): boolean {
  const priority = s.peek(a + 1) - s.peek(b + 1);
  return priority > 0 || (priority === 0 && ((s.peek(a + 2) - s.peek(b + 2)) | 0) < 0);
}
