/**
 * Which globals must be loaded where the region is entered, and which may differ from their home in CPU state where it is left.
 * In: a Cfg. Out: sets of globals by node.
 *
 *  - dirty (forward, may): the local was written and not stored since;
 *  - live (backward, may): the local's value is read, or stored at an exit, before it is written.
 *
 * A global that is dirty at an exit on one path and untouched on another is live from the entry: it is stored with the value that it had.
 */
import { G, NB_GLOBALS } from '../../src/ir/globals.js';
import { opInfo, type OpInfo } from '../../src/ir/op-info.js';
import type { Op } from '../../src/ir/types.js';
import type { Cfg, CfgNode, Terminator } from './cfg.js';
import { GlobalSet } from './global-set.js';
import type { Graph } from './graph.js';
import { callInfo } from './call-info.js';

/** Steps over one op that ends no node. */
export function stepDirty({ args, imms }: Op, { helper, pure, outs }: OpInfo, dirty: GlobalSet): void {
  if (helper !== undefined && !pure) dirty.subtract(callInfo(String(imms[0])).stores);
  for (let i = 0; i < outs; i++) {
    const id = args[i] as number;
    if (id < NB_GLOBALS) dirty.add(id);
  }
}

/** Globals stored from their locals at a side exit: rip, and cc_op when insn_start names it, are known there. */
export function sideExitStores(dirty: GlobalSet, ccOp: number): GlobalSet {
  const set = dirty.clone();
  set.delete(G.rip);
  if (ccOp >= 0) set.delete(G.ccOp);
  return set;
}

/** Globals stored from their locals when the region is left at `term` or by its poll; empty for the others. */
export function exitStores(term: Terminator, dirty: GlobalSet): GlobalSet {
  const set = dirty.clone();
  switch (term.kind) {
    case 'goto':
      if (!term.poll) return new GlobalSet();
      set.delete(G.rip);
      return set;
    case 'leave':
    case 'exit':
    case 'syscall':
      set.delete(G.rip);
      return set;
    case 'return':
      // It is the function's result.
      set.delete(G.rip);
      return set;
    case 'call':
      if (term.pc === undefined) set.add(G.rip);
      else set.delete(G.rip);
      return set;
    case 'lookup':
      set.add(G.rip);
      return set;
    case 'table':
      // Its poll stores rip.
      set.delete(G.rip);
      return set;
    case 'jump':
    case 'branch':
    case 'guess':
      return new GlobalSet();
  }
}

export interface Dataflow {
  /** At the start of each node. */
  readonly dirty: readonly GlobalSet[];
  /** At the start of each node: to be loaded at the region's entry and behind calls. */
  readonly live: readonly GlobalSet[];
  /** Globals that an op of the region names. */
  readonly used: GlobalSet;
}

/**
 * @param order the nodes reachable from the entry, in reverse postorder
 * @param graph edges between nodes
 */
export function analyse({ nodes }: Cfg, order: readonly CfgNode[], graph: Graph): Dataflow {
  const used = new GlobalSet();
  for (const { tb, start, end, term } of order) {
    for (let i = start; i <= end; i++) for (const id of (tb.ops[i] as Op).args) if (id < NB_GLOBALS) used.add(id);
    if (readsRip(term)) used.add(G.rip);
  }
  const dirty = emptySets(nodes.length);
  forward(order, graph, dirty);
  const live = emptySets(nodes.length);
  backward(order, graph, live, dirty, used);
  return { dirty, used, live };
}

function emptySets(count: number): GlobalSet[] {
  const sets: GlobalSet[] = [];
  for (let i = 0; i < count; i++) sets.push(new GlobalSet());
  return sets;
}

/** A node maps `dirty` to gen + (dirty & pass): gen is what comes of nothing dirty, gen + pass what comes of everything dirty. */
function forward(order: readonly CfgNode[], { first, to }: Graph, dirty: readonly GlobalSet[]): void {
  const gen: GlobalSet[] = [];
  const pass: GlobalSet[] = [];
  for (const node of order) {
    gen.push(dirtyBehind(node, new GlobalSet()));
    pass.push(dirtyBehind(node, new GlobalSet(-1, -1)));
  }
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < order.length; i++) {
      const { id } = order[i] as CfgNode;
      const out = (dirty[id] as GlobalSet).intersection(pass[i] as GlobalSet);
      out.union(gen[i] as GlobalSet);
      for (let edge = first[id] as number; edge < (first[id + 1] as number); edge++)
        if ((dirty[to[edge] as number] as GlobalSet).union(out)) changed = true;
    }
  }
}

/** Makes `dirty`, which is that of the start of `node`, that behind it. */
function dirtyBehind({ tb, start, end, term }: CfgNode, dirty: GlobalSet): GlobalSet {
  for (let i = start; i < end; i++) {
    const op = tb.ops[i] as Op;
    stepDirty(op, opInfo(op), dirty);
  }
  // All state is in CPU state there.
  if (term.kind === 'call' || term.kind === 'syscall') dirty.clear();
  return dirty;
}

function backward(
  order: readonly CfgNode[],
  { first, to }: Graph,
  live: readonly GlobalSet[],
  dirty: readonly GlobalSet[],
  used: GlobalSet,
): void {
  const kills: GlobalSet[] = [];
  for (const node of order)
    kills.push(findExposed(node, (dirty[node.id] as GlobalSet).clone(), used, live[node.id] as GlobalSet));
  for (let changed = true; changed;) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const { id } = order[i] as CfgNode;
      const passing = new GlobalSet();
      for (let edge = first[id] as number; edge < (first[id + 1] as number); edge++)
        passing.union(live[to[edge] as number] as GlobalSet);
      passing.subtract(kills[i] as GlobalSet);
      if ((live[id] as GlobalSet).union(passing)) changed = true;
    }
  }
}

/**
 * Adds to `exposed` the globals whose locals `node` reads before it writes them; gives those that it writes.
 * @param dirty at its start; changed
 */
function findExposed(node: CfgNode, dirty: GlobalSet, used: GlobalSet, exposed: GlobalSet): GlobalSet {
  const { tb, start, end, term } = node;
  const killed = new GlobalSet();
  let { ccOp } = node;
  for (let i = start; i < end; i++) {
    const op = tb.ops[i] as Op;
    if (op.name === 'insn_start') ccOp = Number(op.imms[1]);
    else exposeOp(op, ccOp, dirty, used, exposed, killed);
  }
  if (term.kind === 'branch') exposeOp(term.op, ccOp, dirty, used, exposed, killed);
  exposed.unionWithout(exitStores(term, dirty), killed);
  if (readsRip(term) && !killed.has(G.rip)) exposed.add(G.rip);
  // All globals are loaded anew behind it.
  if (term.kind === 'call' || term.kind === 'syscall') killed.union(used);
  return killed;
}

function exposeOp(
  op: Op,
  ccOp: number,
  dirty: GlobalSet,
  used: GlobalSet,
  exposed: GlobalSet,
  killed: GlobalSet,
): void {
  const info = opInfo(op);
  const { args } = op;
  for (let i = info.outs; i < args.length; i++) {
    const id = args[i] as number;
    if (id < NB_GLOBALS && !killed.has(id)) exposed.add(id);
  }
  if (info.helper !== undefined && !info.pure) {
    const { stores, writes, helper } = callInfo(String(op.imms[0]));
    exposed.unionWithout(dirty.intersection(stores), killed);
    if (helper.faults === true) {
      const left = dirty.clone();
      left.subtract(stores);
      exposed.unionWithout(sideExitStores(left, ccOp), killed);
    }
    killed.union(writes.intersection(used));
  } else if (info.sideExit) exposed.unionWithout(sideExitStores(dirty, ccOp), killed);
  stepDirty(op, info, dirty);
  for (let i = 0; i < info.outs; i++) {
    const id = args[i] as number;
    if (id < NB_GLOBALS) killed.add(id);
  }
}

/** Terminators that go on at rip. */
function readsRip(term: Terminator): boolean {
  switch (term.kind) {
    case 'guess':
    case 'return':
    case 'table':
    case 'lookup':
      return true;
    case 'call':
      return term.pc === undefined;
    default:
      return false;
  }
}
