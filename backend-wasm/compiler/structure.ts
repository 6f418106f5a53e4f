/**
 * Structured control flow from a reducible graph. In: flow nodes and the entry. Out: the Wasm expressions, in order; control never runs off their end.
 *
 * The dominator tree is walked in reverse postorder: a node reached by several forward edges becomes the code after a block that these edges leave, a loop header opens a
 * loop, every other node stands where its one predecessor jumps to it. Source: Ramsey, "Beyond Relooper" (ICFP 2022).
 */
import type binaryen from 'binaryen';
import { flowTargets, immediateDominators, reversePostorder, type Expr, type FlowNode } from './flow.js';
import { labelledBlock } from './labelled-block.js';

export function structure(m: binaryen.Module, nodes: readonly FlowNode[], entry: number): Expr[] {
  const targets = (n: number): readonly number[] => flowTargets((nodes[n] as FlowNode).term);
  const order = reversePostorder(targets, entry);
  return new Structurer(m, nodes, order, immediateDominators(order, targets)).tree(0);
}

/** Nodes are positions in `order` here. */
class Structurer {
  private readonly position: ReadonlyMap<number, number>;
  /** Reached by a branch to a block of its own. */
  private readonly merge: boolean[];
  private readonly header: boolean[];
  private readonly children: number[][];
  /** Nodes in the dominator subtree. */
  private readonly weight: number[];

  constructor(
    private readonly m: binaryen.Module,
    private readonly nodes: readonly FlowNode[],
    private readonly order: readonly number[],
    idom: readonly number[],
  ) {
    this.position = new Map(order.map((node, i) => [node, i]));
    const forward = order.map(() => 0);
    this.header = order.map(() => false);
    this.merge = order.map(() => false);
    order.forEach((node, i) => {
      const { term } = nodes[node] as FlowNode;
      for (const to of flowTargets(term)) {
        const p = this.at(to);
        if (p <= i) this.header[p] = true;
        else forward[p] = (forward[p] as number) + (term.kind === 'switch' ? 2 : 1);
      }
    });
    this.children = order.map(() => []);
    this.weight = order.map(() => 1);
    for (let i = order.length - 1; i > 0; i--) {
      const parent = idom[i] as number;
      this.children[parent]?.unshift(i);
      this.weight[parent] = (this.weight[parent] as number) + (this.weight[i] as number);
      this.merge[i] = (forward[i] as number) > 1;
    }
  }

  /** Code of the node at position `i` and of all that it dominates. */
  tree(i: number): Expr[] {
    let body = this.node(i);
    for (const child of this.children[i] as number[]) {
      if (this.merge[child] !== true) continue;
      body = [labelledBlock(this.m, blockLabel(child), body), ...this.tree(child)];
    }
    return this.header[i] === true ? [this.m.loop(loopLabel(i), this.m.block(null, body))] : body;
  }

  private node(i: number): Expr[] {
    const { m } = this;
    const { code, term } = this.nodes[this.order[i] as number] as FlowNode;
    switch (term.kind) {
      case 'stop':
        return code;
      case 'jump':
        return [...code, ...this.goto(i, this.at(term.to))];
      case 'switch': {
        const labels = term.targets.map((t) => this.label(i, this.at(t)) ?? '');
        return [...code, m.switch(labels, labels.at(-1) ?? '', m.local.get(term.local, m.i32.const(0)))];
      }
      case 'branch':
        return [...code, ...this.branch(i, term.cond, this.at(term.taken), this.at(term.next))];
    }
  }

  private branch(i: number, cond: Expr, taken: number, next: number): Expr[] {
    const { m } = this;
    if (taken === next) return [m.drop(cond), ...this.goto(i, next)];
    const takenLabel = this.label(i, taken);
    if (takenLabel !== undefined) return [m.br_if(takenLabel, cond), ...this.goto(i, next)];
    const nextLabel = this.label(i, next);
    if (nextLabel !== undefined) return [m.br_if(nextLabel, m.i32.eqz(cond)), ...this.tree(taken)];
    // The bigger part is not nested, so that the depth stays logarithmic.
    return (this.weight[taken] as number) > (this.weight[next] as number)
      ? [m.if(m.i32.eqz(cond), m.block(null, this.tree(next))), ...this.tree(taken)]
      : [m.if(cond, m.block(null, this.tree(taken))), ...this.tree(next)];
  }

  private goto(from: number, to: number): Expr[] {
    const label = this.label(from, to);
    return label === undefined ? this.tree(to) : [this.m.br(label)];
  }

  /** Label that a branch from `from` to `to` leaves for; undefined when `to` stands at the branch. */
  private label(from: number, to: number): string | undefined {
    if (to <= from) return loopLabel(to);
    return this.merge[to] === true ? blockLabel(to) : undefined;
  }

  private at(node: number): number {
    return this.position.get(node) as number;
  }
}

const loopLabel = (i: number): string => `L${i}`;
const blockLabel = (i: number): string => `B${i}`;
