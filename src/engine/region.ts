/**
 * Forms regions: what is reachable from a hot pc by direct jumps, through jump tables and behind calls. In: a pc and how to lift a TB. Out: a Region for the compiler.
 * A TB that another jumps into the middle of is one more TB; regions headed elsewhere may hold the same code again, so no region has a second entry.
 * What is called gets a region of its own when it is hot.
 */
import { PAGE_SIZE } from '../guest/memory-map.js';
import type { Tb } from '../ir/types.js';
import { type ReadTable, tableTargets } from './jump-table.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { nextPcs, transferOf } from '../../backend-wasm/compiler/transfer.js';

export interface RegionLimits {
  readonly tbs: number;
  /** Guest instructions. */
  readonly insns: number;
}

export const REGION_LIMITS: RegionLimits = { tbs: 96, insns: 1500 };

/**
 * @param lift the TB at a pc, optimised; undefined where it is not worth having in the region (never run) or can't be had
 * @param read reads tables of jump targets
 */
export function formRegion(
  head: number,
  lift: (pc: number) => Tb | undefined,
  limits: RegionLimits,
  read: ReadTable = () => undefined,
): Region | undefined {
  const jumps = new Map<number, number[]>();
  const tbs = new Map<number, Tb>();
  const queue = [head];
  let insns = 0;
  for (let pc = queue.shift(); pc !== undefined; pc = queue.shift()) {
    if (tbs.has(pc)) continue;
    const tb = lift(pc);
    if (tb === undefined) {
      if (pc === head) return undefined;
      continue;
    }
    insns += tb.insns;
    if (tbs.size > 0 && (tbs.size >= limits.tbs || insns > limits.insns)) break;
    tbs.set(pc, tb);
    queue.push(...nextPcs(tb));
    if (transferOf(tb).kind !== 'jump') continue;
    const targets = tableTargets(tb, tbs.values(), read);
    if (targets.length === 0) continue;
    jumps.set(pc, targets);
    queue.push(...targets);
  }
  for (const [pc, targets] of jumps)
    jumps.set(
      pc,
      targets.filter((target) => tbs.has(target)),
    );
  return { head, tbs, jumps };
}

/** Guest pages that a region's bytes lie on. */
export function regionPages(region: Region): number[] {
  const pages = new Set<number>();
  for (const tb of region.tbs.values()) {
    for (
      let page = Math.floor(tb.pc / PAGE_SIZE), last = Math.floor((tb.pc + Math.max(tb.size, 1) - 1) / PAGE_SIZE);
      page <= last;
      page++
    )
      pages.add(page);
  }
  return [...pages];
}
