/**
 * System V shared memory. In: thread and arguments. Out: results. Source: man 2 shmget, shmat, shmctl; man 7 sysvipc; asm-generic/shmbuf.h for the structs.
 */
import { closeSync, fstatSync } from 'node:fs';
import { PAGE_SIZE } from '../../../src/guest/memory-map.js';
import { MAP, PROT } from '../../memory/address-space.js';
import { namelessFile } from '../../memory/shared-mapping.js';
import { IPC_OBJECT, MAX_SEGMENTS, SEGMENT } from '../../process/layout.js';
import { type Segment, segments } from '../../process/shm-segments.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM, ENOSPC, EPERM } from '../errno.js';
import { IPC, ipcAllowed, ipcKnown, ipcOwns, newIpc, readIpcPerm, writeIpcPerm } from '../sysv-ipc.js';
import type { Thread } from '../thread.js';

const SHM_HUGETLB = 0o4000;
const SHM = { RDONLY: 0o10000, RND: 0o20000, REMAP: 0o40000, EXEC: 0o100000 } as const;
const SHM_DEST = 0o1000;
/** shmctl's commands besides those of IPC. */
const CTL = {
  LOCK: 11,
  UNLOCK: 12,
  SHM_STAT: 13,
  SHM_INFO: 14,
  STAT_ANY: 15,
} as const;
const DS_BYTES = 112;
const READ = 0o4;
const WRITE = 0o2;
/** Largest segment, bytes; most pages of all. */
const SHMMAX = 0xdf00_0000;

const fileId = (s: Segment): { readonly dev: bigint; readonly ino: bigint } => fstatSync(s.hostFd, { bigint: true });

/** Segments that were removed go once nobody is attached any more. */
function sweep(t: Thread): void {
  for (const s of segments.all(t.kernel)) {
    const { lives } = s;
    if (!s.doomed || t.mm.attachments(fileId(s)) > 0) continue;
    const gone = t.kernel.lock(() => {
      const same = s.used && s.lives === lives;
      if (same) s.end();
      return same;
    });
    if (gone) closeSync(s.hostFd);
  }
}

function shmget(t: Thread, a: SyscallArgs): SyscallResult {
  const [key, size, flags] = [a.i32(0), a.ptr(1), a.i32(2)];
  sweep(t);
  const known = (): number | undefined => {
    const r = ipcKnown(t, segments, key, flags, (s) => size > s.size);
    if (r !== undefined) return r;
    return !(size >= 1 && size <= SHMMAX) ? -EINVAL : (flags & SHM_HUGETLB) !== 0 ? -ENOMEM : undefined;
  };
  const there = t.kernel.lock(known);
  if (there !== undefined) return there;
  const hostFd = namelessFile(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE);
  if (hostFd < 0) return -ENOMEM;
  const id = t.kernel.lock(() => {
    const meanwhile = known();
    if (meanwhile !== undefined) return meanwhile;
    const s = segments.free(t.kernel);
    if (s === undefined) return -ENOSPC;
    s.begin(newIpc(t, key, flags), { size, hostFd, pid: t.task.tgid });
    return s.id;
  });
  if (segments.withId(t.kernel, id)?.hostFd !== hostFd) closeSync(hostFd);
  return id;
}

function shmat(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.i32(2);
  const s = segments.withId(t.kernel, a.i32(0));
  let addr = a.ptr(1);
  if (s === undefined) return -EINVAL;
  if (addr % PAGE_SIZE !== 0) {
    if ((flags & SHM.RND) === 0) return -EINVAL;
    addr -= addr % PAGE_SIZE;
  }
  if (addr === 0 && (flags & SHM.REMAP) !== 0) return -EINVAL;
  const readOnly = (flags & SHM.RDONLY) !== 0;
  if (!ipcAllowed(t, s, READ | (readOnly ? 0 : WRITE))) return -EACCES;
  const fixed = addr === 0 ? 0 : (flags & SHM.REMAP) !== 0 ? MAP.FIXED : MAP.FIXED_NOREPLACE;
  const at = t.mm.mmap({
    addr,
    length: s.size,
    prot: PROT.READ | (readOnly ? 0 : PROT.WRITE) | ((flags & SHM.EXEC) !== 0 ? PROT.EXEC : 0),
    flags: MAP.SHARED | fixed,
    file: {
      hostFd: s.hostFd,
      path: `/SYSV${(s.key >>> 0).toString(16).padStart(8, '0')} (deleted)`,
      offset: 0,
      size: Math.ceil(s.size / PAGE_SIZE) * PAGE_SIZE,
      writable: !readOnly,
      segment: true,
    },
  });
  if (at < 0) return at === -EEXIST ? -EINVAL : at;
  s.touch(SEGMENT.ATIME, t.task.tgid);
  return at;
}

function shmdt(t: Thread, a: SyscallArgs): SyscallResult {
  const id = t.mm.detach(a.ptr(0));
  if (id === undefined) return -EINVAL;
  for (const s of segments.all(t.kernel)) {
    const own = fileId(s);
    if (own.ino === id.ino && own.dev === id.dev) s.touch(SEGMENT.DTIME, t.task.tgid);
  }
  sweep(t);
  return 0;
}

function status(t: Thread, s: Segment): Uint8Array {
  const bytes = new Uint8Array(DS_BYTES);
  const v = new DataView(bytes.buffer);
  writeIpcPerm(v, s, s.mode | (s.doomed ? SHM_DEST : 0));
  v.setBigUint64(48, BigInt(s.size), true);
  [SEGMENT.ATIME, SEGMENT.DTIME, IPC_OBJECT.CTIME].forEach((f, i) => {
    v.setBigInt64(56 + 8 * i, BigInt(s.time(f)), true);
  });
  v.setInt32(80, s.cpid, true);
  v.setInt32(84, s.lpid, true);
  v.setBigUint64(88, BigInt(t.mm.attachments(fileId(s))), true);
  return bytes;
}

function words(values: readonly (number | bigint)[], bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  const v = new DataView(out.buffer);
  values.forEach((value, i) => {
    v.setBigUint64(8 * i, BigInt(value), true);
  });
  return out;
}

/** struct shminfo; `used`: struct shm_info, of what there is. */
function info(t: Thread, buffer: number, used: boolean): number {
  const all = [...segments.all(t.kernel)];
  const pages = all.reduce((sum, s) => sum + Math.ceil(s.size / PAGE_SIZE), 0);
  const bytes = used
    ? words([all.length, pages, pages], 48)
    : words([SHMMAX, 1, MAX_SEGMENTS, MAX_SEGMENTS, SHMMAX / PAGE_SIZE], 72);
  return t.mem.write(buffer, bytes) ? Math.max(0, ...all.map((s) => s.index)) : -EFAULT;
}

function shmctl(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, command, buffer] = [a.i32(0), a.i32(1), a.ptr(2)];
  sweep(t);
  if (command === IPC.INFO || command === CTL.SHM_INFO) return info(t, buffer, command === CTL.SHM_INFO);
  const byIndex = command === CTL.SHM_STAT || command === CTL.STAT_ANY;
  const s = byIndex ? segments.at(t.kernel, id) : segments.withId(t.kernel, id);
  if (s === undefined) return -EINVAL;
  const owns = ipcOwns(t, s);
  switch (command) {
    case IPC.STAT:
    case CTL.SHM_STAT:
    case CTL.STAT_ANY:
      if (command !== CTL.STAT_ANY && !ipcAllowed(t, s, READ)) return -EACCES;
      return t.mem.write(buffer, status(t, s)) ? (byIndex ? s.id : 0) : -EFAULT;
    case IPC.SET: {
      const perm = readIpcPerm(t.mem, buffer);
      if (perm === undefined) return -EFAULT;
      if (!owns) return -EPERM;
      s.setPerm(perm);
      return 0;
    }
    case IPC.RMID:
      if (!owns) return -EPERM;
      s.doom();
      sweep(t);
      return 0;
    case CTL.LOCK:
    case CTL.UNLOCK:
      return owns ? 0 : -EPERM;
    default:
      return -EINVAL;
  }
}

export const shmRows = [
  { nr: 29, name: 'shmget', args: 'x,lu,x', support: 'partly', note: 'no huge pages (ENOMEM)', handler: shmget },
  { nr: 30, name: 'shmat', args: 'd,p,x', ret: 'p', support: 'yes', handler: shmat },
  { nr: 31, name: 'shmctl', args: 'd,d,p', support: 'yes', handler: shmctl },
  { nr: 67, name: 'shmdt', args: 'p', support: 'yes', handler: shmdt },
] as const satisfies readonly SyscallRow[];
