/**
 * The body of a worker that runs guest threads. In: WorkerStart, and the compiler where the worker has one of its own. Out: guest threads, one after another.
 * Its entries are guest-worker.ts and compiled-guest-worker.ts: Binaryen comes with the second alone.
 */
import type { MessagePort } from 'node:worker_threads';
import { runGuestThread, serveWorker, workerStart } from '../../runtime/threads/worker.js';
import { loadDisassembler } from './disassemble.js';
import { type CodeSource, GuestThread } from './guest-thread.js';
import type { SpineData } from './spine.js';

/** Loads what this run needs beyond the usual, and begins to serve. */
export async function serveGuests(makeCompiler?: (spine: SpineData) => CodeSource['compiler']): Promise<void> {
  // The supervisor is started by launch.ts with this spine.
  const spine = workerStart().spine as SpineData;
  const disassemble = spine.options.log.items.includes('in_asm') ? await loadDisassembler() : undefined;
  const compiler = makeCompiler?.(spine);
  /** Modules of the compile worker arrive here. */
  let port: MessagePort | undefined;
  serveWorker({
    onMessage(data) {
      // launch.ts posts nothing else.
      ({ port } = data as { port: MessagePort });
    },
    run(kernel, task, memory) {
      const thread = new GuestThread(kernel, task, memory, spine, disassemble, { port: () => port, compiler });
      runGuestThread(thread, () => {
        thread.loop();
      });
    },
  });
}
