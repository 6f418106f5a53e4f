/**
 * Which permission checks a region needs: what all paths to a node have checked is not checked again.
 */
import { describe, expect, test } from '@jest/globals';
import { buildCfg, type CfgNode, successors } from '../../backend-wasm/compiler/cfg.js';
import { graphOf, reversePostorder } from '../../backend-wasm/compiler/graph.js';
import { regionChecks } from '../../backend-wasm/compiler/guard-facts.js';
import { planGuards } from '../../backend-wasm/compiler/guard-plan.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';

const A = 0x40_0000;
const B = 0x40_0010;
const RBX = globalId('rbx');
const RAX = globalId('rax');

function tb(pc: number, next: number, make: (b: IrBuilder) => void): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  make(b);
  b.emit('goto_tb', [], [0, next]);
  b.emit('exit_tb', [], [0]);
  return b.finish(16);
}

/** An access of 8 bytes at rbx + `offset`. */
function access(b: IrBuilder, kind: 'r' | 'w', offset: number): void {
  const address = b.temp('i64');
  b.emit('add_i64', [address, RBX, b.i64(offset)]);
  const host = b.temp('i32');
  b.emit(`guard_${kind}`, [host, address], [8]);
  b.emit('gld_i64', [RAX, host], [0]);
  b.free(host);
  b.free(address);
}

/** Of the guards of the TB at `pc`, in order: whether each checks. A goes on to B, and B to itself. */
function checks(a: (b: IrBuilder) => void, b: (b: IrBuilder) => void, pc: number): boolean[] {
  const tbs = new Map([
    [A, tb(A, B, a)],
    [B, tb(B, B, b)],
  ]);
  const cfg = buildCfg({ head: A, tbs });
  const node = (n: number): CfgNode => cfg.nodes[n] as CfgNode;
  const graph = graphOf(cfg.nodes.length, (n) => successors(node(n).term));
  const order = Array.from(reversePostorder(graph, cfg.entry), node);
  const { before, hulls } = regionChecks(order, graph);
  return order
    .filter((n) => n.tb.pc === pc)
    .flatMap((n) => {
      const { groups } = planGuards(n, before[n.id], hulls);
      return n.tb.ops.flatMap((op, i) =>
        i >= n.start && i < n.end && op.name.startsWith('guard_')
          ? [!groups.has(i) || groups.get(i)?.kind !== undefined]
          : [],
      );
    });
}

describe('checks of a loop', () => {
  const pair = (kind: 'r' | 'w') => (b: IrBuilder) => {
    access(b, kind, 0);
    access(b, kind, 16);
  };

  test('are gone where one of the paths before it has checked bytes elsewhere for reads', () => {
    const eitherWay = (b: IrBuilder): void => {
      const label = b.label();
      access(b, 'w', 0);
      b.emit('brcond_i64', [RAX, b.i64(0)], ['eq', label]);
      access(b, 'r', 64);
      b.emit('set_label', [], [label]);
    };
    const again = (offset: number) => (b: IrBuilder) => {
      access(b, 'r', offset);
    };
    expect(checks(eitherWay, again(0), B)).toEqual([false]);
    expect(checks(eitherWay, again(64), B)).toEqual([true]);
  });

  test('are gone where the base is what was checked before it', () => {
    expect(
      checks(
        pair('w'),
        (b) => {
          access(b, 'r', 8);
        },
        B,
      ),
    ).toEqual([false]);
    expect(
      checks(
        pair('w'),
        (b) => {
          access(b, 'w', 16);
        },
        B,
      ),
    ).toEqual([false]);
  });
  test('stay for what reaches out of what was checked, or asks for more', () => {
    expect(
      checks(
        pair('w'),
        (b) => {
          access(b, 'r', 17);
        },
        B,
      ),
    ).toEqual([true]);
    expect(
      checks(
        pair('w'),
        (b) => {
          access(b, 'r', -1);
        },
        B,
      ),
    ).toEqual([true]);
    expect(
      checks(
        pair('r'),
        (b) => {
          access(b, 'w', 8);
        },
        B,
      ),
    ).toEqual([true]);
    expect(
      checks(
        () => undefined,
        (b) => {
          access(b, 'r', 8);
        },
        B,
      ),
    ).toEqual([true]);
  });
  test('stay where the base moves or is loaded anew in the loop', () => {
    const moves = (b: IrBuilder): void => {
      access(b, 'r', 8);
      b.emit('add_i64', [RBX, RBX, b.i64(8)]);
    };
    expect(checks(pair('w'), moves, B)).toEqual([true]);
    const loads = (b: IrBuilder): void => {
      access(b, 'r', 8);
      b.emit('mov_i64', [RBX, RAX]);
    };
    expect(checks(pair('w'), loads, B)).toEqual([true]);
  });
  test('follow a base that moves by a constant', () => {
    const a = (b: IrBuilder): void => {
      pair('w')(b);
      b.emit('add_i64', [RBX, RBX, b.i64(16)]);
    };
    expect(
      checks(
        a,
        (b) => {
          access(b, 'w', 0);
        },
        B,
      ),
    ).toEqual([false]);
    expect(
      checks(
        a,
        (b) => {
          access(b, 'w', 8);
        },
        B,
      ),
    ).toEqual([true]);
  });
});
