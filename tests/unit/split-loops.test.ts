/**
 * Loops that share a header: which are nested, and that walks through the graph stay the same.
 */
import { describe, expect, test } from '@jest/globals';
import { flowGraph, flowTargets, loopsOf, type FlowNode } from '../../backend-wasm/compiler/flow.js';
import { reversePostorder } from '../../backend-wasm/compiler/graph.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { splitLoops } from '../../backend-wasm/compiler/split-loops.js';
import { EXIT } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';
import { generator } from '../support/ir-programs.js';

/** Nodes by their successors; the last one is the entry, and goes to node 0. */
function graph(...edges: readonly (readonly number[])[]): FlowNode[] {
  const nodes = edges.map(([taken, next]): FlowNode => {
    if (taken === undefined) return { code: [], term: { kind: 'stop' } };
    if (next === undefined) return { code: [], term: { kind: 'jump', to: taken } };
    return { code: [], term: { kind: 'branch', cond: 0, taken, next } };
  });
  return [...nodes, { code: [], term: { kind: 'jump', to: 0 } }];
}

/** Sizes of the loops, from the outermost one of each nest inwards; the nodes that splitLoops made count. */
function loops(nodes: readonly FlowNode[], entry: number): number[] {
  const targets = (n: number): readonly number[] => flowTargets((nodes[n] as FlowNode).term);
  const sizes: number[] = [];
  const work: Set<number>[] = [new Set(reversePostorder(flowGraph(nodes), entry))];
  for (let part = work.pop(); part !== undefined; part = work.pop())
    for (const loop of loopsOf(part, targets)) {
      sizes.push(loop.size);
      const header = [...loop].find((n) => nodes.some((_, from) => !loop.has(from) && targets(from).includes(n)));
      loop.delete(header ?? entry);
      work.push(loop);
    }
  return sizes;
}

function split(nodes: FlowNode[]): number[] {
  const entry = nodes.length - 1;
  splitLoops(nodes, entry);
  return loops(nodes, entry);
}

describe('a header with several loops', () => {
  test('a loop within a longer one', () => {
    expect(loops(graph([0, 1], [2], [3], [0]), 4)).toEqual([4]);
    expect(split(graph([0, 1], [2], [3], [0]))).toEqual([5, 1]);
  });
  test('three, one within the other', () => {
    // 0 -> 0, 0 -> 1 -> 2 -> 0, 0 -> 1 -> 2 -> 3 -> ... -> 0
    expect(split(graph([0, 1], [2], [0, 3], [4], [5], [6], [7], [0]))).toEqual([10, 4, 1]);
  });
  test('two ways through one loop stay one', () => {
    expect(split(graph([1, 2], [0], [3], [0]))).toEqual([4]);
    expect(split(graph([1, 2], [0, 3], [0], []))).toEqual([3]);
  });
  test('one way round is left alone', () => {
    const nodes = graph([1, 2], [0], []);
    splitLoops(nodes, 3);
    expect(nodes).toEqual(graph([1, 2], [0], []));
  });
});

test('walks pass the same nodes', () => {
  let made = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = generator(seed);
    const count = 3 + (seed % 10);
    // Forward edges and edges to node 0: reducible.
    const edges = Array.from({ length: count }, (_, i) =>
      i === count - 1 ? [0] : random(2) === 0 ? [i + 1] : [random(3) === 0 ? Math.min(i + 2, count - 1) : 0, i + 1],
    );
    const before = graph(...edges);
    const after = graph(...edges);
    splitLoops(after, count);
    made += after.length - before.length;
    const walk = (nodes: readonly FlowNode[]): number[] => {
      const turn = generator(seed + 1);
      const path: number[] = [];
      for (let at = count; path.length < 80;) {
        if (at <= count) path.push(at);
        const [taken = 0, next] = flowTargets((nodes[at] as FlowNode).term);
        at = next === undefined || turn(2) === 0 ? taken : next;
      }
      return path;
    };
    expect(walk(after)).toEqual(walk(before));
  }
  expect(made).toBeGreaterThan(50);
});

describe('a region that starts in an inner loop', () => {
  const [PC, RAX, RCX, RDX] = [0x40_0000, globalId('rax'), globalId('rcx'), globalId('rdx')];
  const next = (b: IrBuilder, slot: number, pc: number): void => {
    b.emit('goto_tb', [], [slot, pc]);
    b.emit('exit_tb', [], [slot]);
  };
  /** do { do rax += 3, rcx -= 1 while (rcx != 0); rcx = 5; rdx -= 1 } while (rdx != 0) */
  function nest(): Tb[] {
    const inner = new IrBuilder(PC);
    const again = inner.label();
    inner.insnStart(PC, -1);
    inner.emit('add_i64', [RAX, RAX, inner.i64(3)]);
    inner.emit('sub_i64', [RCX, RCX, inner.i64(1)]);
    inner.emit('brcond_i64', [RCX, inner.i64(0)], ['ne', again]);
    next(inner, 0, PC + 0x10);
    inner.emit('set_label', [], [again]);
    next(inner, 1, PC);
    const step = new IrBuilder(PC + 0x10);
    step.insnStart(PC + 0x10, -1);
    step.emit('mov_i64', [RCX, step.i64(5)]);
    next(step, 0, PC + 0x20);
    const outer = new IrBuilder(PC + 0x20);
    const more = outer.label();
    outer.insnStart(PC + 0x20, -1);
    outer.emit('sub_i64', [RDX, RDX, outer.i64(1)]);
    outer.emit('brcond_i64', [RDX, outer.i64(0)], ['ne', more]);
    outer.emit('exit', [], [EXIT.SYSCALL, 0, PC + 0x30]);
    outer.emit('set_label', [], [more]);
    next(outer, 0, PC);
    return [inner.finish(16), step.finish(16), outer.finish(16)];
  }
  test('has both loops, unless split-loops is off', () => {
    const count = (disabled: readonly string[]): number =>
      compileModule([regionOf(...nest())], () => 0, { text: true, disabled }).text?.match(/\(loop/g)?.length ?? 0;
    expect([count([]), count(['split-loops'])]).toEqual([2, 1]);
  });
  test('computes the same', () => {
    const machine = new IrMachine();
    const start = (): void => {
      machine.set('rax', 0n);
      machine.set('rcx', 7n);
      machine.set('rdx', 4n);
    };
    start();
    expect(machine.runCompiled(...nest())).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rcx'), machine.get('rdx')]).toEqual([3n * (7n + 15n), 5n, 0n]);
  });
});
