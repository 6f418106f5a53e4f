/**
 * Structured control flow from a reducible graph. In: flow nodes and the entry. Out: the Wasm expressions, in order; control never runs off their end.
 *
 * The dominator tree is walked in reverse postorder: a node reached by several forward edges becomes the code after a block that these edges leave, a loop header opens a
 * loop, every other node stands where its one predecessor jumps to it. Source: Ramsey, "Beyond Relooper" (ICFP 2022).
 */
import type binaryen from 'binaryen';
import { flowGraph, type Expr, type FlowNode } from './flow.js';
import { type Graph, immediateDominators, positionsIn, reversePostorder } from './graph.js';
import { labelledBlock } from './labelled-block.js';

export function structure(m: binaryen.Module, nodes: readonly FlowNode[], entry: number): Expr[] {
  const code: Expr[] = [];
  new Structurer(m, nodes, flowGraph(nodes), entry).tree(0, code);
  return code;
}

const NONE = -1;

/** Nodes are positions in `order` here. */
class Structurer {
  private readonly order: Int32Array;
  private readonly position: Int32Array;
  private readonly header: Uint8Array;
  /** Reached by a branch to a block of its own. */
  private readonly merge: Uint8Array;
  /** Of the nodes that a node dominates next and that are merges, the first; and the one behind each of them. */
  private readonly firstMerge: Int32Array;
  private readonly nextMerge: Int32Array;
  /** Nodes in the dominator subtree. */
  private readonly weight: Int32Array;

  constructor(
    private readonly m: binaryen.Module,
    private readonly nodes: readonly FlowNode[],
    graph: Graph,
    entry: number,
  ) {
    const order = reversePostorder(graph, entry);
    const size = order.length;
    this.order = order;
    this.position = positionsIn(graph, order);
    this.header = new Uint8Array(size);
    this.merge = new Uint8Array(size);
    this.findHeaders(graph);
    this.firstMerge = new Int32Array(size).fill(NONE);
    this.nextMerge = new Int32Array(size).fill(NONE);
    this.weight = new Int32Array(size).fill(1);
    const idom = immediateDominators(graph, order, this.position);
    for (let i = size - 1; i > 0; i--) {
      const parent = idom[i] as number;
      this.weight[parent] = (this.weight[parent] as number) + (this.weight[i] as number);
      if (this.merge[i] === 0) continue;
      this.nextMerge[i] = this.firstMerge[parent] as number;
      this.firstMerge[parent] = i;
    }
  }

  private findHeaders({ first, to }: Graph): void {
    const forward = new Int32Array(this.order.length);
    for (let i = 0; i < this.order.length; i++) {
      const node = this.order[i] as number;
      const edges = this.nodes[node]?.term.kind === 'switch' ? 2 : 1;
      for (let edge = first[node] as number; edge < (first[node + 1] as number); edge++) {
        const p = this.at(to[edge] as number);
        if (p <= i) this.header[p] = 1;
        else if ((forward[p] = (forward[p] as number) + edges) > 1) this.merge[p] = 1;
      }
    }
  }

  /** Appends the code of the node at position `i` and of all that it dominates to `out`. */
  tree(i: number, out: Expr[]): void {
    const { m } = this;
    const inner = this.header[i] === 1 ? [] : out;
    let child = this.firstMerge[i] as number;
    let body = child === NONE ? inner : [];
    this.node(i, body);
    while (child !== NONE) {
      const block = labelledBlock(m, blockLabel(child), body);
      const next = this.nextMerge[child] as number;
      body = next === NONE ? inner : [];
      body.push(block);
      this.tree(child, body);
      child = next;
    }
    if (this.header[i] === 1) out.push(m.loop(loopLabel(i), m.block(null, inner)));
  }

  private node(i: number, out: Expr[]): void {
    const { m } = this;
    const { code, term } = this.nodes[this.order[i] as number] as FlowNode;
    for (const expr of code) out.push(expr);
    switch (term.kind) {
      case 'stop':
        return;
      case 'jump':
        this.goto(i, this.at(term.to), out);
        return;
      case 'switch': {
        const labels = term.targets.map((t) => this.label(i, this.at(t)) ?? '');
        out.push(m.switch(labels, labels.at(-1) ?? '', m.local.get(term.local, m.i32.const(0))));
        return;
      }
      case 'branch':
        this.branch(i, term.cond, this.at(term.taken), this.at(term.next), out);
    }
  }

  private branch(i: number, cond: Expr, taken: number, next: number, out: Expr[]): void {
    const { m } = this;
    if (taken === next) {
      out.push(m.drop(cond));
      this.goto(i, next, out);
      return;
    }
    const takenLabel = this.label(i, taken);
    if (takenLabel !== undefined) {
      out.push(m.br_if(takenLabel, cond));
      this.goto(i, next, out);
      return;
    }
    const nextLabel = this.label(i, next);
    if (nextLabel !== undefined) {
      out.push(m.br_if(nextLabel, m.i32.eqz(cond)));
      this.tree(taken, out);
      return;
    }
    // The bigger part is not nested, so that the depth stays logarithmic.
    const nestsNext = (this.weight[taken] as number) > (this.weight[next] as number);
    const nested: Expr[] = [];
    this.tree(nestsNext ? next : taken, nested);
    out.push(m.if(nestsNext ? m.i32.eqz(cond) : cond, m.block(null, nested)));
    this.tree(nestsNext ? taken : next, out);
  }

  private goto(from: number, to: number, out: Expr[]): void {
    const label = this.label(from, to);
    if (label === undefined) this.tree(to, out);
    else out.push(this.m.br(label));
  }

  /** Label that a branch from `from` to `to` leaves for; undefined when `to` stands at the branch. */
  private label(from: number, to: number): string | undefined {
    if (to <= from) return loopLabel(to);
    return this.merge[to] === 1 ? blockLabel(to) : undefined;
  }

  private at(node: number): number {
    return this.position[node] as number;
  }
}

const loopLabel = (i: number): string => `L${i}`;
const blockLabel = (i: number): string => `B${i}`;
