/** System V semaphores. In: thread and arguments. Out: results. Source: man 2 semget, semop, semctl; man 7 sysvipc; asm/sembuf.h for the structs. */
import type { IpcPerm } from '../../process/ipc-record.js';
import { IPC_OBJECT, SEM_SET, MAX_SEM_SETS, SEMS_PER_SET } from '../../process/layout.js';
import { type SemOp, type SemSet, semSets, SEMVMX } from '../../process/sem-sets.js';
import { park } from '../../threads/park.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ENOSPC, EPERM, ERANGE } from '../errno.js';
import { IPC, ipcAllowed, ipcKnown, ipcOwns, newIpc, readIpcPerm, writeIpcPerm } from '../sysv-ipc.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';

const SEM_UNDO_FLAG = 0x1000;
/** semctl's commands besides those of IPC. */
const CTL = {
  GETPID: 11,
  GETVAL: 12,
  GETALL: 13,
  GETNCNT: 14,
  GETZCNT: 15,
  SETVAL: 16,
  SETALL: 17,
  SEM_STAT: 18,
  SEM_INFO: 19,
  STAT_ANY: 20,
} as const;
const SEMOPM = 500;
const SEMBUF_BYTES = 6;
const DS_BYTES = 104;
const READ = 4;
const ALTER = 2;

function semget(t: Thread, a: SyscallArgs): SyscallResult {
  const [key, count, flags] = [a.i32(0), a.i32(1), a.i32(2)];
  if (count < 0 || count > SEMS_PER_SET) return -EINVAL;
  const { kernel } = t;
  return kernel.lock(() => {
    const known = ipcKnown(t, semSets, key, flags, (s) => count > s.count);
    if (known !== undefined) return known;
    if (count === 0) return -EINVAL;
    const s = semSets.free(kernel);
    if (s === undefined) return -ENOSPC;
    s.begin(newIpc(t, key, flags), count);
    return s.id;
  });
}

function operations(t: Thread, addr: number, count: number): SemOp[] | number {
  const bytes = t.mem.read(addr, count * SEMBUF_BYTES);
  if (bytes === undefined) return -EFAULT;
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => {
    const flags = v.getInt16(i * SEMBUF_BYTES + 4, true);
    return {
      num: v.getUint16(i * SEMBUF_BYTES, true),
      add: v.getInt16(i * SEMBUF_BYTES + 2, true),
      undo: (flags & SEM_UNDO_FLAG) !== 0,
      noWait: (flags & IPC.NOWAIT) !== 0,
    };
  });
}

/** @param timeout address of a relative timespec; 0 none */
function operate(t: Thread, id: number, addr: number, count: number, timeout: number): number {
  const { kernel, task } = t;
  if (count < 1 || id < 0) return -EINVAL;
  if (count > SEMOPM) return -E2BIG;
  const ops = operations(t, addr, count);
  if (typeof ops === 'number') return ops;
  let deadlineNs = Infinity;
  if (timeout !== 0) {
    const ts = readTimePair(t.mem, timeout);
    if (ts === undefined) return -EFAULT;
    const ns = timespecNs(ts);
    if (ns === undefined) return -EINVAL;
    deadlineNs = kernel.now() + ns;
  }
  let waited = false;
  const attempt = (): number | undefined =>
    kernel.lock(() => {
      const s = semSets.withId(kernel, id);
      if (s === undefined) return waited ? -EIDRM : -EINVAL;
      if (ops.some((o) => o.num >= s.count)) return -EFBIG;
      if (!ipcAllowed(t, s, ops.some((o) => o.add !== 0) ? ALTER : READ)) return -EACCES;
      const r = s.attempt(ops, task.groupIndex, task.tgid);
      if (r === 'range') return -ERANGE;
      if (r === 'full') return -ENOMEM;
      if (r === 'done') {
        s.stamp(SEM_SET.OTIME);
        return 0;
      }
      const at = ops[r.blockedAt];
      if (at === undefined || at.noWait) return -EAGAIN;
      waited = true;
      task.semSet = s.index + 1;
      task.semWait = at.add === 0 ? -at.num - 1 : at.num + 1;
      return undefined;
    });
  const r = park(t, attempt, { deadlineNs });
  task.semSet = 0;
  return r === 'timeout' ? -EAGAIN : r === 'interrupted' ? -EINTR : r;
}

function status(s: SemSet): Uint8Array {
  const bytes = new Uint8Array(DS_BYTES);
  const v = new DataView(bytes.buffer);
  writeIpcPerm(v, s);
  v.setBigInt64(48, BigInt(s.time(SEM_SET.OTIME)), true);
  v.setBigInt64(64, BigInt(s.time(IPC_OBJECT.CTIME)), true);
  v.setBigUint64(80, BigInt(s.count), true);
  return bytes;
}

/** struct seminfo: Linux's defaults, but for what the tables here hold. */
function info(t: Thread, buffer: number, used: boolean): number {
  const sets = [...semSets.all(t.kernel)];
  const all = MAX_SEM_SETS * SEMS_PER_SET;
  const sems = sets.reduce((sum, s) => sum + s.count, 0);
  const out = new Int32Array([all, MAX_SEM_SETS, all, all, SEMS_PER_SET, SEMOPM, SEMOPM, 20, SEMVMX, SEMVMX]);
  if (used) out.set([sets.length, SEMVMX, sems], 7);
  if (!t.mem.write(buffer, new Uint8Array(out.buffer))) return -EFAULT;
  return Math.max(0, ...sets.map((s) => s.index));
}

/** What GETVAL and its like give; -EINVAL where `num` is not in the set. */
function one(s: SemSet, command: number, num: number): number {
  if (num < 0 || num >= s.count) return -EINVAL;
  switch (command) {
    case CTL.GETVAL:
      return s.value(num);
    case CTL.GETPID:
      return s.pid(num);
    default:
      return s.waiting(num, command === CTL.GETZCNT);
  }
}

function setAll(t: Thread, s: SemSet, values: Uint16Array): number {
  if (values.some((v) => v > SEMVMX)) return -ERANGE;
  values.forEach((value, num) => {
    s.setValue(num, value, t.task.tgid);
  });
  s.changed(undefined);
  return 0;
}

/** IPC_SET, or without `perm` IPC_RMID. */
function change(t: Thread, s: SemSet, perm: IpcPerm | undefined): number {
  if (!ipcOwns(t, s)) return -EPERM;
  if (perm === undefined) s.end();
  else s.setPerm(perm);
  return 0;
}

function semctl(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, num, command, arg] = [a.i32(0), a.i32(1), a.i32(2), a.ptr(3)];
  const { kernel } = t;
  if (command === IPC.INFO || command === CTL.SEM_INFO) return info(t, arg, command === CTL.SEM_INFO);
  const byIndex = command === CTL.SEM_STAT || command === CTL.STAT_ANY;
  const found = byIndex ? semSets.at(kernel, id) : semSets.withId(kernel, id);
  if (found === undefined) return -EINVAL;
  // Guest memory is read before, and written after, the mutex is held.
  const given = command === CTL.SETALL ? t.mem.read(arg, 2 * found.count) : undefined;
  if (command === CTL.SETALL && given === undefined) return -EFAULT;
  const perm = command === IPC.SET ? readIpcPerm(t.mem, arg) : undefined;
  if (command === IPC.SET && perm === undefined) return -EFAULT;
  let out: Uint8Array | undefined;
  const result = kernel.lock((): number => {
    const s = byIndex ? found : semSets.withId(kernel, id);
    if (s?.used !== true) return -EINVAL;
    if (command === IPC.SET || command === IPC.RMID) return change(t, s, perm);
    const alters = command === CTL.SETVAL || command === CTL.SETALL;
    if (command !== CTL.STAT_ANY && !ipcAllowed(t, s, alters ? ALTER : READ)) return -EACCES;
    switch (command) {
      case IPC.STAT:
      case CTL.SEM_STAT:
      case CTL.STAT_ANY:
        out = status(s);
        return byIndex ? s.id : 0;
      case CTL.GETVAL:
      case CTL.GETPID:
      case CTL.GETNCNT:
      case CTL.GETZCNT:
        return one(s, command, num);
      case CTL.GETALL:
        out = new Uint8Array(Uint16Array.from({ length: s.count }, (_, i) => s.value(i)).buffer);
        return 0;
      case CTL.SETALL:
        return setAll(t, s, new Uint16Array((given ?? new Uint8Array(0)).slice().buffer));
      case CTL.SETVAL: {
        const value = a.i32(3);
        if (num < 0 || num >= s.count) return -EINVAL;
        if (value < 0 || value > SEMVMX) return -ERANGE;
        s.setValue(num, value, t.task.tgid);
        s.changed(num);
        return 0;
      }
      default:
        return -EINVAL;
    }
  });
  return result >= 0 && out !== undefined && !t.mem.write(arg, out) ? -EFAULT : result;
}

const LIMITS = 'sets of 256 semaphores at most, 128 of them';

export const semRows = [
  { nr: 64, name: 'semget', args: 'x,d,x', support: 'partly', note: LIMITS, handler: semget },
  {
    nr: 65,
    name: 'semop',
    args: 'd,p,lu',
    support: 'yes',
    handler: (t, a) => operate(t, a.i32(0), a.ptr(1), a.ptr(2), 0),
  },
  { nr: 66, name: 'semctl', args: 'd,d,d,p', support: 'yes', handler: semctl },
  {
    nr: 220,
    name: 'semtimedop',
    args: 'd,p,lu,tsu',
    support: 'yes',
    handler: (t, a) => operate(t, a.i32(0), a.ptr(1), a.ptr(2), a.ptr(3)),
  },
] as const satisfies readonly SyscallRow[];
