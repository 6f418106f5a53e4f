/**
 * The first guest process. In: its identity. Out: its task, group, address space and signal actions in the kernel's tables.
 * Source: man 2 getrlimit (Linux's defaults), man 7 credentials.
 */
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import { readFileSync } from 'node:fs';
import { InternalError } from '../../src/base/errors.js';
import { RLIM_INFINITY, type Group } from './group.js';
import type { Kernel } from './kernel.js';
import { GROUP_STATE, HEAD, SUPPLEMENTARY, TASK_STATE } from './layout.js';
import { showsOneUser } from './owners.js';
import type { Task } from './task.js';

export interface FirstProcess {
  /** Name: the file name of the program. */
  readonly comm: string;
  /** CPU block in its memory (cpu-slots.ts). */
  readonly cpu: number;
  /** Ids of the file layer's tables. */
  readonly files: number;
  readonly fs: number;
  /** Process group and session; 0: its own tid. */
  readonly pgid?: number;
  readonly sid?: number;
  /** Index of the controlling terminal; -1 none. */
  readonly terminal?: number;
  /** By default those of root or of another user. */
  readonly capabilities?: Capabilities | undefined;
  /** Its nice value; 0 by default. */
  readonly nice?: number;
  /** Bytes of the stack (RLIMIT_STACK); 8 MiB by default. */
  readonly stackLimit?: bigint;
  /** --max-memory: bytes of the address space of each process; --max-procs: processes and threads at a time. The guest can't raise either. */
  readonly memoryLimit?: number | undefined;
  readonly taskLimit?: number | undefined;
  /** Descriptors: soft and hard limit. */
  readonly fileLimit?: { readonly soft: bigint; readonly hard: bigint };
}

export const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;

/** Enters the first process; once a kernel. Its task is NEW until its worker calls threadStarted (exit.ts). */
export function createFirstProcess(kernel: Kernel, first: FirstProcess): Task {
  return kernel.lock(() => {
    const mm = kernel.allocMm();
    const group = kernel.allocGroup();
    const task = kernel.allocTask();
    const sighand = kernel.allocSighand();
    if (mm === undefined || group === undefined || task === undefined || sighand === undefined)
      throw new InternalError('kernel tables are full at the start');
    const { i32 } = kernel;
    const tid = kernel.newTid();
    mm.refs = 1;
    sighand.refs = 1;
    group.state = GROUP_STATE.ALIVE;
    group.tgid = tid;
    group.leader = task;
    group.threads = 1;
    group.pgid = first.pgid ?? tid;
    group.sid = first.sid ?? tid;
    group.terminal = first.terminal ?? -1;
    const uid = i32[HEAD.UID] ?? 0;
    const euid = i32[HEAD.EUID] ?? 0;
    const gid = i32[HEAD.GID] ?? 0;
    const egid = i32[HEAD.EGID] ?? 0;
    group.ids = { uid, euid, suid: euid, gid, egid, sgid: egid };
    group.capabilities = first.capabilities ?? capabilitiesOf(euid);
    const groups = showsOneUser(kernel) ? [egid] : (process.getgroups?.() ?? [gid]);
    group.supplementary = Int32Array.from(groups.slice(0, SUPPLEMENTARY.MOST));
    setDefaultLimits(group, first);
    setFixedLimits(kernel, group, first);
    task.tid = tid;
    task.group = group;
    task.sighand = sighand;
    task.mm = mm.index;
    task.cpu = first.cpu;
    task.files = first.files;
    task.fs = first.fs;
    task.comm = first.comm;
    task.nice = first.nice ?? 0;
    task.altStack = { sp: 0n, size: 0n, flags: 2 };
    task.startTime = kernel.now();
    task.state = TASK_STATE.NEW;
    i32[HEAD.INIT_GROUP] = group.index;
    Atomics.add(i32, HEAD.TASKS_ALIVE, 1);
    return task;
  });
}

export interface HostSession {
  readonly pgid: number;
  readonly sid: number;
  /** Device number of the controlling terminal, 0 none, and its foreground process group; undefined where the host does not tell. */
  readonly terminal?: number;
  readonly foreground?: number;
}

/** Process group, session and terminal of lift64 itself, for the first process; undefined where the host does not tell. Source: man 5 proc (/proc/PID/stat). */
export function hostSession(): HostSession | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [, , pgid = 0, sid = 0, terminal = 0, foreground = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { pgid, sid, terminal, foreground };
}

function setFixedLimits(kernel: Kernel, group: Group, { memoryLimit, taskLimit }: FirstProcess): void {
  const fix = (which: number, limit: number | undefined): void => {
    if (limit === undefined) return;
    group.setRlimit(which, BigInt(limit), BigInt(limit));
    Atomics.or(kernel.i32, HEAD.FIXED_LIMITS, 1 << which);
  };
  fix(RLIMIT.AS, memoryLimit);
  fix(RLIMIT.NPROC, taskLimit);
  kernel.i32[HEAD.TASK_LIMIT] = taskLimit ?? 0;
}

function setDefaultLimits(group: Group, first: FirstProcess): void {
  for (let r = 0; r < 16; r++) group.setRlimit(r, RLIM_INFINITY, RLIM_INFINITY);
  group.setRlimit(RLIMIT.STACK, first.stackLimit ?? 8n << 20n, RLIM_INFINITY);
  group.setRlimit(RLIMIT.CORE, 0n, RLIM_INFINITY);
  group.setRlimit(RLIMIT.NPROC, 1000n, 1000n);
  group.setRlimit(RLIMIT.NOFILE, first.fileLimit?.soft ?? 1024n, first.fileLimit?.hard ?? 4096n);
  group.setRlimit(RLIMIT.MEMLOCK, 8n << 20n, 8n << 20n);
  group.setRlimit(RLIMIT.SIGPENDING, 4000n, 4000n);
  group.setRlimit(RLIMIT.MSGQUEUE, 819200n, 819200n);
  group.setRlimit(RLIMIT.NICE, 0n, 0n);
  group.setRlimit(RLIMIT.RTPRIO, 0n, 0n);
}
