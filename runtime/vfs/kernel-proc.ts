/**
 * What /proc shows of guest processes, from the kernel's tables and the processes' memories. In: a thread's kernel objects, and what gives the memory of a process. Out: ProcSource.
 */
import { otherThreadCpuNs } from '../process/cpu-time.js';
import type { Group } from '../process/group.js';
import type { Kernel } from '../process/kernel.js';
import { GROUP_FLAG, TRACE_STATE } from '../process/layout.js';
import { mayLookInto } from '../process/look-into.js';
import { idMapText, showsOneUser } from '../process/owners.js';
import { SIG_DFL, SIG_IGN } from '../process/sighand.js';
import type { Task } from '../process/task.js';
import { utsName } from '../process/uts.js';
import type { ProcSource, ProcTask } from './kernel-port.js';

/** The address space of a guest process. */
export interface ProcMemory {
  /** Bytes of guest memory; undefined where they can't be read. */
  read(addr: number, size: number): Uint8Array | undefined;
  /** Text of /proc/PID/maps and smaps. */
  maps(): string;
  smaps(rollup: boolean): string;
  /** Bytes mapped, bytes touched. */
  usage(): { readonly vsize: number; readonly rss: number };
}

const TICK_NS = 10_000_000;
const TICK_US = 10_000;
const SIGNALS = 64;
const RLIMITS = 16;
const NO_USAGE = { vsize: 0, rss: 0 };

/** Copies bytes from, or to, the memory of a task; gives how many could be. */
export type AccessMemory = (task: Task, addr: number, bytes: Uint8Array, write: boolean) => number;

/** @param memoryOf the memory of an address space; the thread may park, as in `access` */
export function kernelProc(
  kernel: Kernel,
  own: Task,
  memoryOf: (mm: number) => ProcMemory,
  access: AccessMemory,
): ProcSource {
  const groupOf = (pid: number): Group | undefined => kernel.findGroup(pid);
  /** A task whose address space is the process's; undefined for zombies. */
  const runner = (pid: number): Task | undefined => {
    if (own.tgid === pid) return own;
    const group = groupOf(pid);
    return group?.alive === true ? [...group.tasks()].find((t) => t.mm !== 0) : undefined;
  };
  /** Calls `fn` with the process's memory; undefined for a zombie, and for one that has left the memory meanwhile. */
  const inMemory = <T>(task: Task | undefined, fn: (memory: ProcMemory, task: Task) => T): T | undefined => {
    if (task === undefined) return undefined;
    const { space } = task.mmRecord;
    const result = fn(memoryOf(task.mm), task);
    return task.mmRecord.space === space && task.mmRecord.refs > 0 ? result : undefined;
  };
  const strings = (pid: number, range: (task: Task) => readonly [start: number, size: number]): Uint8Array =>
    inMemory(runner(pid), (memory, task) => {
      const [start, size] = range(task);
      return size > 0 ? memory.read(start, size) : undefined;
    }) ?? new Uint8Array(0);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  const may = (pid: number): boolean => {
    const group = groupOf(pid);
    return group !== undefined && mayLookInto(own, group);
  };
  return {
    pids: () => [...kernel.allGroups()].map((g) => g.tgid).sort((a, b) => a - b),
    processOf: (id) => (groupOf(id) ?? kernel.findTask(id)?.group)?.tgid,
    threads: (pid) => Array.from(groupOf(pid)?.tasks() ?? [], (t) => t.tid).sort((a, b) => a - b),
    exe: (pid) => runner(pid)?.mmRecord.exe,
    cmdline: (pid) => text(strings(pid, ({ mmRecord: { layout: l } }) => [l.argStart, l.argEnd - l.argStart])),
    environ: (pid) => text(strings(pid, ({ mmRecord: { layout: l } }) => [l.envStart, l.envEnd - l.envStart])),
    auxv: (pid) => strings(pid, ({ mmRecord: { layout: l } }) => [l.auxv, l.auxvBytes]),
    comm: (tid) => (kernel.findTask(tid) ?? own).comm,
    setComm(tid, name) {
      const t = kernel.findTask(tid);
      if (t !== undefined) t.comm = name;
    },
    maps: (pid) => inMemory(runner(pid), (memory) => memory.maps()),
    smaps: (pid, rollup) => inMemory(runner(pid), (memory) => memory.smaps(rollup)),
    tables: (pid) => {
      const task = runner(pid);
      return { files: task?.files ?? 0, fs: task?.fs ?? 0 };
    },
    limits: (pid) => {
      const group = groupOf(pid) ?? own.group;
      return Array.from({ length: RLIMITS }, (_, which) => group.rlimit(which));
    },
    idMap: (kind) => idMapText(kernel, kind),
    setgroups: showsOneUser(kernel) ? 'deny' : 'allow',
    oomAdjust: (pid) => groupOf(pid)?.oomAdjust ?? 0,
    setOomAdjust(pid, value) {
      const group = groupOf(pid);
      if (group !== undefined) group.oomAdjust = value;
    },
    accessMemory(pid, addr, bytes, write) {
      const task = runner(pid);
      return task === undefined ? 0 : access(task, addr, bytes, write);
    },
    mayLookInto: may,
    mayListFiles: (pid) => may(pid) && (own.group.ids.euid === 0 || runner(pid) !== undefined),
    machineName: (which) => utsName(kernel, which),
    task: (tid) => {
      const t = kernel.findTask(tid);
      if (t === undefined) return undefined;
      const usage = inMemory(t.alive && t.mm !== 0 ? t : undefined, (memory) => memory.usage());
      return taskInfo(t, usage ?? NO_USAGE);
    },
  };
}

function stateOf(t: Task): string {
  if (!t.alive) return 'Z';
  if (t.traced !== 0 && t.trace.state !== TRACE_STATE.RUNNING) return 't';
  if (t.group.stopped) return 'T';
  return t.asleep ? 'S' : 'R';
}

function taskInfo(t: Task, usage: { readonly vsize: number; readonly rss: number }): ProcTask {
  const { group } = t;
  const { uid, euid, suid, gid, egid, sgid } = group.ids;
  let ignored = 0n;
  let caught = 0n;
  for (let signal = 1; t.alive && signal <= SIGNALS; signal++) {
    const handler = t.sighand.handler(signal);
    const bit = 1n << BigInt(signal - 1);
    if (handler === SIG_IGN) ignored |= bit;
    else if (handler !== SIG_DFL) caught |= bit;
  }
  const cpuNs = t.alive && t.hostTid !== 0 ? Math.max(0, otherThreadCpuNs(t.hostTid) - t.cpuAtStart) : 0;
  return {
    state: stateOf(t),
    tracer: t.traced === 0 ? 0 : t.trace.tracer.tid,
    ppid: group.parentIndex === 0 ? 0 : group.parent.tgid,
    pgrp: group.pgid,
    session: group.sid,
    terminal: group.terminal,
    uids: [uid, euid, suid],
    gids: [gid, egid, sgid],
    groups: [...group.supplementary],
    capabilities: group.capabilities,
    noNewPrivileges: group.has(GROUP_FLAG.NO_NEW_PRIVS),
    nice: t.nice,
    cpuTicks: Math.floor(cpuNs / TICK_NS),
    cpuNs,
    deadTicks: Math.floor(group.deadCpu / TICK_NS),
    childTicks: [Math.floor(group.childUtime / TICK_US), Math.floor(group.childStime / TICK_US)],
    startTicks: Math.floor(t.startTime / TICK_NS),
    exitStatus: group.exitStatus,
    policy: t.policy,
    priority: t.priority,
    vsize: usage.vsize,
    rss: usage.rss,
    sigPending: t.pending,
    groupPending: group.pending,
    sigBlocked: t.blocked,
    sigIgnored: ignored,
    sigCaught: caught,
  };
}
