/**
 * The kernel as one isolate (a worker or the main thread) holds it: views over the shared buffer, the mutex, record allocation, wakes, and the services
 * that the rest of lift64 injects. In: the buffer. Out: Kernel. Source: DESIGN.md section 7.
 *
 * Lock order: lock of sharing, stop the world, address space, translation, kernel mutex. A section under the kernel mutex is short, makes no host call
 * and never parks. The mutex is not recursive; taking it twice is a bug that throws.
 */
import { threadId } from 'node:worker_threads';
import { InternalError } from '../../src/base/errors.js';
import { CONTROL, CPU } from '../../src/guest/cpu-state.js';
import type { Thread } from '../linux/thread.js';
import {
  AREA,
  GROUP,
  HEAD,
  MAX_GROUPS,
  MAX_SIGINFOS,
  MAX_TASKS,
  MAX_MMS,
  MAX_SIGHANDS,
  MM,
  SIGHAND,
  SIGINFO,
  TASK,
} from './layout.js';
import { Group } from './group.js';
import { Mm } from './mm.js';
import { SigHand } from './sighand.js';
import { Task } from './task.js';
import { Trace } from './trace.js';

const MAGIC = 0x6c66_3634;
/** Longest wait for the kernel mutex, milliseconds: a host that swaps or stops lift64 may be slow. */
const LOCK_PATIENCE_MS = 30_000;
/** Looks at the kernel mutex, some 20 ns each, before the thread sleeps. */
const LOCK_SPINS = 100;

/** The file layer's tables that a clone shares or copies. Ids are the file layer's; 0 stands for none. */
export interface FileResources {
  /** CLONE_FILES: one more reference to the fd table; else a copy. Gives the id, or a negative errno. */
  shareFiles(id: number): number;
  copyFiles(id: number): number;
  /** Drops a reference; the last one closes the files. Never called with the kernel mutex held. */
  putFiles(id: number): void;
  /** CLONE_FS: cwd and umask. */
  shareFs(id: number): number;
  copyFs(id: number): number;
  putFs(id: number): void;
  /** Session `session` gives up terminal `terminal`: its foreground process group, 0 none. Called with the kernel mutex held. */
  endSession(terminal: number, session: number): number;
}

/** What the supervisor does for a kernel in a worker: each call posts a message and returns at once (runtime/threads/worker.ts). */
export interface Supervision {
  /** Gives the new task a worker. */
  startTask(task: number): void;
  /** Sets CONTROL bits of a task whose memory this isolate does not have. */
  kick(task: number, bits: number): void;
  /** A timer of the group has been set, or runs on. */
  timerChanged(group: number): void;
  /** A process has begun to exit, has exited, or has been stopped or continued. */
  groupChanged(group: number): void;
}

export interface KernelOptions {
  /** Tid of the first process; the next ones count up from it. */
  readonly firstTid: number;
  readonly hostPpid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** Of the host's users and groups, those above alone are shown. */
  readonly oneUser?: boolean;
  /** Bytes of the file layer's region. */
  readonly vfsBytes?: number;
}

export class Kernel {
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly i64: BigInt64Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  /** Byte offset of the file layer's region in `buffer`. */
  readonly vfsOffset = AREA.VFS;
  /** Set by the spine before the first guest thread runs. */
  files: FileResources | undefined;
  supervision: Supervision | undefined;
  /** A signal has been queued for the process of this index or one of its threads, or it has ended. Called with the kernel mutex held. */
  processChanged: ((group: number) => void) | undefined;
  /** In a worker: gives the memory of an address space, asking the main thread where this isolate does not have it yet. */
  fetchMemory: ((t: Thread, mm: number, look: boolean) => WebAssembly.Memory) | undefined;

  private readonly memories = new Map<number, Int32Array<SharedArrayBuffer>>();
  private readonly tasks: (Task | undefined)[] = [];
  private readonly groups: (Group | undefined)[] = [];
  private readonly sighands: (SigHand | undefined)[] = [];
  private readonly mms: (Mm | undefined)[] = [];
  private readonly traces: (Trace | undefined)[] = [];
  private held = false;

  private constructor(readonly buffer: SharedArrayBuffer) {
    this.i32 = new Int32Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Makes the shared buffer; once a lift64. */
  static create(options: KernelOptions): Kernel {
    const kernel = new Kernel(new SharedArrayBuffer(AREA.VFS + (options.vfsBytes ?? 0)));
    const { i32, i64 } = kernel;
    i32[HEAD.NEXT_TID] = options.firstTid;
    i32[HEAD.HOST_PPID] = options.hostPpid;
    i32[HEAD.UID] = options.uid;
    i32[HEAD.EUID] = options.euid;
    i32[HEAD.GID] = options.gid;
    i32[HEAD.EGID] = options.egid;
    i32[HEAD.ONE_USER] = options.oneUser === true ? 1 : 0;
    const monotonic = process.hrtime.bigint();
    i64[HEAD.START_TIME / 2] = monotonic;
    i64[HEAD.REALTIME_OFFSET / 2] = realtimeNs() - monotonic;
    for (let node = 1; node < MAX_SIGINFOS; node++) {
      i32[(AREA.SIGINFOS + node * SIGINFO.BYTES) / 4 + SIGINFO.NEXT] = node + 1 < MAX_SIGINFOS ? node + 1 : 0;
    }
    i32[HEAD.SIGINFO_FREE] = 1;
    Atomics.store(i32, HEAD.MAGIC, MAGIC);
    return kernel;
  }

  /** The kernel of a buffer that create() made, in another isolate. */
  static attach(buffer: SharedArrayBuffer): Kernel {
    const kernel = new Kernel(buffer);
    if (Atomics.load(kernel.i32, HEAD.MAGIC) !== MAGIC) throw new InternalError('not a kernel buffer');
    return kernel;
  }

  /** Runs `fn` with the kernel mutex held. */
  lock<T>(fn: () => T): T {
    if (this.held) throw new InternalError('kernel mutex taken twice by one thread');
    const { i32 } = this;
    if (Atomics.compareExchange(i32, HEAD.MUTEX, 0, 1) !== 0 && !this.spin()) {
      while (Atomics.exchange(i32, HEAD.MUTEX, 2) !== 0) {
        if (Atomics.wait(i32, HEAD.MUTEX, 2, LOCK_PATIENCE_MS) === 'timed-out') this.stuck();
      }
    }
    this.held = true;
    i32[HEAD.MUTEX_OWNER] = threadId + 1;
    try {
      return fn();
    } finally {
      i32[HEAD.MUTEX_OWNER] = 0;
      this.held = false;
      if (Atomics.exchange(i32, HEAD.MUTEX, 0) === 2) Atomics.notify(i32, HEAD.MUTEX, 1);
    }
  }

  /** Tries for the mutex for as long as most sections take; true: taken. */
  private spin(): boolean {
    const { i32 } = this;
    for (let i = 0; i < LOCK_SPINS; i++) {
      if (Atomics.load(i32, HEAD.MUTEX) === 0 && Atomics.compareExchange(i32, HEAD.MUTEX, 0, 1) === 0) return true;
    }
    return false;
  }

  /** Sections take microseconds: a holder of seconds has died with the mutex (out of memory, say), and nobody can go on. */
  private stuck(): never {
    throw new InternalError(`kernel mutex held by worker thread ${(this.i32[HEAD.MUTEX_OWNER] ?? 0) - 1} for too long`);
  }

  /** Throws when this isolate holds the mutex: for what may wait. */
  assertUnlocked(): void {
    if (this.held) throw new InternalError('a wait with the kernel mutex held');
  }

  /** Throws unless this isolate holds the mutex: for functions whose caller must. */
  assertLocked(): void {
    if (!this.held) throw new InternalError('kernel mutex not held');
  }

  task(index: number): Task {
    return (this.tasks[index] ??= new Task(this, index));
  }

  group(index: number): Group {
    return (this.groups[index] ??= new Group(this, index));
  }

  sighand(index: number): SigHand {
    return (this.sighands[index] ??= new SigHand(this, index));
  }

  mm(index: number): Mm {
    return (this.mms[index] ??= new Mm(this, index));
  }

  /** What the tracer of task `index` has to do with it. */
  trace(index: number): Trace {
    return (this.traces[index] ??= new Trace(this, index));
  }

  get initGroup(): Group {
    return this.group(Atomics.load(this.i32, HEAD.INIT_GROUP));
  }

  /** No further task may be made (--max-procs). */
  get isFull(): boolean {
    const limit = this.i32[HEAD.TASK_LIMIT] ?? 0;
    return limit !== 0 && Atomics.load(this.i32, HEAD.TASKS_ALIVE) >= limit;
  }

  /** Whether root may raise the hard limit RLIMIT_`which`. */
  isLimitFixed(which: number): boolean {
    return (((this.i32[HEAD.FIXED_LIMITS] ?? 0) >>> which) & 1) !== 0;
  }

  get shuttingDown(): boolean {
    // Plain, as it is read at every system call; who waits is woken after it is set.
    return this.i32[HEAD.SHUTDOWN] === 1;
  }

  /** Ends every wait of every guest thread, for good, and their guest code: Worker.terminate does not reach compiled regions. Needs no lock: CPU blocks that are free meanwhile bear it. */
  shutDown(): void {
    Atomics.store(this.i32, HEAD.SHUTDOWN, 1);
    for (const { cpu, mm } of this.allTasks()) {
      const words = this.memories.get(mm);
      if (cpu !== 0 && words !== undefined) Atomics.or(words, (cpu + CPU.CONTROL) / 4, CONTROL.EXIT);
    }
    for (let i = 1; i < MAX_TASKS; i++) this.wake(i);
  }

  /** Nanoseconds of CLOCK_MONOTONIC; a double, exact to 2 ns within the first 200 days of the host. */
  now(): number {
    const [s, ns] = process.hrtime();
    return s * 1e9 + ns;
  }

  /** Wakes the task out of its park, if it is in one; it looks again at what it waits for. Needs no lock. */
  wake(task: number): void {
    const { i32 } = this;
    const at = (AREA.TASKS + task * TASK.BYTES) / 4;
    Atomics.add(i32, at + TASK.PARK, 1);
    // Whoever sets ASLEEP later sees the new sequence and does not sleep.
    if (Atomics.load(i32, at + TASK.ASLEEP) !== 0) Atomics.notify(i32, at + TASK.PARK);
  }

  /** Lets this isolate reach the CPU blocks of an address space. */
  addMemory(mm: number, words: Int32Array<SharedArrayBuffer>): void {
    this.memories.set(mm, words);
  }

  removeMemory(mm: number): void {
    this.memories.delete(mm);
  }

  memory(mm: number): Int32Array<SharedArrayBuffer> | undefined {
    return this.memories.get(mm);
  }

  /** The memory of address space `mm`, for `t` in its worker. The thread may park. */
  memoryFor(t: Thread, mm: number): WebAssembly.Memory {
    if (this.fetchMemory === undefined) throw new InternalError('memories are for workers');
    return this.fetchMemory(t, mm, false);
  }

  /** As memoryFor, where no thread of this worker is going to run in it. */
  lookIntoMemory(t: Thread, mm: number): WebAssembly.Memory {
    if (this.fetchMemory === undefined) throw new InternalError('memories are for workers');
    return this.fetchMemory(t, mm, true);
  }

  /** Node's id of the thread that holds the kernel mutex now; undefined: none. */
  get mutexHolder(): number | undefined {
    const owner = Atomics.load(this.i32, HEAD.MUTEX_OWNER);
    return owner === 0 ? undefined : owner - 1;
  }

  /** Sets CONTROL bits of a task and wakes it. The caller holds the mutex, so that the CPU block is still the task's. */
  kick(task: Task, bits: number): void {
    this.assertLocked();
    if (task.cpu !== 0) {
      const words = this.memories.get(task.mm);
      if (words !== undefined) Atomics.or(words, (task.cpu + CPU.CONTROL) / 4, bits);
      else this.supervision?.kick(task.index, bits);
    }
    this.wake(task.index);
  }

  /** Wakes the task, and has it look at its signals even if it runs guest code, soon after. Needs no lock. */
  call(task: number): void {
    this.wake(task);
    this.supervision?.kick(task, CONTROL.SIGNAL);
  }

  /** What the supervisor does when a worker asks it to kick: sets the bits, if the task still lives. */
  kickFromSupervisor(task: number, bits: number): void {
    this.lock(() => {
      const t = this.task(task);
      const words = this.memories.get(t.mm);
      if (t.cpu !== 0 && words !== undefined) Atomics.or(words, (t.cpu + CPU.CONTROL) / 4, bits & ~CONTROL.STOP);
    });
    this.wake(task);
  }

  /** A free tid: counts up from the first, wraps at 2**22 (the limit of Linux), skips those in use. The caller holds the mutex. */
  newTid(): number {
    this.assertLocked();
    for (;;) {
      const tid = this.i32[HEAD.NEXT_TID] ?? 0;
      this.i32[HEAD.NEXT_TID] = tid + 1 >= 0x40_0000 ? 300 : tid + 1;
      if (!this.idInUse(tid)) return tid;
    }
  }

  private idInUse(id: number): boolean {
    for (const t of this.allTasks()) if (t.tid === id) return true;
    for (const g of this.allGroups()) if (g.tgid === id || g.pgid === id || g.sid === id) return true;
    return false;
  }

  /** Tasks whose record is in use, DEAD ones included. The caller holds the mutex if it needs a consistent view. */
  *allTasks(): Generator<Task> {
    const high = Atomics.load(this.i32, HEAD.TASK_HIGH);
    for (let i = 1; i <= high; i++) {
      const t = this.task(i);
      if (t.state !== 0) yield t;
    }
  }

  /** Groups whose record is in use, zombies included. */
  *allGroups(): Generator<Group> {
    const high = Atomics.load(this.i32, HEAD.GROUP_HIGH);
    for (let i = 1; i <= high; i++) {
      const g = this.group(i);
      if (g.state !== 0) yield g;
    }
  }

  findTask(tid: number): Task | undefined {
    for (const t of this.allTasks()) if (t.tid === tid) return t;
    return undefined;
  }

  findGroup(tgid: number): Group | undefined {
    for (const g of this.allGroups()) if (g.tgid === tgid) return g;
    return undefined;
  }

  /** A zeroed record of each kind; undefined when the table is full. The caller holds the mutex. */
  allocTask(): Task | undefined {
    this.assertLocked();
    const i = this.findFree(AREA.TASKS, TASK.BYTES, TASK.STATE, MAX_TASKS);
    if (i === 0) return undefined;
    // PARK goes on counting: a late wake for the former task then costs a look, nothing else.
    const park = this.i32[(AREA.TASKS + i * TASK.BYTES) / 4 + TASK.PARK] ?? 0;
    this.clear(AREA.TASKS + i * TASK.BYTES, TASK.BYTES);
    Atomics.store(this.i32, (AREA.TASKS + i * TASK.BYTES) / 4 + TASK.PARK, park);
    this.raise(HEAD.TASK_HIGH, i);
    return this.task(i);
  }

  allocGroup(): Group | undefined {
    this.assertLocked();
    const i = this.findFree(AREA.GROUPS, GROUP.BYTES, GROUP.STATE, MAX_GROUPS);
    if (i === 0) return undefined;
    this.clear(AREA.GROUPS + i * GROUP.BYTES, GROUP.BYTES);
    this.raise(HEAD.GROUP_HIGH, i);
    return this.group(i);
  }

  allocSighand(): SigHand | undefined {
    this.assertLocked();
    const i = this.findFree(AREA.SIGHANDS, SIGHAND.BYTES, SIGHAND.REFS, MAX_SIGHANDS);
    if (i === 0) return undefined;
    this.clear(AREA.SIGHANDS + i * SIGHAND.BYTES, SIGHAND.BYTES);
    return this.sighand(i);
  }

  allocMm(): Mm | undefined {
    this.assertLocked();
    const i = this.findFree(AREA.MMS, MM.BYTES, MM.REFS, MAX_MMS);
    if (i === 0) return undefined;
    const generation = (AREA.MMS + i * MM.BYTES) / 4 + MM.GENERATION;
    const lives = this.i32[generation] ?? 0;
    this.clear(AREA.MMS + i * MM.BYTES, MM.BYTES);
    this.i32[generation] = lives + 1;
    return this.mm(i);
  }

  /** Node for a queued signal; 0 when all are in use. The caller holds the mutex. */
  allocSiginfo(): number {
    this.assertLocked();
    const node = this.i32[HEAD.SIGINFO_FREE] ?? 0;
    if (node !== 0) this.i32[HEAD.SIGINFO_FREE] = this.i32[(AREA.SIGINFOS + node * SIGINFO.BYTES) / 4] ?? 0;
    return node;
  }

  freeSiginfo(node: number): void {
    this.assertLocked();
    this.i32[(AREA.SIGINFOS + node * SIGINFO.BYTES) / 4] = this.i32[HEAD.SIGINFO_FREE] ?? 0;
    this.i32[HEAD.SIGINFO_FREE] = node;
  }

  /** Bytes of the siginfo_t of a node (no copy). */
  siginfoBytes(node: number): Uint8Array<SharedArrayBuffer> {
    const start = AREA.SIGINFOS + node * SIGINFO.BYTES + SIGINFO.INFO * 4;
    return this.bytes.subarray(start, start + SIGINFO.BYTES - SIGINFO.INFO * 4);
  }

  /** True for the first caller of all isolates with these words. When the list is full: true, once an isolate. */
  firstMention(what: string): boolean {
    let hash = 0x811c_9dc5;
    for (let i = 0; i < what.length; i++) hash = Math.imul(hash ^ what.charCodeAt(i), 0x0100_0193);
    if (hash === 0) hash = 1;
    for (let i = 0; i < HEAD.MENTION_WORDS; i++) {
      const seen = Atomics.compareExchange(this.i32, HEAD.MENTIONS + i, 0, hash);
      if (seen === 0) return true;
      if (seen === (hash | 0)) return false;
    }
    return true;
  }

  private findFree(area: number, bytes: number, field: number, count: number): number {
    for (let i = 1; i < count; i++) if (Atomics.load(this.i32, (area + i * bytes) / 4 + field) === 0) return i;
    return 0;
  }

  private clear(start: number, bytes: number): void {
    this.i32.fill(0, start / 4, (start + bytes) / 4);
  }

  private raise(word: number, value: number): void {
    if ((this.i32[word] ?? 0) < value) Atomics.store(this.i32, word, value);
  }
}

/** Nanoseconds since 1970 as the host says, to a microsecond. */
function realtimeNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
}
