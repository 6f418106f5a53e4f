/**
 * Memory system calls. In: the address space. Out: rows. Source: man 2 mmap, munmap, mprotect, mremap, brk, madvise, msync, mincore, mlock, mbind.
 */
import { fstatSync } from 'node:fs';
import { pinFile } from '../../vfs/fd-table.js';
import { fileFlags, fileKind, filePath, hostFd, KIND, putFile } from '../../vfs/open-files.js';
import { MAP, PROT } from '../../memory/address-space.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EFAULT, EINVAL, ENODEV, ENOMEM, ENOSPC } from '../errno.js';
import type { Thread } from '../thread.js';

const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_RDWR = 2;

function mmap(t: Thread, a: SyscallArgs): SyscallResult {
  const request = { addr: a.ptr(0), length: a.ptr(1), prot: a.i32(2), flags: a.i32(3) };
  if ((request.flags & MAP.ANONYMOUS) !== 0) return t.mm.mmap(request);
  const { state, table } = t.files;
  const file = pinFile(state, table, a.i32(4));
  if (file < 0) return file;
  try {
    return mapFile(t, request, file, a.ptr(5));
  } finally {
    putFile(state, file);
  }
}

type Request = Parameters<Thread['mm']['mmap']>[0];

function mapFile(t: Thread, request: Request, file: number, offset: number): SyscallResult {
  const { state } = t.files;
  const kind = fileKind(state, file);
  // /dev/zero is anonymous memory.
  if (kind === KIND.DEVICE) return t.mm.mmap(request);
  if (kind !== KIND.FILE) return -ENODEV;
  const mode = fileFlags(state, file) & O_ACCMODE;
  const shared = (request.flags & MAP.TYPE) !== MAP.PRIVATE;
  if (mode === O_WRONLY || (shared && (request.prot & PROT.WRITE) !== 0 && mode !== O_RDWR)) return -EACCES;
  const fd = hostFd(state, file);
  const path = Buffer.from(filePath(state, file)).toString('latin1');
  const writable = shared && mode === O_RDWR;
  return t.mm.mmap({ ...request, file: { hostFd: fd, path, offset, size: fstatSync(fd).size, writable } });
}

function mincore(t: Thread, a: SyscallArgs): SyscallResult {
  const r = t.mm.mincore(a.ptr(0), a.ptr(1));
  if (typeof r === 'number') return r;
  return t.mem.write(a.ptr(2), r) ? 0 : -EFAULT;
}

/** Pages never leave the memory: locking needs nothing but a mapped range. */
function mlock(t: Thread, a: SyscallArgs): SyscallResult {
  return t.mm.isMapped(a.ptr(0), a.ptr(1)) ? 0 : -ENOMEM;
}

const MPOL_F_MEMS_ALLOWED = 4;

/** One node, number 0, and the default policy. */
function getMempolicy(t: Thread, a: SyscallArgs): SyscallResult {
  const mode = a.ptr(0);
  const mask = a.ptr(1);
  const flags = a.u64(4);
  if ((flags & ~7n) !== 0n) return -EINVAL;
  if (mode !== 0 && !t.mem.writeU32(mode, 0)) return -EFAULT;
  if (mask === 0) return 0;
  const bytes = new Uint8Array(Math.ceil(Math.min(a.ptr(2), MAX_NODES) / 64) * 8);
  if (bytes.length > 0 && flags === BigInt(MPOL_F_MEMS_ALLOWED)) bytes[0] = 1;
  return t.mem.write(mask, bytes) ? 0 : -EFAULT;
}
/** Bits of a node mask that are looked at. */
const MAX_NODES = 4096;

/** MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4; not both of ASYNC and SYNC. */
function msync(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.i32(2);
  return (flags & ~7) !== 0 || (flags & 5) === 5 ? -EINVAL : t.mm.msync(a.ptr(0), a.ptr(1));
}

/** Without protection keys the key -1 is the only one. */
function pkeyMprotect(t: Thread, a: SyscallArgs): SyscallResult {
  return a.i32(3) === -1 ? t.mm.mprotect(a.ptr(0), a.ptr(1), a.i32(2)) : -EINVAL;
}

export const memoryRows = [
  {
    nr: 9,
    name: 'mmap',
    args: 'p,lu,mp,ms,d,lx',
    ret: 'p',
    support: 'partly',
    note: 'file pages are copied at the first touch or before; those of shared mappings go from process to process with the lock of sharing held; MAP_FIXED across 3.5 GiB and MAP_HUGETLB: ENOMEM',
    handler: mmap,
  },
  {
    nr: 10,
    name: 'mprotect',
    args: 'p,lu,mp',
    support: 'yes',
    handler: (t, a) => t.mm.mprotect(a.ptr(0), a.ptr(1), a.i32(2)),
  },
  { nr: 11, name: 'munmap', args: 'p,lu', support: 'yes', handler: (t, a) => t.mm.munmap(a.ptr(0), a.ptr(1)) },
  { nr: 12, name: 'brk', args: 'p', ret: 'p', support: 'yes', handler: (t, a) => t.mm.brk(a.ptr(0)) },
  {
    nr: 25,
    name: 'mremap',
    args: 'p,lu,lu,mr,p',
    ret: 'p',
    support: 'yes',
    handler: (t, a) => t.mm.mremap(a.ptr(0), a.ptr(1), a.ptr(2), a.i32(3), a.ptr(4)),
  },
  {
    nr: 26,
    name: 'msync',
    args: 'p,lu,x',
    support: 'yes',
    handler: msync,
  },
  { nr: 27, name: 'mincore', args: 'p,lu,p', support: 'yes', handler: mincore },
  {
    nr: 28,
    name: 'madvise',
    args: 'p,lu,mv',
    support: 'partly',
    note: 'hints are accepted and ignored',
    handler: (t, a) => t.mm.madvise(a.ptr(0), a.ptr(1), a.i32(2)),
  },
  { nr: 149, name: 'mlock', args: 'p,lu', support: 'yes', handler: mlock },
  { nr: 150, name: 'munlock', args: 'p,lu', support: 'yes', handler: mlock },
  { nr: 151, name: 'mlockall', args: 'x', support: 'yes', handler: () => 0 },
  { nr: 152, name: 'munlockall', args: '', support: 'yes', handler: () => 0 },
  { nr: 325, name: 'mlock2', args: 'p,lu,x', support: 'yes', handler: mlock },
  { nr: 237, name: 'mbind', args: 'p,lu,x,p,lu,x', support: 'partly', note: 'one node: accepted', handler: () => 0 },
  { nr: 238, name: 'set_mempolicy', args: 'd,p,lu', support: 'partly', note: 'one node: accepted', handler: () => 0 },
  {
    nr: 239,
    name: 'get_mempolicy',
    args: 'p,p,lu,p,x',
    support: 'partly',
    note: 'one node: the default policy',
    handler: getMempolicy,
  },
  { nr: 216, name: 'remap_file_pages', args: 'p,lu,mp,lu,x', support: 'no', note: 'deprecated; mmap does the same' },
  {
    nr: 329,
    name: 'pkey_mprotect',
    args: 'p,lu,mp,d',
    support: 'partly',
    note: 'no protection keys: key -1 alone',
    handler: pkeyMprotect,
  },
  { nr: 330, name: 'pkey_alloc', args: 'x,x', support: 'no', note: 'no protection keys', refuse: ENOSPC, quiet: true },
  { nr: 331, name: 'pkey_free', args: 'd', support: 'no', note: 'no protection keys', refuse: EINVAL, quiet: true },
] as const satisfies readonly SyscallRow[];
