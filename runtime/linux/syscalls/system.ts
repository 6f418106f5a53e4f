/**
 * System calls: the machine and the process as a whole. In: thread and arguments. Out: results. Source: man 2 uname, sysinfo, getrandom, arch_prctl, prctl, getrlimit,
 * getrusage, personality.
 */
import * as os from 'node:os';
import { USER_SPACE_END } from '../../../src/base/ids.js';
import { CAP } from '../../process/capabilities.js';
import { RLIMIT } from '../../process/boot.js';
import type { Group } from '../../process/group.js';
import { GROUP_FLAG } from '../../process/layout.js';
import { guestThreadCpuNs } from '../../process/exit.js';
import { utsName } from '../../process/uts.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, ENODEV, EPERM, ESRCH } from '../errno.js';
import { randomBytes } from '../random.js';
import { writeRusage } from '../structs.js';
import { capabilityPrctl } from './capability.js';
import { SECCOMP_MODE, seccompMode, setFilter, setStrict } from './seccomp.js';
import type { Thread } from '../thread.js';

const UTS_FIELD = 65;
/** What uname reports where the host is not Linux. */
const LINUX_RELEASE = '6.1.0';
const LINUX_VERSION = '#1 SMP';

function uname(t: Thread, a: SyscallArgs): SyscallResult {
  const linux = process.platform === 'linux';
  const fields = [
    'Linux',
    utsName(t.kernel, 'host'),
    linux ? os.release() : LINUX_RELEASE,
    linux ? os.version() : LINUX_VERSION,
    'x86_64',
    utsName(t.kernel, 'domain'),
  ];
  const bytes = new Uint8Array(UTS_FIELD * fields.length);
  fields.forEach((text, i) => {
    bytes.set(Buffer.from(text, 'latin1').subarray(0, UTS_FIELD - 1), i * UTS_FIELD);
  });
  return t.mem.write(a.ptr(0), bytes) ? 0 : -EFAULT;
}

/** Bytes of RAM that guests are told of: what one memory can hold, so that they size their heaps to it (DESIGN.md section 5). */
export const GUEST_RAM = 3 * 2 ** 30;

function sysinfo(t: Thread, a: SyscallArgs): SyscallResult {
  const bytes = new Uint8Array(112);
  const v = new DataView(bytes.buffer);
  const long = (offset: number, value: number): void => {
    v.setBigUint64(offset, BigInt(Math.trunc(value)), true);
  };
  let processes = 0;
  for (const task of t.kernel.allTasks()) if (task.alive) processes++;
  long(0, os.uptime());
  os.loadavg().forEach((load, i) => {
    long(8 + 8 * i, load * 65536);
  });
  long(32, GUEST_RAM);
  long(40, Math.min(GUEST_RAM, os.freemem()));
  v.setUint16(80, processes, true);
  v.setUint32(104, 1, true);
  return t.mem.write(a.ptr(0), bytes) ? 0 : -EFAULT;
}

/** GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE. */
const GRND_KNOWN = 7;
const RANDOM_CHUNK = 1 << 16;

function getrandom(t: Thread, a: SyscallArgs): SyscallResult {
  const flags = a.u32(2);
  if ((flags & ~GRND_KNOWN) !== 0 || (flags & 6) === 6) return -EINVAL;
  const addr = a.ptr(0);
  const count = Math.min(a.ptr(1), 0x7fff_ffff);
  let done = 0;
  while (done < count) {
    const chunk = randomBytes(t.kernel, Math.min(count - done, RANDOM_CHUNK));
    if (!t.mem.write(addr + done, chunk)) return done > 0 ? done : -EFAULT;
    done += chunk.length;
  }
  return done;
}

const ARCH = {
  SET_GS: 0x1001,
  SET_FS: 0x1002,
  GET_FS: 0x1003,
  GET_GS: 0x1004,
  GET_CPUID: 0x1011,
  SET_CPUID: 0x1012,
} as const;

function archPrctl(t: Thread, a: SyscallArgs): SyscallResult {
  const { cpu, mem } = t;
  const value = a.u64(1);
  switch (a.i32(0)) {
    case ARCH.SET_FS:
      if (value >= BigInt(USER_SPACE_END)) return -EPERM;
      cpu.fsBase = value;
      return 0;
    case ARCH.SET_GS:
      if (value >= BigInt(USER_SPACE_END)) return -EPERM;
      cpu.gsBase = value;
      return 0;
    case ARCH.GET_FS:
      return mem.writeU64(a.ptr(1), cpu.fsBase) ? 0 : -EFAULT;
    case ARCH.GET_GS:
      return mem.writeU64(a.ptr(1), cpu.gsBase) ? 0 : -EFAULT;
    case ARCH.GET_CPUID:
      return 1;
    case ARCH.SET_CPUID:
      return -ENODEV;
    default:
      // Control-flow enforcement and the like, which this CPU does not have.
      return -EINVAL;
  }
}

const PR = {
  SET_PDEATHSIG: 1,
  GET_PDEATHSIG: 2,
  GET_DUMPABLE: 3,
  SET_DUMPABLE: 4,
  SET_NAME: 15,
  GET_NAME: 16,
  GET_SECCOMP: 21,
  SET_SECCOMP: 22,
  SET_SYSCALL_USER_DISPATCH: 59,
  SET_TIMERSLACK: 29,
  GET_TIMERSLACK: 30,
  SET_CHILD_SUBREAPER: 36,
  GET_CHILD_SUBREAPER: 37,
  SET_NO_NEW_PRIVS: 38,
  GET_NO_NEW_PRIVS: 39,
  GET_TID_ADDRESS: 40,
} as const;
const COMM_BYTES = 16;
const DEFAULT_SLACK_NS = 50_000;

function prctl(t: Thread, a: SyscallArgs): SyscallResult {
  const { task, mem } = t;
  const { group } = task;
  const out = a.ptr(1);
  switch (a.i32(0)) {
    case PR.SET_PDEATHSIG:
      if (a.u64(1) > 64n) return -EINVAL;
      task.pdeathSignal = a.i32(1);
      return 0;
    case PR.GET_PDEATHSIG:
      return mem.writeU32(out, task.pdeathSignal) ? 0 : -EFAULT;
    case PR.GET_DUMPABLE:
      return group.has(GROUP_FLAG.NOT_DUMPABLE) ? 0 : 1;
    case PR.SET_DUMPABLE:
      if (a.u64(1) > 1n) return -EINVAL;
      group.setFlag(GROUP_FLAG.NOT_DUMPABLE, a.u64(1) === 0n);
      return 0;
    case PR.GET_SECCOMP:
      return seccompMode(t);
    case PR.SET_SECCOMP:
      if (a.u64(1) === BigInt(SECCOMP_MODE.STRICT)) return setStrict(t);
      return a.u64(1) === BigInt(SECCOMP_MODE.FILTER) ? setFilter(t, a.ptr(2), 0) : -EINVAL;
    case PR.SET_NAME: {
      const name = mem.cstring(out, COMM_BYTES - 1);
      if (name === undefined) return -EFAULT;
      task.comm = Buffer.from(name).toString('latin1');
      return 0;
    }
    case PR.GET_NAME:
      return mem.write(out, Uint8Array.from(task.commBytes)) ? 0 : -EFAULT;
    case PR.SET_TIMERSLACK:
      task.timerSlack = Math.max(0, a.i32(1));
      return 0;
    case PR.GET_TIMERSLACK:
      return task.timerSlack === 0 ? DEFAULT_SLACK_NS : task.timerSlack;
    case PR.SET_CHILD_SUBREAPER:
      group.setFlag(GROUP_FLAG.SUBREAPER, a.u64(1) !== 0n);
      return 0;
    case PR.GET_CHILD_SUBREAPER:
      return mem.writeU32(out, group.has(GROUP_FLAG.SUBREAPER) ? 1 : 0) ? 0 : -EFAULT;
    case PR.SET_NO_NEW_PRIVS:
      if (a.u64(1) !== 1n || a.u64(2) !== 0n || a.u64(3) !== 0n || a.u64(4) !== 0n) return -EINVAL;
      group.setFlag(GROUP_FLAG.NO_NEW_PRIVS, true);
      return 0;
    case PR.GET_NO_NEW_PRIVS:
      return group.has(GROUP_FLAG.NO_NEW_PRIVS) ? 1 : 0;
    case PR.SET_SYSCALL_USER_DISPATCH:
      // It is off, and can't be had, as before Linux 5.11.
      return [1, 2, 3, 4].every((i) => a.u64(i) === 0n) ? 0 : -EINVAL;
    case PR.GET_TID_ADDRESS:
      return mem.writeU64(out, BigInt(task.clearChildTid)) ? 0 : -EFAULT;
    default:
      return capabilityPrctl(t, a) ?? -EINVAL;
  }
}

const RLIMITS = 16;

function groupById(t: Thread, pid: number): Group | undefined {
  return pid === 0 ? t.task.group : t.kernel.findTask(pid)?.group;
}

function writeLimit(t: Thread, group: Group, which: number, out: number): boolean {
  const { soft, hard } = group.rlimit(which);
  const bytes = new Uint8Array(16);
  const v = new DataView(bytes.buffer);
  v.setBigUint64(0, soft, true);
  v.setBigUint64(8, hard, true);
  return t.mem.write(out, bytes);
}

/** Sets and gets, as prlimit64; addresses are 0 for "not wanted". */
function limits(t: Thread, pid: number, which: number, next: number, old: number): SyscallResult {
  if (which >= RLIMITS) return -EINVAL;
  const group = groupById(t, pid);
  if (group === undefined) return -ESRCH;
  let wanted: { soft: bigint; hard: bigint } | undefined;
  if (next !== 0) {
    const soft = t.mem.readU64(next);
    const hard = t.mem.readU64(next + 8);
    if (soft === undefined || hard === undefined) return -EFAULT;
    wanted = { soft, hard };
    if (soft > hard) return -EINVAL;
    const now = group.rlimit(which);
    const fixed = which === RLIMIT.NOFILE || t.kernel.isLimitFixed(which);
    if (hard > now.hard && (!t.task.group.hasCapability(CAP.SYS_RESOURCE) || fixed)) return -EPERM;
  }
  if (old !== 0 && !writeLimit(t, group, which, old)) return -EFAULT;
  if (wanted !== undefined) {
    group.setRlimit(which, wanted.soft, wanted.hard);
    // The stack's mapping grows to it; another process takes it over when it starts a program.
    if (which === RLIMIT.STACK && group.index === t.task.groupIndex) t.mm.setStackLimit(Number(wanted.soft));
  }
  return 0;
}

function getrusage(t: Thread, a: SyscallArgs): SyscallResult {
  const who = a.i32(0);
  const out = a.ptr(1);
  const { group } = t.task;
  let ok: boolean;
  switch (who) {
    case 0: {
      const u = process.resourceUsage();
      ok = writeRusage(t.mem, out, {
        user: u.userCPUTime,
        system: u.systemCPUTime,
        maxRss: u.maxRSS,
        minorFaults: u.minorPageFault,
        majorFaults: u.majorPageFault,
        inBlocks: u.fsRead,
        outBlocks: u.fsWrite,
        voluntarySwitches: u.voluntaryContextSwitches,
        involuntarySwitches: u.involuntaryContextSwitches,
      });
      break;
    }
    case 1:
      ok = writeRusage(t.mem, out, { user: guestThreadCpuNs() / 1e3, system: 0 });
      break;
    case -1:
      ok = writeRusage(t.mem, out, { user: group.childUtime, system: group.childStime });
      break;
    default:
      return -EINVAL;
  }
  return ok ? 0 : -EFAULT;
}

const PERSONA_QUERY = 0xffff_ffff;

function personality(t: Thread, a: SyscallArgs): SyscallResult {
  const { group } = t.task;
  const old = group.persona;
  if (a.u32(0) !== PERSONA_QUERY) group.persona = a.i32(0);
  return old >>> 0;
}

export const systemRows = [
  { nr: 63, name: 'uname', args: 'p', support: 'yes', handler: uname },
  {
    nr: 97,
    name: 'getrlimit',
    args: 'rl,p',
    support: 'yes',
    handler: (t, a) => (a.ptr(1) === 0 ? -EFAULT : limits(t, 0, a.u32(0), 0, a.ptr(1))),
  },
  {
    nr: 98,
    name: 'getrusage',
    args: 'd,p',
    support: 'partly',
    note: 'RUSAGE_SELF is lift64 as a whole',
    handler: getrusage,
  },
  { nr: 99, name: 'sysinfo', args: 'p', support: 'yes', handler: sysinfo },
  { nr: 135, name: 'personality', args: 'x', support: 'partly', note: 'stored and reported', handler: personality },
  {
    nr: 157,
    name: 'prctl',
    args: 'd,x,x,x,x',
    support: 'partly',
    note: 'names, parent death signal, dumpable, subreaper, no_new_privs, timer slack, capabilities; others give EINVAL',
    handler: prctl,
  },
  {
    nr: 158,
    name: 'arch_prctl',
    args: 'x,x',
    support: 'partly',
    note: 'FS and GS base, CPUID query',
    handler: archPrctl,
  },
  {
    nr: 160,
    name: 'setrlimit',
    args: 'rl,p',
    support: 'partly',
    note: 'kept and inherited; of the limits NOFILE, FSIZE and STACK have an effect',
    handler: (t, a) => (a.ptr(1) === 0 ? -EFAULT : limits(t, 0, a.u32(0), a.ptr(1), 0)),
  },
  {
    nr: 302,
    name: 'prlimit64',
    args: 'd,rl,p,p',
    support: 'partly',
    note: 'kept and inherited; of the limits NOFILE, FSIZE and STACK have an effect',
    handler: (t, a) => limits(t, a.i32(0), a.u32(1), a.ptr(2), a.ptr(3)),
  },
  { nr: 318, name: 'getrandom', args: 'p,lu,x', support: 'yes', handler: getrandom },
] as const satisfies readonly SyscallRow[];
