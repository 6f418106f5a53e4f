/**
 * The main thread's side of compilation (tier auto): starts the compile worker when the first TB has been hot for a while, hands it pcs, and gives its modules to every guest worker.
 * In: hot pcs. Out: modules on the workers' ports, and CONTROL.CODE for the threads to fetch them.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { InternalError } from '../base/errors.js';
import { CONTROL, CPU, THREAD_STATE } from '../guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, PCB, PCB_BASE } from '../guest/memory-map.js';
import { BUILT } from './built-files.js';
import type { CompiledModule, CompilerStart, FromCompiler, ToCompiler } from './compile-protocol.js';
import { memoryViews } from './memory-views.js';

/**
 * Time from the first hot TB to the start of the compile worker: loading Binaryen costs 0.6 s of CPU, on all of the host's cores but the guest's, and can't be broken off when the guest ends.
 * Programs that are over by then do without.
 */
const START_DELAY_MS = 100;

export class CompileService {
  private worker: Worker | undefined;
  private starting: NodeJS.Timeout | undefined;
  /** Hot pcs, until the worker starts. */
  private waiting: number[] = [];
  private readonly ports: MessagePort[] = [];
  private readonly modules: CompiledModule[] = [];
  /** Modules made. */
  count = 0;

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly start: CompilerStart,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** A new guest worker: it gets a port, and all modules so far. */
  addWorker(worker: Worker): void {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    this.ports.push(port1);
    worker.once('exit', () => {
      port1.close();
      this.ports.splice(this.ports.indexOf(port1), 1);
    });
    worker.postMessage({ kind: 'spine', data: { port: port2 } }, [port2]);
    for (const m of this.modules) port1.postMessage(m);
  }

  /** The TB at `pc` is hot. */
  request(pc: number): void {
    if (this.worker !== undefined) {
      ask(this.worker, pc);
      return;
    }
    this.waiting.push(pc);
    this.starting ??= setTimeout(() => {
      this.worker = this.launch();
      for (const waiting of this.waiting) ask(this.worker, waiting);
      this.waiting = [];
    }, START_DELAY_MS);
  }

  async close(): Promise<void> {
    const { worker } = this;
    clearTimeout(this.starting);
    worker?.removeAllListeners();
    for (const port of this.ports) port.close();
    await worker?.terminate();
  }

  private launch(): Worker {
    const worker = new Worker(BUILT.compileWorker, {
      workerData: this.start,
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on('error', this.onFailure);
    worker.on('message', (message: FromCompiler) => {
      if (message.kind === 'module') this.publish(message.compiled);
      else this.onFailure(new InternalError(`compile worker: ${message.message}`, message.details));
    });
    const first: ToCompiler = { kind: 'memory', memory: this.memory };
    worker.postMessage(first);
    return worker;
  }

  private publish(compiled: CompiledModule): void {
    this.count++;
    this.modules.push(compiled);
    for (const port of this.ports) port.postMessage(compiled);
    const { i32 } = memoryViews(this.memory);
    for (let slot = 0, high = Atomics.load(i32, (PCB_BASE + PCB.CPU_HIGH) / 4); slot < high; slot++) {
      const base = (CPU_BASE + slot * CPU_BLOCK_SIZE) / 4;
      if (Atomics.load(i32, base + CPU.STATE / 4) !== THREAD_STATE.FREE)
        Atomics.or(i32, base + CPU.CONTROL / 4, CONTROL.CODE);
    }
  }
}

function ask(worker: Worker, pc: number): void {
  const message: ToCompiler = { kind: 'compile', pc };
  worker.postMessage(message);
}
