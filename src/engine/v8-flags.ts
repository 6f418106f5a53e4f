/**
 * V8's flags for the modules of regions. In: what makes a module. Out: its result. V8's flags are the process's, and V8 refuses code caches (of our bundles, of Node's own modules) made under other flags than it
 * has when it reads them: so each is set only while a module is made, and put back (tests/unit/code-caches.test.ts). A flag that V8 does not know is a line on stderr.
 */
import { setFlagsFromString } from 'node:v8';
import { hasRelaxedSimd } from '../../backend-wasm/compiler/host-simd.js';

/** How to set a flag, and how to put it back. */
interface Flag {
  readonly on: string;
  readonly off: string;
}

const [MAJOR = 0, MINOR = 0] = process.versions.v8.split('.').map(Number);
const isSince = (major: number, minor: number): boolean => MAJOR > major || (MAJOR === major && MINOR >= minor);

/**
 * Branch hints are read, which V8 13.7 does by itself. And there is no deoptimisation, which relies on the feedback of the baseline compiler: without that, V8 14 ends the process in a check of its own at
 * the first call that it would inline.
 */
const REGION: readonly Flag[] = isSince(13, 7)
  ? [{ on: '--no-wasm-deopt', off: '--wasm-deopt' }]
  : [{ on: '--experimental-wasm-branch-hinting', off: '--no-experimental-wasm-branch-hinting' }];

/** Behind a flag before V8 11.4 (Node 20). */
const RELAXED_SIMD: readonly Flag[] = hasRelaxedSimd()
  ? []
  : [{ on: '--experimental-wasm-relaxed-simd', off: '--no-experimental-wasm-relaxed-simd' }];

const EAGER: Flag = { on: '--no-wasm-lazy-compilation', off: '--wasm-lazy-compilation' };

/**
 * V8 compiles with its optimising compiler alone, within Module(), and as code of regions: without a look for V8's own interrupts at each function's entry and each turn of a loop (a tenth of the time). Regions
 * poll CPU.CONTROL there, by which the supervisor ends threads (Kernel.shutDown), and have a stack budget.
 */
const OPTIMISING: readonly Flag[] = [
  // The first implies the second, in one direction.
  { on: '--no-wasm-dynamic-tiering', off: '--wasm-dynamic-tiering' },
  { on: '--no-liftoff', off: '--liftoff' },
  EAGER,
  { on: '--no-wasm-stack-checks', off: '--wasm-stack-checks' },
];

/**
 * V8 gives code of its baseline compiler to the optimising one after so many bytes of it have run, some 10 ms of a region. It compiles a region in 5 ms: with the usual budget,
 * python3 -c 'print(1)' took 1.2 s of CPU instead of 0.7.
 */
const LARGE_BUDGET: Flag = {
  on: '--wasm-tiering-budget=100000000',
  off: `--wasm-tiering-budget=${isSince(12, 0) ? 13_000_000 : 1_800_000}`,
};

function set(flags: readonly Flag[]): void {
  for (const { on } of flags) setFlagsFromString(on);
}

function putBack(flags: readonly Flag[]): void {
  for (const { off } of flags.toReversed()) setFlagsFromString(off);
}

function during<T>(flags: readonly Flag[], make: () => T): T {
  set(flags);
  try {
    return make();
  } finally {
    putBack(flags);
  }
}

/** Makes a module of regions for V8's usual tiers; and what asks hostSimd() for the first time goes through here. */
export function regionModules<T>(make: () => T): T {
  return during([...REGION, ...RELAXED_SIMD], make);
}

/** Makes a module of regions that were compiled in an earlier run: V8's baseline compiler has them for some time. */
export function keptModules<T>(make: () => T): T {
  return during([...RELAXED_SIMD, LARGE_BUDGET], make);
}

/** As keptModules(), at once and in V8's own threads. */
export async function keptModulesAhead<T>(make: () => Promise<T>): Promise<T> {
  const flags = [...RELAXED_SIMD, LARGE_BUDGET, EAGER];
  set(flags);
  try {
    return await make();
  } finally {
    putBack(flags);
  }
}

/** Makes a module of regions: V8 compiles it with its optimising compiler, here and now. */
export function optimisedModules<T>(make: () => T): T {
  return during([...REGION, ...RELAXED_SIMD, ...OPTIMISING], make);
}

/** All modules are made as by optimisedModules() from now on: for tests and fuzzing. */
export function optimiseAllModules(): void {
  set([...REGION, ...RELAXED_SIMD, ...OPTIMISING]);
}

/** All modules are made as by regionModules() from now on: for tests. */
export function allowRelaxedSimd(): void {
  set([...REGION, ...RELAXED_SIMD]);
}

/** V8 writes /tmp/perf-PID.map, names of its code by address, of all that is compiled in threads that start from now on (Linux's tools/perf/Documentation/jit-interface.txt). */
export function writePerfMap(): void {
  setFlagsFromString('--perf-basic-prof');
}
