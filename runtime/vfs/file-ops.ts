/**
 * What an open file can do: a row of operations for each kind, in kinds/. In: descriptions, guest buffers. Out: types. The table is kinds/table.ts; the
 * state holds it, so that no module of the file layer imports the kinds. Source: man 2 open; man 2 read, poll, lseek, fstat, ioctl.
 */
import type { SyscallResult } from '../linux/context.js';
import type { Thread } from '../linux/thread.js';
import type { BytePath } from './byte-path.js';
import type { FileContext } from './file-context.js';
import type { StatRecord } from './file-stat.js';
import type { Kind } from './open-files.js';
import type { VfsState } from './state.js';

/** The guest's buffers, checked now; -EFAULT. Asked for anew after every wait: another thread may have unmapped them. */
export type Buffers = () => readonly Uint8Array[] | number;

/** What is to be done once the last description of an object is gone and the region's lock is free. */
export interface AfterClose {
  /** Wait queue to wake. */
  readonly queue?: number;
  /** Others still use the host's descriptor. */
  readonly keepsHost?: boolean;
  /** Anything else; the entry is free by then. */
  readonly then?: () => void;
}

export interface FileOps {
  /** Has an offset, or takes pread's; others: ESPIPE. */
  readonly seekable: boolean;
  /** Reads up to `size` bytes, that of all buffers, at `position` or at the description's offset: bytes, or -errno. Open for reading is checked already. */
  read(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number;
  write(c: FileContext, file: number, size: number, buffers: Buffers, position?: number): number;
  /** The events of poll that are there now (poll-events.ts); `wanted`: whether it is worth asking the host for input. */
  readiness(s: VfsState, file: number, wanted: number): number;
  /** The queue that is woken when the readiness changes; without it, it never does. */
  queue?(s: VfsState, file: number): number;
  /** For files whose host tells nothing: gives the sleeps, in ms, between two looks. */
  recheck?(s: VfsState, file: number): (() => number) | undefined;
  /** Another description of the object has been made: counts it. Under the region's lock. */
  open?(s: VfsState, file: number): void;
  /** The description goes: its object loses a user. Under the region's lock. */
  close?(s: VfsState, file: number): AfterClose | undefined;
  /** A descriptor of it has been closed by the calling thread's process; other descriptors may still be open. */
  flush?(s: VfsState, file: number): void;
  /** Status where the host has no descriptor of it. */
  stat(c: FileContext, file: number): StatRecord | number;
  /** What readlink of /proc/PID/fd/N gives. */
  link(s: VfsState, file: number): BytePath;
  /** f_type of statfs where the host has no descriptor; PROC_SUPER_MAGIC without it. */
  readonly fileSystem?: number;
  /** lseek: the new offset, or -errno; `whence` is valid. -ESPIPE without it. */
  seek?(s: VfsState, file: number, offset: number, whence: number): number;
  /** FIONREAD: bytes, or -errno; -ENOTTY without it. */
  readable?(c: FileContext, file: number): number;
  /** Requests of ioctl that only this kind knows; -ENOTTY for the others. */
  ioctl?(t: Thread, file: number, request: number, arg: number): SyscallResult;
  /** open(2) of /proc/self/fd/N: another description, or -errno; -ENXIO without it. */
  again?(c: FileContext, file: number, flags: number): number;
  /** Lines of /proc/PID/fdinfo/N beyond those that all have. */
  info?(s: VfsState, file: number): string;
}

/** A row for each kind. */
export type FileKinds = Readonly<Record<Kind, FileOps>>;
