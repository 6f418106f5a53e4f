/**
 * New workers, which begin to load their code before it is known what they are for. In: an entry that calls workerStart() (worker.ts). Out: the worker, and how to tell it.
 */
import { Worker } from 'node:worker_threads';
import type { WorkerStart } from './protocol.js';

/** Stack of a worker, MiB. */
const STACK_SIZE_MB = 64;

/** What a worker has as its workerData: a word that is 1 once its WorkerStart has been posted. */
export interface WorkerWait {
  readonly posted: Int32Array;
}

export interface NewWorker {
  readonly worker: Worker;
  /** Once, before anything else is posted to it. */
  readonly begin: (start: WorkerStart) => void;
}

/** @param stackSizeMb of the worker, MiB */
export function newWorker(entry: URL, stackSizeMb = STACK_SIZE_MB): NewWorker {
  const posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: WorkerWait = { posted };
  const worker = new Worker(entry, {
    workerData,
    // Else the end of a worker closes the descriptors that it has opened, which are the guests'.
    trackUnmanagedFds: false,
    // Else Node makes a pipe on descriptor 1 or 2 non-blocking.
    stdout: true,
    stderr: true,
    resourceLimits: { stackSizeMb },
  });
  return {
    worker,
    begin(start) {
      worker.postMessage(start);
      Atomics.store(posted, 0, 1);
      Atomics.notify(posted, 0);
    },
  };
}
