/** Entry of the workers that run guest threads. In: WorkerStart. Out: guest threads, one after another. */
import { runGuestThread, requestService, serveWorker, workerStart } from '../../runtime/threads/worker.js';
import { loadDisassembler } from './disassemble.js';
import { GuestThread } from './guest-thread.js';
import { SERVICE, type SpineData } from './spine.js';

// The supervisor is started by launch.ts with this spine.
const spine = workerStart().spine as SpineData;
const disassemble = spine.options.log.items.includes('in_asm') ? await loadDisassembler() : undefined;

serveWorker({
  run(kernel, task, memory) {
    const thread = new GuestThread(kernel, task, memory, spine, disassemble);
    runGuestThread(thread, () => {
      thread.loop();
      requestService(SERVICE.FIGURES, thread.figures());
    });
  },
});
