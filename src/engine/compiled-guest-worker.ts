/**
 * Entry of the workers that run guest threads under --tier compiled, which compile in the guest thread itself, before a TB first runs.
 * In: WorkerStart. Out: guest threads, one after another.
 */
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { serveGuests } from './guest-serve.js';
import { modelDecoder } from './model-decoder.js';
import { enginePasses } from './passes.js';
import { enableRelaxedSimd } from './relaxed-simd.js';
import { RegionCompiler } from './region-compiler.js';

enableRelaxedSimd();
void serveGuests(({ options }) => {
  const { disabledPasses, breaks, log, cpuModel } = options;
  const decode = modelDecoder(cpuModel);
  const passes = enginePasses(disabledPasses, breaks.includes('reorder-memory'));
  return (views, cache) =>
    new RegionCompiler(views, cache, decode, compileModule, passes, false, log.items.includes('out_asm'), {
      tbs: 3,
      insns: 48,
    });
});
