/**
 * A Wasm module of several regions. In: regions and slots. Out: its bytes; exports r0, r1, ... in the order of the regions. Not optimised: V8 does that, and Binaryen's
 * optimize() moves memory accesses (DESIGN.md section 6).
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { WASM_PAGES } from '../../src/guest/memory-map.js';
import { addHints } from './branch-hints.js';
import { emitRegion } from './emit.js';
import { hostSimd, type HostSimd, NO_HOST_SIMD } from './host-simd.js';
import { ModuleParts } from './module-parts.js';
import { RegionPasses } from './region-passes.js';
import type { Region } from './region.js';

const F = binaryen.Features;
/** Of Wasm: what regions and the core need. */
export const FEATURES = (F.Atomics |
  F.MutableGlobals |
  F.NontrappingFPToInt |
  F.SIMD128 |
  F.BulkMemory |
  F.BulkMemoryOpt |
  F.SignExt |
  F.TailCall |
  F.ReferenceTypes) as binaryen.Features;

const WITH_RELAXED_SIMD = (FEATURES | F.RelaxedSIMD) as binaryen.Features;

export interface CompiledModule {
  readonly bytes: Uint8Array;
  /** Wasm text, when asked for. */
  readonly text: string | undefined;
}

export interface ModuleOptions {
  /** The Wasm text is wanted. */
  readonly text?: boolean;
  /** Each access has a permission check of its own, which does without EXIT.CLOSE_LOOK. */
  readonly plainGuards?: boolean;
  /** Whether the TB at a pc mostly accesses pages whose next page does not allow as much (TB.EDGES): its checks have the second look where the first one is, which costs the other accesses. */
  readonly atEdges?: (pc: number) => boolean;
  /** No access has a permission check. */
  readonly unchecked?: boolean;
  /** Regions enter each other through the core, which is a little slower: what an instance that has the function table costs grows with the table. */
  readonly viaCore?: boolean;
  /** Optimisations to leave out (region-passes.ts). */
  readonly disabled?: readonly string[];
  /** Symbol of a region's head, which its function's name begins with (--perf-map). */
  readonly symbolOf?: (pc: number) => string | undefined;
  /** What relaxed SIMD does; found out where it is not told. */
  readonly host?: HostSimd;
}

/** Throws InternalError when an op can't be lowered or Binaryen does not accept what was built. */
export function compileModule(
  regions: readonly Region[],
  slotOf: (pc: number) => number,
  options: ModuleOptions = {},
): CompiledModule {
  // Profilers name functions by the name section.
  binaryen.setDebugInfo(true);
  const m = new binaryen.Module();
  try {
    const host = options.host ?? hostSimd();
    m.setFeatures(host === NO_HOST_SIMD ? FEATURES : WITH_RELAXED_SIMD);
    // Before the import: setMemory drops it.
    m.setMemory(WASM_PAGES, WASM_PAGES, null, [], true);
    m.addMemoryImport('0', 'env', 'memory', true);
    const passes = new RegionPasses(options.disabled);
    const { plainGuards = false, atEdges = () => false, unchecked = false, viaCore = false } = options;
    const parts = new ModuleParts(m, plainGuards, atEdges, unchecked, host, passes, viaCore);
    regions.forEach((region, i) => {
      const symbol = options.symbolOf?.(region.head);
      const name = `${symbol === undefined ? '' : `${symbol} `}r${i}_${region.head.toString(16)}`;
      emitRegion(parts, region, slotOf, name);
      m.addFunctionExport(name, `r${i}`);
    });
    const text = options.text === true ? m.emitText() : undefined;
    return { bytes: addHints(m.emitBinary()), text };
  } catch (e) {
    if (e instanceof InternalError) throw e;
    throw new InternalError(`Binaryen: ${e instanceof Error ? e.message : String(e)}`, [], { cause: e });
  } finally {
    m.dispose();
  }
}
