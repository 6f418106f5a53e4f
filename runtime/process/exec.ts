/**
 * execve. In: a thread, the path of a program, arguments and environment. Out: -errno with nothing changed, or the thread leaves its guest code (t.exiting) and goes on in the
 * program that t.next describes. The program is laid out in a memory of its own, so that all that can fail has failed before the old one is given up; a vfork's child leaves its
 * parent's memory as it is. Source: man 2 execve, man 7 signal ("Execution of signal handlers", exec), man 2 vfork.
 */
import { afterExec, SECURE } from './capabilities.js';
import * as fs from 'node:fs';
import { CONTROL } from '../../src/guest/cpu-state.js';
import { E2BIG, EACCES, EAGAIN, EFAULT, ELIBBAD, ENOMEM } from '../linux/errno.js';
import { randomBytes } from '../linux/random.js';
import type { NextProgram, Thread } from '../linux/thread.js';
import { freeCpu } from '../threads/cpu-slots.js';
import { park } from '../threads/park.js';
import { walkRobustList } from '../threads/robust-list.js';
import { bytePath, type BytePath, hostBytes } from '../vfs/byte-path.js';
import { currentPath, fdPath } from '../vfs/descriptor-path.js';
import { closeOnExec, copyTable, isTableShared, releaseTable } from '../vfs/fd-table.js';
import { hostCall } from '../vfs/host-error.js';
import { tellOfFile } from '../vfs/inotify/file-events.js';
import { IN } from '../vfs/inotify/instances.js';
import { fileKind, hostFd, KIND, putFile } from '../vfs/open-files.js';
import { O_NOFOLLOW, O_RDONLY } from '../vfs/open-flags.js';
import { openPath } from '../vfs/open.js';
import { RLIMIT } from './boot.js';
import { completeVfork, freeTask, guestThreadCpuNs } from './exit.js';
import type { ImageFile } from './exec-image.js';
import { type Command, HEAD_BYTES, resolveScript } from './exec-script.js';
import { GROUP_FLAG } from './layout.js';
import { dropTimersLocked } from './posix-timers.js';

/** Pointers of argv and envp that are looked at: more strings than the limit of bytes allows. */
const MAX_POINTERS = 1 << 20;
const MAX_STRING = 1 << 17;
const DEFAULT_STACK = 8 << 20;
const LARGEST_STACK = 1 << 30;

/** What execve and execveat are given. */
export interface ExecRequest {
  /** Descriptor that a relative path starts at, AT_FDCWD. */
  readonly dirfd: number;
  readonly path: BytePath;
  /** -ELOOP when the path's last component is a symbolic link. */
  readonly noFollow?: boolean;
  /** Addresses of the arrays of pointers; 0: none. */
  readonly argv: number;
  readonly env: number;
}

/** An opened program file; `file` is a description that the caller puts back. */
interface Opened {
  readonly file: number;
  readonly fd: number;
  readonly path: string;
}

export function execute(t: Thread, r: ExecRequest): number {
  const argv = strings(t, r.argv);
  if (typeof argv === 'number') return argv;
  const env = strings(t, r.env);
  if (typeof env === 'number') return env;
  const command = resolveScript({ path: r.path, argv: argv.length === 0 ? [''] : argv }, (path) =>
    withProgram(t, r, path, (p) => readHead(p.fd)),
  );
  if (typeof command === 'number') return command;
  return withProgram(t, r, command.path, (program) => {
    const parsed = t.engine.parseProgram(program.fd, program.path);
    if (typeof parsed === 'number') return parsed;
    if (parsed.interpreter === undefined) return start(t, r, command, env, parsed.image, undefined);
    return withProgram(t, r, parsed.interpreter, (interpreter) => {
      const ld = t.engine.parseProgram(interpreter.fd, interpreter.path);
      if (typeof ld === 'number') return -ELIBBAD;
      return start(t, r, command, env, parsed.image, ld.image);
    });
  });
}

/** The strings of a NULL-terminated array, one character a byte; -EFAULT, -E2BIG. */
function strings(t: Thread, addr: number): string[] | number {
  const out: string[] = [];
  if (addr === 0) return out;
  for (let at = addr; ; at += 8) {
    const pointer = t.mem.readU64(at);
    if (pointer === undefined) return -EFAULT;
    if (pointer === 0n) return out;
    if (out.length >= MAX_POINTERS) return -E2BIG;
    const bytes = t.mem.cstring(Number(pointer), MAX_STRING);
    if (bytes === undefined) return -EFAULT;
    if (bytes.length >= MAX_STRING) return -E2BIG;
    out.push(Buffer.from(bytes).toString('latin1'));
  }
}

/** Opens what is to be executed; -EACCES unless it is a regular file that may be. */
function withProgram<T>(t: Thread, r: ExecRequest, name: string, fn: (p: Opened) => T): T | number {
  const { files } = t;
  const { state } = files;
  const noFollow = r.noFollow === true && name === r.path ? O_NOFOLLOW : 0;
  const file = openPath(files, r.dirfd, bytePath(name), O_RDONLY | noFollow, 0);
  if (file < 0) return file;
  try {
    if (fileKind(state, file) !== KIND.FILE) return -EACCES;
    const fd = hostFd(state, file);
    if (!fs.fstatSync(fd).isFile()) return -EACCES;
    const allowed = hostCall(() => {
      fs.accessSync(hostBytes(fdPath(state, file)), fs.constants.X_OK);
      return 0;
    });
    if (allowed < 0) return -EACCES;
    tellOfFile(state, file, IN.ACCESS);
    return fn({ file, fd, path: currentPath(state, file) });
  } finally {
    putFile(state, file);
  }
}

function readHead(fd: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  return head.subarray(0, fs.readSync(fd, head, 0, HEAD_BYTES, 0));
}

function start(
  t: Thread,
  r: ExecRequest,
  command: Command,
  env: readonly string[],
  program: ImageFile,
  interpreter: ImageFile | undefined,
): number {
  const { kernel, task } = t;
  const { group } = task;
  const mm = kernel.lock(() => {
    const fresh = kernel.allocMm();
    if (fresh !== undefined) fresh.refs = 1;
    return fresh;
  });
  if (mm === undefined) return -EAGAIN;
  const memory = kernel.memoryFor(t, mm.index);
  const { soft } = group.rlimit(RLIMIT.STACK);
  const image = t.engine.startImage(memory, {
    program,
    interpreter,
    argv: command.argv,
    env,
    execfn: r.path,
    stackSize: soft > BigInt(LARGEST_STACK) ? DEFAULT_STACK : Number(soft),
    random: randomBytes(kernel, 16),
    ids: group.ids,
  });
  if (typeof image === 'number' || !endOtherThreads(t)) {
    t.engine.emptyMemory(memory);
    kernel.lock(() => {
      mm.refs = 0;
    });
    // Another thread is in execve, or the process exits: this one leaves with what deliverPending finds.
    return typeof image === 'number' ? (image === -E2BIG ? image : -ENOMEM) : -EAGAIN;
  }
  const name = r.path.slice(r.path.lastIndexOf('/') + 1);
  t.next = { mm: mm.index, memory, ...image, exe: program.path, comm: name };
  t.exiting = { code: 0, signal: 0 };
  return 0;
}

/** Ends the other threads of the process, and waits until they are gone. False when this thread is to end itself. */
function endOtherThreads(t: Thread): boolean {
  const { kernel, task } = t;
  const { group } = task;
  const mine = kernel.lock(() => {
    if (task.mustLeave) return false;
    if (group.threads === 1) return true;
    group.execTask = task.index;
    group.setFlag(GROUP_FLAG.EXECING, true);
    for (const other of group.tasks()) if (other.index !== task.index) kernel.kick(other, CONTROL.EXIT);
    return true;
  });
  if (!mine) return false;
  return park(t, () => (group.threads === 1 ? true : undefined), { killOnly: true }) === true;
}

/** The thread has left its old program for good: the task goes over to t.next. Called by the worker, without a lock. */
export function enterNextProgram(t: Thread, next: NextProgram): void {
  const { kernel, task, mem, cpu } = t;
  const { group } = task;
  const { tid } = task;
  walkRobustList(t);
  if (task.clearChildTid !== 0 && task.mmRecord.refs > 1) mem.writeU32(task.clearChildTid, 0);
  unshareFiles(t);
  const words = kernel.memory(task.mm);
  const old = task.mmRecord;
  const cpuNs = guestThreadCpuNs();
  const last = kernel.lock(() => old.refs === 1);
  const memory = last ? kernel.memoryFor(t, task.mm) : undefined;
  if (memory !== undefined) t.engine.emptyMemory(memory);
  kernel.addMemory(next.mm, new Int32Array(next.memory.buffer as SharedArrayBuffer));
  kernel.lock(() => {
    if (words !== undefined) freeCpu(words, cpu.base);
    task.cpu = next.cpu;
    task.mm = next.mm;
    old.refs -= 1;
    task.mmRecord.layout = next.layout;
    task.mmRecord.exe = next.exe;
    task.comm = next.comm;
    task.altStack = { sp: 0n, size: 0n, flags: 2 };
    task.clearChildTid = 0;
    task.robustList = 0;
    task.rseq = 0;
    takeLead(t);
    if (task.traced !== 0) task.trace.execFrom = tid;
    group.setFlag(GROUP_FLAG.EXECED, true);
    group.setFlag(GROUP_FLAG.EXECING, false);
    group.setFlag(GROUP_FLAG.NOT_DUMPABLE, false);
    group.persona &= ~ADDR_COMPAT;
    group.capabilities = afterExec(group.capabilities, group.secureBits, group.ids);
    group.secureBits &= ~SECURE.KEEP_CAPS;
    group.deadCpu += cpuNs;
    ownSignalActions(t);
    dropTimersLocked(kernel, group);
    completeVfork(kernel, group, task);
  });
}

/** READ_IMPLIES_EXEC, which the program's own headers decide. */
const ADDR_COMPAT = 0x40_0000;

/** A thread that was not the leader takes the leader's id. The caller holds the mutex. */
function takeLead(t: Thread): void {
  const { kernel, task } = t;
  const { group } = task;
  const { leader } = group;
  if (leader.index === task.index) return;
  task.tid = group.tgid;
  group.leader = task;
  group.setFlag(GROUP_FLAG.LEADER_DEAD, false);
  freeTask(kernel, leader);
}

/** Handlers become the default; actions that others share stay theirs. The caller holds the mutex. */
function ownSignalActions(t: Thread): void {
  const { kernel, task } = t;
  const { sighand } = task;
  if (sighand.refs > 1) {
    const own = kernel.allocSighand();
    // The table holds as many as there are tasks.
    if (own !== undefined) {
      own.copyFrom(sighand);
      own.refs = 1;
      sighand.refs -= 1;
      task.sighand = own;
    }
  }
  task.sighand.flushHandlers();
}

function unshareFiles(t: Thread): void {
  const { state, table } = t.files;
  if (isTableShared(state, table)) {
    const copy = copyTable(state, table);
    if (copy >= 0) {
      t.task.files = copy;
      releaseTable(state, table);
    }
  }
  closeOnExec(state, t.files.table);
}
