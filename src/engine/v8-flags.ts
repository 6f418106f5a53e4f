/**
 * V8's flags for the modules of regions. In: what makes a module. Out: its result. V8's flags are the process's, and V8 refuses code caches (of our bundles, of Node's own modules) made under other flags than it
 * has when it reads them: so each is set only while a module is made, and put back (tests/unit/code-caches.test.ts). A flag that V8 does not know is a line on stderr.
 * The workers of a process set them at the same time: each set of flags has a count of the threads that want it, which all workers have from the main thread.
 */
import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { shareHostSimd } from '../../backend-wasm/compiler/host-simd.js';

/** How to set a flag, and how to put it back. */
interface Flag {
  readonly on: string;
  readonly off: string;
}

/** Flags that are set together. */
interface FlagSet {
  readonly flags: readonly Flag[];
  /** Index of the count of the threads that want them. */
  readonly count: number;
}

/** Indices of the shared words: a lock, and behind it the counts of the sets. */
const LOCK = 0;
let words = 1;

function flagSet(...flags: readonly Flag[]): FlagSet {
  return { flags, count: words++ };
}

const [MAJOR = 0, MINOR = 0] = process.versions.v8.split('.').map(Number);
const isSince = (major: number, minor: number): boolean => MAJOR > major || (MAJOR === major && MINOR >= minor);

/** True when V8 is of one of these versions, major and minor. */
export const isV8Between = (first: readonly [number, number], last: readonly [number, number]): boolean =>
  isSince(...first) && !isSince(last[0], last[1] + 1);

/**
 * Branch hints are read, which V8 13.7 does by itself. And there is no deoptimisation, which relies on the feedback of the baseline compiler: without that, V8 14 ends the process in a check of its own at
 * the first call that it would inline.
 */
const REGION = flagSet(
  isSince(13, 7)
    ? { on: '--no-wasm-deopt', off: '--wasm-deopt' }
    : { on: '--experimental-wasm-branch-hinting', off: '--no-experimental-wasm-branch-hinting' },
);

/** Behind a flag before V8 11.4 (Node 20 has 11.3). */
const RELAXED_SIMD = flagSet(
  ...(isSince(11, 4) ? [] : [{ on: '--experimental-wasm-relaxed-simd', off: '--no-experimental-wasm-relaxed-simd' }]),
);

const EAGER = flagSet({ on: '--no-wasm-lazy-compilation', off: '--wasm-lazy-compilation' });

/** V8 compiles with its optimising compiler alone. */
const NO_LIFTOFF = flagSet(
  // The first implies the second, in one direction.
  { on: '--no-wasm-dynamic-tiering', off: '--wasm-dynamic-tiering' },
  { on: '--no-liftoff', off: '--liftoff' },
);

/** Before V8 12, large functions get a register allocator that keeps everything in memory between blocks: it made the interpreter's loop 1.1 to 1.2 times as slow. */
const ONE_ALLOCATOR = flagSet(
  ...(isSince(12, 0)
    ? []
    : [
        {
          on: '--no-turbo-use-mid-tier-regalloc-for-huge-functions',
          off: '--turbo-use-mid-tier-regalloc-for-huge-functions',
        },
      ]),
);

/**
 * V8 compiles modules that say so (backend-wasm/compiler/branch-hints.ts) with its optimising compiler alone. Later versions than V8 11 read other hints, and are told for all modules: what another
 * thread calls for the first time meanwhile, of a region of an earlier run, is optimised there and then.
 */
const OPTIMISING = isSince(12, 0)
  ? NO_LIFTOFF
  : flagSet({ on: '--experimental-wasm-compilation-hints', off: '--no-experimental-wasm-compilation-hints' });

/**
 * Code of regions: without a look for V8's own interrupts at each function's entry and each turn of a loop (a tenth of the time). Regions
 * poll CPU.CONTROL there, by which the supervisor ends threads (Kernel.shutDown), and have a stack budget.
 */
const NO_STACK_CHECKS = flagSet({ on: '--no-wasm-stack-checks', off: '--wasm-stack-checks' });

/** V8's own functions for tests (machine-code.ts). */
const NATIVES = flagSet({ on: '--allow-natives-syntax', off: '--no-allow-natives-syntax' });

/**
 * V8 gives code of its baseline compiler to the optimising one after so many bytes of it have run, some 10 ms of a region. It compiles a region in 5 ms: with the usual budget,
 * python3 -c 'print(1)' took 1.2 s of CPU instead of 0.7.
 */
const LARGE_BUDGET = flagSet({
  on: '--wasm-tiering-budget=100000000',
  off: `--wasm-tiering-budget=${isSince(12, 0) ? 13_000_000 : 1_800_000}`,
});

/**
 * V8 hands JavaScript to its optimising compiler after more bytes of a function's bytecode have run than usual. The compile worker's is large, runs for seconds, and is optimised on the cores that the guest and the
 * worker want: without a cache, python3 -c 'print(1)' takes 0.77 of the time with this budget, and 0.76 of the CPU; a loop of bash 0.92 and 0.92. Measured on V8 11.3; V8 12 and later count otherwise.
 */
const LATE = flagSet(...(isSince(12, 0) ? [] : [{ on: '--interrupt-budget=500000', off: '--interrupt-budget=67584' }]));
/** Index of the number of threads that want LATE to be off for a while. */
const NOT_LATE = words++;

const SHARED = 'lift64: V8 flags';
/** The flags' words, and one for what hostSimd() has found. */
const shared = sharedWords();
shareHostSimd(shared.subarray(words));

/** Those of the main thread; its own where there are none. */
function sharedWords(): Int32Array {
  const given = getEnvironmentData(SHARED);
  if (given instanceof Int32Array) return given;
  const own = new Int32Array(new SharedArrayBuffer((words + 1) * Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(SHARED, own);
  return own;
}

/** A thread that is ended while it holds the lock, which is for microseconds, leaves it held. */
const LOCK_TIMEOUT_MS = 1000;

function locked(fn: () => void): void {
  while (Atomics.exchange(shared, LOCK, 1) !== 0) {
    if (Atomics.wait(shared, LOCK, 1, LOCK_TIMEOUT_MS) === 'timed-out') break;
  }
  try {
    fn();
  } finally {
    Atomics.store(shared, LOCK, 0);
    Atomics.notify(shared, LOCK, 1);
  }
}

function set(sets: readonly FlagSet[]): void {
  locked(() => {
    for (const { count, flags } of sets) {
      if (Atomics.add(shared, count, 1) > 0) continue;
      for (const { on } of flags) setFlagsFromString(on);
    }
  });
}

function putBack(sets: readonly FlagSet[]): void {
  locked(() => {
    for (const { count, flags } of sets) {
      if (Atomics.sub(shared, count, 1) > 1) continue;
      for (const { off } of flags.toReversed()) setFlagsFromString(off);
    }
  });
}

function during<T>(sets: readonly FlagSet[], make: () => T): T {
  set(sets);
  try {
    return make();
  } finally {
    putBack(sets);
  }
}

/** From now on V8 waits longer before it optimises JavaScript. */
export function optimiseLate(): void {
  countLate(LATE.count, 1);
}

/** What V8 makes under the usual flags, or takes under those alone: machine code that is kept. */
export function usualFlags<T>(make: () => T): T {
  countLate(NOT_LATE, 1);
  try {
    return make();
  } finally {
    countLate(NOT_LATE, -1);
  }
}

const isLate = (): boolean => Atomics.load(shared, LATE.count) > 0 && Atomics.load(shared, NOT_LATE) === 0;

/** Adds to one of the counts that LATE depends on. */
function countLate(count: number, by: number): void {
  locked(() => {
    const before = isLate();
    Atomics.add(shared, count, by);
    const after = isLate();
    if (after !== before) for (const { on, off } of LATE.flags) setFlagsFromString(after ? on : off);
  });
}

/** Makes a module of regions for V8's usual tiers; and what asks hostSimd() for the first time goes through here. */
export function regionModules<T>(make: () => T): T {
  return during([REGION, RELAXED_SIMD], make);
}

/** Makes a module of regions that were compiled in an earlier run: V8's baseline compiler has them for some time. */
export function keptModules<T>(make: () => T): T {
  return during([RELAXED_SIMD, LARGE_BUDGET], make);
}

/** As keptModules(), at once and in V8's own threads. */
export async function keptModulesAhead<T>(make: () => Promise<T>): Promise<T> {
  const sets = [RELAXED_SIMD, LARGE_BUDGET, EAGER];
  set(sets);
  try {
    return await make();
  } finally {
    putBack(sets);
  }
}

/** Makes a module of regions: V8 compiles it with its optimising compiler, here and now. */
export function optimisedModules<T>(make: () => T): T {
  return during([REGION, RELAXED_SIMD, EAGER, OPTIMISING, NO_STACK_CHECKS], make);
}

/** Makes the core's module as optimisedModules() does, but of code that V8 can interrupt: the interpreter's loops look at CPU.CONTROL alone. */
export function optimisedCore<T>(make: () => T): T {
  return during([EAGER, NO_LIFTOFF, ONE_ALLOCATOR], make);
}

/** Runs what compiles JavaScript that calls V8's own functions, %Name(). */
export function nativesSyntax<T>(fn: () => T): T {
  return during([NATIVES], fn);
}

/** All modules are made as by optimisedModules() from now on: for tests and fuzzing. */
export function optimiseAllModules(): void {
  set([REGION, RELAXED_SIMD, EAGER, OPTIMISING, NO_STACK_CHECKS]);
}

/** All modules are made as by regionModules() from now on: for tests. */
export function allowRelaxedSimd(): void {
  set([REGION, RELAXED_SIMD]);
}

/** V8 writes /tmp/perf-PID.map, names of its code by address, of all that is compiled in threads that start from now on (Linux's tools/perf/Documentation/jit-interface.txt). */
export function writePerfMap(): void {
  setFlagsFromString('--perf-basic-prof');
}
