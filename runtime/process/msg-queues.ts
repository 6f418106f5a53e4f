/**
 * System V message queues, in the kernel's buffer. In: types and texts. Out: messages in the order of sending, tasks woken.
 * The caller holds the kernel mutex. Source: man 2 msgget, msgop, msgctl; man 7 sysvipc.
 */
import { IpcRecord, IpcTable, type NewIpc } from './ipc-record.js';
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

export class MsgQueue extends IpcRecord {
  private readonly messages: Uint8Array;
  private readonly view: DataView;

  constructor(kernel: Kernel, index: number) {
    super(kernel, index, { start: AREA.MSG_QUEUES, bytes: MSG_QUEUE.BYTES, most: MAX_MSG_QUEUES });
    const start = this.word * 4;
    this.messages = kernel.bytes.subarray(start + MSG_QUEUE.AREA, start + MSG_QUEUE.BYTES);
    this.view = new DataView(this.messages.buffer, this.messages.byteOffset, this.messages.length);
  }

  get count(): number {
    return this.get(MSG_QUEUE.COUNT);
  }
  /** Bytes of all texts. */
  get textBytes(): number {
    return this.get(MSG_QUEUE.TEXT);
  }
  /** The most that there may be of messages, and of their bytes. */
  get limit(): number {
    return this.get(MSG_QUEUE.LIMIT);
  }
  set limit(v: number) {
    this.set(MSG_QUEUE.LIMIT, v);
  }
  /** Process that sent last, and received last. */
  get sender(): number {
    return this.get(MSG_QUEUE.SENDER);
  }
  get receiver(): number {
    return this.get(MSG_QUEUE.RECEIVER);
  }
  /** Bytes of the messages. */
  private get filled(): number {
    return this.count * MSG_QUEUE.HEADER + this.textBytes;
  }

  /** Makes the record a new, empty queue. */
  begin(n: NewIpc): void {
    this.start(n);
    this.limit = MSG_QUEUE.QUEUE_BYTES;
    this.publish();
  }

  /** The queue goes with its messages; who waits for it finds that out. */
  override end(): void {
    super.end();
    this.wake();
  }

  hasRoom(size: number): boolean {
    const { limit } = this;
    return this.textBytes + size <= limit && this.count + 1 <= limit;
  }

  /** Process `pid` sends a message. */
  append({ type, text }: Message, pid: number): void {
    const at = this.filled;
    this.view.setBigInt64(at, type, true);
    this.view.setUint32(at + 8, text.length, true);
    this.messages.set(text, at + MSG_QUEUE.HEADER);
    this.set(MSG_QUEUE.COUNT, this.count + 1);
    this.set(MSG_QUEUE.TEXT, this.textBytes + text.length);
    this.set(MSG_QUEUE.SENDER, pid);
    this.stamp(MSG_QUEUE.STIME);
    this.wake();
  }

  /** The first message that msgrcv takes for `wanted`: 0 any; above, that type (`except`: any other); below, the lowest type up to -wanted. */
  find(wanted: bigint, except: boolean): Place | undefined {
    let best: Place | undefined;
    let lowest = -wanted + 1n;
    for (let at = 0, end = this.filled; at < end;) {
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

  /** Process `pid` takes a message out. */
  take({ at, size }: Place, pid: number): Message {
    const start = at + MSG_QUEUE.HEADER;
    const message = { type: this.view.getBigInt64(at, true), text: this.messages.slice(start, start + size) };
    this.messages.copyWithin(at, start + size, this.filled);
    this.set(MSG_QUEUE.COUNT, this.count - 1);
    this.set(MSG_QUEUE.TEXT, this.textBytes - size);
    this.set(MSG_QUEUE.RECEIVER, pid);
    this.stamp(MSG_QUEUE.RTIME);
    this.wake();
    return message;
  }

  /** Whoever waits for the queue looks again. */
  wake(): void {
    for (const task of this.kernel.allTasks()) if (task.msgQueue === this.index + 1) this.kernel.wake(task.index);
  }
}

export const msgQueues = new IpcTable(MAX_MSG_QUEUES, (kernel, index) => new MsgQueue(kernel, index));
