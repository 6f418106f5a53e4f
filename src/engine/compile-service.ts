/**
 * The main thread's side of compilation (tier auto): starts the compile worker when the first TB has been hot for a while, hands it pcs, and gives its modules to every guest worker.
 * In: hot pcs. Out: modules on the workers' ports, and CONTROL.CODE for the threads to fetch them.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { InternalError } from '../base/errors.js';
import { CONTROL, CPU, THREAD_STATE } from '../guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, PCB, PCB_BASE } from '../guest/memory-map.js';
import { BUILT } from './built-files.js';
import type { Kernel } from '../../runtime/process/kernel.js';
import { mmOfSpace } from '../../runtime/process/mm.js';
import type { CompiledModule, CompilerStart, FromCompiler, SpaceModule, ToCompiler } from './compile-protocol.js';
import { memoryViews } from './memory-views.js';
import type { Forked, HotPc } from './spine.js';

/** Modules of one life of an address space. */
interface SpaceCode {
  readonly space: number;
  readonly modules: CompiledModule[];
  /** Whether the compile worker has its memory. */
  known: boolean;
}

interface GuestPort {
  readonly port: MessagePort;
  /** The life of each address space whose modules it gets. */
  readonly follows: Map<number, number>;
}

/**
 * Time from the first hot TB to the start of the compile worker: the worker costs 0.2 s of CPU until it compiles, on all of the host's cores but the guest's, and loading Binaryen can't be broken off when the guest ends.
 * Programs that are over by then do without.
 */
const START_DELAY_MS = 40;
/** The same for processes that have the regions of earlier runs: what they still lack matters less. */
const WARM_START_DELAY_MS = 600;

export class CompileService {
  private worker: Worker | undefined;
  /** What the compile worker has made so far. */
  readonly figures = { compiledModules: 0, compiledBytes: 0, compileSeconds: 0 };
  private starting: NodeJS.Timeout | undefined;
  /** What is hot, until the worker starts. */
  private waiting: HotPc[] = [];
  private readonly ports = new Map<number, GuestPort>();
  /** By address space. */
  private readonly code = new Map<number, SpaceCode>();

  constructor(
    private readonly kernel: Kernel,
    private readonly memoryOf: (mm: number) => WebAssembly.Memory,
    private readonly start: CompilerStart,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** A new guest worker gets a port. */
  addWorker(worker: Worker, id: number): void {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    this.ports.set(id, { port: port1, follows: new Map() });
    worker.once('exit', () => {
      port1.close();
      this.ports.delete(id);
    });
    worker.postMessage({ kind: 'spine', data: { port: port2 } }, [port2]);
  }

  /** Guest worker `id` is about to run in address space `mm`: it gets all modules so far, and those to come. */
  follow(id: number, mm: number): void {
    const guest = this.ports.get(id);
    const { space } = this.kernel.mm(mm);
    if (guest === undefined || guest.follows.get(mm) === space) return;
    guest.follows.set(mm, space);
    for (const compiled of this.codeOf(space).modules) postModule(guest, space, compiled);
  }

  /** The TB at `pc` is hot. */
  request(hot: HotPc): void {
    if (this.worker !== undefined) {
      this.ask(hot);
      return;
    }
    this.waiting.push(hot);
    this.starting ??= setTimeout(
      () => {
        this.worker = this.launch();
        for (const waiting of this.waiting) this.ask(waiting);
        this.waiting = [];
      },
      hot.warm ? WARM_START_DELAY_MS : START_DELAY_MS,
    );
  }

  private ask({ space, life, pc, symbol }: HotPc): void {
    if (!this.isAlive(space)) return;
    const code = this.codeOf(space);
    if (!code.known) this.post({ kind: 'memory', space, life, memory: this.memoryOf(mmOfSpace(space)) });
    code.known = true;
    this.post({ kind: 'compile', space, pc, symbol });
  }

  /** The child has the parent's code, in the same slots of the table; of what has come in since the copy it has neither. */
  inherit(forked: Forked): void {
    this.codeOf(forked.child).modules.push(...inherited(this.codeOf(forked.parent).modules, forked));
  }

  async close(): Promise<void> {
    const { worker } = this;
    clearTimeout(this.starting);
    worker?.removeAllListeners();
    for (const { port } of this.ports.values()) port.close();
    await worker?.terminate();
  }

  private isAlive(space: number): boolean {
    const mm = this.kernel.mm(mmOfSpace(space));
    return mm.space === space && mm.refs > 0;
  }

  private codeOf(space: number): SpaceCode {
    const mm = mmOfSpace(space);
    let code = this.code.get(mm);
    if (code?.space !== space) this.code.set(mm, (code = { space, modules: [], known: false }));
    return code;
  }

  private post(message: ToCompiler): void {
    this.worker?.postMessage(message);
  }

  private launch(): Worker {
    const worker = new Worker(BUILT.compileWorker, {
      workerData: this.start,
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on('error', this.onFailure);
    worker.on('message', (message: FromCompiler) => {
      if (message.kind === 'module') {
        this.figures.compiledModules++;
        this.figures.compiledBytes += message.compiled.size;
        this.figures.compileSeconds += message.ms / 1000;
        this.publish(message.space, message.compiled);
      } else this.onFailure(new InternalError(`compile worker: ${message.message}`, message.details));
    });
    return worker;
  }

  /** A guest thread has compiled that module for itself (tier compiled): the other threads of the space take it when they get there, and need not compile it again. */
  share({ space, compiled }: SpaceModule): void {
    if (!this.isAlive(space)) return;
    this.codeOf(space).modules.push(compiled);
    for (const guest of this.ports.values())
      if (guest.follows.get(mmOfSpace(space)) === space) postModule(guest, space, compiled);
  }

  private publish(space: number, compiled: CompiledModule): void {
    if (!this.isAlive(space)) return;
    this.share({ space, compiled });
    const mm = mmOfSpace(space);
    const { i32 } = memoryViews(this.memoryOf(mm));
    for (let slot = 0, high = Atomics.load(i32, (PCB_BASE + PCB.CPU_HIGH) / 4); slot < high; slot++) {
      const base = (CPU_BASE + slot * CPU_BLOCK_SIZE) / 4;
      if (Atomics.load(i32, base + CPU.STATE / 4) !== THREAD_STATE.FREE)
        Atomics.or(i32, base + CPU.CONTROL / 4, CONTROL.CODE);
    }
    for (const task of this.kernel.allTasks()) if (task.mm === mm && task.awaitsCode) this.kernel.wake(task.index);
  }
}

/** Those of the parent's modules whose slots and code the child has too: they were complete before the copy was made. */
export function inherited(modules: readonly CompiledModule[], { copies }: Forked): CompiledModule[] {
  return modules.filter((m) => m.copies <= copies);
}

function postModule(guest: GuestPort, space: number, compiled: CompiledModule): void {
  const message: SpaceModule = { space, compiled };
  guest.port.postMessage(message);
}
