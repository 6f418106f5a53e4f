/** The optimiser's passes as a run wants them. In: options. Out: passes. */
import { type Pass, PASSES } from '../opt/pipeline.js';
import { reorderMemory } from '../opt/reorder-memory.js';

/** @param reorder tests only: adds the pass that breaks the memory model */
export function enginePasses(disabled: readonly string[], reorder: boolean): readonly Pass[] {
  const passes: Pass[] = PASSES.filter((p) => !disabled.includes(p.name));
  if (reorder) passes.push({ name: 'reorder-memory', run: reorderMemory });
  return passes;
}
