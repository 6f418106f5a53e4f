/**
 * System V shared memory segments, in the kernel's buffer. In: keys, sizes. Out: Segment records. Each is a nameless file of the host; an attachment is a shared mapping of it, so who is
 * attached is known from the mappings. The caller holds the kernel mutex where it says so. Source: man 2 shmget, shmctl; man 7 sysvipc.
 */
import { IpcRecord, IpcTable, type NewIpc } from './ipc-record.js';
import { AREA, IPC_OBJECT, MAX_SEGMENTS, SEGMENT } from './layout.js';
import type { Kernel } from './kernel.js';

export class Segment extends IpcRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, { start: AREA.SEGMENTS, bytes: SEGMENT.BYTES, most: MAX_SEGMENTS });
  }

  get size(): number {
    return this.getNumber(SEGMENT.SIZE);
  }
  get hostFd(): number {
    return this.get(SEGMENT.HOST_FD);
  }
  /** Who made it, and who attached or detached it last. */
  get cpid(): number {
    return this.get(SEGMENT.CPID);
  }
  get lpid(): number {
    return this.get(SEGMENT.LPID);
  }
  /** IPC_RMID: it goes with its last attachment. */
  get doomed(): boolean {
    return this.get(SEGMENT.DOOMED) !== 0;
  }
  /** Nobody finds it by its key any more. */
  doom(): void {
    this.set(SEGMENT.DOOMED, 1);
    this.set(IPC_OBJECT.KEY, 0);
  }

  /** Process `pid` has attached or detached it. */
  touch(time: typeof SEGMENT.ATIME | typeof SEGMENT.DTIME, pid: number): void {
    this.stamp(time);
    this.set(SEGMENT.LPID, pid);
  }

  /** Makes the record a new segment. Kernel mutex. */
  begin(n: NewIpc, o: { readonly size: number; readonly hostFd: number; readonly pid: number }): void {
    this.start(n);
    this.setNumber(SEGMENT.SIZE, o.size);
    this.set(SEGMENT.HOST_FD, o.hostFd);
    this.set(SEGMENT.CPID, o.pid);
    this.publish();
  }
}

export const segments = new IpcTable(MAX_SEGMENTS, (kernel, index) => new Segment(kernel, index));
