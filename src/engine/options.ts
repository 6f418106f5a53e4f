/**
 * What a run is told: plain data made by the CLI or the API, and carried to every worker. In: nothing. Out: types and defaults.
 */
import type { TreeOptions } from '../../runtime/vfs/guest-tree.js';
import { REGION_PASSES } from '../../backend-wasm/compiler/region-passes.js';
import { OPTIMISER_PASSES } from '../opt/pass-names.js';
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

/** Passes of the optimiser and of the compiler, by name. */
export const PASS_NAMES = [...OPTIMISER_PASSES, ...REGION_PASSES] as const;
export type PassName = (typeof PASS_NAMES)[number];

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
  /** Passes to leave out. */
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
  /** Guest path of the first process's working directory; undefined: lift64's own, or / where the guest has a root of its own. */
  readonly cwd: string | undefined;
  /** --root, --mount, --tmpfs, --sandbox. */
  readonly tree: TreeOptions;
  /** --max-memory: bytes of the address space of each process. --max-procs: processes and threads at a time. */
  readonly maxMemory?: number | undefined;
  readonly maxProcs?: number | undefined;
  /** Milliseconds after which the guest is killed (--timeout), and after which its processes and threads are shown (--dump-on-timeout). */
  readonly timeoutMs?: number | undefined;
  readonly dumpOnTimeoutMs?: number | undefined;
  /** Stack in bytes. */
  readonly stackSize: number;
  /** -seed: makes AT_RANDOM and the guest's getrandom deterministic. */
  readonly seed: number | undefined;
  /** Print time and counts at the end. */
  readonly stats: StatsKind | undefined;
  /** False: the host's signals are not passed on to the guest, and lift64 does not stop when the guest is stopped. */
  readonly sharesSignals: boolean;
}

/** Entries of a TB before it is handed to the compile worker: with 1000, python3 -c "print(1)" takes a quarter more, since compiling wants the cores; benchmarks of a second are alike. */
export const DEFAULT_HOT_THRESHOLD = 4000;
export const DEFAULT_STACK_SIZE = 8 << 20;
