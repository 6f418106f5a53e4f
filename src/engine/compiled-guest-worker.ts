/**
 * Entry of the workers that run guest threads under --tier compiled, which compile in the guest thread itself, before a TB first runs.
 * In: WorkerStart. Out: guest threads, one after another.
 */
import { hostSimd } from '../../backend-wasm/compiler/host-simd.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { serveGuests } from './guest-serve.js';
import { modelDecoder } from './model-decoder.js';
import { enginePasses } from './passes.js';
import type { RegionLimits } from './region.js';
import { RegionCompiler } from './region-compiler.js';
import { regionModules } from './v8-flags.js';

// Known from now on, whatever the flags are.
regionModules(hostSimd);

const makeModule = (bytes: Uint8Array): WebAssembly.Module => regionModules(() => new WebAssembly.Module(bytes));
/**
 * Every TB that is entered from elsewhere is a region's head, so that large regions hold the same code again and again, and small ones cost V8 an instance each. With 16 TBs, a start of a dynamic
 * program takes 0.72 of the CPU time that it takes with 3, and no less with 32.
 */
const LIMITS: RegionLimits = { tbs: 16, insns: 200, inlined: 48 };

void serveGuests(({ options }) => {
  const { disabledPasses, breaks, log, cpuModel } = options;
  const compiler = {
    decode: modelDecoder(cpuModel),
    compile: compileModule,
    passes: enginePasses(disabledPasses, breaks.includes('reorder-memory')),
    disabled: disabledPasses,
    wantText: log.items.includes('out_asm'),
    limits: LIMITS,
    load: makeModule,
  };
  return (views, cache) => new RegionCompiler(views, cache, compiler);
});
