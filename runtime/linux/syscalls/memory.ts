/**
 * Memory system calls. In: the address space. Out: rows. Source: man 2 mmap, munmap, mprotect, mremap, brk, madvise, msync, mincore, mlock, mbind.
 */
import { fstatSync } from 'node:fs';
import { pinFile } from '../../vfs/fd-table.js';
import { fileFlags, fileKind, filePath, hostFd, KIND, putFile } from '../../vfs/open-files.js';
import { MAP, PROT } from '../../memory/address-space.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EACCES, EFAULT, EINVAL, ENODEV, ENOMEM } from '../errno.js';
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
  return t.mm.mmap({ ...request, file: { hostFd: fd, path, offset, size: fstatSync(fd).size } });
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

function getMempolicy(t: Thread, a: SyscallArgs): SyscallResult {
  const mode = a.ptr(0);
  return mode === 0 || t.mem.writeU32(mode, 0) ? 0 : -EFAULT;
}

export const memoryRows = [
  {
    nr: 9,
    name: 'mmap',
    args: 'p,lu,mp,ms,d,lx',
    support: 'partly',
    note: 'fixed addresses above 3.5 GiB: ENOMEM',
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
  { nr: 12, name: 'brk', args: 'p', support: 'yes', handler: (t, a) => t.mm.brk(a.ptr(0)) },
  {
    nr: 25,
    name: 'mremap',
    args: 'p,lu,lu,mr,p',
    support: 'yes',
    handler: (t, a) => t.mm.mremap(a.ptr(0), a.ptr(1), a.ptr(2), a.i32(3), a.ptr(4)),
  },
  {
    nr: 26,
    name: 'msync',
    args: 'p,lu,x',
    support: 'yes',
    handler: (t, a) => ([0, 1, 2, 4, 6].includes(a.i32(2)) ? t.mm.msync(a.ptr(0), a.ptr(1)) : -EINVAL),
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
] as const satisfies readonly SyscallRow[];
