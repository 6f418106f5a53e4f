/**
 * Calls about the machine as a whole, for administrators: names, the log, ports, the clock's rate; and calls that Linux has no more, or not yet in the version that Debian 12 has. In: arguments. Out: rows.
 * Source: man 2 sethostname, syslog, ustat, iopl, ioperm, adjtimex, move_pages, process_madvise, unimplemented.
 */
import { PAGE_SIZE } from '../../../src/guest/memory-map.js';
import { CAP } from '../../process/capabilities.js';
import { NAME_BYTES, setUtsName, type UtsName } from '../../process/uts.js';
import { iovecRanges } from '../../vfs/guest-args.js';
import { realtime } from '../clocks.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, ENOENT, EPERM, ESRCH } from '../errno.js';
import type { Thread } from '../thread.js';
import { withProcess } from './pidfd.js';

const can = (t: Thread, capability: number): boolean => t.task.group.hasCapability(capability);

function setName(t: Thread, a: SyscallArgs, name: UtsName): SyscallResult {
  if (!can(t, CAP.SYS_ADMIN)) return -EPERM;
  const length = a.i32(1);
  if (length < 0 || length > NAME_BYTES) return -EINVAL;
  const bytes = t.mem.read(a.ptr(0), length);
  if (bytes === undefined) return -EFAULT;
  setUtsName(t.kernel, name, bytes);
  return 0;
}

const SYSLOG = { READ: 2, READ_CLEAR: 4, SIZE_UNREAD: 9, SIZE_BUFFER: 10 } as const;
/** What the log could hold. */
const LOG_BYTES = 1 << 17;

/** The log is empty. */
function syslog(t: Thread, a: SyscallArgs): SyscallResult {
  const action = a.i32(0);
  if (!can(t, CAP.SYSLOG)) return -EPERM;
  if (action < 0 || action > SYSLOG.SIZE_BUFFER) return -EINVAL;
  if (action >= SYSLOG.READ && action <= SYSLOG.READ_CLEAR) {
    if (a.ptr(1) === 0 || a.i32(2) < 0) return -EINVAL;
    return t.mem.canWrite(a.ptr(1), a.i32(2)) ? 0 : -EFAULT;
  }
  return action === SYSLOG.SIZE_BUFFER ? LOG_BYTES : 0;
}

/** Level 0 is what every process has. */
function iopl(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.u32(0) > 3) return -EINVAL;
  return a.u32(0) === 0 ? 0 : -EPERM;
}

const PORTS = 65536n;

function ioperm(t: Thread, a: SyscallArgs): SyscallResult {
  const [from, count] = [a.u64(0), a.u64(1)];
  if (BigInt.asUintN(64, from + count) <= from || from + count > PORTS) return -EINVAL;
  return a.i32(2) === 0 ? 0 : -EPERM;
}

const TIMEX_BYTES = 208;
const STA_UNSYNC = 0x40;
const TIME_ERROR = 5;
/** Microseconds: the error of a clock that nobody keeps. */
const UNKNOWN_ERROR = 16_000_000n;

/** Reads what keeps the clock; it can't be changed. */
export function readTimex(t: Thread, addr: number): SyscallResult {
  const modes = t.mem.readU32(addr);
  if (modes === undefined || !t.mem.canWrite(addr, TIMEX_BYTES)) return -EFAULT;
  if (modes !== 0) return -EPERM;
  const bytes = new Uint8Array(TIMEX_BYTES);
  const v = new DataView(bytes.buffer);
  v.setBigInt64(24, UNKNOWN_ERROR, true);
  v.setBigInt64(32, UNKNOWN_ERROR, true);
  v.setInt32(40, STA_UNSYNC, true);
  // Time constant, precision in microseconds, tolerance in units of 2**-16 ppm, microseconds of a tick.
  v.setBigInt64(48, 2n, true);
  v.setBigInt64(56, 1n, true);
  v.setBigInt64(64, 32_768_000n, true);
  const { sec, nsec } = realtime(t.kernel);
  v.setBigInt64(72, BigInt(sec), true);
  v.setBigInt64(80, BigInt(Math.floor(nsec / 1000)), true);
  v.setBigInt64(88, 10_000n, true);
  return t.mem.write(addr, bytes) ? TIME_ERROR : -EFAULT;
}

const MPOL_MF = 6;

/** One node, number 0: pages are there or they are not. */
function movePages(t: Thread, a: SyscallArgs): SyscallResult {
  const count = a.ptr(1);
  const [pages, nodes, status] = [a.ptr(2), a.ptr(3), a.ptr(4)];
  if ((a.u32(5) & ~MPOL_MF) !== 0) return -EINVAL;
  const task = a.i32(0) === 0 ? t.task : t.kernel.findTask(a.i32(0));
  if (task === undefined) return -ESRCH;
  if (task.mm !== t.task.mm) return -EPERM;
  for (let n = 0; n < count; n++) {
    const addr = t.mem.readU64(pages + 8 * n);
    if (addr === undefined) return -EFAULT;
    const node = nodes === 0 ? 0 : t.mem.readI32(nodes + 4 * n);
    if (node === undefined) return -EFAULT;
    const there = t.mm.isMapped(Number(addr) - (Number(addr) % PAGE_SIZE), PAGE_SIZE);
    const result = node !== 0 ? -EINVAL : there ? 0 : nodes === 0 ? -EFAULT : -ENOENT;
    if (!t.mem.writeU32(status + 4 * n, result)) return -EFAULT;
  }
  return 0;
}

/** MADV_WILLNEED, COLD, PAGEOUT and COLLAPSE: what may be said of another process's memory. */
const ADVICE: ReadonlySet<number> = new Set([3, 20, 21, 25]);

/** Hints, which are accepted and ignored. */
function processMadvise(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.u32(4) !== 0) return -EINVAL;
  const ranges = iovecRanges(t, a.ptr(1), a.ptr(2));
  if (typeof ranges === 'number') return ranges;
  return withProcess(t, a.i32(0), (group) => {
    if (!ADVICE.has(a.i32(3))) return -EINVAL;
    if (group.index !== t.task.groupIndex && !can(t, CAP.SYS_NICE)) return -EPERM;
    return ranges.reduce((total, { size }) => total + size, 0);
  });
}

const LATER = (version: string) =>
  ({ support: 'no', note: `Linux has it since ${version}; Debian 12 has 6.1`, quiet: true }) as const;
const GONE = { support: 'no', note: 'not in Linux any more, or never was on x86-64', quiet: true } as const;
const KEYS = { support: 'no', note: 'as a kernel without keyrings', quiet: true } as const;
const MACHINE = { support: 'no', note: "the machine is not the guest's", refuse: EPERM, quiet: true } as const;

export const machineRows = [
  { nr: 103, name: 'syslog', args: 'd,p,d', support: 'partly', note: 'the log is empty', handler: syslog },
  { nr: 134, name: 'uselib', args: 's', ...GONE },
  { nr: 136, name: 'ustat', args: 'x,p', support: 'no', note: 'use statfs', refuse: EINVAL },
  { nr: 139, name: 'sysfs', args: 'd,x,x', support: 'no', note: 'as a kernel without it; see /proc/filesystems' },
  { nr: 153, name: 'vhangup', args: '', support: 'no', note: 'as without CAP_SYS_TTY_CONFIG', refuse: EPERM },
  { nr: 156, name: '_sysctl', args: 'p', ...GONE },
  { nr: 169, name: 'reboot', args: 'x,x,x,p', ...MACHINE },
  {
    nr: 170,
    name: 'sethostname',
    args: 's,d',
    support: 'yes',
    note: 'for the guests of one lift64',
    handler: (t, a) => setName(t, a, 'host'),
  },
  {
    nr: 171,
    name: 'setdomainname',
    args: 's,d',
    support: 'yes',
    note: 'for the guests of one lift64',
    handler: (t, a) => setName(t, a, 'domain'),
  },
  { nr: 172, name: 'iopl', args: 'u', support: 'partly', note: 'no ports: EPERM but for level 0', handler: iopl },
  { nr: 173, name: 'ioperm', args: 'lu,lu,d', support: 'partly', note: 'no ports: EPERM', handler: ioperm },
  { nr: 174, name: 'create_module', args: 's,lu', ...GONE },
  { nr: 175, name: 'init_module', args: 'p,lu,s', ...MACHINE },
  { nr: 176, name: 'delete_module', args: 's,x', ...MACHINE },
  { nr: 177, name: 'get_kernel_syms', args: 'p', ...GONE },
  { nr: 178, name: 'query_module', args: 's,d,p,lu,p', ...GONE },
  { nr: 180, name: 'nfsservctl', args: 'd,p,p', ...GONE },
  { nr: 181, name: 'getpmsg', args: '', ...GONE },
  { nr: 182, name: 'putpmsg', args: '', ...GONE },
  { nr: 183, name: 'afs_syscall', args: '', ...GONE },
  { nr: 184, name: 'tuxcall', args: '', ...GONE },
  { nr: 185, name: 'security', args: '', ...GONE },
  { nr: 205, name: 'set_thread_area', args: 'p', ...GONE },
  { nr: 211, name: 'get_thread_area', args: 'p', ...GONE },
  { nr: 212, name: 'lookup_dcookie', args: 'lu,p,lu', ...GONE },
  { nr: 214, name: 'epoll_ctl_old', args: '', ...GONE },
  { nr: 215, name: 'epoll_wait_old', args: '', ...GONE },
  { nr: 236, name: 'vserver', args: '', ...GONE },
  { nr: 246, name: 'kexec_load', args: 'p,lu,p,x', ...MACHINE },
  { nr: 248, name: 'add_key', args: 's,s,p,lu,d', ...KEYS },
  { nr: 249, name: 'request_key', args: 's,s,s,d', ...KEYS },
  { nr: 250, name: 'keyctl', args: 'd,x,x,x,x', ...KEYS },
  {
    nr: 256,
    name: 'migrate_pages',
    args: 'd,lu,p,p',
    support: 'partly',
    note: 'one node: nothing to move',
    handler: () => 0,
  },
  {
    nr: 279,
    name: 'move_pages',
    args: 'd,lu,p,p,p,x',
    support: 'partly',
    note: "one node; the caller's own memory alone",
    handler: movePages,
  },
  { nr: 313, name: 'finit_module', args: 'd,s,x', ...MACHINE },
  { nr: 320, name: 'kexec_file_load', args: 'd,d,lu,s,x', ...MACHINE },
  { nr: 431, name: 'fsconfig', args: 'd,u,s,p,d', ...MACHINE },
  {
    nr: 440,
    name: 'process_madvise',
    args: 'd,p,lu,mv,x',
    support: 'yes',
    note: 'hints are accepted and ignored',
    handler: processMadvise,
  },
  { nr: 443, name: 'quotactl_fd', args: 'd,x,d,p', ...MACHINE },
  { nr: 447, name: 'memfd_secret', args: 'x', support: 'no', note: 'as a kernel that has it off', quiet: true },
  {
    nr: 450,
    name: 'set_mempolicy_home_node',
    args: 'p,lu,lu,x',
    support: 'partly',
    note: 'one node: accepted',
    handler: () => 0,
  },
  { nr: 451, name: 'cachestat', args: 'd,p,p,x', ...LATER('6.5') },
  { nr: 453, name: 'map_shadow_stack', args: 'p,lu,x', ...LATER('6.6') },
  { nr: 457, name: 'statmount', args: 'p,p,lu,x', ...LATER('6.8') },
  { nr: 458, name: 'listmount', args: 'p,p,lu,x', ...LATER('6.8') },
  { nr: 459, name: 'lsm_get_self_attr', args: 'u,p,p,x', ...LATER('6.8') },
  { nr: 460, name: 'lsm_set_self_attr', args: 'u,p,u,x', ...LATER('6.8') },
  { nr: 461, name: 'lsm_list_modules', args: 'p,p,x', ...LATER('6.8') },
  { nr: 462, name: 'mseal', args: 'p,lu,x', ...LATER('6.10') },
] as const satisfies readonly SyscallRow[];
