/**
 * Loops that share a header, nested. In: a reducible graph. Out: the same with a header a loop, as far as one of the loops is clearly the inner one.
 *
 *     before:  entry -> h    h -> h, h -> a -> h       after:  entry -> o -> h    h -> h, h -> a -> o
 *
 * A region starts where the guest spends its time, in its innermost loop, so that the loops around that come back to the same node. V8 makes each local that is written anywhere in a loop a
 * value of the loop's header, and spills at loops: the inner one would pay for all that the outer ones write.
 */
import { flowTargets, reversePostorder, type FlowNode, type FlowTerm } from './flow.js';

/** An outer loop has so many times the nodes of the inner one: what is closer may be two ways through one loop. */
const RATIO = 2;

/** Changes `nodes` in place and adds to them. */
export function splitLoops(nodes: FlowNode[], entry: number): void {
  const headers = backEdges(nodes, entry);
  for (const [header, latches] of headers) {
    const preds = predecessors(nodes);
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
function backEdges(nodes: readonly FlowNode[], entry: number): Map<number, number[]> {
  const order = reversePostorder((n) => flowTargets((nodes[n] as FlowNode).term), entry);
  const position = new Map(order.map((node, i) => [node, i]));
  const latches = new Map<number, Set<number>>();
  for (const from of order)
    for (const to of flowTargets((nodes[from] as FlowNode).term))
      if ((position.get(to) as number) <= (position.get(from) as number))
        latches.set(to, (latches.get(to) ?? new Set()).add(from));
  return new Map([...latches].filter(([, from]) => from.size > 1).map(([to, from]) => [to, [...from]]));
}

function predecessors(nodes: readonly FlowNode[]): number[][] {
  const preds: number[][] = nodes.map(() => []);
  nodes.forEach(({ term }, n) => {
    for (const to of flowTargets(term)) preds[to]?.push(n);
  });
  return preds;
}

/** Number of nodes from which `latch` is reached without `header`, and `header`. */
function bodySize(preds: readonly (readonly number[])[], header: number, latch: number): number {
  const body = new Set([header, latch]);
  const work = latch === header ? [] : [latch];
  for (let n = work.pop(); n !== undefined; n = work.pop())
    for (const p of preds[n] ?? []) {
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
