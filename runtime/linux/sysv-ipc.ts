/** What the calls of System V semaphores, message queues and shared memory have in common. In: threads, objects. Out: identifiers, rights, constants. Source: man 7 sysvipc, man 2 semget. */
import type { IpcPerm, IpcRecord, IpcTable, NewIpc } from '../process/ipc-record.js';
import type { GuestMemory } from './context.js';
import { EACCES, EEXIST, EINVAL, ENOENT } from './errno.js';
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

/**
 * The identifier that semget and its like give for `key`, or -errno; undefined: there is to be a new object. `isLarger`: more is asked for than the object has.
 * The caller holds the kernel mutex.
 */
export function ipcKnown<R extends IpcRecord>(
  t: Thread,
  table: IpcTable<R>,
  key: number,
  flags: number,
  isLarger: (r: R) => boolean,
): number | undefined {
  if (key === IPC.PRIVATE) return undefined;
  for (const r of table.all(t.kernel)) {
    if (r.key !== key) continue;
    if ((flags & IPC.CREAT) !== 0 && (flags & IPC.EXCL) !== 0) return -EEXIST;
    if (isLarger(r)) return -EINVAL;
    return ipcAllowed(t, r, ((flags >> 6) | (flags >> 3) | flags) & 7) ? r.id : -EACCES;
  }
  return (flags & IPC.CREAT) === 0 ? -ENOENT : undefined;
}

/** What a new object begins with. */
export const newIpc = (t: Thread, key: number, flags: number): NewIpc => ({
  key,
  mode: flags & 0o777,
  ids: t.task.group.ids,
});

/** Whether the thread may `want` (bits of one digit of the mode: 4 read, 2 write) of the object. */
export function ipcAllowed(t: Thread, o: IpcRecord, want: number): boolean {
  const { group } = t.task;
  const { euid } = group.ids;
  if (euid === 0) return true;
  const ofGroup = group.inGroup(o.gid) || group.inGroup(o.cgid);
  return ((o.mode >> (euid === o.uid || euid === o.cuid ? 6 : ofGroup ? 3 : 0)) & want) === want;
}

/** Whether the thread may change and remove the object. */
export function ipcOwns(t: Thread, o: IpcRecord): boolean {
  const { euid } = t.task.group.ids;
  return euid === 0 || euid === o.uid || euid === o.cuid;
}

/** Start of a status: struct ipc64_perm (asm-generic/ipcbuf.h), 48 bytes. */
export function writeIpcPerm(v: DataView, o: IpcRecord, mode = o.mode): void {
  [o.key, o.uid, o.gid, o.cuid, o.cgid, mode].forEach((value, i) => {
    v.setInt32(4 * i, value, true);
  });
  v.setUint16(24, o.lives & 0x7fff, true);
}

/** What IPC_SET takes of the struct ipc64_perm at `addr`; undefined: EFAULT. */
export function readIpcPerm(mem: GuestMemory, addr: number): IpcPerm | undefined {
  const uid = mem.readI32(addr + 4);
  const gid = mem.readI32(addr + 8);
  const mode = mem.readI32(addr + 20);
  return uid === undefined || gid === undefined || mode === undefined ? undefined : { uid, gid, mode };
}
