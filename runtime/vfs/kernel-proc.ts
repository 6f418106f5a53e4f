/**
 * What /proc shows of guest processes, from the kernel's tables. In: a thread's kernel objects and its memory. Out: ProcSource.
 */
import type { Group } from '../process/group.js';
import type { Kernel } from '../process/kernel.js';
import { SIG_DFL, SIG_IGN } from '../process/sighand.js';
import type { Task } from '../process/task.js';
import type { ProcSource, ProcTask } from './kernel-port.js';

/** The address space of the thread that reads /proc. */
export interface OwnMemory {
  /** Bytes of guest memory; undefined where they can't be read. */
  read(addr: number, size: number): Uint8Array | undefined;
  /** Text of /proc/self/maps. */
  maps(): string;
  /** Bytes mapped, bytes touched. */
  usage(): { readonly vsize: number; readonly rss: number };
}

const TICK_NS = 10_000_000;
const SIGNALS = 64;

/** Memory of other processes is not reached: their argv, environ, auxv and maps are empty. */
export function kernelProc(kernel: Kernel, own: Task, memory: OwnMemory): ProcSource {
  const groupOf = (pid: number): Group | undefined => kernel.findGroup(pid);
  const isOwn = (pid: number): boolean => own.tgid === pid;
  const bytes = (pid: number, start: number, size: number): Uint8Array =>
    (isOwn(pid) && size > 0 ? memory.read(start, size) : undefined) ?? new Uint8Array(0);
  const text = (b: Uint8Array): string => Buffer.from(b).toString('latin1');
  const layoutOf = (pid: number): Task['mmRecord']['layout'] => (groupOf(pid) ?? own.group).leader.mmRecord.layout;
  return {
    pids: () => [...kernel.allGroups()].map((g) => g.tgid).sort((a, b) => a - b),
    processOf: (id) => (groupOf(id) ?? kernel.findTask(id)?.group)?.tgid,
    threads: (pid) =>
      [...kernel.allTasks()]
        .filter((t) => t.alive && t.group.tgid === pid)
        .map((t) => t.tid)
        .sort((a, b) => a - b),
    exe: (pid) => (isOwn(pid) ? own : (groupOf(pid)?.leader ?? own)).mmRecord.exe,
    cmdline(pid) {
      const l = layoutOf(pid);
      return text(bytes(pid, l.argStart, l.argEnd - l.argStart));
    },
    environ(pid) {
      const l = layoutOf(pid);
      return text(bytes(pid, l.envStart, l.envEnd - l.envStart));
    },
    auxv(pid) {
      const l = layoutOf(pid);
      return bytes(pid, l.auxv, l.auxvBytes);
    },
    comm: (tid) => (kernel.findTask(tid) ?? own).comm,
    setComm(tid, name) {
      const t = kernel.findTask(tid);
      if (t !== undefined) t.comm = name;
    },
    maps: (pid) => (isOwn(pid) ? memory.maps() : undefined),
    task: (tid) => taskInfo(kernel.findTask(tid) ?? own, own, memory),
  };
}

function taskInfo(t: Task, own: Task, memory: OwnMemory): ProcTask {
  const { group } = t;
  const { uid, euid, suid, gid, egid, sgid } = group.ids;
  const usage = t.mm === own.mm ? memory.usage() : { vsize: 0, rss: 0 };
  let ignored = 0n;
  let caught = 0n;
  for (let signal = 1; signal <= SIGNALS; signal++) {
    const handler = t.sighand.handler(signal);
    const bit = 1n << BigInt(signal - 1);
    if (handler === SIG_IGN) ignored |= bit;
    else if (handler !== SIG_DFL) caught |= bit;
  }
  // CPU time is counted for the whole host process only: the guest's threads share it.
  const cpu = t === own ? process.cpuUsage() : { user: 0, system: 0 };
  return {
    state: t.alive ? String.fromCharCode(t === own ? 82 : t.runLetter === 0 ? 83 : t.runLetter) : 'Z',
    ppid: group.parentIndex === 0 ? 0 : group.parent.tgid,
    pgrp: group.pgid,
    session: group.sid,
    uids: [uid, euid, suid],
    gids: [gid, egid, sgid],
    nice: t.nice,
    userTicks: Math.floor((cpu.user * 1000) / TICK_NS),
    systemTicks: Math.floor((cpu.system * 1000) / TICK_NS),
    startTicks: Math.floor(t.startTime / TICK_NS),
    vsize: usage.vsize,
    rss: usage.rss,
    sigPending: t.pending | group.pending,
    sigBlocked: t.blocked,
    sigIgnored: ignored,
    sigCaught: caught,
  };
}
