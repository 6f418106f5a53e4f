/** What System V semaphores, message queues and shared memory have in common. In: threads and owners of objects. Out: rights, constants. Source: man 7 sysvipc, man 2 semget. */
import type { Thread } from './thread.js';

export const IPC = {
  PRIVATE: 0,
  CREAT: 0o1000,
  EXCL: 0o2000,
  NOWAIT: 0o4000,
  RMID: 0,
  SET: 1,
  STAT: 2,
  INFO: 3,
} as const;

export interface IpcOwners {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Who made it. */
  readonly cuid: number;
  readonly cgid: number;
}

/** Seconds since 1970. */
export const ipcTime = (): number => Math.floor(Date.now() / 1000);

/** Whether the thread may `want` (bits of one digit of the mode: 4 read, 2 write) of the object. */
export function ipcAllowed(t: Thread, o: IpcOwners, want: number): boolean {
  const { group } = t.task;
  const { euid } = group.ids;
  if (euid === 0) return true;
  const ofGroup = group.inGroup(o.gid) || group.inGroup(o.cgid);
  return ((o.mode >> (euid === o.uid || euid === o.cuid ? 6 : ofGroup ? 3 : 0)) & want) === want;
}

/** Whether the thread may change and remove the object. */
export function ipcOwns(t: Thread, o: IpcOwners): boolean {
  const { euid } = t.task.group.ids;
  return euid === 0 || euid === o.uid || euid === o.cuid;
}

/** Start of a status: struct ipc64_perm (asm-generic/ipcbuf.h), 48 bytes. */
export function writeIpcPerm(v: DataView, key: number, o: IpcOwners, lives: number): void {
  [key, o.uid, o.gid, o.cuid, o.cgid, o.mode].forEach((value, i) => {
    v.setInt32(4 * i, value, true);
  });
  v.setUint16(24, lives & 0x7fff, true);
}
