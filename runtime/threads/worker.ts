/**
 * The worker's side of the protocol. In: the supervisor's messages, and what the spine does to run a guest thread. Out: guest threads run one after the other.
 * A worker that runs a guest thread is in the handler of one message until that thread is gone; it reads no other message meanwhile.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { framesOf, InternalError } from '../../src/base/errors.js';
import type { Thread } from '../linux/thread.js';
import { enterNextProgram } from '../process/exec.js';
import { threadFinished, threadStarted } from '../process/exit.js';
import { Kernel } from '../process/kernel.js';
import { deliverPending, pendingSignals } from '../process/signal-deliver.js';
import { exitStop, startStops } from '../process/trace-stop.js';
import type { WorkerWait } from './new-worker.js';
import { sleepParked } from './park.js';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.js';

/** A worker that waits for a message looks again after this time, should the wake have come before the message. */
const FETCH_RECHECK_MS = 5;

/** What the spine gives; `run` makes the Thread of `task` and calls runGuestThread. */
export interface WorkerSpine {
  /** Runs the guest thread `task` to its end. `memory` is its address space's. */
  run(kernel: Kernel, task: number, memory: WebAssembly.Memory): void;
  /** A message of kind 'spine'. */
  onMessage?(data: unknown): void;
}

/** Posts a message to the main thread. Throws when called outside of a worker. */
export function postToSupervisor(message: FromWorker): void {
  if (parentPort === null) throw new InternalError('not in a worker');
  parentPort.postMessage(message);
}

/** Asks the service `name` on the main thread; returns at once. */
export function requestService(name: string, data: unknown): void {
  postToSupervisor({ kind: 'service', name, data });
}

let started: WorkerStart | undefined;

/** What the worker is for; waits until that is known. Call it before anything listens on parentPort. */
export function workerStart(): WorkerStart {
  if (started === undefined) {
    // newWorker() is the only one that starts this entry.
    const { posted } = workerData as WorkerWait;
    Atomics.wait(posted, 0, 0);
    const first = parentPort === null ? undefined : receiveMessageOnPort(parentPort);
    if (first === undefined) throw new InternalError('a worker has been started without a word');
    started = first.message as WorkerStart;
  }
  return started;
}

/** Begins to serve: call it once, at the end of the worker's entry. */
export function serveWorker(spine: WorkerSpine): void {
  const port = parentPort;
  if (port === null) throw new InternalError('not in a worker');
  const { kernel: buffer, id } = workerStart();
  const kernel = Kernel.attach(buffer);
  const memories = new Map<number, WebAssembly.Memory>();
  kernel.supervision = {
    startTask: (task) => {
      postToSupervisor({ kind: 'start', task });
    },
    kick: (task, bits) => {
      postToSupervisor({ kind: 'kick', task, bits });
    },
    timerChanged: (group) => {
      postToSupervisor({ kind: 'timer', group });
    },
    groupChanged: (group) => {
      postToSupervisor({ kind: 'group', group });
    },
  };
  const learn = (mm: number, memory: WebAssembly.Memory): void => {
    memories.set(mm, memory);
    // The memory is created shared.
    kernel.addMemory(mm, new Int32Array(memory.buffer as SharedArrayBuffer));
  };
  const other = (message: Exclude<ToWorker, { kind: 'run' }>): void => {
    if (message.kind === 'memory') learn(message.mm, message.memory);
    else spine.onMessage?.(message.data);
  };
  kernel.fetchMemory = (t, mm, look) => {
    const known = memories.has(mm);
    if (!known || !look) postToSupervisor({ kind: 'memory', mm, task: known ? 0 : t.task.index, look });
    for (;;) {
      const memory = memories.get(mm);
      if (memory !== undefined) return memory;
      const sequence = t.task.parkSequence;
      const received = receiveMessageOnPort(port);
      if (received === undefined) {
        sleepParked(t, sequence, FETCH_RECHECK_MS);
        continue;
      }
      const message = received.message as ToWorker;
      if (message.kind === 'run') throw new InternalError(`worker ${id} has been given two guest threads`);
      other(message);
    }
  };
  port.on('message', (message: ToWorker) => {
    try {
      if (message.kind !== 'run') {
        other(message);
        return;
      }
      const { task, mm } = message;
      if (message.memory !== undefined) learn(mm, message.memory);
      const memory = memories.get(mm);
      if (memory === undefined) throw new InternalError(`worker ${id} has no memory ${mm}`);
      kernel.task(task).worker = id;
      spine.run(kernel, task, memory);
      postToSupervisor({ kind: 'done', task });
    } catch (e) {
      postToSupervisor(fatalMessage(e));
    }
  });
  postToSupervisor({ kind: 'ready' });
}

/** A failure of ours as a message. */
export function fatalMessage(e: unknown): FromWorker {
  const error = e instanceof Error ? e : new Error(String(e));
  return {
    kind: 'fatal',
    message: error.message,
    details: error instanceof InternalError ? error.details : framesOf(error),
    stack: error.stack ?? '',
  };
}

/**
 * A guest thread from its first instruction to its end: the order of things that the kernel wants. `loop` is the engine's: it executes from the thread's registers until
 * t.exiting is set, calling dispatchSyscall, deliverFault, deliverPending and quiesce.safepoint as they come up.
 * Gives the memory of the program that the task goes on in after execve, with a Thread of its own.
 */
export function runGuestThread(t: Thread, loop: (t: Thread) => void): WebAssembly.Memory | undefined {
  threadStarted(t);
  startStops(t);
  // A signal or exit_group may have come before the worker did.
  if (pendingSignals(t)) deliverPending(t);
  if (t.exiting === undefined) loop(t);
  if (t.next === undefined) {
    exitStop(t);
    threadFinished(t);
    return undefined;
  }
  enterNextProgram(t, t.next);
  return t.next.memory;
}
