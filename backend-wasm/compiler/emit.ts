/**
 * One region as one Wasm function. In: a Region and the module's parts. Out: its function (region.ts), added to the module.
 *
 * Globals that the region names live in locals: loaded at the entry and behind calls where a path reads them first, stored where the region is left if they may have changed (dataflow.ts).
 */
import binaryen from 'binaryen';
import { CPU } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import { opInfo } from '../../src/ir/op-info.js';
import type { Op } from '../../src/ir/types.js';
import { buildCfg, successors, type Cfg, type CfgNode, type JumpTarget } from './cfg.js';
import { analyse, exitStores, stepDirty, type Dataflow } from './dataflow.js';
import { type CallTarget, Exits } from './exits.js';
import { makeReducible, type Expr, type FlowNode, type FlowTerm } from './flow.js';
import { type Graph, graphOf, reversePostorder } from './graph.js';
import { NO_CHECKS, regionChecks } from './guard-facts.js';
import { GlobalSet } from './global-set.js';
import { type ModuleParts, REGION_PARAMS, REGION_RESULT } from './module-parts.js';
import { OpEmitter } from './op-emitter.js';
import { perfectHash } from './perfect-hash.js';
import { type Region, tbsOf } from './region.js';
import { splitLoops } from './split-loops.js';
import { structure } from './structure.js';
import { CPU_LOCAL, Values } from './values.js';

/** Adds the function `name`. `slotOf`: function-table slot of a guest pc, 0 none. Throws InternalError when an op can't be lowered. */
export function emitRegion(parts: ModuleParts, region: Region, slotOf: (pc: number) => number, name: string): void {
  const cfg = buildCfg(region);
  const graph = graphOf(cfg.nodes.length, (n) => successors((cfg.nodes[n] as CfgNode).term));
  const order = Array.from(reversePostorder(graph, cfg.entry), (n) => cfg.nodes[n] as CfgNode);
  new RegionEmitter(parts, cfg, graph, order, slotOf, region, name).emit();
}

class RegionEmitter {
  private readonly m: binaryen.Module;
  private readonly flow: Dataflow;
  private readonly values: Values;
  private readonly exits: Exits;
  private readonly ops: OpEmitter;
  /** By id; those of the cfg come first. */
  private nodes: FlowNode[] = [];
  /** Bytes of the host's stack that the function is reckoned to take. */
  private readonly frame: number;

  constructor(
    private readonly parts: ModuleParts,
    private readonly cfg: Cfg,
    graph: Graph,
    /** The nodes that are reached, in reverse postorder. */
    private readonly order: readonly CfgNode[],
    private readonly slotOf: (pc: number) => number,
    private readonly region: Region,
    private readonly name: string,
  ) {
    this.m = parts.m;
    this.frame = frameBytes(region);
    this.flow = analyse(cfg, order, graph);
    this.values = new Values(this.m, this.flow.used);
    this.exits = new Exits(parts, this.values);
    const checks = parts.passes.on('guard-facts') ? regionChecks(order, graph) : NO_CHECKS;
    this.ops = new OpEmitter(parts, this.values, this.exits, this.flow.used, checks);
  }

  emit(): void {
    const { m } = this;
    const nodes: FlowNode[] = this.cfg.nodes.map(() => ({ code: [], term: { kind: 'stop' } }));
    this.nodes = nodes;
    for (const group of byBlock(this.order)) {
      this.values.beginTb((group[0] as CfgNode).tb, group);
      for (const node of group) nodes[node.id] = this.node(node);
    }
    const entry = nodes.length;
    nodes.push({
      code: this.live(this.cfg.entry)
        .ids()
        .map((id) => this.exits.loadGlobal(id)),
      term: { kind: 'jump', to: this.cfg.entry },
    });
    makeReducible(nodes, entry, {
      local: () => this.values.newLocal('i32'),
      set: (local, value) => m.local.set(local, m.i32.const(value)),
    });
    if (this.parts.passes.on('split-loops')) splitLoops(nodes, entry);
    const code = this.exits.around(structure(m, nodes, entry));
    m.addFunction(
      this.name,
      binaryen.createType([...REGION_PARAMS]),
      REGION_RESULT,
      this.values.localTypes,
      m.block(null, code, REGION_RESULT),
    );
  }

  /** Globals to be loaded where `node` is entered with all state in CPU state. */
  private live(node: number): GlobalSet {
    return this.flow.live[node] as GlobalSet;
  }

  private callTarget(pc: number | undefined): CallTarget {
    if (pc === undefined) return { kind: 'indirect' };
    if (pc === this.region.head) return { kind: 'self', pc, name: this.name };
    return { kind: 'slot', pc, slot: this.slotOf(pc) };
  }

  private node(node: CfgNode): FlowNode {
    const dirty = (this.flow.dirty[node.id] as GlobalSet).clone();
    const code: Expr[] = [];
    let { pc, ccOp } = node;
    this.values.beginNode(code);
    this.ops.beginNode(node);
    for (let i = node.start; i < node.end; i++) {
      const op = node.tb.ops[i] as Op;
      if (op.name === 'insn_start') {
        pc = Number(op.imms[0]);
        ccOp = Number(op.imms[1]);
        continue;
      }
      this.ops.emit(op, { at: i, pc, ccOp, dirty });
      stepDirty(op, opInfo(op), dirty);
    }
    const term = this.terminate(node, dirty, code);
    this.values.endNode();
    return { code, term };
  }

  /** An indirect jump to one of `targets`, else to node `other`: a switch on a hash of rip that is perfect for them, and a look whether it is that target. */
  private dispatch(targets: readonly JumpTarget[], other: number, set: GlobalSet, code: Expr[]): FlowTerm {
    const { m, exits, values, nodes } = this;
    code.push(exits.pollAtRip(set));
    const { factor, bits, at } = perfectHash(targets.map(({ pc }) => pc));
    const checks = at.map((i) => {
      const target = i === undefined ? undefined : targets[i];
      if (target === undefined) return other;
      const cond = m.i64.ne(values.global(G.rip), m.i64.const(BigInt(target.pc)));
      return nodes.push({ code: [], term: { kind: 'branch', cond, taken: other, next: target.to } }) - 1;
    });
    const local = values.newLocal('i32');
    const product = m.i32.mul(m.i32.wrap(values.global(G.rip)), m.i32.const(factor));
    code.push(m.local.set(local, m.i32.shr_u(product, m.i32.const(32 - bits))));
    return { kind: 'switch', local, targets: checks };
  }

  private terminate({ term }: CfgNode, dirty: GlobalSet, code: Expr[]): FlowTerm {
    const { m, exits } = this;
    const set = exitStores(term, dirty);
    switch (term.kind) {
      case 'jump':
        return { kind: 'jump', to: term.to };
      case 'branch':
        return { kind: 'branch', cond: this.ops.condition(term.op, 0), taken: term.taken, next: term.next };
      case 'guess': {
        const cond = m.i64.eq(this.values.global(G.rip), m.i64.const(BigInt(term.pc)));
        return { kind: 'branch', cond, taken: term.taken, next: term.next };
      }
      case 'goto':
        if (term.poll) code.push(exits.poll(term.pc, set));
        return { kind: 'jump', to: term.to };
      case 'leave':
        code.push(...exits.leave(term.pc, this.slotOf(term.pc), set));
        return { kind: 'stop' };
      case 'call': {
        const { pc, back, to } = term;
        code.push(...exits.call(this.callTarget(pc), back, set, this.live(to), this.frame));
        return { kind: 'jump', to };
      }
      case 'syscall':
        code.push(...exits.syscall(term.back, set, this.live(term.to)));
        return { kind: 'jump', to: term.to };
      case 'return':
        code.push(...exits.return(set));
        return { kind: 'stop' };
      case 'table':
        return this.dispatch(term.targets, term.other, set, code);
      case 'lookup':
        code.push(...exits.lookup(set));
        return { kind: 'stop' };
      case 'exit': {
        const [reason = 0, argument = 0, pc = 0] = term.op.imms.map(Number);
        const cpu = (): Expr => m.local.get(CPU_LOCAL, binaryen.i32);
        code.push(
          exits.storeGlobal(G.rip, m.i64.const(BigInt(pc))),
          m.i64.store(CPU.EXIT_ARG0, 8, cpu(), m.i64.const(BigInt(argument))),
          m.i32.store(CPU.EXIT_REASON, 4, cpu(), m.i32.const(reason)),
          m.br(exits.label(set)),
        );
        return { kind: 'stop' };
      }
    }
  }
}

/**
 * Bytes of the host's stack that the function of `region` is reckoned to take: V8 spills no more values than are computed, and few of them at a time. The engine keeps a wide margin
 * (guest-thread.ts).
 */
function frameBytes(region: Region): number {
  let insns = 0;
  for (const tb of tbsOf(region)) insns += tb.insns;
  return 256 + 16 * insns;
}

/** Nodes by block, in the order of the TB's ops. */
function byBlock(order: readonly CfgNode[]): CfgNode[][] {
  const groups: CfgNode[][] = [];
  for (const node of [...order].sort((a, b) => a.id - b.id)) {
    const last = groups.at(-1);
    if (last?.[0]?.block === node.block) last.push(node);
    else groups.push([node]);
  }
  return groups;
}
