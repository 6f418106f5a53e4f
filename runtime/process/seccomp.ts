/**
 * Seccomp: the filters of tasks, in the kernel's table: each has the one that was installed before it, and is counted by tasks and by later filters. In: tasks, programs, system calls.
 * Out: what is to be done with a call. Source: man 2 seccomp.
 */
import { isValidFilter, runFilter, DATA_BYTES, INSN_BYTES } from '../linux/bpf.js';
import type { SyscallArgs } from '../linux/context.js';
import { EINVAL, ENOMEM } from '../linux/errno.js';
import type { Group } from './group.js';
import type { Kernel } from './kernel.js';
import { AREA, FILTER, MAX_FILTERS } from './layout.js';
import type { Task } from './task.js';

/** Value of Task.seccomp in strict mode; otherwise it is the index of a filter, 0 none. */
export const STRICT = -1;
export const ACTION = {
  KILL_PROCESS: 0x8000_0000,
  KILL_THREAD: 0,
  TRAP: 0x3_0000,
  ERRNO: 0x5_0000,
  USER_NOTIF: 0x7fc0_0000,
  TRACE: 0x7ff0_0000,
  LOG: 0x7ffc_0000,
  ALLOW: 0x7fff_0000,
} as const;
const ACTION_BITS = 0xffff_0000;
export const ARCH = { X86_64: 0xc000_003e, I386: 0x4000_0003 } as const;

const word = (filter: number): number => (AREA.FILTERS + filter * FILTER.BYTES) / 4;

function field(kernel: Kernel, filter: number, which: number): number {
  return kernel.i32[word(filter) + which] ?? 0;
}

function programOf(kernel: Kernel, filter: number): DataView {
  const start = (word(filter) + FILTER.PROGRAM) * 4;
  return new DataView(kernel.buffer, start, field(kernel, filter, FILTER.COUNT) * INSN_BYTES);
}

/** Installs a filter for the task, or (`all`) for all threads of its process; 0, -EINVAL, -ENOMEM. */
export function installFilter(kernel: Kernel, task: Task, program: Uint8Array, all: boolean): number {
  if (!isValidFilter(new DataView(program.buffer, program.byteOffset, program.length))) return -EINVAL;
  return kernel.lock(() => {
    let filter = 1;
    while (filter < MAX_FILTERS && field(kernel, filter, FILTER.REFS) !== 0) filter++;
    if (filter === MAX_FILTERS) return -ENOMEM;
    const { i32, bytes } = kernel;
    i32[word(filter) + FILTER.COUNT] = program.length / INSN_BYTES;
    // The former one's reference goes from the task to this filter.
    i32[word(filter) + FILTER.BEFORE] = task.seccomp;
    i32[word(filter) + FILTER.REFS] = 1;
    bytes.set(program, (word(filter) + FILTER.PROGRAM) * 4);
    task.seccomp = filter;
    if (all) for (const other of task.group.tasks()) if (other.index !== task.index) follow(kernel, other, task);
    return 0;
  });
}

/** The first thread of the group whose filters are not also the task's: it can't take them over. Undefined: there is none. */
export function divergent(kernel: Kernel, group: Group, task: Task): Task | undefined {
  const mine = new Set<number>([0]);
  for (let f = task.seccomp; f > 0; f = field(kernel, f, FILTER.BEFORE)) mine.add(f);
  for (const other of group.tasks()) if (other.index !== task.index && !mine.has(other.seccomp)) return other;
  return undefined;
}

function follow(kernel: Kernel, other: Task, task: Task): void {
  const before = other.seccomp;
  inheritFilters(kernel, other, task);
  if (before > 0) release(kernel, before);
}

/** clone: the child has its parent's filters. The caller holds the mutex. */
export function inheritFilters(kernel: Kernel, child: Task, parent: Task): void {
  const filter = parent.seccomp;
  child.seccomp = filter;
  if (filter > 0) kernel.i32[word(filter) + FILTER.REFS] = field(kernel, filter, FILTER.REFS) + 1;
}

/** A task is gone. The caller holds the mutex. */
export function releaseFilters(kernel: Kernel, task: Task): void {
  const filter = task.seccomp;
  task.seccomp = 0;
  if (filter > 0) release(kernel, filter);
}

function release(kernel: Kernel, filter: number): void {
  for (let f = filter; f > 0;) {
    const refs = field(kernel, f, FILTER.REFS) - 1;
    kernel.i32[word(f) + FILTER.REFS] = refs;
    if (refs > 0) return;
    f = field(kernel, f, FILTER.BEFORE);
  }
}

const data = new DataView(new ArrayBuffer(DATA_BYTES));

/** What all filters of the task say of the call, the strictest: an action and its 16 bits of data. */
export function judge(kernel: Kernel, filter: number, nr: number, arch: number, ip: bigint, a: SyscallArgs): number {
  data.setInt32(0, nr, true);
  data.setUint32(4, arch, true);
  data.setBigUint64(8, ip, true);
  for (let i = 0; i < 6; i++) data.setBigUint64(16 + 8 * i, a.u64(i), true);
  let strictest: number = ACTION.ALLOW;
  for (let f = filter; f > 0; f = field(kernel, f, FILTER.BEFORE)) {
    const verdict = runFilter(programOf(kernel, f), data);
    // As signed numbers: KILL_PROCESS is the smallest.
    if ((verdict & ACTION_BITS) < (strictest & ACTION_BITS)) strictest = verdict;
  }
  return strictest;
}
