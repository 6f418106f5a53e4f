/** V8's flags for the modules of regions. In: nothing. Out: nothing; the flags are the process's, and hold for modules that are made from then on. A flag that V8 does not know is a line on stderr. */
import { setFlagsFromString } from 'node:v8';

/** V8 13.7 has branch hints and deoptimisation of Wasm on by default. */
function since13_7(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 13 || (major === 13 && minor >= 7);
}

/**
 * What code that the optimising compiler makes at once needs: branch hints are read; and there is no deoptimisation, which relies on the feedback of the baseline compiler: without that, V8 14
 * ends the process in a check of its own at the first call that it would inline.
 */
export function setRegionFlags(): void {
  if (since13_7(process.versions.v8)) setFlagsFromString('--no-wasm-deopt');
  else setFlagsFromString('--experimental-wasm-branch-hinting');
}

/**
 * Whether V8 compiles with its optimising compiler alone, within Module(), and as code of regions: without a look for V8's own interrupts at each function's entry and each turn of a loop
 * (a tenth of the time). Regions poll CPU.CONTROL there, by which the supervisor ends threads (Kernel.shutDown), and have a stack budget.
 */
export function setRegionCompiler(on: boolean): void {
  setFlagsFromString(on ? '--no-liftoff' : '--liftoff');
  setFlagsFromString(on ? '--no-wasm-lazy-compilation' : '--wasm-lazy-compilation');
  setFlagsFromString(on ? '--no-wasm-stack-checks' : '--wasm-stack-checks');
}
