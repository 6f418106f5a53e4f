/**
 * Messages between the supervisor (main thread) and its workers. In: nothing. Out: types. All state that guests share is in the kernel's buffer; messages
 * only say that something in it has changed, or hand over what a SharedArrayBuffer can't hold.
 */

/** What a worker is started with. */
export interface WorkerStart {
  readonly kernel: SharedArrayBuffer;
  /** Number of the worker, from 1. */
  readonly id: number;
  /** The spine's own: options, modules. Structured-cloneable. */
  readonly spine: unknown;
}

/** Supervisor to worker. */
export type ToWorker =
  /** Run the guest thread `task` in the memory of address space `mm`; the memory comes with the first task of a worker in it. */
  | {
      readonly kind: 'run';
      readonly task: number;
      readonly mm: number;
      readonly memory: WebAssembly.Memory | undefined;
    }
  /** For the spine's handler in the worker (onMessage); read between guest threads only, or by receiveMessageOnPort. */
  | { readonly kind: 'spine'; readonly data: unknown }
  /** The memory of an address space that the worker has asked for. */
  | { readonly kind: 'memory'; readonly mm: number; readonly memory: WebAssembly.Memory };

/** Worker to supervisor. */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** The guest thread is gone; the worker is free. */
  | { readonly kind: 'done'; readonly task: number }
  | { readonly kind: 'start'; readonly task: number }
  /** Asks for the memory of an address space; `task`, if not 0, is woken once it is on its way. `look`: no thread of the worker is going to run in it. */
  | { readonly kind: 'memory'; readonly mm: number; readonly task: number; readonly look: boolean }
  | { readonly kind: 'kick'; readonly task: number; readonly bits: number }
  | { readonly kind: 'timer'; readonly group: number }
  | { readonly kind: 'group'; readonly group: number }
  /** An exception in the worker: lift64 ends with exit 125. */
  | { readonly kind: 'fatal'; readonly message: string; readonly details: readonly string[]; readonly stack: string }
  /** For the main thread's service `name` (files: streams and the terminal; the compile worker). */
  | { readonly kind: 'service'; readonly name: string; readonly data: unknown };
