/**
 * What System V shared memory, semaphores and message queues have in common in the kernel's buffer: tables of objects with a key, an identifier, owners and times. In: keys, identifiers.
 * Out: records. The caller holds the kernel mutex where it changes something, or needs a consistent view. Source: man 7 sysvipc.
 */
import type { Ids } from './group.js';
import type { Kernel } from './kernel.js';
import { IPC_OBJECT } from './layout.js';
import { KernelRecord } from './record.js';

/** Where a table lies, bytes of a record, how many records it has. */
interface IpcArea {
  readonly start: number;
  readonly bytes: number;
  readonly most: number;
}

/** What IPC_SET changes. */
export interface IpcPerm {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface NewIpc {
  readonly key: number;
  readonly mode: number;
  /** Of who makes it. */
  readonly ids: Ids;
}

export abstract class IpcRecord extends KernelRecord {
  constructor(
    kernel: Kernel,
    index: number,
    private readonly table: IpcArea,
  ) {
    super(kernel, index, table.start + index * table.bytes);
  }

  get used(): boolean {
    return this.get(IPC_OBJECT.USED) !== 0;
  }
  get key(): number {
    return this.get(IPC_OBJECT.KEY);
  }
  /** How often the record has been used. */
  get lives(): number {
    return this.get(IPC_OBJECT.LIVES);
  }
  /** Identifier: the index, and how often the record has been used. */
  get id(): number {
    return ((this.lives * this.table.most) & 0x7fff_ffff) + this.index;
  }
  /** Permission bits. */
  get mode(): number {
    return this.get(IPC_OBJECT.MODE);
  }
  get uid(): number {
    return this.get(IPC_OBJECT.UID);
  }
  get gid(): number {
    return this.get(IPC_OBJECT.GID);
  }
  /** Who made it. */
  get cuid(): number {
    return this.get(IPC_OBJECT.CUID);
  }
  get cgid(): number {
    return this.get(IPC_OBJECT.CGID);
  }

  /** Seconds since 1970. */
  time(field: number): number {
    return this.getNumber(field);
  }
  /** The time `field` is now. */
  stamp(field: number): void {
    this.setNumber(field, Date.now() / 1000);
  }

  setPerm({ uid, gid, mode }: IpcPerm): void {
    this.set(IPC_OBJECT.UID, uid);
    this.set(IPC_OBJECT.GID, gid);
    this.set(IPC_OBJECT.MODE, mode & 0o777);
    this.stamp(IPC_OBJECT.CTIME);
  }

  /** Makes the header that of a new object, zero in what is not said here; `publish` shows it. */
  protected start({ key, mode, ids }: NewIpc): void {
    const { lives } = this;
    this.kernel.i32.fill(0, this.word, this.word + IPC_OBJECT.BYTES / 4);
    this.set(IPC_OBJECT.LIVES, lives + 1);
    this.set(IPC_OBJECT.KEY, key);
    this.set(IPC_OBJECT.CUID, ids.euid);
    this.set(IPC_OBJECT.CGID, ids.egid);
    this.setPerm({ uid: ids.euid, gid: ids.egid, mode });
  }

  /** From here on it is found. */
  protected publish(): void {
    this.set(IPC_OBJECT.USED, 1);
  }

  /** The object is gone. */
  end(): void {
    this.set(IPC_OBJECT.USED, 0);
  }
}

export class IpcTable<R extends IpcRecord> {
  /** @param record the record of an index below `most` */
  constructor(
    private readonly most: number,
    private readonly record: (kernel: Kernel, index: number) => R,
  ) {}

  /** Those in use. */
  *all(kernel: Kernel): Generator<R> {
    for (let i = 0; i < this.most; i++) {
      const r = this.record(kernel, i);
      if (r.used) yield r;
    }
  }

  withId(kernel: Kernel, id: number): R | undefined {
    const r = id < 0 ? undefined : this.at(kernel, id % this.most);
    return r?.id === id ? r : undefined;
  }

  /** The object at an index, as the commands like SHM_STAT name it. */
  at(kernel: Kernel, index: number): R | undefined {
    if (index < 0 || index >= this.most) return undefined;
    const r = this.record(kernel, index);
    return r.used ? r : undefined;
  }

  /** A record that is free. */
  free(kernel: Kernel): R | undefined {
    for (let i = 0; i < this.most; i++) {
      const r = this.record(kernel, i);
      if (!r.used) return r;
    }
    return undefined;
  }
}
