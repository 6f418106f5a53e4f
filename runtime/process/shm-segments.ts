/**
 * System V shared memory segments, in the kernel's buffer. In: keys, sizes. Out: Segment records. Each is a nameless file of the host; an attachment is a shared mapping of it, so who is
 * attached is known from the mappings. The caller holds the kernel mutex where it says so. Source: man 2 shmget, shmctl; man 7 sysvipc.
 */
import { AREA, MAX_SEGMENTS, SEGMENT } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';

export class Segment extends KernelRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.SEGMENTS + index * SEGMENT.BYTES);
  }

  get used(): boolean {
    return this.get(SEGMENT.USED) !== 0;
  }
  get key(): number {
    return this.get(SEGMENT.KEY);
  }
  /** Identifier: the index, and how often the record has been used. */
  get id(): number {
    return ((this.get(SEGMENT.LIVES) * MAX_SEGMENTS) & 0x7fff_ffff) + this.index;
  }
  get lives(): number {
    return this.get(SEGMENT.LIVES);
  }
  get size(): number {
    return this.getNumber(SEGMENT.SIZE);
  }
  get hostFd(): number {
    return this.get(SEGMENT.HOST_FD);
  }
  /** Permission bits. */
  get mode(): number {
    return this.get(SEGMENT.MODE);
  }
  /** IPC_RMID: it goes with its last attachment. */
  get doomed(): boolean {
    return this.get(SEGMENT.DOOMED) !== 0;
  }
  /** Nobody finds it by its key any more. */
  doom(): void {
    this.set(SEGMENT.DOOMED, 1);
    this.set(SEGMENT.KEY, 0);
  }
  field(which: SegmentField): number {
    return this.get(which);
  }
  setField(which: SegmentField, value: number): void {
    this.set(which, value);
  }
  /** Seconds since 1970. */
  time(which: SegmentTime): number {
    return this.getNumber(which);
  }
  setTime(which: SegmentTime, seconds: number): void {
    this.setNumber(which, seconds);
  }

  /** Makes the record a new segment. Kernel mutex. */
  begin(o: { readonly key: number; readonly size: number; readonly hostFd: number; readonly mode: number }): void {
    this.set(SEGMENT.LIVES, this.get(SEGMENT.LIVES) + 1);
    this.set(SEGMENT.KEY, o.key);
    this.setNumber(SEGMENT.SIZE, o.size);
    this.set(SEGMENT.HOST_FD, o.hostFd);
    this.set(SEGMENT.MODE, o.mode);
    this.set(SEGMENT.DOOMED, 0);
    this.set(SEGMENT.LPID, 0);
    for (const t of [SEGMENT.ATIME, SEGMENT.DTIME, SEGMENT.CTIME] as const) this.setNumber(t, 0);
    this.set(SEGMENT.USED, 1);
  }

  end(): void {
    this.set(SEGMENT.USED, 0);
  }
}

export type SegmentField =
  | typeof SEGMENT.UID
  | typeof SEGMENT.GID
  | typeof SEGMENT.CUID
  | typeof SEGMENT.CGID
  | typeof SEGMENT.CPID
  | typeof SEGMENT.LPID
  | typeof SEGMENT.MODE;
export type SegmentTime = typeof SEGMENT.ATIME | typeof SEGMENT.DTIME | typeof SEGMENT.CTIME;

export function* allSegments(kernel: Kernel): Generator<Segment> {
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const s = new Segment(kernel, i);
    if (s.used) yield s;
  }
}

/** The segment with this identifier. */
export function segmentOf(kernel: Kernel, id: number): Segment | undefined {
  if (id < 0) return undefined;
  const s = new Segment(kernel, id % MAX_SEGMENTS);
  return s.used && s.id === id ? s : undefined;
}

/** A record that is free. */
export function freeSegment(kernel: Kernel): Segment | undefined {
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const s = new Segment(kernel, i);
    if (!s.used) return s;
  }
  return undefined;
}
