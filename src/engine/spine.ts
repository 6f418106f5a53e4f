/** What the main thread gives to every worker at its start (WorkerStart.spine), and the messages between them. In: nothing. Out: types. */
import type { TreeRows } from '../../runtime/vfs/mount-table.js';
import type { EngineOptions } from './options.js';

export interface SpineData {
  readonly options: EngineOptions;
  /** The AssemblyScript core, compiled once. */
  readonly core: WebAssembly.Module;
  /** Templates that the build has made, for the CPU model of the run (kept-templates.ts). */
  readonly templates: Int32Array | undefined;
  /** -L. */
  readonly prefix: string | undefined;
  /** The guest's mounts; undefined: its tree is the host's. */
  readonly tree: TreeRows | undefined;
  readonly cpus: number;
  /** False: no network of the host's. */
  readonly network: boolean;
  /** --profile: guest threads report what they have spent their time on. */
  readonly profile: boolean;
}

/** Names of the services on the main thread. */
export const SERVICE = {
  STREAM: 'stream',
  NET: 'net',
  TERMINAL: 'terminal',
  /** A file of the host to watch: WatchRequest. */
  WATCH: 'watch',
  /** What the main thread waits for in a queue may have come. */
  WAKE: 'wake',
  /** A TB got hot: HotPc. */
  HOT: 'hot',
  /** A guest thread has compiled a module: SpaceModule (tier compiled). */
  COMPILED: 'compiled',
  /** A process has been copied, code and all: Forked. */
  FORKED: 'forked',
  /** A guest thread has ended: ThreadReport (--profile). */
  REPORT: 'report',
} as const;

/** `space`: Mm.space. */
export interface HotPc {
  readonly space: number;
  /** The memory's, in that space (memory-life.ts). */
  readonly life: number;
  readonly pc: number;
  /** The process has the regions of earlier runs. */
  readonly warm: boolean;
  /** Name of the function, under --perf-map. */
  readonly symbol: string | undefined;
}
export interface Forked {
  readonly parent: number;
  readonly child: number;
  /** PCB.COPIES of the parent before this copy. */
  readonly copies: number;
}
