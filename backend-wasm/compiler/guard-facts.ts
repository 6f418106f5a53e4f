/**
 * Permission checks as facts of a region's function: what has been checked on all paths to a node. In: the nodes of a region. Out: by node and global, the bytes around its value that may
 * be read or written.
 *
 *     L1:  guard_w t0, rbp-8, 8      checks [rbp-32, rbp), all that the region accesses at rbp
 *     L2:  guard_r t1, rbp-32, 8     no check: rbp is what it was, on each path from L1
 *
 * What takes permissions away or marks a page CODE does so with the world stopped, and a thread lets that happen only once it has left all functions of regions. So a check that has passed
 * holds until the function is left, over polls that pass, helpers and atomics (ARCHITECTURE.md, rule 4). Behind a guest call or a system call all registers are new.
 */
import type { TempId } from '../../src/base/ids.js';
import { G } from '../../src/ir/globals.js';
import type { Op } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import type { Checked, Facts, Hulls, Range } from './checked.js';
import type { Graph } from './graph.js';
import { type GuardPlan, MAX_SIZE, planGuards } from './guard-plan.js';

/** Rounds of the dataflow before it is given up: a register that moves in a loop loses some bytes in each. */
const MAX_ROUNDS = 16;

function common(a: Range | undefined, b: Range | undefined): Range | undefined {
  if (a === undefined || b === undefined) return undefined;
  const low = Math.max(a.low, b.low);
  const high = Math.min(a.high, b.high);
  if (low >= high) return undefined;
  return low === a.low && high === a.high ? a : { low, high };
}

const same = (a: Range | undefined, b: Range | undefined): boolean => a?.low === b?.low && a?.high === b?.high;

/** Changes `into` to what it and `from` have in common; true when that is less. What may be written on one path may be read on it. */
function meet(into: Map<number, Checked>, from: Facts): boolean {
  let changed = false;
  for (const [id, mine] of into) {
    const other = from.get(id);
    const w = common(mine.w, other?.w);
    const r = common(mine.r ?? mine.w, other?.r ?? other?.w) ?? w;
    if (same(w, mine.w) && same(r, mine.r ?? mine.w)) continue;
    changed = true;
    if (r === undefined && w === undefined) into.delete(id);
    else into.set(id, { r, w });
  }
  return changed;
}

/** The bytes around rbp, the frame pointer where there is one, that the region accesses: one check for all of them. */
function frameHulls(order: readonly CfgNode[]): Hulls {
  const rbp = G.reg(5);
  let hull: Checked = {};
  const hulls = new Map<number, Checked>();
  const grow = (old: Range | undefined, range: Range | undefined): Range | undefined =>
    range === undefined
      ? old
      : old === undefined
        ? range
        : { low: Math.min(old.low, range.low), high: Math.max(old.high, range.high) };
  for (const node of order) {
    if (!readsOnly(node, rbp)) continue;
    const seen = planGuards(node).after.get(rbp);
    hull = { r: grow(hull.r, seen?.r), w: grow(hull.w, seen?.w) };
  }
  const small = (range: Range | undefined): Range | undefined =>
    range !== undefined && range.high - range.low <= MAX_SIZE ? range : undefined;
  hulls.set(rbp, { r: small(hull.r), w: small(hull.w) });
  return hulls;
}

/** Whether ops of the node read the global, and none may write it. */
function readsOnly({ tb, start, end }: CfgNode, id: TempId): boolean {
  let reads = false;
  for (let i = start; i < end; i++) {
    const { args } = tb.ops[i] as Op;
    if (args[0] === id) return false;
    reads ||= args.includes(id);
  }
  return reads;
}

const isCall = ({ term }: CfgNode): boolean => term.kind === 'call' || term.kind === 'syscall';

export interface RegionChecks {
  /** Where each node starts. */
  readonly before: readonly (Facts | undefined)[];
  readonly hulls: Hulls;
  /** By node; none where nothing is known. */
  readonly plans: readonly (GuardPlan | undefined)[];
}

export const NO_CHECKS: RegionChecks = { before: [], hulls: new Map(), plans: [] };

/**
 * @param order the nodes reachable from the entry, in reverse postorder
 * @param graph edges between nodes
 */
export function regionChecks(order: readonly CfgNode[], { first, to }: Graph): RegionChecks {
  const hulls = frameHulls(order);
  const size = first.length - 1;
  const before = new Array<Map<number, Checked> | undefined>(size).fill(undefined);
  const plans = new Array<GuardPlan | undefined>(size).fill(undefined);
  /** Nodes whose plan is not of what holds before them now. */
  const stale = new Uint8Array(size).fill(1);
  const entry = order[0];
  if (entry !== undefined) before[entry.id] = new Map();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const node of order) {
      const { id } = node;
      const start = before[id];
      if (start === undefined || stale[id] === 0) continue;
      stale[id] = 0;
      const plan = planGuards(node, start, hulls);
      plans[id] = plan;
      const after: Facts = isCall(node) ? new Map() : plan.after;
      for (let edge = first[id] as number; edge < (first[id + 1] as number); edge++) {
        const next = to[edge] as number;
        const there = before[next];
        if (there === undefined) before[next] = new Map(after);
        else if (!meet(there, after)) continue;
        stale[next] = 1;
        changed = true;
      }
    }
    if (!changed) return { before, hulls, plans };
  }
  return { before: [], hulls, plans: [] };
}
