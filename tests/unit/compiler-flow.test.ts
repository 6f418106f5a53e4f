/**
 * Control flow of compiled regions: irreducible graphs, branch hints, and what a region does not touch.
 */
import { describe, expect, test } from '@jest/globals';
import { flowGraph, flowTargets, makeReducible, type FlowNode } from '../../backend-wasm/compiler/flow.js';
import { immediateDominators, isReducible, positionsIn, reversePostorder } from '../../backend-wasm/compiler/graph.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { perfectHash } from '../../backend-wasm/compiler/perfect-hash.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';
import { generator } from '../support/ir-programs.js';

const PC = 0x40_0000;
const machine = new IrMachine();
const RAX = globalId('rax');
const RCX = globalId('rcx');

/** A random graph of `count` nodes with up to two edges each. */
function randomGraph(seed: number, count: number): FlowNode[] {
  const random = generator(seed);
  return Array.from({ length: count }, (): FlowNode => {
    const [taken, next] = [random(count), random(count)];
    const kind = random(8);
    if (kind === 0) return { code: [], term: { kind: 'stop' } };
    if (kind < 3) return { code: [], term: { kind: 'jump', to: next } };
    return { code: [], term: { kind: 'branch', cond: 0, taken, next } };
  });
}

/** Walks of both graphs with the same decisions pass the same original nodes; a dispatch goes where the last edge said. */
function walk(
  nodes: readonly FlowNode[],
  sets: ReadonlyMap<number, readonly [number, number]>,
  seed: number,
): number[] {
  const random = generator(seed);
  const locals = new Map<number, number>();
  const path: number[] = [];
  let at = 0;
  for (let steps = 0; steps < 400 && path.length < 60; steps++) {
    const node = nodes[at] as FlowNode;
    for (const expr of node.code) {
      const set = sets.get(expr);
      if (set !== undefined) locals.set(set[0], set[1]);
    }
    const { term } = node;
    if (term.kind === 'stop') return [...path, at];
    if (term.kind === 'switch') {
      at = term.targets[locals.get(term.local) ?? -1] as number;
      continue;
    }
    if (node.code.length === 0) path.push(at);
    at = term.kind === 'jump' ? term.to : random(2) === 0 ? term.taken : term.next;
  }
  return path;
}

/** rcx += add; to rax, when `again`, with rax the pc of the target. */
function hop(pc: number, add: number, again: boolean): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  b.emit('add_i64', [RCX, RCX, b.i64(add)]);
  if (again) {
    b.emit('mov_i64', [globalId('rip'), RAX]);
    b.emit('mov_i64', [RAX, globalId('rdx')]);
    b.emit('lookup_and_goto_ptr', []);
  } else b.emit('exit', [], [EXIT.SYSCALL, 0, pc + 2]);
  return b.finish(2);
}

describe('indirect jumps within a region', () => {
  const tbs = [hop(PC, 1, true), ...Array.from({ length: 20 }, (_, i) => hop(PC + 0x10 + 7 * i, 100 + i, i % 2 === 0))];
  const targets = tbs.slice(1).map((tb) => tb.pc);
  const region: Region = {
    head: PC,
    tbs: new Map(tbs.map((tb) => [tb.pc, tb])),
    jumps: new Map(tbs.filter((_, i) => i % 2 === 1 || i === 0).map((tb) => [tb.pc, targets])),
  };
  const [run] = machine.compile([region]);
  const go = (first: number, second: number): number => {
    machine.set('rax', BigInt(first));
    machine.set('rdx', BigInt(second));
    machine.set('rcx', 0n);
    machine.setI32(CPU.EXIT_REASON, 0);
    machine.setI32(CPU.CONTROL, 0);
    return run?.(machine.cpu) ?? -1;
  };
  test('to each target, and on from there', () => {
    for (let i = 0; i < 20; i += 2)
      for (let j = 1; j < 20; j += 2) {
        expect(go(targets[i] ?? 0, targets[j] ?? 0)).toBe(EXIT.SYSCALL);
        expect(machine.get('rcx')).toBe(BigInt(201 + i + j));
      }
  });
  test('elsewhere: out of the region, with all state stored', () => {
    for (const pc of [PC + 0x11, PC + 0x1_0000_0010, 0x7fff_ffff_f000]) {
      expect(go(pc, 5)).toBe(0);
      expect([machine.get('rip'), machine.get('rcx'), machine.get('rax')]).toEqual([BigInt(pc), 1n, 5n]);
    }
  });
  test('polls', () => {
    machine.set('rax', BigInt(targets[1] ?? 0));
    machine.set('rcx', 0n);
    machine.setI32(CPU.CONTROL, 1);
    expect(run?.(machine.cpu)).toBe(EXIT.POLL);
    expect([machine.get('rip'), machine.get('rcx')]).toEqual([BigInt(targets[1] ?? 0), 1n]);
    machine.setI32(CPU.CONTROL, 0);
  });
});

test('unchecked regions take addresses as they are, without a look at the permission table', () => {
  const b = new IrBuilder(PC);
  const host = b.temp('i32');
  b.insnStart(PC, -1);
  b.emit('guard_w', [host, RAX], [8]);
  b.emit('gst_i64', [host, RCX], [0]);
  b.free(host);
  b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 4]);
  const region = regionOf(b.finish(4));
  const at = 0x50_0008;
  const go = (unchecked: boolean): number => {
    const [run] = machine.compile([region], () => 0, {}, { unchecked });
    machine.set('rax', BigInt(at));
    machine.set('rcx', 77n);
    machine.setI32(CPU.EXIT_REASON, 0);
    machine.views.i64[at / 8] = 0n;
    machine.allow(at, 0);
    return run?.(machine.cpu) ?? -1;
  };
  expect([go(false), machine.views.i64[at / 8]]).toEqual([EXIT.PAGE_FAULT, 0n]);
  expect([go(true), machine.views.i64[at / 8]]).toEqual([EXIT.SYSCALL, 77n]);
});

test('perfectHash gives every pc a place of its own', () => {
  const random = generator(5);
  for (let n = 1; n < 80; n += 7) {
    const pcs = [...new Set(Array.from({ length: n }, () => PC + random(0x10000)))];
    const { factor, bits, at } = perfectHash(pcs);
    for (const [i, pc] of pcs.entries()) expect(at[Math.imul(pc, factor) >>> (32 - bits)]).toBe(i);
    expect(at).toHaveLength(1 << bits);
  }
});

test('makeReducible: every loop is entered at one node, and walks stay the same', () => {
  let dispatches = 0;
  for (let seed = 0; seed < 300; seed++) {
    const before = randomGraph(seed, 3 + (seed % 9));
    const after = randomGraph(seed, 3 + (seed % 9));
    const sets = new Map<number, readonly [number, number]>();
    // The entry has no edge to it, as in the compiler.
    for (const nodes of [before, after]) nodes.push({ code: [], term: { kind: 'jump', to: 0 } });
    const start = after.length - 1;
    makeReducible(after, start, {
      local: () => dispatches++,
      set: (local, value) => {
        sets.set(sets.size + 1, [local, value]);
        return sets.size;
      },
    });
    const graph = flowGraph(after);
    expect(isReducible(graph, start)).toBe(true);
    if (after.length > before.length) expect(isReducible(flowGraph(before), start)).toBe(false);
    const order = reversePostorder(graph, start);
    const position = positionsIn(graph, order);
    const idom = immediateDominators(graph, order, position);
    order.forEach((n, i) => {
      for (const to of flowTargets((after[n] as FlowNode).term)) {
        const header = position[to] as number;
        if (header > i) continue;
        let up = i;
        while (up > header) up = idom[up] as number;
        expect(up).toBe(header);
      }
    });
    for (let w = 0; w < 4; w++) expect(walk(after, sets, w)).toEqual(walk(before, new Map(), w));
  }
  expect(dispatches).toBeGreaterThan(20);
});

/** The loop A <-> B with entries at both: HEAD goes to A or B by rcx; A adds 1 to rax, B adds 100; each goes on while rax < 1000. */
function twoEntryLoop(): Tb[] {
  const [head, a, b] = [PC, PC + 0x40, PC + 0x80];
  const body = (pc: number, add: number, other: number): Tb => {
    const ir = new IrBuilder(pc);
    const done = ir.label();
    ir.insnStart(pc, -1);
    ir.emit('add_i64', [RAX, RAX, ir.i64(add)]);
    ir.emit('brcond_i64', [RAX, ir.i64(1000)], ['geu', done]);
    ir.emit('goto_tb', [], [0, other]);
    ir.emit('exit_tb', [], [0]);
    ir.emit('set_label', [], [done]);
    ir.emit('exit', [], [EXIT.SYSCALL, 0, pc]);
    return ir.finish(8);
  };
  const ir = new IrBuilder(head);
  const toB = ir.label();
  ir.insnStart(head, -1);
  ir.emit('brcond_i64', [RCX, ir.i64(0)], ['ne', toB]);
  ir.emit('goto_tb', [], [0, a]);
  ir.emit('exit_tb', [], [0]);
  ir.emit('set_label', [], [toB]);
  ir.emit('goto_tb', [], [1, b]);
  ir.emit('exit_tb', [], [1]);
  return [ir.finish(8), body(a, 1, b), body(b, 100, a)];
}

describe('an irreducible loop', () => {
  test.each([
    [0n, 1000n, PC + 0x80],
    [1n, 1009n, PC + 0x80],
  ])('entered with rcx = %d', (rcx, rax, rip) => {
    machine.set('rax', 0n);
    machine.set('rcx', rcx);
    expect(machine.runCompiled(...twoEntryLoop())).toBe(EXIT.SYSCALL);
    const simulated = simulate(rcx);
    expect([machine.get('rax'), machine.get('rip')]).toEqual(simulated);
    expect(simulated[0]).toBeGreaterThanOrEqual(rax - 100n);
    expect([PC + 0x40, rip]).toContain(Number(simulated[1]));
  });

  function simulate(rcx: bigint): [bigint, bigint] {
    let rax = 0n;
    for (let inA = rcx === 0n; ; inA = !inA) {
      rax += inA ? 1n : 100n;
      if (rax >= 1000n) return [rax, BigInt(inA ? PC + 0x40 : PC + 0x80)];
    }
  }

  test('goes through a switch', () => {
    expect(compileModule([regionOf(...twoEntryLoop())], () => 0, { text: true }).text).toContain('br_table');
  });
});

test('globals that a region does not write are not stored', () => {
  const ir = new IrBuilder(PC);
  ir.insnStart(PC, -1);
  ir.emit('add_i64', [RAX, RAX, RCX]);
  ir.emit('exit', [], [EXIT.SYSCALL, 0, PC]);
  const { text } = compileModule([regionOf(ir.finish(8))], () => 0, { text: true });
  const stores = [...(text ?? '').matchAll(/i64\.store(?: offset=(\d+))?/g)].map((m) => Number(m[1] ?? 0));
  expect(stores.sort((a, b) => a - b)).toEqual([CPU.REGS, CPU.RIP, CPU.EXIT_ARG0]);
});

/** Opcodes that the module's branch hints are about, by function. */
function hintedOpcodes(bytes: Uint8Array): number[] {
  let at = 8;
  const u32 = (): number => {
    let v = 0;
    for (let shift = 0; ; shift += 7) {
      const b = bytes[at++] ?? 0;
      v |= (b & 0x7f) << shift;
      if (b < 0x80) return v >>> 0;
    }
  };
  const hints: { func: number; offset: number; value: number }[] = [];
  let imported = 0;
  const opcodes: number[] = [];
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = u32();
    const end = at + size;
    if (id === 0) {
      const length = u32();
      const name = Buffer.from(bytes.slice(at, at + length)).toString();
      at += length;
      if (name === 'metadata.code.branch_hint')
        for (let n = u32(); n > 0; n--) {
          const func = u32();
          for (let k = u32(); k > 0; k--) {
            const offset = u32();
            expect(u32()).toBe(1);
            hints.push({ func, offset, value: bytes[at++] ?? 0 });
          }
        }
    }
    if (id === 10) {
      for (let n = u32(), func = imported; n > 0; n--, func++) {
        const length = u32();
        for (const h of hints) if (h.func === func) opcodes.push(bytes[at + h.offset] ?? -1, h.value);
        at += length;
      }
    }
    if (id === 2) {
      for (let n = u32(); n > 0; n--) {
        for (let names = 0; names < 2; names++) {
          const length = u32();
          at += length;
        }
        const kind = bytes[at++];
        if (kind === 0) {
          imported++;
          u32();
        } else {
          if (kind === 1) at++;
          const flags = bytes[at++] ?? 0;
          u32();
          if ((flags & 1) !== 0) u32();
        }
      }
    }
    at = end;
  }
  return opcodes;
}

test('each function has a hint that it is optimised at once', () => {
  const ir = new IrBuilder(PC);
  ir.insnStart(PC, -1);
  ir.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
  const bytes = Buffer.from(compileModule([regionOf(ir.finish(8))], () => 0).bytes);
  const name = 'compilationHints';
  const at = bytes.indexOf(name) + name.length;
  const [EAGER, OPTIMISED] = [2, 2];
  const count = bytes[at] ?? 0;
  expect(count).toBeGreaterThan(0);
  const hint = EAGER | (OPTIMISED << 2) | (OPTIMISED << 4);
  expect([...bytes.subarray(at + 1, at + 1 + count)]).toEqual(Array(count).fill(hint));
});

test('guards and polls carry branch hints', () => {
  const [BR_IF, IF] = [0x0d, 0x04];
  const hints = (size: number, isAtEdges = false): number[] => {
    const ir = new IrBuilder(PC);
    ir.insnStart(PC, -1);
    const host = ir.temp('i32');
    ir.emit('guard_r', [host, RCX], [size]);
    ir.emit(size === 1 ? 'gld8u_i64' : 'gld_i64', [RAX, host], [0]);
    ir.free(host);
    ir.emit('goto_tb', [], [0, PC]);
    ir.emit('exit_tb', [], [0]);
    const { bytes } = compileModule([regionOf(ir.finish(8))], () => 0, { atEdges: (pc) => isAtEdges && pc === PC });
    return hintedOpcodes(bytes);
  };
  // The upper half of the address, the first look at the page, the second one; the poll.
  expect(hints(8)).toEqual([BR_IF, 0, BR_IF, 1, BR_IF, 1, IF, 0]);
  // The first look is no more likely to do than the second.
  expect(hints(8, true)).toEqual([BR_IF, 0, BR_IF, 1, IF, 0]);
  // A byte needs one look.
  expect(hints(1)).toEqual([BR_IF, 0, BR_IF, 1, IF, 0]);
});

test('the look at a table is likely to pass', () => {
  const ir = new IrBuilder(PC);
  ir.insnStart(PC, -1);
  const [index, host] = [ir.temp('i64'), ir.temp('i32')];
  ir.emit('ext8u_i64', [index, globalId('rax')]);
  ir.emit('add_i64', [index, index, ir.i64(0x50_0000)]);
  ir.emit('guard_r', [host, index], [1]);
  ir.emit('gld8u_i64', [globalId('rcx'), host], [0]);
  ir.free(index);
  ir.free(host);
  ir.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
  const { bytes } = compileModule([regionOf(ir.finish(8))], () => 0);
  const BR_IF = 0x0d;
  expect(hintedOpcodes(bytes)).toEqual([BR_IF, 1, BR_IF, 1]);
});
