/**
 * The main thread: it makes all workers, gives them guest threads, keeps timers, and ends lift64. It never runs guest code and never waits.
 * In: the kernel with its first task, and the worker's entry. Out: the exit status of the first process. Source: DESIGN.md section 7.
 */
import { writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { InternalError } from '../../src/base/errors.js';
import { CPU, THREAD_STATE } from '../../src/guest/cpu-state.js';
import { GROUP_STATE } from '../process/layout.js';
import type { Kernel } from '../process/kernel.js';
import { runTimers } from '../process/timers.js';
import { newWorker, type NewWorker } from './new-worker.js';
import type { FromWorker, ToWorker } from './protocol.js';

export interface SupervisorOptions {
  readonly kernel: Kernel;
  /** The worker's entry (src/engine/guest-worker.js). */
  readonly entry: URL;
  /** Goes to every worker as WorkerStart.spine. */
  readonly spine: unknown;
  /** Memory of an address space, the same for all lives of its record. */
  readonly memoryOf: (mm: number) => WebAssembly.Memory;
  /** Idle workers kept ready once the guest has made a second thread; 2 by default. */
  readonly warm?: number;
  /** Main-thread services by name: what workers ask for with requestService. */
  readonly services?: ReadonlyMap<string, (data: unknown) => void>;
  /** Called for every new worker, before its first message. */
  readonly onWorker?: (worker: Worker, id: number) => void;
  /** A worker has loaded its code. */
  readonly onReady?: () => void;
  /** Worker `id` is about to run guest threads in address space `mm`, or to prepare it. */
  readonly onSpace?: (id: number, mm: number) => void;
  /** The first process has been stopped or continued by job control. */
  readonly onStopped?: (stopped: boolean) => void;
  /** A thread runs no more guest code and writes what it leaves behind. */
  readonly isLeaving?: () => boolean;
  /** Output that a worker's own process.stdout or stderr has got (warnings of Node); to descriptor 2 by default. */
  readonly onOutput?: (text: string) => void;
  /** Stack of a worker, MiB; 64 by default. */
  readonly stackSizeMb?: number;
}

/** End of the first process. */
export interface ExitStatus {
  /** Exit code; 0 when `signal` is set. */
  readonly code: number;
  /** Signal that killed it, or 0. */
  readonly signal: number;
  /** A worker could not be ended: it is in a host call that does not return. Node's own exit would wait for it (exitLike does not). */
  readonly stuck: boolean;
}

interface PoolWorker {
  readonly id: number;
  readonly worker: Worker;
  /** Task index that it runs; 0 idle. */
  task: number;
  /** Address spaces whose memory it has got. */
  readonly mms: Set<number>;
}

/** More idle workers than this are ended (8.5 MB each). */
const MOST_IDLE = 16;
/** After the first process has begun to exit, its threads get this long to leave their last host call. */
const EXIT_GRACE_MS = 2000;
/** More of it for a thread that writes what it leaves behind: some milliseconds of work, but on a busy machine seconds. */
const LEAVING_GRACE_MS = 30_000;
const LEAVING_LOOK_MS = 50;
/** Workers end within milliseconds, on a busy machine within seconds, unless a host call holds one: the exit status is lost then. */
const TERMINATE_GRACE_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** From a new task, or the end of one, to a look for a CPU for the spare workers; doubled up to the longest while there is none. */
const SPARE_DELAY_MS = 50;
const LONGEST_SPARE_DELAY_MS = 1000;
const CPUS = availableParallelism();

export class Supervisor {
  private readonly kernel: Kernel;
  private readonly workers = new Map<number, PoolWorker>();
  private readonly idle: PoolWorker[] = [];
  /** Tasks that wait for a worker. */
  private readonly queue: number[] = [];
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private nextId = 1;
  /** The guest has made a thread or process: spare workers are worth their memory. */
  private threaded = false;
  private spareTimer: NodeJS.Timeout | undefined;
  private over = false;
  private grace: NodeJS.Timeout | undefined;
  private stopped = false;
  private finish: ((status: { readonly code: number; readonly signal: number }) => void) | undefined;
  private fail: ((error: Error) => void) | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.kernel = options.kernel;
    this.kernel.supervision = {
      startTask: (task) => {
        this.startTask(task);
      },
      kick: (task, bits) => {
        // A task that waits for its worker: its memory is made by now, or is made now. The kernel mutex is held.
        const t = this.kernel.task(task);
        this.know(t.mm);
        this.kernel.kick(t, bits);
      },
      timerChanged: (group) => {
        // The kernel mutex may be held now.
        setImmediate(() => {
          this.armTimer(group);
        });
      },
      groupChanged: (group) => {
        this.groupChanged(group);
      },
    };
  }

  /**
   * Runs the first process, whose task is `task`, to its end. Rejects with InternalError when a worker has died by an exception. Workers are ended and timers
   * cleared by then.
   */
  async run(task: number): Promise<ExitStatus> {
    const end = new Promise<{ readonly code: number; readonly signal: number }>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    this.startTask(task);
    let status: { readonly code: number; readonly signal: number };
    try {
      status = await end;
    } catch (e) {
      await this.close();
      throw e;
    }
    return { ...status, stuck: !(await this.close()) };
  }

  /** Starts a worker ahead of its first task: to begin with it while the program is still being loaded. `first`: one of `entry` that has begun already. */
  prepare(first?: NewWorker): void {
    if (this.workers.size === 0) this.addWorker(first);
  }

  /** A message to the spine's handler in every worker. */
  broadcast(data: unknown): void {
    for (const w of this.workers.values()) this.post(w, { kind: 'spine', data });
  }

  private startTask(task: number): void {
    if (this.over) return;
    if (task !== this.kernel.initGroup.leader.index) this.threaded = true;
    const free = this.idle.pop();
    if (free === undefined) this.queue.push(task);
    else this.give(free, task);
    this.refill();
  }

  /** Keeps as many workers coming as tasks wait, and the spare ones when there is a CPU for them. */
  private refill(): void {
    this.addWorkers(0);
    if (this.threaded && this.spareTimer === undefined) this.addSpares(SPARE_DELAY_MS);
  }

  private addWorkers(spare: number): void {
    const busy = [...this.workers.values()].filter((w) => w.task !== 0).length;
    let missing = busy + this.queue.length + spare - this.workers.size;
    while (missing-- > 0) this.addWorker();
  }

  /** Spare workers after `delayMs`, if the guest's threads leave a CPU to them by then; else later: to start one takes some 80 ms of a CPU. */
  private addSpares(delayMs: number): void {
    this.spareTimer = setTimeout(() => {
      if (this.runningThreads() >= CPUS) {
        this.addSpares(Math.min(2 * delayMs, LONGEST_SPARE_DELAY_MS));
      } else {
        this.spareTimer = undefined;
        this.addWorkers(this.options.warm ?? 2);
      }
    }, delayMs);
  }

  /** Guest threads that run, or are about to. */
  private runningThreads(): number {
    let count = this.queue.length;
    for (const { task } of this.workers.values()) {
      if (task === 0) continue;
      const { cpu, mm } = this.kernel.task(task);
      const words = this.kernel.memory(mm);
      if (cpu === 0 || words?.[(cpu + CPU.STATE) / 4] !== THREAD_STATE.PARKED) count++;
    }
    return count;
  }

  private addWorker(first?: NewWorker): void {
    const id = this.nextId++;
    const { entry, stackSizeMb, spine } = this.options;
    const { worker, begin } = first ?? newWorker(entry, stackSizeMb);
    begin({ kernel: this.kernel.buffer, id, spine });
    const w: PoolWorker = { id, worker, task: 0, mms: new Set() };
    this.workers.set(id, w);
    this.options.onWorker?.(worker, id);
    const output = (chunk: Buffer): void => {
      if (this.options.onOutput === undefined) writeSync(2, chunk);
      else this.options.onOutput(chunk.toString());
    };
    worker.stdout.on('data', output);
    worker.stderr.on('data', output);
    worker.on('message', (message: FromWorker) => {
      try {
        this.receive(w, message);
      } catch (e) {
        this.die(e instanceof Error ? e : new Error(String(e)));
      }
    });
    worker.on('messageerror', (error) => {
      this.die(new InternalError(`message of worker ${id} can't be read`, [], { cause: error }));
    });
    worker.on('error', (error) => {
      this.die(new InternalError(`worker ${id} died: ${error.message}`, [], { cause: error }));
    });
    worker.on('exit', (code) => {
      this.workers.delete(id);
      if (!this.over) this.die(new InternalError(`worker ${id} ended by itself with code ${code}`));
    });
  }

  private receive(w: PoolWorker, message: FromWorker): void {
    if (this.over) return;
    switch (message.kind) {
      case 'ready':
        this.becomeIdle(w);
        this.options.onReady?.();
        break;
      case 'done':
        w.task = 0;
        this.becomeIdle(w);
        break;
      case 'start':
        this.startTask(message.task);
        break;
      case 'memory':
        if (!message.look) this.options.onSpace?.(w.id, message.mm);
        if (message.task === 0) break;
        this.post(w, { kind: 'memory', mm: message.mm, memory: this.memoryFor(w, message.mm) });
        this.kernel.wake(message.task);
        break;
      case 'kick':
        this.kernel.kickFromSupervisor(message.task, message.bits);
        break;
      case 'timer':
        this.armTimer(message.group);
        break;
      case 'group':
        this.groupChanged(message.group);
        break;
      case 'fatal':
        this.die(workerFailure(message));
        break;
      case 'service': {
        const service = this.options.services?.get(message.name);
        if (service === undefined) this.die(new InternalError(`no service '${message.name}' on the main thread`));
        else service(message.data);
        break;
      }
    }
  }

  private becomeIdle(w: PoolWorker): void {
    const task = this.queue.shift();
    if (task !== undefined) {
      this.give(w, task);
      this.refill();
      return;
    }
    if (this.idle.length < MOST_IDLE) {
      this.idle.push(w);
      return;
    }
    this.workers.delete(w.id);
    w.worker.removeAllListeners('exit');
    void w.worker.terminate();
  }

  private give(w: PoolWorker, task: number): void {
    w.task = task;
    const { mm } = this.kernel.task(task);
    const memory = w.mms.has(mm) ? undefined : this.memoryFor(w, mm);
    this.options.onSpace?.(w.id, mm);
    this.post(w, { kind: 'run', task, mm, memory });
  }

  private memoryFor(w: PoolWorker, mm: number): WebAssembly.Memory {
    w.mms.add(mm);
    return this.know(mm);
  }

  /** Timers and signals of the host are sent from here. The memory is created shared. */
  private know(mm: number): WebAssembly.Memory {
    const memory = this.options.memoryOf(mm);
    this.kernel.addMemory(mm, new Int32Array(memory.buffer as SharedArrayBuffer));
    return memory;
  }

  private post(w: PoolWorker, message: ToWorker): void {
    w.worker.postMessage(message);
  }

  private armTimer(index: number): void {
    clearTimeout(this.timers.get(index));
    this.timers.delete(index);
    if (this.over) return;
    const left = runTimers(this.kernel, this.kernel.group(index));
    if (left === undefined) return;
    const timer = setTimeout(
      () => {
        this.armTimer(index);
      },
      Math.min(Math.ceil(left / 1e6), LONGEST_TIMER_MS),
    );
    this.timers.set(index, timer);
  }

  private groupChanged(index: number): void {
    const { initGroup } = this.kernel;
    if (index !== initGroup.index || this.over) return;
    if (initGroup.state === GROUP_STATE.ZOMBIE) {
      this.end();
    } else if (initGroup.exiting) {
      this.grace ??= this.endAfter(EXIT_GRACE_MS, LEAVING_GRACE_MS);
    } else {
      const stopped = initGroup.stopped;
      if (stopped !== this.stopped) this.options.onStopped?.(stopped);
      this.stopped = stopped;
    }
  }

  /** `more`: as long as this a thread that leaves is waited for. */
  private endAfter(ms: number, more: number): NodeJS.Timeout {
    return setTimeout(() => {
      if (more > 0 && this.options.isLeaving?.() === true)
        this.grace = this.endAfter(LEAVING_LOOK_MS, more - LEAVING_LOOK_MS);
      else this.end();
    }, ms);
  }

  /** The first process is over: so is lift64, whatever other guest processes do (as in a PID namespace). */
  private end(): void {
    const status = this.kernel.initGroup.exitStatus;
    const signal = status & 0x7f;
    this.finish?.({ code: signal !== 0 ? 0 : (status >> 8) & 0xff, signal });
  }

  /** Ends lift64 with this failure. */
  die(error: Error): void {
    if (!this.over) this.fail?.(error);
  }

  /** Ends all workers. False: one of them can't be ended. */
  private async close(): Promise<boolean> {
    this.over = true;
    clearTimeout(this.grace);
    clearTimeout(this.spareTimer);
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.kernel.shutDown();
    const ended = Promise.all([...this.workers.values()].map((w) => w.worker.terminate())).then(() => true);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        resolve(false);
      }, TERMINATE_GRACE_MS);
    });
    const result = await Promise.race([ended, late]);
    clearTimeout(timer);
    return result;
  }
}

function workerFailure(message: Extract<FromWorker, { kind: 'fatal' }>): InternalError {
  const error = new InternalError(message.message, message.details);
  if (message.stack !== '') error.stack = message.stack;
  return error;
}
