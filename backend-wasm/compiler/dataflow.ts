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
import { opInfo } from '../../src/ir/op-info.js';
import type { Op } from '../../src/ir/types.js';
import { successors, type Cfg, type CfgNode, type Terminator } from './cfg.js';
import { GlobalSet } from './global-set.js';
import { callInfo } from './call-info.js';

/** Calls back for what an op does with globals' locals, in order. `dirty` is kept up to date by stepOp. */
export interface GlobalVisitor {
  use(id: number): void;
  define(id: number): void;
}

const NOTHING: GlobalVisitor = {
  use: () => undefined,
  define: () => undefined,
};

/** Steps over one op that ends no node: updates `dirty` and reports uses and definitions. `used` limits what a call loads again. */
export function stepOp(op: Op, ccOp: number, dirty: GlobalSet, used: GlobalSet, visit: GlobalVisitor = NOTHING): void {
  const info = opInfo(op);
  for (let i = info.outs; i < op.args.length; i++) {
    const id = op.args[i] as number;
    if (id < NB_GLOBALS) visit.use(id);
  }
  if (op.name === 'call' && !info.pure) {
    const { stores, writes, helper } = callInfo(String(op.imms[0]));
    for (const id of dirty.intersection(stores).ids()) visit.use(id);
    dirty.subtract(stores);
    if (helper.faults === true) for (const id of sideExitStores(dirty, ccOp).ids()) visit.use(id);
    for (const id of writes.intersection(used).ids()) visit.define(id);
  } else if (info.sideExit) {
    for (const id of sideExitStores(dirty, ccOp).ids()) visit.use(id);
  }
  for (let i = 0; i < info.outs; i++) {
    const id = op.args[i] as number;
    if (id >= NB_GLOBALS) continue;
    visit.define(id);
    dirty.add(id);
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

/** @param order the nodes reachable from the entry, in reverse postorder */
export function analyse(cfg: Cfg, order: readonly CfgNode[]): Dataflow {
  const used = new GlobalSet();
  for (const { tb, start, end } of order)
    for (let i = start; i <= end; i++) for (const id of (tb.ops[i] as Op).args) if (id < NB_GLOBALS) used.add(id);
  if (order.some((n) => readsRip(n.term))) used.add(G.rip);

  const dirty = cfg.nodes.map(() => new GlobalSet());
  forward(order, dirty, used);
  const live = cfg.nodes.map(() => new GlobalSet());
  backward(order, live, dirty, used);
  return { dirty, used, live };
}

/** A node maps `dirty` to gen + (dirty & pass): gen is what comes of nothing dirty, gen + pass what comes of everything dirty. */
function forward(order: readonly CfgNode[], dirty: readonly GlobalSet[], used: GlobalSet): void {
  const through = (node: CfgNode, start: GlobalSet): GlobalSet => {
    visitNode(node, start, used, NOTHING);
    return start;
  };
  const gen = order.map((node) => through(node, new GlobalSet()));
  const pass = order.map((node) => through(node, new GlobalSet(-1, -1)));
  for (let changed = true; changed;) {
    changed = false;
    order.forEach((node, i) => {
      const out = (dirty[node.id] as GlobalSet).intersection(pass[i] as GlobalSet);
      out.union(gen[i] as GlobalSet);
      for (const to of successors(node.term)) if ((dirty[to] as GlobalSet).union(out)) changed = true;
    });
  }
}

function backward(
  order: readonly CfgNode[],
  live: readonly GlobalSet[],
  dirty: readonly GlobalSet[],
  used: GlobalSet,
): void {
  const kills: GlobalSet[] = [];
  for (const node of order) {
    const exposed = live[node.id] as GlobalSet;
    const killed = new GlobalSet();
    visitNode(node, (dirty[node.id] as GlobalSet).clone(), used, {
      use: (id) => {
        if (!killed.has(id)) exposed.add(id);
      },
      define: (id) => {
        killed.add(id);
      },
    });
    kills[node.id] = killed;
  }
  for (let changed = true; changed;) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i] as CfgNode;
      for (const to of successors(node.term)) {
        const passing = (live[to] as GlobalSet).clone();
        passing.subtract(kills[node.id] as GlobalSet);
        if ((live[node.id] as GlobalSet).union(passing)) changed = true;
      }
    }
  }
}

/** Visits the ops and the terminator of `node`; `dirty` becomes what it is behind it. */
function visitNode(node: CfgNode, dirty: GlobalSet, used: GlobalSet, visit: GlobalVisitor): void {
  let { ccOp } = node;
  for (let i = node.start; i < node.end; i++) {
    const op = node.tb.ops[i] as Op;
    if (op.name === 'insn_start') ccOp = Number(op.imms[1]);
    stepOp(op, ccOp, dirty, used, visit);
  }
  if (node.term.kind === 'branch') stepOp(node.term.op, ccOp, dirty, used, visit);
  for (const id of exitStores(node.term, dirty).ids()) visit.use(id);
  if (readsRip(node.term)) visit.use(G.rip);
  if (node.term.kind === 'call' || node.term.kind === 'syscall') {
    // All state is in CPU state there, and loaded anew behind it.
    dirty.clear();
    for (const id of used.ids()) visit.define(id);
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
