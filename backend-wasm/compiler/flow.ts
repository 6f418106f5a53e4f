/**
 * Control flow graphs as the structurer wants them. In: nodes of Wasm code with jumps between them. Out: their edges, and the graph made reducible.
 */
import { type Graph, graphOf, isReducible, reversePostorder } from './graph.js';

/** A Binaryen expression. */
export type Expr = number;

export type FlowTerm =
  | { readonly kind: 'jump'; readonly to: number }
  /** To `taken` when `cond` (i32) is not 0. */
  | { readonly kind: 'branch'; readonly cond: Expr; readonly taken: number; readonly next: number }
  /** To `targets[local]`; `local` is in range. */
  | { readonly kind: 'switch'; readonly local: number; readonly targets: readonly number[] }
  /** The code has left the function. */
  | { readonly kind: 'stop' };

export interface FlowNode {
  readonly code: Expr[];
  term: FlowTerm;
}

export function flowTargets(term: FlowTerm): readonly number[] {
  switch (term.kind) {
    case 'jump':
      return [term.to];
    case 'branch':
      return [term.taken, term.next];
    case 'switch':
      return term.targets;
    case 'stop':
      return [];
  }
}

export const flowGraph = (nodes: readonly FlowNode[]): Graph =>
  graphOf(nodes.length, (n) => flowTargets((nodes[n] as FlowNode).term));

/** Strongly connected components of the subgraph of `nodes`; components of one node without an edge to itself are left out. Source: Tarjan. */
export function loopsOf(nodes: ReadonlySet<number>, targets: (node: number) => readonly number[]): Set<number>[] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const onStack = new Set<number>();
  const stack: number[] = [];
  const found: Set<number>[] = [];
  for (const root of nodes) {
    if (index.has(root)) continue;
    const frames: { node: number; next: number }[] = [];
    const enter = (node: number): void => {
      index.set(node, index.size);
      low.set(node, index.size - 1);
      stack.push(node);
      onStack.add(node);
      frames.push({ node, next: 0 });
    };
    const lower = (node: number, to: number): void => {
      low.set(node, Math.min(low.get(node) as number, to));
    };
    enter(root);
    for (let top = frames.at(-1); top !== undefined; top = frames.at(-1)) {
      const { node } = top;
      const to = targets(node)[top.next++];
      if (to !== undefined) {
        if (!nodes.has(to)) continue;
        if (!index.has(to)) enter(to);
        else if (onStack.has(to)) lower(node, index.get(to) as number);
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent !== undefined) lower(parent.node, low.get(node) as number);
      if (low.get(node) !== index.get(node)) continue;
      const component = new Set<number>();
      for (let member = -1; member !== node;) {
        member = stack.pop() as number;
        onStack.delete(member);
        component.add(member);
      }
      if (component.size > 1 || targets(node).includes(node)) found.push(component);
    }
  }
  return found;
}

/** What makeReducible needs of the code generator. */
export interface DispatchCode {
  /** Allocates the i32 local of a dispatch node. */
  local(): number;
  /** Code that sets `local` to `value`. */
  set(local: number, value: number): Expr;
}

/**
 * Gives every loop one entry: where a strongly connected component is entered at several nodes, all edges to these go through a new dispatch node, which switches on
 * a local that the edges set. Changes `nodes` in place and adds to them; the result is reducible.
 */
export function makeReducible(nodes: FlowNode[], entry: number, code: DispatchCode): void {
  const graph = flowGraph(nodes);
  if (isReducible(graph, entry)) return;
  const targets = (n: number): readonly number[] => flowTargets((nodes[n] as FlowNode).term);
  const work: Set<number>[] = [new Set(reversePostorder(graph, entry))];
  for (let part = work.pop(); part !== undefined; part = work.pop()) {
    for (const loop of loopsOf(part, targets)) {
      const entries = entriesOf(loop, nodes.keys(), targets, entry);
      const header = entries.length > 1 ? addDispatch(nodes, entries, loop, code) : (entries[0] as number);
      loop.delete(header);
      work.push(loop);
    }
  }
}

function entriesOf(
  loop: ReadonlySet<number>,
  all: Iterable<number>,
  targets: (node: number) => readonly number[],
  entry: number,
): number[] {
  const entries = new Set<number>();
  if (loop.has(entry)) entries.add(entry);
  for (const n of all) if (!loop.has(n)) for (const to of targets(n)) if (loop.has(to)) entries.add(to);
  return [...entries];
}

function addDispatch(nodes: FlowNode[], entries: readonly number[], loop: Set<number>, code: DispatchCode): number {
  const local = code.local();
  const dispatch = nodes.length;
  const before = nodes.length;
  nodes.push({ code: [], term: { kind: 'switch', local, targets: entries } });
  loop.add(dispatch);
  /** A node on the edge from `from` to an entry that names the entry. */
  const through = (from: number, to: number): number => {
    const value = entries.indexOf(to);
    if (value < 0) return to;
    nodes.push({ code: [code.set(local, value)], term: { kind: 'jump', to: dispatch } });
    const id = nodes.length - 1;
    if (loop.has(from)) loop.add(id);
    return id;
  };
  for (let n = 0; n < before; n++) {
    const node = nodes[n] as FlowNode;
    const { term } = node;
    switch (term.kind) {
      case 'jump':
        node.term = { kind: 'jump', to: through(n, term.to) };
        break;
      case 'branch':
        node.term = { ...term, taken: through(n, term.taken), next: through(n, term.next) };
        break;
      case 'switch':
        node.term = { ...term, targets: term.targets.map((t) => through(n, t)) };
        break;
      case 'stop':
        break;
    }
  }
  return dispatch;
}
