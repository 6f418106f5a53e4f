/**
 * clone: a new thread, a new process that shares the memory, or (fork) one with a copy of it. In: the calling thread and the arguments of clone3's struct. Out: the child's tid; its CPU block, records and worker.
 * The parent's rip already stands after the system call instruction, and rcx and r11 are as SYSCALL leaves them, so the child's copy is right as it is but for rax and rsp.
 * Source: man 2 clone, man 2 vfork.
 */
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import { EAGAIN, EINVAL, EMFILE, EPERM } from '../linux/errno.js';
import { SIGCHLD } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { cloneCpu, freeCpu } from '../threads/cpu-slots.js';
import { park } from '../threads/park.js';
import { unsupported } from '../linux/unsupported.js';
import { SharedGuestMemory } from '../memory/guest-memory.js';
import { hasFreeFd } from '../vfs/fd-table.js';
import { newDescriptor } from '../vfs/new-descriptor.js';
import { newPidfd } from '../vfs/pidfds.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_FLAG, GROUP_STATE, HEAD, TASK_STATE } from './layout.js';
import type { Mm } from './mm.js';
import { inheritFilters } from './seccomp.js';
import { SIG_DFL, SIG_IGN } from './sighand.js';
import type { Task } from './task.js';
import { EVENT, linkChildLocked, OPTION } from './trace-link.js';
import { eventStop } from './trace-stop.js';

export const CLONE = {
  NEWTIME: 0x80,
  VM: 0x100,
  FS: 0x200,
  FILES: 0x400,
  SIGHAND: 0x800,
  PIDFD: 0x1000,
  PTRACE: 0x2000,
  VFORK: 0x4000,
  PARENT: 0x8000,
  THREAD: 0x1_0000,
  NEWNS: 0x2_0000,
  SYSVSEM: 0x4_0000,
  SETTLS: 0x8_0000,
  PARENT_SETTID: 0x10_0000,
  CHILD_CLEARTID: 0x20_0000,
  DETACHED: 0x40_0000,
  UNTRACED: 0x80_0000,
  CHILD_SETTID: 0x100_0000,
  NEWCGROUP: 0x200_0000,
  NEWUTS: 0x400_0000,
  NEWIPC: 0x800_0000,
  NEWUSER: 0x1000_0000,
  NEWPID: 0x2000_0000,
  NEWNET: 0x4000_0000,
  IO: 0x8000_0000,
} as const;
/** clone3 only, above 32 bits. */
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000n;
export const CLONE_INTO_CGROUP = 0x2_0000_0000n;

const NAMESPACES =
  CLONE.NEWTIME |
  CLONE.NEWNS |
  CLONE.NEWCGROUP |
  CLONE.NEWUTS |
  CLONE.NEWIPC |
  CLONE.NEWUSER |
  CLONE.NEWPID |
  CLONE.NEWNET;

export interface CloneArgs {
  /** CLONE bits below 2**32, without the exit signal. */
  readonly flags: number;
  readonly clearSighand: boolean;
  readonly exitSignal: number;
  /** rsp of the child; 0n: the parent's. */
  readonly stack: bigint;
  readonly parentTid: number;
  /** Where CLONE_PIDFD's descriptor goes. */
  readonly pidfd: number;
  readonly childTid: number;
  readonly tls: bigint;
}

/** Gives the child's tid, or a negative errno. With CLONE_VFORK, returns after the child's execve or end. */
export function cloneTask(t: Thread, args: CloneArgs): number {
  const { kernel, task, cpu } = t;
  const { flags } = args;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(CLONE.SIGHAND) && !has(CLONE.VM)) return -EINVAL;
  if (has(CLONE.THREAD) && !has(CLONE.SIGHAND)) return -EINVAL;
  if (has(CLONE.NEWNS) && has(CLONE.FS)) return -EINVAL;
  if (has(CLONE.SIGHAND) && args.clearSighand) return -EINVAL;
  if (has(NAMESPACES)) {
    unsupported(t, 'clone with new namespaces');
    return -EPERM;
  }
  if (has(CLONE.PIDFD) && has(CLONE.THREAD)) return -EINVAL;
  if (has(CLONE.PIDFD) && !hasFreeFd(t.files.state, t.files.table, t.files.port.fdLimit())) return -EMFILE;
  // Before anything is copied, and again when the task is entered.
  if (kernel.isFull) return -EAGAIN;
  const files = has(CLONE.FILES) ? kernel.files?.shareFiles(task.files) : kernel.files?.copyFiles(task.files);
  if (files !== undefined && files < 0) return files;
  const fs = has(CLONE.FS) ? kernel.files?.shareFs(task.fs) : kernel.files?.copyFs(task.fs);
  if (fs !== undefined && fs < 0) {
    kernel.files?.putFiles(files ?? 0);
    return fs;
  }
  const space = has(CLONE.VM) ? sharedSpace(t) : copiedSpace(t);
  const child = kernel.lock(() => {
    if (space === undefined || task.mustLeave || kernel.isFull) return undefined;
    const tid = kernel.newTid();
    const block = space.cpu === 0 ? cloneCpu(space.words, cpu.base, tid) : space.cpu;
    if (block === 0) return undefined;
    const made = enterTask(kernel, task, args, tid, space.mm);
    if (made === undefined) {
      freeCpu(space.words, block);
      return undefined;
    }
    made.cpu = block;
    made.files = files ?? 0;
    made.fs = fs ?? 0;
    return made;
  });
  if (child === undefined) {
    if (!has(CLONE.VM) && space !== undefined) giveUp(t, space);
    kernel.files?.putFiles(files ?? 0);
    kernel.files?.putFs(fs ?? 0);
    return -EAGAIN;
  }
  const childMemory =
    space === undefined || has(CLONE.VM) ? t.mem : new SharedGuestMemory(space.words.buffer, nothing, () => false);
  setChildRegisters(childMemory.view, child, args);
  const { tid } = child;
  // A word that can't be written is left alone, as Linux does.
  if (has(CLONE.PIDFD)) t.mem.writeU32(args.pidfd, newDescriptor(t.files, newPidfd(child.groupIndex, tid, 0), true));
  if (has(CLONE.PARENT_SETTID)) t.mem.writeU32(args.parentTid, tid);
  if (has(CLONE.CHILD_SETTID)) childMemory.writeU32(args.childTid, tid);
  if (has(CLONE.VFORK)) task.vforkChild = child.index;
  kernel.supervision?.startTask(child.index);
  tellTracer(t, args, tid);
  if (has(CLONE.VFORK)) {
    waitForVfork(t, child.group);
    eventStop(t, EVENT.VFORK_DONE, OPTION.TRACEVFORKDONE, tid);
  }
  return tid;
}

/** What a tracer may want to know of a clone. */
function eventOf({ flags, exitSignal }: CloneArgs): { event: number; option: number } {
  if ((flags & CLONE.VFORK) !== 0) return { event: EVENT.VFORK, option: OPTION.TRACEVFORK };
  if (exitSignal !== SIGCHLD) return { event: EVENT.CLONE, option: OPTION.TRACECLONE };
  return { event: EVENT.FORK, option: OPTION.TRACEFORK };
}

function tellTracer(t: Thread, args: CloneArgs, tid: number): void {
  if ((args.flags & CLONE.UNTRACED) !== 0) return;
  const { event, option } = eventOf(args);
  eventStop(t, event, option, tid);
}

/** Whether the child of a tracee has the same tracer. */
function isTracedToo(parent: Task, args: CloneArgs): boolean {
  if (parent.traced === 0) return false;
  if ((args.flags & CLONE.PTRACE) !== 0) return true;
  return (args.flags & CLONE.UNTRACED) === 0 && (parent.trace.options & eventOf(args).option) !== 0;
}

/** Where the child runs. */
interface ChildSpace {
  readonly mm: Mm;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Its CPU block; 0: to be taken. */
  readonly cpu: number;
}

function sharedSpace(t: Thread): ChildSpace | undefined {
  const words = t.kernel.memory(t.task.mm);
  return words === undefined ? undefined : { mm: t.task.mmRecord, words, cpu: 0 };
}

/** A copy of the parent's memory, in an address space of its own; undefined when there is none free. */
function copiedSpace(t: Thread): ChildSpace | undefined {
  const { kernel, task } = t;
  const mm = kernel.lock(() => {
    const fresh = kernel.allocMm();
    if (fresh !== undefined) fresh.refs = 1;
    return fresh;
  });
  if (mm === undefined) return undefined;
  const memory = kernel.memoryFor(t, mm.index);
  mm.layout = task.mmRecord.layout;
  mm.exe = task.mmRecord.exe;
  // The memory is created shared.
  const space = {
    mm,
    words: new Int32Array(memory.buffer as SharedArrayBuffer),
    cpu: t.engine.forkMemory(mm.index, memory),
  };
  if (space.cpu !== 0) return space;
  giveUp(t, space);
  return undefined;
}

function giveUp(t: Thread, space: ChildSpace): void {
  t.engine.emptyMemory(t.kernel.memoryFor(t, space.mm.index));
  t.kernel.lock(() => {
    if (space.cpu !== 0) freeCpu(space.words, space.cpu);
    space.mm.refs = 0;
  });
}

const nothing = (): void => undefined;

/** Only what kills the parent ends the wait before the child has called execve or is gone. */
function waitForVfork(t: Thread, child: Group): void {
  const { task, kernel } = t;
  if (park(t, () => (task.vforkChild === 0 ? true : undefined), { killOnly: true }) === true) return;
  kernel.lock(() => {
    if (child.vforkParent === task.index) child.vforkParent = 0;
    task.vforkChild = 0;
  });
}

/** Records of the child. The caller holds the mutex. Undefined: a table is full. */
function enterTask(kernel: Kernel, parent: Task, args: CloneArgs, tid: number, mm: Mm): Task | undefined {
  const thread = (args.flags & CLONE.THREAD) !== 0;
  const child = kernel.allocTask();
  if (child === undefined) return undefined;
  const sighand = (args.flags & CLONE.SIGHAND) !== 0 ? parent.sighand : kernel.allocSighand();
  const group = thread ? parent.group : kernel.allocGroup();
  if (sighand === undefined || group === undefined) return undefined;
  if (sighand !== parent.sighand) sighand.copyFrom(parent.sighand);
  if (args.clearSighand) clearHandlers(sighand);
  sighand.refs += 1;
  child.tid = tid;
  child.group = group;
  child.sighand = sighand;
  child.mm = mm.index;
  child.blocked = parent.blocked;
  child.comm = parent.comm;
  child.nice = parent.nice;
  child.ioprio = parent.ioprio;
  child.policy = parent.policy;
  child.priority = parent.priority;
  child.timerSlack = parent.timerSlack;
  child.startTime = kernel.now();
  inheritFilters(kernel, child, parent);
  const shares = (args.flags & CLONE.VM) !== 0;
  // A child in the same memory has no alternate stack, but for vfork's, which is on its parent's stack (man 2 sigaltstack).
  const keepsAlt = !shares || (args.flags & CLONE.VFORK) !== 0;
  child.altStack = keepsAlt ? parent.altStack : { sp: 0n, size: 0n, flags: 2 };
  child.clearChildTid = (args.flags & CLONE.CHILD_CLEARTID) !== 0 ? args.childTid : 0;
  if (shares) {
    mm.refs += 1;
    mm.wasShared = true;
  } else {
    child.rseq = parent.rseq;
  }
  if (thread) group.threads += 1;
  else enterGroup(kernel, parent, child, group, args);
  if (isTracedToo(parent, args)) linkChildLocked(child, parent);
  Atomics.add(kernel.i32, HEAD.TASKS_ALIVE, 1);
  child.state = TASK_STATE.NEW;
  return child;
}

function enterGroup(kernel: Kernel, parent: Task, child: Task, group: Group, args: CloneArgs): void {
  const from = parent.group;
  group.tgid = child.tid;
  group.leader = child;
  group.threads = 1;
  group.parent = (args.flags & CLONE.PARENT) !== 0 ? from.parent : from;
  group.maker = (args.flags & CLONE.PARENT) !== 0 ? from.maker : parent;
  group.exitSignal = (args.flags & CLONE.PARENT) !== 0 ? from.exitSignal : args.exitSignal;
  group.pgid = from.pgid;
  group.sid = from.sid;
  group.terminal = from.terminal;
  group.ids = from.ids;
  group.capabilities = from.capabilities;
  group.secureBits = from.secureBits;
  group.supplementary = from.supplementary;
  group.persona = from.persona;
  group.setFlag(GROUP_FLAG.NO_NEW_PRIVS, from.has(GROUP_FLAG.NO_NEW_PRIVS));
  group.setFlag(GROUP_FLAG.NOT_DUMPABLE, from.has(GROUP_FLAG.NOT_DUMPABLE));
  for (let r = 0; r < 16; r++) {
    const { soft, hard } = from.rlimit(r);
    group.setRlimit(r, soft, hard);
  }
  if ((args.flags & CLONE.VFORK) !== 0) group.vforkParent = parent.index;
  group.state = GROUP_STATE.ALIVE;
}

function clearHandlers(sighand: Task['sighand']): void {
  for (let s = 1; s <= 64; s++) {
    if (sighand.handler(s) !== SIG_IGN) sighand.setAction(s, { handler: SIG_DFL, flags: 0n, restorer: 0n, mask: 0n });
  }
}

function setChildRegisters(view: DataView, child: Task, args: CloneArgs): void {
  view.setBigInt64(child.cpu + CPU.REGS + 8 * GPR.RAX, 0n, true);
  if (args.stack !== 0n) view.setBigInt64(child.cpu + CPU.REGS + 8 * GPR.RSP, BigInt.asIntN(64, args.stack), true);
  if ((args.flags & CLONE.SETTLS) !== 0) view.setBigInt64(child.cpu + CPU.FS_BASE, BigInt.asIntN(64, args.tls), true);
}

/** fork(2)'s and vfork(2)'s arguments. */
export function forkArgs(vfork: boolean): CloneArgs {
  return {
    flags: vfork ? CLONE.VM | CLONE.VFORK : 0,
    clearSighand: false,
    exitSignal: SIGCHLD,
    stack: 0n,
    parentTid: 0,
    pidfd: 0,
    childTid: 0,
    tls: 0n,
  };
}
