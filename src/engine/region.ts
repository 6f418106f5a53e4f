/**
 * Forms regions: what is reachable from a hot pc by direct jumps, through jump tables and behind calls. In: a pc and how to lift a TB. Out: a Region for the compiler.
 * A TB that another jumps into the middle of is one more TB; regions headed elsewhere may hold the same code again, so no region has a second entry.
 * Small functions are inlined where they are called (inline.ts); what else is called gets a region of its own when it is hot.
 */
import { PAGE_SIZE } from '../guest/memory-map.js';
import type { Tb } from '../ir/types.js';
import { type BodyLimits, type FormBody, withCallees } from './inline.js';
import { type ReadTable, tableTargets } from './jump-table.js';
import { RegionPasses } from '../../backend-wasm/compiler/region-passes.js';
import { type Body, type Region, tbsOf } from '../../backend-wasm/compiler/region.js';
import { isIndirect, nextPcs, transferOf } from '../../backend-wasm/compiler/transfer.js';

export interface RegionLimits extends BodyLimits {
  /** Guest instructions of functions that are inlined, besides. */
  readonly inlined: number;
}

/** `limits` with what --disable-pass leaves out. */
export function limitsWithout(limits: RegionLimits, disabled: readonly string[]): RegionLimits {
  return new RegionPasses(disabled).on('inline') ? limits : { ...limits, inlined: 0 };
}

/** What regions are formed from. */
export interface RegionSource {
  /** The TB at a pc, optimised; undefined where it can't be had. */
  readonly lift: (pc: number) => Tb | undefined;
  /** Whether the TB at a pc is worth having in a region; the head is. None: all are. */
  readonly isWorth?: (pc: number) => boolean;
  /** Reads tables of jump targets. */
  readonly read?: ReadTable;
  /** Whether the TB at a pc runs often, so that what it calls is worth being inlined. */
  readonly hot?: (pc: number) => boolean;
  /** Pcs that the indirect call or jump at the end of the TB at a pc mostly goes to, as far as that is known: few, or none. */
  readonly targets?: (pc: number) => readonly number[];
}

/**
 * Targets of a jump table that stay within the region. More are an interpreter's dispatch, which stands behind each of its operations: regions would hold the same operations again and again (python3: 1.24
 * thousand million instructions interpreted meanwhile, instead of 0.14), so there each operation gets a region of its own.
 */
const MAX_TABLE_TARGETS = 32;

export const REGION_LIMITS: RegionLimits = { tbs: 96, insns: 1500, inlined: 120 };

/** The region headed at `head`: its own TBs, as many as the limits allow, and inlined functions. */
export function formRegion(
  head: number,
  source: RegionSource,
  limits: RegionLimits = REGION_LIMITS,
): Region | undefined {
  const own = formBody(head, source, limits)?.body;
  const callee: FormBody = (pc, bounds) => {
    const formed = source.isWorth?.(pc) === false ? undefined : formBody(pc, source, bounds);
    return formed?.whole === true ? formed.body : undefined;
  };
  return own === undefined ? undefined : withCallees(own, callee, limits.inlined, source.hot);
}

/** The TBs that are reached from `head` without calls; `whole`: the limits have left nothing out. The head is there at any length. */
function formBody(
  head: number,
  { lift, isWorth = () => true, read = () => undefined, targets: seen = () => [] }: RegionSource,
  limits: BodyLimits,
): { readonly body: Body; readonly whole: boolean } | undefined {
  const jumps = new Map<number, number[]>();
  const guesses = new Map<number, readonly number[]>();
  const tbs = new Map<number, Tb>();
  const queue = [head];
  let insns = 0;
  let whole = true;
  for (let pc = queue.shift(); pc !== undefined; pc = queue.shift()) {
    if (tbs.has(pc)) continue;
    const tb = pc === head || isWorth(pc) ? lift(pc) : undefined;
    if (tb === undefined) {
      if (pc === head) return undefined;
      continue;
    }
    insns += tb.insns;
    whole = tbs.size < limits.tbs && insns <= limits.insns;
    if (tbs.size > 0 && !whole) break;
    tbs.set(pc, tb);
    queue.push(...nextPcs(tb));
    const { kind } = transferOf(tb);
    if (kind === 'return' || !isIndirect(tb)) continue;
    const targets = kind === 'call' ? [] : tableTargets(tb, tbs.values(), read).filter(isWorth);
    if (targets.length > 0 && targets.length <= MAX_TABLE_TARGETS) {
      jumps.set(pc, targets);
      queue.push(...targets);
    } else {
      const guess = seen(pc);
      if (guess.length > 0) guesses.set(pc, guess);
    }
  }
  for (const [pc, targets] of jumps)
    jumps.set(
      pc,
      targets.filter((target) => tbs.has(target)),
    );
  return { body: { head, tbs, jumps, guesses }, whole };
}

/** Guest pages that a region's bytes lie on. */
export function regionPages(region: Region): number[] {
  const pages = new Set<number>();
  for (const tb of tbsOf(region)) {
    for (
      let page = Math.floor(tb.pc / PAGE_SIZE), last = Math.floor((tb.pc + Math.max(tb.size, 1) - 1) / PAGE_SIZE);
      page <= last;
      page++
    )
      pages.add(page);
  }
  return [...pages];
}
