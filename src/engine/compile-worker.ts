/**
 * Entry of the compile worker: lifts hot code from guest memory and compiles it with Binaryen, away from the guest's threads. In: pcs. Out: modules.
 * V8 compiles the modules here with its optimising compiler, in Module(); Binaryen is loaded in this worker alone.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { InternalError } from '../base/errors.js';
import { hostSimd } from '../../backend-wasm/compiler/host-simd.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { setCode } from '../../runtime/memory/perms.js';
import { mmOfSpace } from '../../runtime/process/mm.js';
import { CodeCache } from './code-cache.js';
import type { CompilerStart, FromCompiler, ToCompiler } from './compile-protocol.js';
import { lifeOf } from './memory-life.js';
import { memoryViews } from './memory-views.js';
import { modelDecoder } from './model-decoder.js';
import { HotQueue } from './hot-queue.js';
import { enginePasses } from './passes.js';
import { RegionCompiler } from './region-compiler.js';
import { optimiseLate, optimisedModules, regionModules } from './v8-flags.js';

const start = workerData as CompilerStart;
const port = parentPort;
if (port === null) throw new InternalError('not in a worker');
// Known from now on, whatever the flags are.
regionModules(hostSimd);
// All code has been loaded, with what V8 has kept of it; the build's runs are about to write that (scripts/bundle/record.cjs), which has to be under the usual flags.
if (process.env['LIFT64_RECORD'] === undefined) optimiseLate();

/** Only meanwhile do V8's flags say so: Binaryen's own functions, which V8 compiles at their first call, would make the first region take 0.6 s. */
const optimisedModule = (bytes: Uint8Array): WebAssembly.Module =>
  optimisedModules(() => new WebAssembly.Module(bytes));

interface Work {
  readonly space: number;
  /** The process is gone, and the memory another's. */
  readonly isOver: () => boolean;
  readonly compiler: RegionCompiler;
  readonly cache: CodeCache;
  readonly queue: HotQueue;
}
/** By address space. */
const works = new Map<number, Work>();
let scheduled = false;
const post = (message: FromCompiler): void => {
  port.postMessage(message);
};

function fail(e: unknown): void {
  const error = e instanceof Error ? e : new Error(String(e));
  post({
    kind: 'failed',
    message: error.message,
    details: error instanceof InternalError ? error.details : [error.stack ?? ''],
  });
}

function compileNext({ space, isOver, compiler, cache, queue }: Work): void {
  scheduled = false;
  const start = performance.now();
  try {
    // Read before the guest's bytes: what is invalidated from now on makes the result stale.
    const { generation } = cache;
    const regions = isOver() ? [] : queue.take();
    if (regions.length > 0) {
      const compiled = compiler.compileRegions(regions, generation);
      post({ kind: 'module', space, compiled, ms: performance.now() - start });
    }
  } catch (e) {
    // What is read while the memory changes hands is no program: any error may come of it.
    if (!isOver()) fail(e);
  }
  if (isOver()) works.delete(mmOfSpace(space));
  schedule([...works.values()].find((w) => !w.queue.empty));
}

/** After the messages that wait already, so that they make one batch. */
function schedule(next: Work | undefined): void {
  if (scheduled || next === undefined) return;
  scheduled = true;
  setImmediate(compileNext, next);
}

function startWork(space: number, life: number, memory: WebAssembly.Memory): Work {
  const views = memoryViews(memory);
  const cache = new CodeCache(views, (page, on) => {
    setCode(views.u8, page, on);
  });
  const compiler = new RegionCompiler(views, cache, {
    decode: modelDecoder(start.cpuModel),
    compile: compileModule,
    passes: enginePasses(start.disabledPasses, start.reorderMemory),
    disabled: start.disabledPasses,
    onlyWarm: true,
    wantText: start.wantText,
    load: optimisedModule,
    keep: start.keep,
    unchecked: start.unchecked,
    life,
  });
  const isOver = (): boolean => lifeOf(views) !== life;
  return { space, isOver, compiler, cache, queue: new HotQueue(views, life, cache, (pc) => compiler.form(pc)) };
}

port.on('message', (message: ToCompiler) => {
  if (message.kind === 'memory') {
    works.set(mmOfSpace(message.space), startWork(message.space, message.life, message.memory));
    return;
  }
  const work = works.get(mmOfSpace(message.space));
  if (work?.space !== message.space) return;
  if (message.symbol !== undefined) work.compiler.symbols.set(message.pc, message.symbol);
  work.queue.push(message.pc);
  schedule(work);
});
