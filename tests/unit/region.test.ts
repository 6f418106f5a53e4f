/** Region formation: what belongs to a region, its limits, and its pages. */
import { describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { tableTargets } from '../../src/engine/jump-table.js';
import { formRegion, limitsWithout, REGION_LIMITS, regionPages } from '../../src/engine/region.js';
import type { Body } from '../../backend-wasm/compiler/region.js';
import { transferOf } from '../../backend-wasm/compiler/transfer.js';

const RAX = globalId('rax');
const RCX = globalId('rcx');
const RSP = globalId('rsp');
const RIP = globalId('rip');

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
  else b.emit('exit', [], [EXIT.UNIMPLEMENTED, 0, pc + size]);
  return b.finish(size);
}
function jump(b: IrBuilder, slot: number, pc: number): void {
  b.emit('goto_tb', [], [slot, pc]);
  b.emit('exit_tb', [], [slot]);
}
function form(head: number, tbs: readonly Tb[], limits = REGION_LIMITS): number[] {
  const byPc = new Map(tbs.map((t) => [t.pc, t]));
  return [...(formRegion(head, { lift: (pc) => byPc.get(pc) }, limits)?.tbs.keys() ?? [])].sort((a, b) => a - b);
}

describe('formRegion', () => {
  test('takes all that direct jumps reach, nearest first', () => {
    const tbs = [tb(0x100, [0x110, 0x140]), tb(0x110, [0x100]), tb(0x140, []), tb(0x180, [0x100])];
    expect(form(0x100, tbs)).toEqual([0x100, 0x110, 0x140]);
    expect(form(0x100, tbs, { ...REGION_LIMITS, tbs: 2 })).toEqual([0x100, 0x110]);
  });
  test('a jump into the middle of a TB makes one more TB', () => {
    expect(form(0x100, [tb(0x100, [0x108]), tb(0x108, [0x100])])).toEqual([0x100, 0x108]);
  });
  test('the limit of instructions', () => {
    const chain = Array.from({ length: 10 }, (_, i) => tb(0x100 + 16 * i, [0x110 + 16 * i], { insns: 8 }));
    expect(form(0x100, chain, { ...REGION_LIMITS, insns: 40 })).toHaveLength(5);
    // The head is there at any length.
    expect(form(0x100, chain, { ...REGION_LIMITS, insns: 1 })).toEqual([0x100]);
  });
  test('leaves out what can not be had; without the head there is no region', () => {
    expect(form(0x100, [tb(0x100, [0x110, 0x120]), tb(0x120, [])])).toEqual([0x100, 0x120]);
    expect(formRegion(0x500, { lift: () => undefined })).toBeUndefined();
  });
  test('leaves out what is not worth it, and never the head', () => {
    const byPc = new Map(
      [tb(0x100, [0x110, 0x120]), tb(0x110, [0x130]), tb(0x120, []), tb(0x130, [])].map((t) => [t.pc, t]),
    );
    const region = formRegion(0x100, { lift: (pc) => byPc.get(pc), isWorth: (pc) => pc === 0x120 || pc === 0x130 });
    expect([...(region?.tbs.keys() ?? [])]).toEqual([0x100, 0x120]);
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
  test('goes on behind a system call', () => {
    const b = new IrBuilder(0x100);
    b.insnStart(0x100, -1);
    b.emit('exit', [], [EXIT.SYSCALL, 0, 0x110]);
    const call = b.finish(16);
    expect(transferOf(call)).toEqual({ kind: 'syscall', back: 0x110 });
    expect(form(0x100, [call, tb(0x110, [])])).toEqual([0x100, 0x110]);
  });
});

describe('inlined functions', () => {
  /** Those of the call in the first TB. */
  const inlined = (tbs: readonly Tb[], limits = REGION_LIMITS): number[] => {
    const byPc = new Map(tbs.map((t) => [t.pc, t]));
    const region = formRegion(0x100, { lift: (pc) => byPc.get(pc) }, limits);
    return [...(region?.callees?.get(0x100)?.keys() ?? [])];
  };
  const caller = [tb(0x100, [0x4000], { call: true }), tb(0x110, [])];
  test('small ones are, all of them or nothing', () => {
    expect(inlined([...caller, tb(0x4000, [0x4010]), tb(0x4010, [])])).toEqual([0x4000]);
    const big = Array.from({ length: 20 }, (_, i) => tb(0x4000 + 16 * i, [0x4010 + 16 * i], { insns: 8 }));
    expect(inlined([...caller, ...big])).toEqual([]);
    expect(inlined([...caller, tb(0x4000, [], { insns: 8 })], { ...REGION_LIMITS, inlined: 7 })).toEqual([]);
  });
  test('none where what the call returns to is not in the region', () => {
    expect(inlined([...caller.slice(0, 1), tb(0x4000, [])])).toEqual([]);
  });
  test('none with --disable-pass inline', () => {
    const tbs = [...caller, tb(0x4000, [])];
    expect(inlined(tbs, limitsWithout(REGION_LIMITS, ['fold']))).toEqual([0x4000]);
    expect(inlined(tbs, limitsWithout(REGION_LIMITS, ['inline']))).toEqual([]);
  });
  test('none where calls are seldom', () => {
    const byPc = new Map([...caller, tb(0x4000, [])].map((t) => [t.pc, t]));
    for (const hot of [true, false]) {
      const region = formRegion(0x100, { lift: (pc) => byPc.get(pc), hot: () => hot });
      expect(region?.callees?.size ?? 0).toBe(hot ? 1 : 0);
    }
  });
  test('a function that calls itself, twice in itself', () => {
    const byPc = new Map([tb(0x100, [0x100], { call: true }), tb(0x110, [])].map((t) => [t.pc, t]));
    let body: Body | undefined = formRegion(0x100, { lift: (pc) => byPc.get(pc) });
    let count = 0;
    for (; body !== undefined; body = body.callees?.get(0x100)?.get(0x100)) count++;
    expect(count).toBe(3);
  });
  test('those that an indirect call was seen to go to', () => {
    const b = new IrBuilder(0x100);
    b.insnStart(0x100, -1);
    const host = b.temp('i32');
    b.emit('guard_w', [host, RSP], [8]);
    b.emit('gst_i64', [host, b.i64(0x110)], [0]);
    b.free(host);
    b.emit('mov_i64', [RIP, RAX]);
    b.emit('lookup_and_goto_ptr', []);
    const tbs = [b.finish(16), tb(0x110, []), tb(0x4000, []), tb(0x5000, [], { insns: 90 })];
    const byPc = new Map(tbs.map((t) => [t.pc, t]));
    const source = {
      lift: (pc: number) => byPc.get(pc),
      targets: (pc: number) => (pc === 0x100 ? [0x5000, 0x4000] : []),
    };
    const region = formRegion(0x100, source);
    expect(region?.guesses?.get(0x100)).toEqual([0x5000, 0x4000]);
    expect([...(region?.callees?.get(0x100)?.keys() ?? [])]).toEqual([0x4000]);
  });
  test('their pages are the region’s, so that a write to them invalidates it', () => {
    const deep = [tb(0x4000, [0x9ff8], { call: true }), tb(0x4010, []), tb(0x9ff8, [])];
    const byPc = new Map([...caller, ...deep].map((t) => [t.pc, t]));
    const region = formRegion(0x100, { lift: (pc) => byPc.get(pc) });
    expect(region === undefined ? [] : regionPages(region).sort((a, b) => a - b)).toEqual([0, 4, 9, 10]);
  });
});

/** A TB that ends with `jmp *table(,%rax,8)`, or `relative`: `movslq table(,%rax,4), %rcx; add base, %rcx; jmp *%rcx`; `base`: a constant or a register. */
function switchTb(pc: number, table: bigint | 'rsi', relative: boolean): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  const base = table === 'rsi' ? globalId('rsi') : b.i64(table);
  const [scaled, address, host] = [b.temp('i64'), b.temp('i64'), b.temp('i32')];
  b.emit('shl_i64', [scaled, RAX, b.i64(relative ? 2 : 3)]);
  b.emit('add_i64', [address, scaled, base]);
  b.emit('guard_r', [host, address], [relative ? 4 : 8]);
  if (relative) {
    b.emit('gld32s_i64', [RCX, host], [0]);
    b.emit('add_i64', [RCX, RCX, base]);
    b.emit('mov_i64', [RIP, RCX]);
  } else b.emit('gld_i64', [RIP, host], [0]);
  for (const id of [scaled, address, host]) b.free(id);
  b.emit('lookup_and_goto_ptr', []);
  return b.finish(16);
}
/** Sets rsi and goes on at `next`. */
function baseTb(pc: number, base: number, next: number): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  b.emit('mov_i64', [globalId('rsi'), b.i64(base)]);
  jump(b, 0, next);
  return b.finish(16);
}
const reader =
  (at: number, size: number, entries: readonly number[]) =>
  (addr: number, bytes: number): bigint | undefined => {
    const entry = bytes === size ? entries[(addr - at) / size] : undefined;
    return entry === undefined ? undefined : BigInt(entry);
  };

describe('tableTargets', () => {
  test('a table of addresses, to its end or to what is no target', () => {
    const table = switchTb(0x4100, 0x8000n, false);
    expect(tableTargets(table, [table], reader(0x8000, 8, [0x4000, 0x4200, 0x4000]))).toEqual([0x4000, 0x4200]);
    expect(tableTargets(table, [table], reader(0x8000, 8, [0x4000, 0x900000, 0x4200]))).toEqual([0x4000]);
    expect(tableTargets(table, [table], () => undefined)).toEqual([]);
  });
  test('a table of distances, whose address a register holds that another TB sets', () => {
    const table = switchTb(0x4100, 'rsi', true);
    const read = reader(0x8000, 4, [-0x4000, -0x3e00]);
    expect(tableTargets(table, [table], read)).toEqual([]);
    expect(tableTargets(table, [baseTb(0x40f0, 0x8000, 0x4100), table], read)).toEqual([0x4000, 0x4200]);
  });
  test('no other indirect jump', () => {
    const b = new IrBuilder(0x4100);
    b.insnStart(0x4100, -1);
    b.emit('mov_i64', [RIP, RAX]);
    b.emit('lookup_and_goto_ptr', []);
    expect(tableTargets(b.finish(2), [], () => 0x4000n)).toEqual([]);
  });
  test('a region takes targets that can be had', () => {
    const tbs = [switchTb(0x4100, 0x8000n, false), tb(0x4000, [0x4100]), tb(0x4200, [])];
    const byPc = new Map(tbs.map((t) => [t.pc, t]));
    const region = formRegion(0x4100, {
      lift: (pc) => byPc.get(pc),
      read: reader(0x8000, 8, [0x4000, 0x4300, 0x4200]),
    });
    expect([...(region?.tbs.keys() ?? [])]).toEqual([0x4100, 0x4000, 0x4200]);
    expect(region?.jumps?.get(0x4100)).toEqual([0x4000, 0x4200]);
  });
  test('a table of more than 32 targets worth having is an interpreter’s dispatch, which leaves the region', () => {
    const operations = Array.from({ length: 40 }, (_, i) => 0x5000 + 16 * i);
    const byPc = new Map(
      [switchTb(0x4100, 0x8000n, false), ...operations.map((pc) => tb(pc, []))].map((t) => [t.pc, t]),
    );
    const formed = (worth: number) =>
      formRegion(0x4100, {
        lift: (pc) => byPc.get(pc),
        isWorth: (pc) => operations.indexOf(pc) < worth,
        read: reader(0x8000, 8, operations),
        targets: () => [0x5010],
      });
    expect(formed(32)?.tbs.size).toBe(33);
    expect(formed(33)?.tbs.size).toBe(1);
    expect(formed(33)?.guesses?.get(0x4100)).toEqual([0x5010]);
  });
});

test('regionPages names every page that a TB has a byte on', () => {
  const region = { head: 0x1ff8, tbs: new Map([tb(0x1ff8, [0x5000]), tb(0x5000, [])].map((t) => [t.pc, t])) };
  expect(regionPages(region)).toEqual([1, 2, 5]);
});
