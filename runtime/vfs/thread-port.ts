/**
 * The kernel as the file layer wants it, for one guest thread. In: the kernel's objects and what posts messages to the main thread.
 * Out: KernelPort. The slot of a thread is its task index; the main thread's, which waits in queues for messages alone, is MAIN_SLOT (main-port.ts).
 */
import { TaskJobs } from '../process/job-control.js';
import { GROUP_STATE, SIGINFO_BYTES } from '../process/layout.js';
import { takePending } from '../process/siginfo.js';
import { raiseSignal } from '../process/signal-send.js';
import type { Task } from '../process/task.js';
import { awaitWake, interrupted } from '../threads/park.js';
import type { Thread } from '../linux/thread.js';
import type { NetRequest } from '../net/requests.js';
import type { KernelPort, WatchRequest } from './kernel-port.js';
import { FILE_KINDS } from './kinds/table.js';
import { MAIN_SLOT } from './layout.js';
import { tellQueues } from './process-queue.js';
import { VfsState } from './state.js';

/** Messages to the main thread: each is posted and returns at once. */
export interface FileMessages {
  /** StreamService.request(stream) on the main thread. */
  requestStream(stream: number): void;
  /** False: no network of the host's. */
  readonly network: boolean;
  /** NetService.request(request) on the main thread. */
  requestNet(request: NetRequest): void;
  /** HostTerminal.serve() on the main thread. */
  terminalChanged(): void;
  /** HostWatches.request(request) on the main thread. */
  requestWatch(request: WatchRequest): void;
  /** HostPipes.look() on the main thread. */
  wakeMain(): void;
}

/** Atomics.wait takes doubles of milliseconds; longer sleeps are cut: park may return early. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
const RLIMIT_FSIZE = 1;
const RLIMIT_NOFILE = 7;

/** A class, not an object with getters, which V8 looks up by name: descriptors are looked up at every system call of files. */
class ThreadPort implements KernelPort {
  readonly slot: number;
  readonly jobs: TaskJobs;
  private readonly task: Task;

  /** @param thread needs no more than its kernel, task and gate at the time of the call */
  constructor(
    private readonly thread: Thread,
    private readonly messages: FileMessages,
  ) {
    this.task = thread.task;
    this.slot = thread.task.index;
    this.jobs = new TaskJobs(thread.kernel, thread.task);
  }

  sequence(): number {
    return this.task.parkSequence;
  }
  park(sequence: number, timeoutMs: number): void {
    awaitWake(this.thread, sequence, Math.min(timeoutMs, LONGEST_SLEEP_MS));
  }
  interrupted(): boolean {
    return interrupted(this.thread);
  }
  wake(slot: number): void {
    if (slot === MAIN_SLOT) this.messages.wakeMain();
    else this.thread.kernel.wake(slot);
  }
  call(slot: number): void {
    if (slot !== MAIN_SLOT) this.thread.kernel.call(slot);
  }
  raise(signal: number): void {
    raiseSignal(this.thread.kernel, this.task, signal);
  }
  get pid(): number {
    return this.task.tgid;
  }
  get tid(): number {
    return this.task.tid;
  }
  get ids(): KernelPort['ids'] {
    return this.task.group.ids;
  }
  get processGroup(): number {
    return this.task.group.pgid;
  }
  get session(): number {
    return this.task.group.sid;
  }
  get fdTable(): number {
    return this.task.files;
  }
  get fsStruct(): number {
    return this.task.fs;
  }
  fdLimit(): number {
    return limitOf(this.task, RLIMIT_NOFILE);
  }
  fileSizeLimit(): number {
    return limitOf(this.task, RLIMIT_FSIZE);
  }
  get process(): number {
    return this.task.groupIndex;
  }
  hasSignal(mask: bigint): boolean {
    return ((this.task.pending | this.task.group.pending) & mask) !== 0n;
  }
  takeSignal(mask: bigint): Uint8Array | undefined {
    const { kernel } = this.thread;
    const info = new Uint8Array(SIGINFO_BYTES);
    return kernel.lock(() => takePending(kernel, this.task, mask, info)) === 0 ? undefined : info;
  }
  processState(process: number, pid: number): 'alive' | 'zombie' | 'gone' {
    const group = this.thread.kernel.group(process);
    if (group.tgid !== pid || group.state === GROUP_STATE.FREE) return 'gone';
    return group.alive ? 'alive' : 'zombie';
  }
  requestStream(stream: number): void {
    this.messages.requestStream(stream);
  }
  get network(): boolean {
    return this.messages.network;
  }
  requestNet(request: NetRequest): void {
    this.messages.requestNet(request);
  }
  terminalChanged(): void {
    this.messages.terminalChanged();
  }
  requestWatch(request: WatchRequest): boolean {
    this.messages.requestWatch(request);
    return true;
  }
}

function limitOf(task: Task, which: number): number {
  const { soft } = task.group.rlimit(which);
  return soft > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(soft);
}

/** The file layer's state of a guest thread. */
export function threadVfsState(t: Thread, messages: FileMessages): VfsState {
  const { kernel } = t;
  return tellQueues(kernel, VfsState.attach(kernel.buffer, kernel.vfsOffset, new ThreadPort(t, messages), FILE_KINDS));
}
