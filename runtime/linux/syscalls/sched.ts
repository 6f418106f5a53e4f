/**
 * System calls: scheduling. In: thread and arguments. Out: results. Source: man 2 sched_setaffinity, sched_yield, sched_setscheduler, sched_setattr, getpriority, getcpu,
 * membarrier, rseq. Guest threads are the host's threads; policies and priorities are stored and reported, nothing else.
 */
import { availableParallelism } from 'node:os';
import { RLIMIT } from '../../process/boot.js';
import { CAP } from '../../process/capabilities.js';
import type { Task } from '../../process/task.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EACCES, EFAULT, EINVAL, EPERM, ESRCH } from '../errno.js';
import { writeTimespec } from '../structs.js';
import type { Thread } from '../thread.js';
import { sleepParked } from '../../threads/park.js';

export const POLICY = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5 } as const;
const RESET_ON_FORK = 0x4000_0000;
/** Bytes of a CPU mask of up to 64 CPUs. */
const MASK_BYTES = 8;
/** Length of the sleep by which sched_yield lets other threads run, milliseconds: the host has no yield that Node reaches. It takes 70 us in fact. */
const YIELD_MS = 0.001;
/** So only one call in this many sleeps: a loop that yields until a lock is free goes on quickly, and still leaves the CPU. */
const YIELDS_PER_SLEEP = 8;
let yields = 0;

function taskOf(t: Thread, tid: number): Task | undefined {
  return tid === 0 ? t.task : t.kernel.findTask(tid);
}

function schedYield(t: Thread): SyscallResult {
  if (++yields % YIELDS_PER_SLEEP !== 0) return 0;
  sleepParked(t, t.task.parkSequence, YIELD_MS);
  return 0;
}

function cpuMask(): bigint {
  return (1n << BigInt(Math.min(64, availableParallelism()))) - 1n;
}

function getaffinity(t: Thread, a: SyscallArgs): SyscallResult {
  const size = a.u32(1);
  if (size < MASK_BYTES || size % 8 !== 0) return -EINVAL;
  if (taskOf(t, a.i32(0)) === undefined) return -ESRCH;
  return t.mem.writeU64(a.ptr(2), cpuMask()) ? MASK_BYTES : -EFAULT;
}

function setaffinity(t: Thread, a: SyscallArgs): SyscallResult {
  const size = a.u32(1);
  if (taskOf(t, a.i32(0)) === undefined) return -ESRCH;
  const bytes = new Uint8Array(MASK_BYTES);
  const given = t.mem.read(a.ptr(2), Math.min(size, MASK_BYTES));
  if (given === undefined) return -EFAULT;
  bytes.set(given);
  return (new DataView(bytes.buffer).getBigUint64(0, true) & cpuMask()) === 0n ? -EINVAL : 0;
}

function knownPolicy(policy: number): boolean {
  return Object.values(POLICY).some((p) => p === policy);
}

/** Static priorities that a policy has. */
function priorityRange(policy: number): readonly [min: number, max: number] | undefined {
  if (!knownPolicy(policy)) return undefined;
  return policy === POLICY.FIFO || policy === POLICY.RR ? [1, 99] : [0, 0];
}

const clampNice = (nice: number): number => Math.max(-20, Math.min(19, nice));

function setPolicy(t: Thread, tid: number, policyBits: number, priority: number): SyscallResult {
  const policy = policyBits & ~RESET_ON_FORK;
  if (tid < 0) return -EINVAL;
  const task = taskOf(t, tid);
  if (task === undefined) return -ESRCH;
  const range = priorityRange(policy);
  if (range === undefined || priority < range[0] || priority > range[1]) return -EINVAL;
  // Real-time policies want a privilege that no guest has.
  if (policy === POLICY.FIFO || policy === POLICY.RR) return -EPERM;
  task.policy = policy;
  task.priority = priority;
  return 0;
}

function setscheduler(t: Thread, a: SyscallArgs): SyscallResult {
  const priority = t.mem.readI32(a.ptr(2));
  if (a.ptr(2) === 0) return -EINVAL;
  return priority === undefined ? -EFAULT : setPolicy(t, a.i32(0), a.i32(1), priority);
}

function setparam(t: Thread, a: SyscallArgs): SyscallResult {
  const priority = t.mem.readI32(a.ptr(1));
  if (a.ptr(1) === 0 || a.i32(0) < 0) return -EINVAL;
  if (priority === undefined) return -EFAULT;
  const task = taskOf(t, a.i32(0));
  return task === undefined ? -ESRCH : setPolicy(t, a.i32(0), task.policy, priority);
}

function getparam(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(1) === 0 || a.i32(0) < 0) return -EINVAL;
  const task = taskOf(t, a.i32(0));
  if (task === undefined) return -ESRCH;
  return t.mem.writeU32(a.ptr(1), task.priority) ? 0 : -EFAULT;
}

function getscheduler(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.i32(0) < 0) return -EINVAL;
  return taskOf(t, a.i32(0))?.policy ?? -ESRCH;
}

function rrInterval(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.i32(0) < 0) return -EINVAL;
  if (taskOf(t, a.i32(0)) === undefined) return -ESRCH;
  return writeTimespec(t.mem, a.ptr(1), { sec: 0, nsec: 0 }) ? 0 : -EFAULT;
}

/** struct sched_attr, first version. */
const SCHED_ATTR_BYTES = 48;

function setattr(t: Thread, a: SyscallArgs): SyscallResult {
  const size = t.mem.readU32(a.ptr(1));
  if (a.ptr(1) === 0 || a.i32(0) < 0 || a.u32(2) !== 0) return -EINVAL;
  if (size === undefined) return -EFAULT;
  const bytes = t.mem.read(a.ptr(1), SCHED_ATTR_BYTES);
  if (bytes === undefined) return -EFAULT;
  if (size !== 0 && size < SCHED_ATTR_BYTES) return -E2BIG;
  const v = new DataView(bytes.buffer, bytes.byteOffset, SCHED_ATTR_BYTES);
  const task = taskOf(t, a.i32(0));
  if (task === undefined) return -ESRCH;
  const nice = clampNice(v.getInt32(16, true));
  if (priorityRange(v.getUint32(4, true) & ~RESET_ON_FORK) !== undefined && !mayNice(t, task, nice)) return -EPERM;
  const result = setPolicy(t, a.i32(0), v.getUint32(4, true), v.getUint32(20, true));
  if (result === 0) task.nice = nice;
  return result;
}

function getattr(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(1) === 0 || a.i32(0) < 0 || a.u32(2) < SCHED_ATTR_BYTES || a.u32(3) !== 0) return -EINVAL;
  const task = taskOf(t, a.i32(0));
  if (task === undefined) return -ESRCH;
  const bytes = new Uint8Array(SCHED_ATTR_BYTES);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, SCHED_ATTR_BYTES, true);
  v.setUint32(4, task.policy, true);
  v.setInt32(16, task.nice, true);
  v.setUint32(20, task.priority, true);
  return t.mem.write(a.ptr(1), bytes) ? 0 : -EFAULT;
}

/** Tasks that getpriority(2)'s `which` and `who` mean. */
export function* priorityTargets(t: Thread, which: number, who: number): Generator<Task> {
  const { task, kernel } = t;
  for (const other of kernel.allTasks()) {
    const { group } = other;
    const hit =
      which === 0
        ? other.tid === (who === 0 ? task.tid : who)
        : which === 1
          ? group.pgid === (who === 0 ? task.group.pgid : who)
          : group.ids.uid === (who === 0 ? task.group.ids.uid : who);
    if (hit) yield other;
  }
}

function getpriority(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  let best = -ESRCH;
  // The kernel gives 20 - nice, so that results are positive.
  for (const task of priorityTargets(t, which, a.i32(1))) best = Math.max(best, 20 - task.nice);
  return best;
}

/** Whether `t` may give `task` that nice value: any that is no lower, others down to RLIMIT_NICE, or with CAP_SYS_NICE (Linux's can_nice). */
function mayNice(t: Thread, task: Task, nice: number): boolean {
  const lowest = 20 - Number(task.group.rlimit(RLIMIT.NICE).soft);
  return nice >= task.nice || nice >= lowest || t.task.group.hasCapability(CAP.SYS_NICE);
}

function setpriority(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  const nice = clampNice(a.i32(2));
  const mayAll = t.task.group.hasCapability(CAP.SYS_NICE);
  const { euid } = t.task.group.ids;
  let result = -ESRCH;
  for (const task of priorityTargets(t, which, a.i32(1))) {
    const { ids } = task.group;
    if (!mayAll && euid !== ids.uid && euid !== ids.euid) return -EPERM;
    if (!mayNice(t, task, nice)) return -EACCES;
    if (result === -ESRCH) result = 0;
    task.nice = nice;
  }
  return result;
}

function getcpu(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(0) !== 0 && !t.mem.writeU32(a.ptr(0), 0)) return -EFAULT;
  return a.ptr(1) === 0 || t.mem.writeU32(a.ptr(1), 0) ? 0 : -EFAULT;
}

const MEMBARRIER = {
  QUERY: 0,
  GLOBAL: 1,
  GLOBAL_EXPEDITED: 2,
  REGISTER_GLOBAL_EXPEDITED: 4,
  PRIVATE_EXPEDITED: 8,
  REGISTER_PRIVATE_EXPEDITED: 16,
  PRIVATE_EXPEDITED_SYNC_CORE: 32,
  REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: 64,
} as const;

function membarrier(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.u32(1) !== 0) return -EINVAL;
  switch (a.i32(0)) {
    case MEMBARRIER.QUERY:
      return 0x7f;
    case MEMBARRIER.REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER.REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER.REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
      return 0;
    case MEMBARRIER.GLOBAL:
    case MEMBARRIER.GLOBAL_EXPEDITED:
    case MEMBARRIER.PRIVATE_EXPEDITED:
    case MEMBARRIER.PRIVATE_EXPEDITED_SYNC_CORE:
      // Each other thread passes a safepoint, whose atomic accesses are full barriers.
      t.engine.stopWorld(() => undefined);
      return 0;
    default:
      return -EINVAL;
  }
}

export const STORED = 'stored and reported; the host schedules as it likes';

export const schedRows = [
  { nr: 24, name: 'sched_yield', args: '', support: 'yes', handler: schedYield },
  { nr: 140, name: 'getpriority', args: 'd,d', support: 'partly', note: STORED, handler: getpriority },
  { nr: 141, name: 'setpriority', args: 'd,d,d', support: 'partly', note: STORED, handler: setpriority },
  { nr: 142, name: 'sched_setparam', args: 'd,p', support: 'partly', note: STORED, handler: setparam },
  { nr: 143, name: 'sched_getparam', args: 'd,p', support: 'partly', note: STORED, handler: getparam },
  {
    nr: 144,
    name: 'sched_setscheduler',
    args: 'd,d,p',
    support: 'partly',
    note: `${STORED}; SCHED_FIFO and SCHED_RR give EPERM`,
    handler: setscheduler,
  },
  { nr: 145, name: 'sched_getscheduler', args: 'd', support: 'partly', note: STORED, handler: getscheduler },
  {
    nr: 146,
    name: 'sched_get_priority_max',
    args: 'd',
    support: 'yes',
    handler: (_t, a) => priorityRange(a.i32(0))?.[1] ?? -EINVAL,
  },
  {
    nr: 147,
    name: 'sched_get_priority_min',
    args: 'd',
    support: 'yes',
    handler: (_t, a) => priorityRange(a.i32(0))?.[0] ?? -EINVAL,
  },
  { nr: 148, name: 'sched_rr_get_interval', args: 'd,p', support: 'partly', note: 'always 0', handler: rrInterval },
  {
    nr: 203,
    name: 'sched_setaffinity',
    args: 'd,u,p',
    support: 'partly',
    note: 'checked, but threads stay free to run anywhere',
    handler: setaffinity,
  },
  {
    nr: 204,
    name: 'sched_getaffinity',
    args: 'd,u,p',
    support: 'partly',
    note: 'all CPUs of the host',
    handler: getaffinity,
  },
  { nr: 309, name: 'getcpu', args: 'p,p,p', support: 'partly', note: 'always CPU 0, node 0', handler: getcpu },
  { nr: 314, name: 'sched_setattr', args: 'd,p,u', support: 'partly', note: STORED, handler: setattr },
  { nr: 315, name: 'sched_getattr', args: 'd,p,u,u', support: 'partly', note: STORED, handler: getattr },
  { nr: 324, name: 'membarrier', args: 'd,u,d', support: 'partly', note: 'not the RSEQ commands', handler: membarrier },
  {
    nr: 334,
    name: 'rseq',
    args: 'p,u,d,u',
    support: 'no',
    // A registration promises that a sequence is aborted when its thread is moved or interrupted; guest threads run truly at once, and no CPU number of ours
    // says which share a CPU. The C library does without when it gets ENOSYS.
    note: 'restartable sequences need to know on which CPU a thread runs, which no worker can; glibc does without',
    quiet: true,
  },
] as const satisfies readonly SyscallRow[];
