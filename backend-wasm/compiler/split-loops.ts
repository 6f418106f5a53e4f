/**
 * Loops that share a header, nested. In: a reducible graph. Out: the same with a header a loop, as far as one of the loops is clearly the inner one.
 *
 *     before:  entry -> h    h -> h, h -> a -> h       after:  entry -> o -> h    h -> h, h -> a -> o
 *
 * A region starts where the guest spends its time, in its innermost loop, so that the loops around that come back to the same node. V8 makes each local that is written anywhere in a loop a
 * value of the loop's header, and spills at loops: the inner one would pay for all that the outer ones write.
 */
import { flowGraph, type FlowNode, type FlowTerm } from './flow.js';
import { type Graph, positionsIn, reversed, reversePostorder } from './graph.js';

/** An outer loop has so many times the nodes of the inner one: what is closer may be two ways through one loop. */
const RATIO = 2;

/** Changes `nodes` in place and adds to them. */
export function splitLoops(nodes: FlowNode[], entry: number): void {
  for (const [header, latches] of backEdges(flowGraph(nodes), entry)) {
    const preds = reversed(flowGraph(nodes));
    const bodies = latches.map((latch) => ({ latch, size: bodySize(preds, header, latch) }));
    bodies.sort((a, b) => a.size - b.size);
    let at = header;
    // From the innermost loop outwards: the latches from `i` on go to a node of their own.
    for (let i = 1; i < bodies.length; i++) {
      const [inner, outer] = [bodies[i - 1], bodies[i]];
      if (inner === undefined || outer === undefined || outer.size < RATIO * inner.size) continue;
      const inside = new Set(bodies.slice(0, i).map(({ latch }) => latch));
      const around = nodes.length;
      const before = at;
      nodes.forEach((node, n) => {
        if (!inside.has(n)) node.term = retargeted(node.term, before, around);
      });
      nodes.push({ code: [], term: { kind: 'jump', to: before } });
      at = around;
    }
  }
}

/** Nodes that go back to each header with several of them. */
function backEdges(graph: Graph, entry: number): Map<number, number[]> {
  const { first, to } = graph;
  const order = reversePostorder(graph, entry);
  const position = positionsIn(graph, order);
  const latches = new Map<number, number[]>();
  for (let i = 0; i < order.length; i++) {
    const from = order[i] as number;
    for (let edge = first[from] as number; edge < (first[from + 1] as number); edge++) {
      const header = to[edge] as number;
      if ((position[header] as number) > i) continue;
      const others = latches.get(header);
      if (others === undefined) latches.set(header, [from]);
      else if (others.at(-1) !== from) others.push(from);
    }
  }
  for (const [header, { length }] of latches) if (length < 2) latches.delete(header);
  return latches;
}

/** Number of nodes from which `latch` is reached without `header`, and `header`. */
function bodySize({ first, to: from }: Graph, header: number, latch: number): number {
  const body = new Set([header, latch]);
  const work = latch === header ? [] : [latch];
  for (let n = work.pop(); n !== undefined; n = work.pop())
    for (let edge = first[n] as number; edge < (first[n + 1] as number); edge++) {
      const p = from[edge] as number;
      if (body.has(p)) continue;
      body.add(p);
      work.push(p);
    }
  return body.size;
}

function retargeted(term: FlowTerm, from: number, to: number): FlowTerm {
  const through = (n: number): number => (n === from ? to : n);
  switch (term.kind) {
    case 'jump':
      return { kind: 'jump', to: through(term.to) };
    case 'branch':
      return { ...term, taken: through(term.taken), next: through(term.next) };
    case 'switch':
      return { ...term, targets: term.targets.map(through) };
    case 'stop':
      return term;
  }
}
