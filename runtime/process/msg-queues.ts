/**
 * System V message queues, in the kernel's buffer. In: types and texts. Out: messages in the order of sending, tasks woken.
 * The caller holds the kernel mutex. Source: man 2 msgget, msgop, msgctl; man 7 sysvipc.
 */
import type { Kernel } from './kernel.js';
import { AREA, MAX_MSG_QUEUES, MSG_QUEUE } from './layout.js';

export interface Message {
  readonly type: bigint;
  readonly text: Uint8Array;
}

/** Where a message lies in the queue's area, and the bytes of its text. */
export interface Place {
  readonly at: number;
  readonly size: number;
}

export class MsgQueue {
  private readonly word: number;
  private readonly area: Uint8Array;
  private readonly view: DataView;

  constructor(
    private readonly kernel: Kernel,
    readonly index: number,
  ) {
    const start = AREA.MSG_QUEUES + index * MSG_QUEUE.BYTES;
    this.word = start / 4;
    this.area = kernel.bytes.subarray(start + MSG_QUEUE.AREA, start + MSG_QUEUE.BYTES);
    this.view = new DataView(this.area.buffer, this.area.byteOffset, this.area.length);
  }

  get(field: number): number {
    return this.kernel.i32[this.word + field] ?? 0;
  }
  set(field: number, value: number): void {
    this.kernel.i32[this.word + field] = value;
  }
  get used(): boolean {
    return this.get(MSG_QUEUE.USED) !== 0;
  }
  get id(): number {
    return ((this.get(MSG_QUEUE.LIVES) * MAX_MSG_QUEUES) & 0x7fff_ffff) + this.index;
  }
  get count(): number {
    return this.get(MSG_QUEUE.COUNT);
  }
  /** Bytes of all texts. */
  get textBytes(): number {
    return this.get(MSG_QUEUE.TEXT);
  }
  private get end(): number {
    return this.count * MSG_QUEUE.HEADER + this.textBytes;
  }

  /** Makes the record a new, empty queue. */
  begin(key: number): void {
    const lives = this.get(MSG_QUEUE.LIVES) + 1;
    this.kernel.i32.fill(0, this.word, this.word + MSG_QUEUE.AREA / 4);
    this.set(MSG_QUEUE.LIVES, lives);
    this.set(MSG_QUEUE.KEY, key);
    this.set(MSG_QUEUE.LIMIT, MSG_QUEUE.QUEUE_BYTES);
    this.set(MSG_QUEUE.USED, 1);
  }

  /** The queue goes with its messages; who waits for it finds that out. */
  remove(): void {
    this.set(MSG_QUEUE.USED, 0);
    this.wake();
  }

  hasRoom(size: number): boolean {
    const limit = this.get(MSG_QUEUE.LIMIT);
    return this.textBytes + size <= limit && this.count + 1 <= limit;
  }

  append({ type, text }: Message): void {
    const at = this.end;
    this.view.setBigInt64(at, type, true);
    this.view.setUint32(at + 8, text.length, true);
    this.area.set(text, at + MSG_QUEUE.HEADER);
    this.set(MSG_QUEUE.COUNT, this.count + 1);
    this.set(MSG_QUEUE.TEXT, this.textBytes + text.length);
    this.wake();
  }

  /** The first message that msgrcv takes for `wanted`: 0 any; above, that type (`except`: any other); below, the lowest type up to -wanted. */
  find(wanted: bigint, except: boolean): Place | undefined {
    let best: Place | undefined;
    let lowest = -wanted + 1n;
    for (let at = 0; at < this.end;) {
      const type = this.view.getBigInt64(at, true);
      const place = { at, size: this.view.getUint32(at + 8, true) };
      if (wanted >= 0n) {
        if (wanted === 0n || (type === wanted) !== except) return place;
      } else if (type < lowest) {
        best = place;
        lowest = type;
      }
      at += MSG_QUEUE.HEADER + place.size;
    }
    return best;
  }

  /** Takes a message out. */
  take({ at, size }: Place): Message {
    const start = at + MSG_QUEUE.HEADER;
    const message = { type: this.view.getBigInt64(at, true), text: this.area.slice(start, start + size) };
    this.area.copyWithin(at, start + size, this.end);
    this.set(MSG_QUEUE.COUNT, this.count - 1);
    this.set(MSG_QUEUE.TEXT, this.textBytes - size);
    this.wake();
    return message;
  }

  /** Whoever waits for the queue looks again. */
  wake(): void {
    for (const task of this.kernel.allTasks()) if (task.msgQueue === this.index + 1) this.kernel.wake(task.index);
  }
}

export function* allMsgQueues(kernel: Kernel): Generator<MsgQueue> {
  for (let i = 0; i < MAX_MSG_QUEUES; i++) {
    const q = new MsgQueue(kernel, i);
    if (q.used) yield q;
  }
}

export function msgQueueOf(kernel: Kernel, id: number): MsgQueue | undefined {
  if (id < 0) return undefined;
  const q = new MsgQueue(kernel, id % MAX_MSG_QUEUES);
  return q.used && q.id === id ? q : undefined;
}

export function freeMsgQueue(kernel: Kernel): MsgQueue | undefined {
  for (let i = 0; i < MAX_MSG_QUEUES; i++) {
    const q = new MsgQueue(kernel, i);
    if (!q.used) return q;
  }
  return undefined;
}
