/**
 * System V shared memory. In: thread and arguments. Out: results. Source: man 2 shmget, shmat, shmctl; man 7 sysvipc; asm-generic/shmbuf.h for the structs.
 */
import { closeSync, fstatSync } from 'node:fs';
import { PAGE_SIZE } from '../../../src/guest/memory-map.js';
import { MAP, PROT } from '../../memory/address-space.js';
import { namelessFile } from '../../memory/shared-mapping.js';
import { SEGMENT, MAX_SEGMENTS } from '../../process/layout.js';
import { allSegments, freeSegment, type Segment, segmentOf } from '../../process/shm-segments.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from '../errno.js';
import type { Thread } from '../thread.js';

const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const IPC_PRIVATE = 0;
const SHM_HUGETLB = 0o4000;
const SHM = { RDONLY: 0o10000, RND: 0o20000, REMAP: 0o40000, EXEC: 0o100000 } as const;
const SHM_DEST = 0o1000;
/** shmctl's commands; 0x100 (IPC_64) is what the C library adds on other machines. */
const CTL = {
  RMID: 0,
  SET: 1,
  STAT: 2,
  IPC_INFO: 3,
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

const seconds = (): number => Math.floor(Date.now() / 1000);
const fileId = (s: Segment): { readonly dev: bigint; readonly ino: bigint } => fstatSync(s.hostFd, { bigint: true });

/** Whether the thread may `want` (bits of one digit of the mode) of the segment. */
function allowed(t: Thread, s: Segment, want: number): boolean {
  const { euid, egid } = t.task.group.ids;
  if (euid === 0) return true;
  const owner = euid === s.field(SEGMENT.UID) || euid === s.field(SEGMENT.CUID);
  const group = egid === s.field(SEGMENT.GID) || egid === s.field(SEGMENT.CGID);
  return ((s.mode >> (owner ? 6 : group ? 3 : 0)) & want) === want;
}

/** Segments that were removed go once nobody is attached any more. */
function sweep(t: Thread): void {
  for (const s of allSegments(t.kernel)) {
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
    for (const s of allSegments(t.kernel)) {
      if (key === IPC_PRIVATE || s.key !== key) continue;
      if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
      if (size > s.size) return -EINVAL;
      const bits = (flags >> 6) | (flags >> 3) | flags;
      return allowed(t, s, bits & 7) ? s.id : -EACCES;
    }
    if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return -ENOENT;
    return !(size >= 1 && size <= SHMMAX) ? -EINVAL : (flags & SHM_HUGETLB) !== 0 ? -ENOMEM : undefined;
  };
  const there = t.kernel.lock(known);
  if (there !== undefined) return there;
  const hostFd = namelessFile(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE);
  if (hostFd < 0) return -ENOMEM;
  const id = t.kernel.lock(() => {
    const meanwhile = known();
    if (meanwhile !== undefined) return meanwhile;
    const s = freeSegment(t.kernel);
    if (s === undefined) return -ENOSPC;
    s.begin({ key, size, hostFd, mode: flags & 0o777 });
    const { euid, egid } = t.task.group.ids;
    for (const f of [SEGMENT.UID, SEGMENT.CUID] as const) s.setField(f, euid);
    for (const f of [SEGMENT.GID, SEGMENT.CGID] as const) s.setField(f, egid);
    s.setField(SEGMENT.CPID, t.task.tgid);
    s.setTime(SEGMENT.CTIME, seconds());
    return s.id;
  });
  if (segmentOf(t.kernel, id)?.hostFd !== hostFd) closeSync(hostFd);
  return id;
}

function shmat(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.i32(2);
  const s = segmentOf(t.kernel, a.i32(0));
  let addr = a.ptr(1);
  if (s === undefined) return -EINVAL;
  if (addr % PAGE_SIZE !== 0) {
    if ((flags & SHM.RND) === 0) return -EINVAL;
    addr -= addr % PAGE_SIZE;
  }
  if (addr === 0 && (flags & SHM.REMAP) !== 0) return -EINVAL;
  const readOnly = (flags & SHM.RDONLY) !== 0;
  if (!allowed(t, s, READ | (readOnly ? 0 : WRITE))) return -EACCES;
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
  s.setTime(SEGMENT.ATIME, seconds());
  s.setField(SEGMENT.LPID, t.task.tgid);
  return at;
}

function shmdt(t: Thread, a: SyscallArgs): SyscallResult {
  const id = t.mm.detach(a.ptr(0));
  if (id === undefined) return -EINVAL;
  for (const s of allSegments(t.kernel)) {
    const own = fileId(s);
    if (own.ino !== id.ino || own.dev !== id.dev) continue;
    s.setTime(SEGMENT.DTIME, seconds());
    s.setField(SEGMENT.LPID, t.task.tgid);
  }
  sweep(t);
  return 0;
}

function status(t: Thread, s: Segment): Uint8Array {
  const bytes = new Uint8Array(DS_BYTES);
  const v = new DataView(bytes.buffer);
  const fields = [SEGMENT.UID, SEGMENT.GID, SEGMENT.CUID, SEGMENT.CGID] as const;
  v.setInt32(0, s.key, true);
  fields.forEach((f, i) => {
    v.setInt32(4 + 4 * i, s.field(f), true);
  });
  v.setUint32(20, s.mode | (s.doomed ? SHM_DEST : 0), true);
  v.setUint16(24, s.lives & 0x7fff, true);
  v.setBigUint64(48, BigInt(s.size), true);
  [SEGMENT.ATIME, SEGMENT.DTIME, SEGMENT.CTIME].forEach((f, i) => {
    v.setBigInt64(56 + 8 * i, BigInt(s.time(f)), true);
  });
  v.setInt32(80, s.field(SEGMENT.CPID), true);
  v.setInt32(84, s.field(SEGMENT.LPID), true);
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

function shmctl(t: Thread, a: SyscallArgs): SyscallResult {
  const [id, command, buffer] = [a.i32(0), a.i32(1), a.ptr(2)];
  sweep(t);
  const used = [...allSegments(t.kernel)];
  const highest = Math.max(0, ...used.map((s) => s.index));
  const write = (bytes: Uint8Array, result: number): number => (t.mem.write(buffer, bytes) ? result : -EFAULT);
  switch (command) {
    case CTL.IPC_INFO:
      return write(words([SHMMAX, 1, MAX_SEGMENTS, MAX_SEGMENTS, SHMMAX / PAGE_SIZE], 72), highest);
    case CTL.SHM_INFO: {
      const pages = used.reduce((sum, s) => sum + Math.ceil(s.size / PAGE_SIZE), 0);
      return write(words([used.length, pages, pages], 48), highest);
    }
    default:
      break;
  }
  const byIndex = command === CTL.SHM_STAT || command === CTL.STAT_ANY;
  const s = byIndex ? used.find((u) => u.index === id) : segmentOf(t.kernel, id);
  if (s === undefined) return -EINVAL;
  const { euid } = t.task.group.ids;
  const owns = euid === 0 || euid === s.field(SEGMENT.UID) || euid === s.field(SEGMENT.CUID);
  switch (command) {
    case CTL.STAT:
    case CTL.SHM_STAT:
    case CTL.STAT_ANY:
      if (command !== CTL.STAT_ANY && !allowed(t, s, READ)) return -EACCES;
      return write(status(t, s), byIndex ? s.id : 0);
    case CTL.SET: {
      const uid = t.mem.readI32(buffer + 4);
      const gid = t.mem.readI32(buffer + 8);
      const mode = t.mem.readU32(buffer + 20);
      if (uid === undefined || gid === undefined || mode === undefined) return -EFAULT;
      if (!owns) return -EPERM;
      s.setField(SEGMENT.UID, uid);
      s.setField(SEGMENT.GID, gid);
      s.setField(SEGMENT.MODE, mode & 0o777);
      s.setTime(SEGMENT.CTIME, seconds());
      return 0;
    }
    case CTL.RMID:
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
