/** Entry of the workers that run guest threads. In: WorkerStart. Out: guest threads, one after another. */
import type { MessagePort } from 'node:worker_threads';
import { runGuestThread, serveWorker, workerStart } from '../../runtime/threads/worker.js';
import { loadDisassembler } from './disassemble.js';
import { type CodeSource, GuestThread } from './guest-thread.js';
import { modelDecoder } from './model-decoder.js';
import { enginePasses } from './passes.js';
import { RegionCompiler } from './region-compiler.js';
import type { SpineData } from './spine.js';

// The supervisor is started by launch.ts with this spine.
const spine = workerStart().spine as SpineData;

/** Modules of the compile worker arrive here. */
let port: MessagePort | undefined;

/** --tier compiled compiles in the guest thread itself, before a TB first runs. */
async function inThreadCompiler(): Promise<CodeSource['compiler']> {
  const { compileModule } = await import('../../backend-wasm/compiler/module.js');
  const { disabledPasses, breaks, log, cpuModel } = spine.options;
  const decode = modelDecoder(cpuModel);
  const passes = enginePasses(disabledPasses, breaks.includes('reorder-memory'));
  return (views, cache) =>
    new RegionCompiler(views, cache, decode, compileModule, passes, false, log.items.includes('out_asm'), {
      tbs: 3,
      insns: 48,
    });
}

/** Loads what this run needs beyond the usual, and begins to serve. */
async function serve(): Promise<void> {
  const { tier, log } = spine.options;
  const disassemble = log.items.includes('in_asm') ? await loadDisassembler() : undefined;
  const compileInThread = tier === 'compiled' ? await inThreadCompiler() : undefined;
  serveWorker({
    onMessage(data) {
      // launch.ts posts nothing else.
      ({ port } = data as { port: MessagePort });
    },
    run(kernel, task, memory) {
      const thread = new GuestThread(kernel, task, memory, spine, disassemble, {
        port: () => port,
        compiler: compileInThread,
      });
      runGuestThread(thread, () => {
        thread.loop();
      });
    },
  });
}

void serve();
