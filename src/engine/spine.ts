/** What the main thread gives to every worker at its start (WorkerStart.spine), and the messages between them. In: nothing. Out: types. */
import type { EngineOptions } from './options.js';

export interface SpineData {
  readonly options: EngineOptions;
  /** The AssemblyScript core, compiled once. */
  readonly core: WebAssembly.Module;
  /** -L. */
  readonly prefix: string | undefined;
  readonly cpus: number;
}

/** Names of the services on the main thread. */
export const SERVICE = {
  STREAM: 'stream',
  TERMINAL: 'terminal',
  /** A TB got hot: { mm, pc }. */
  HOT: 'hot',
} as const;
