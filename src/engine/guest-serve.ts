/**
 * The body of a worker that runs guest threads. In: WorkerStart, and the compiler where the worker has one of its own. Out: guest threads, one after another.
 * Its entries are guest-worker.ts and compiled-guest-worker.ts: Binaryen comes with the second alone.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { mmOfSpace } from '../../runtime/process/mm.js';
import { runGuestThread, serveWorker, workerStart } from '../../runtime/threads/worker.js';
import type { CompiledModule, SpaceModule } from './compile-protocol.js';
import { loadDisassembler } from './disassemble.js';
import { GuestThread } from './guest-thread.js';
import type { SpineData } from './spine.js';
import type { CodeSource } from './thread-regions.js';

/** Loads what this run needs beyond the usual, and begins to serve. */
export async function serveGuests(makeCompiler?: (spine: SpineData) => CodeSource['compiler']): Promise<void> {
  // The supervisor is started by launch.ts with this spine.
  const spine = workerStart().spine as SpineData;
  const disassemble = spine.options.log.items.includes('in_asm') ? await loadDisassembler() : undefined;
  const compiler = makeCompiler?.(spine);
  /** Modules of the compile worker arrive here. */
  let port: MessagePort | undefined;
  /** Those of the present life of each address space. */
  const code = new Map<number, { readonly space: number; readonly modules: CompiledModule[] }>();
  const modulesOf = (space: number): readonly CompiledModule[] => {
    if (port !== undefined) {
      for (let m = receiveMessageOnPort(port); m !== undefined; m = receiveMessageOnPort(port)) {
        // The compile service posts nothing else on this port.
        const { space: of, compiled } = m.message as SpaceModule;
        const mm = mmOfSpace(of);
        let known = code.get(mm);
        if (known?.space !== of) code.set(mm, (known = { space: of, modules: [] }));
        known.modules.push(compiled);
      }
    }
    const known = code.get(mmOfSpace(space));
    return known?.space === space ? known.modules : [];
  };
  serveWorker({
    onMessage(data) {
      // launch.ts posts nothing else.
      ({ port } = data as { port: MessagePort });
    },
    run(kernel, task, memory) {
      for (let next: WebAssembly.Memory | undefined = memory; next !== undefined;) {
        const thread = new GuestThread(kernel, task, next, spine, disassemble, { modulesOf, compiler });
        next = runGuestThread(thread, () => {
          thread.loop();
        });
      }
    },
  });
}
