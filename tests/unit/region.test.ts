/** Region formation: what belongs to a region, its limits, and its pages. */
import { describe, expect, test } from '@jest/globals';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { formRegion, REGION_LIMITS, regionPages } from '../../src/engine/region.js';
import { transferOf } from '../../backend-wasm/compiler/transfer.js';

const RAX = globalId('rax');
const RSP = globalId('rsp');

/** A TB of `insns` instructions that jumps to `targets` (none: exits). */
function tb(pc: number, targets: readonly number[], { size = 16, insns = 1, call = false } = {}): Tb {
  const b = new IrBuilder(pc);
  for (let i = 0; i < insns; i++) b.insnStart(pc + i, -1);
  if (call) {
    const [slot, host] = [b.temp('i64'), b.temp('i32')];
    b.emit('sub_i64', [slot, RSP, b.i64(8)]);
    b.emit('guard_w', [host, slot], [8]);
    b.emit('gst_i64', [host, b.i64(pc + size)], [0]);
    b.emit('mov_i64', [RSP, slot]);
    b.free(slot);
    b.free(host);
  }
  const [first, second] = targets;
  if (second !== undefined) {
    const taken = b.label();
    b.emit('brcond_i64', [RAX, b.i64(0)], ['eq', taken]);
    jump(b, 0, first ?? 0);
    b.emit('set_label', [], [taken]);
    jump(b, 1, second);
  } else if (first !== undefined) jump(b, 0, first);
  else b.emit('exit', [], [2, 0, pc + size]);
  return b.finish(size);
}
function jump(b: IrBuilder, slot: number, pc: number): void {
  b.emit('goto_tb', [], [slot, pc]);
  b.emit('exit_tb', [], [slot]);
}
function form(head: number, tbs: readonly Tb[], limits = REGION_LIMITS): number[] {
  const byPc = new Map(tbs.map((t) => [t.pc, t]));
  return [...(formRegion(head, (pc) => byPc.get(pc), limits)?.tbs.keys() ?? [])].sort((a, b) => a - b);
}

describe('formRegion', () => {
  test('takes all that direct jumps reach, nearest first', () => {
    const tbs = [tb(0x100, [0x110, 0x140]), tb(0x110, [0x100]), tb(0x140, []), tb(0x180, [0x100])];
    expect(form(0x100, tbs)).toEqual([0x100, 0x110, 0x140]);
    expect(form(0x100, tbs, { tbs: 2, insns: 100 })).toEqual([0x100, 0x110]);
  });
  test('a jump into the middle of a TB makes one more TB', () => {
    expect(form(0x100, [tb(0x100, [0x108]), tb(0x108, [0x100])])).toEqual([0x100, 0x108]);
  });
  test('the limit of instructions', () => {
    const chain = Array.from({ length: 10 }, (_, i) => tb(0x100 + 16 * i, [0x110 + 16 * i], { insns: 8 }));
    expect(form(0x100, chain, { tbs: 100, insns: 40 })).toHaveLength(5);
    // The head is there at any length.
    expect(form(0x100, chain, { tbs: 100, insns: 1 })).toEqual([0x100]);
  });
  test('leaves out what can not be had; without the head there is no region', () => {
    expect(form(0x100, [tb(0x100, [0x110, 0x120]), tb(0x120, [])])).toEqual([0x100, 0x120]);
    expect(formRegion(0x500, () => undefined, REGION_LIMITS)).toBeUndefined();
  });
  test('goes on behind a call, without what is called', () => {
    const tbs = [tb(0x100, [0x400], { call: true }), tb(0x110, []), tb(0x400, [])];
    expect(form(0x100, tbs)).toEqual([0x100, 0x110]);
    expect(tbs.map((t) => transferOf(t).kind)).toEqual(['call', 'jump', 'jump']);
    // A call of the next instruction, which reads its own address.
    const next = tb(0x100, [0x110], { call: true });
    expect(transferOf(next).kind).toBe('jump');
    expect(form(0x100, [next, tb(0x110, [])])).toEqual([0x100, 0x110]);
  });
});

test('regionPages names every page that a TB has a byte on', () => {
  const region = { head: 0x1ff8, tbs: new Map([tb(0x1ff8, [0x5000]), tb(0x5000, [])].map((t) => [t.pc, t])) };
  expect(regionPages(region)).toEqual([1, 2, 5]);
});
