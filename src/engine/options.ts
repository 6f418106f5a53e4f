/**
 * What a run is told: plain data made by the CLI or the API, and carried to every worker. In: nothing. Out: types and defaults.
 */
import type { TreeOptions } from '../../runtime/vfs/guest-tree.js';
import type { CpuModel } from './cpu-model.js';
import type { StoreOptions } from './store-name.js';
import type { LogOptions } from './log.js';

/** interp never compiles; compiled compiles every TB before it first runs; auto interprets cold code and compiles hot regions. */
export const TIERS = ['interp', 'compiled', 'auto'] as const;
export type Tier = (typeof TIERS)[number];

/** Debug switches that break a rule on purpose; set by tests alone (LIFT64_BREAK). */
export const BREAK_SWITCHES = [
  /** The pc is advanced only after a system call has been served, so that clone's child starts at the SYSCALL again. */
  'late-pc',
  /** A pass moves guest loads over earlier stores and loads, so that the litmus tests see forbidden outcomes. */
  'reorder-memory',
] as const;
export type BreakSwitch = (typeof BREAK_SWITCHES)[number];

export interface EngineOptions {
  readonly tier: Tier;
  /** One guest instruction a TB, no chaining. */
  readonly singleStep: boolean;
  /** The IR verifier runs on every TB, before and after the optimiser. */
  readonly checkIr: boolean;
  readonly log: LogOptions;
  readonly strace: boolean;
  /** TB entries before its region is compiled (tier auto). */
  readonly hotThreshold: number;
  /** Names of optimiser passes to leave out. */
  readonly disabledPasses: readonly string[];
  readonly breaks: readonly BreakSwitch[];
  readonly cpuModel: CpuModel;
  /** Compiled regions access guest memory without permission checks: no faults, no notice of stores into code, and what is wild may hit lift64 itself. */
  readonly unchecked: boolean;
  /** V8 writes a map of its code for Linux's perf. */
  readonly perfMap: boolean;
  /** Where translated code is kept between runs; undefined: nowhere. */
  readonly store: StoreOptions | undefined;
}

/** counts: one line of JSON; all: also, readably, what the time was spent on, by V8's profiler, which costs some time of its own. */
export const STATS_KINDS = ['counts', 'all'] as const;
export type StatsKind = (typeof STATS_KINDS)[number];

/** The guest's tree is the host's. */
export const HOST_TREE: TreeOptions = { root: undefined, mounts: [], tmpfs: [], sandbox: false };

export interface RunOptions {
  readonly engine: EngineOptions;
  /** Host path of the program. */
  readonly program: string;
  /** argv[0] and the rest. */
  readonly argv: readonly string[];
  /** Guest environment, NAME=VALUE. */
  readonly env: readonly string[];
  /** -L: where the guest's interpreter and libraries are looked for first. */
  readonly prefix: string | undefined;
  /** False (--no-net, --sandbox): sockets reach guests of this lift64 alone. */
  readonly network?: boolean;
  /** --root, --mount, --tmpfs, --sandbox. */
  readonly tree: TreeOptions;
  /** --max-memory: bytes of the address space of each process. --max-procs: processes and threads at a time. */
  readonly maxMemory?: number | undefined;
  readonly maxProcs?: number | undefined;
  /** --timeout: seconds after which the guest is killed; --dump-on-timeout: after which its processes and threads are shown. */
  readonly timeout?: number | undefined;
  readonly dumpOnTimeout?: number | undefined;
  /** Stack in bytes. */
  readonly stackSize: number;
  /** -seed: makes AT_RANDOM and the guest's getrandom deterministic. */
  readonly seed: number | undefined;
  /** Print time and counts at the end. */
  readonly stats: StatsKind | undefined;
  /** Host descriptors that become the guest's 0, 1 and 2, and its only ones; the guest closes those that are not lift64's own 0 to 2. Absent: all that lift64 was started with. */
  readonly stdio?: readonly [number, number, number];
}

/** Entries of a TB before it is handed to the compile worker: with 1000, python3 -c "print(1)" takes a quarter more, since compiling wants the cores; benchmarks of a second are alike. */
export const DEFAULT_HOT_THRESHOLD = 4000;
export const DEFAULT_STACK_SIZE = 8 << 20;
