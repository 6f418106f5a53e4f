/**
 * Functions inlined in a region: what stands in the place of calls and returns, the state that leaving one leaves, and polls.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import type { Body, Region } from '../../backend-wasm/compiler/region.js';
import { CONTROL, CPU, EXIT } from '../../src/guest/cpu-state.js';
import { PERM } from '../../src/guest/memory-map.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G, globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';

const PC = 0x40_0000;
const BACK = PC + 16;
const CALLEE = PC + 0x100;
const OTHER = PC + 0x200;
const PAGE = 0x60_0000;
const STACK = PAGE + 0x800;
const machine = new IrMachine();
const RAX = globalId('rax');
const RCX = globalId('rcx');
const RBX = globalId('rbx');
const RDX = globalId('rdx');
const RSP = G.reg(4);

beforeEach(() => {
  machine.allow(PAGE, PERM.R | PERM.W | PERM.RFAST | PERM.WFAST);
  machine.allow(PAGE + 0x10_0000, 0);
  machine.setI32(CPU.CONTROL, 0);
  machine.setI32(CPU.EXIT_REASON, 0);
  machine.set('rip', 0xdeadn);
  machine.set('rax', 0n);
  machine.set('rcx', 5n);
  machine.set('rbx', 20n);
  machine.set('rdx', 7n);
  machine.set('rsp', BigInt(STACK));
  machine.views.view.setBigUint64(STACK, BigInt(OTHER), true);
});

function build(pc: number, make: (b: IrBuilder) => void): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  make(b);
  return b.finish(16);
}
function goto(b: IrBuilder, pc: number, slot = 0): void {
  b.emit('goto_tb', [], [slot, pc]);
  b.emit('exit_tb', [], [slot]);
}
/** Counts in rax by `add`, then pushes the address behind the TB and goes to `to`, or to rdx. */
const call = (pc: number, to: number | undefined, add = 1): Tb =>
  build(pc, (b) => {
    b.emit('add_i64', [RAX, RAX, b.i64(add)]);
    const [at, host] = [b.temp('i64'), b.temp('i32')];
    b.emit('sub_i64', [at, RSP, b.i64(8)]);
    b.emit('guard_w', [host, at], [8]);
    b.emit('gst_i64', [host, b.i64(pc + 16)], [0]);
    b.emit('mov_i64', [RSP, at]);
    b.free(at);
    b.free(host);
    if (to !== undefined) goto(b, to);
    else {
      b.emit('mov_i64', [G.rip, RDX]);
      b.emit('lookup_and_goto_ptr', []);
    }
  });
/** Counts in rax by `add`; reads a word at rbx where `loads`; returns to what is on the stack and `skip` bytes more. */
const ret = (pc: number, add: number, { skip = 0, loads = false } = {}): Tb =>
  build(pc, (b) => {
    b.emit('add_i64', [RAX, RAX, b.i64(add)]);
    b.insnStart(pc + 4, 9);
    if (loads) {
      const host = b.temp('i32');
      b.emit('guard_r', [host, RBX], [8]);
      b.emit('gld_i64', [RCX, host], [0]);
      b.free(host);
    }
    b.insnStart(pc + 8, 9);
    const host = b.temp('i32');
    b.emit('guard_r', [host, RSP], [8]);
    b.emit('gld_i64', [G.rip, host], [0]);
    b.free(host);
    if (skip !== 0) b.emit('add_i64', [G.rip, G.rip, b.i64(skip)]);
    b.emit('add_i64', [RSP, RSP, b.i64(8)]);
    b.emit('lookup_and_goto_ptr', []);
  });
const end = (pc: number): Tb =>
  build(pc, (b) => {
    b.emit('add_i64', [RAX, RAX, b.i64(1000)]);
    b.emit('exit', [], [EXIT.SYSCALL, 0, pc + 2]);
  });
const inlined = (region: Region, ...callees: readonly Body[]): Region => ({
  ...region,
  callees: new Map([[region.head, new Map(callees.map((c) => [c.head, c]))]]),
});
const one = (region: Region, slotOf: (pc: number) => number = () => 0) => machine.compile([region], slotOf)[0];
const textOf = (region: Region): string => compileModule([region], () => 3, { text: true }).text ?? '';

describe('a direct call', () => {
  const region = inlined(regionOf(call(PC, CALLEE), end(BACK)), regionOf(ret(CALLEE, 10)));

  test('is no call, and its stack is the guest’s', () => {
    expect(textOf(region)).not.toMatch(/call_indirect/);
    expect(textOf(regionOf(call(PC, CALLEE), end(BACK)))).toMatch(/call_indirect/);
    expect(one(region)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp'), machine.get('rip')]).toEqual([
      1011n,
      BigInt(STACK),
      BigInt(BACK + 2),
    ]);
    expect(machine.views.view.getBigUint64(STACK - 8, true)).toBe(BigInt(BACK));
  });
  test('that returns elsewhere leaves the region, with all state stored', () => {
    const changed = inlined(regionOf(call(PC, CALLEE), end(BACK)), regionOf(ret(CALLEE, 10, { skip: 2 })));
    expect(one(changed)?.(machine.cpu)).toBe(0);
    expect([machine.get('rax'), machine.get('rsp'), machine.get('rip')]).toEqual([
      11n,
      BigInt(STACK),
      BigInt(BACK + 2),
    ]);
  });
  test('a fault within is at the instruction, with the call done', () => {
    const loads = inlined(regionOf(call(PC, CALLEE), end(BACK)), regionOf(ret(CALLEE, 10, { loads: true })));
    machine.set('rbx', BigInt(PAGE + 0x10_0000));
    expect(one(loads)?.(machine.cpu)).toBe(EXIT.PAGE_FAULT);
    expect([machine.get('rip'), machine.get('rsp'), machine.get('rax'), machine.get('rcx')]).toEqual([
      BigInt(CALLEE + 4),
      BigInt(STACK - 8),
      11n,
      5n,
    ]);
    expect(machine.get('cc_op')).toBe(9n);
    expect(machine.views.view.getBigUint64(STACK - 8, true)).toBe(BigInt(BACK));
  });
  test('the same function in two places', () => {
    const twice: Region = {
      ...regionOf(call(PC, CALLEE), call(BACK, CALLEE, 100), end(BACK + 16)),
      callees: new Map([PC, BACK].map((at) => [at, new Map([[CALLEE, regionOf(ret(CALLEE, 10))]])])),
    };
    expect(one(twice)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1121n, BigInt(STACK)]);
  });
  test('a function within one', () => {
    const outer = inlined(regionOf(call(CALLEE, OTHER), ret(CALLEE + 16, 10)), regionOf(ret(OTHER, 200)));
    const nested = inlined(regionOf(call(PC, CALLEE), end(BACK)), outer);
    expect(textOf(nested)).not.toMatch(/call_indirect/);
    expect(one(nested)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1212n, BigInt(STACK)]);
  });
});

describe('a jump out of an inlined function, which returns in its place', () => {
  const tail = build(CALLEE, (b) => {
    b.emit('add_i64', [RAX, RAX, b.i64(10)]);
    goto(b, OTHER);
  });
  const region = inlined(regionOf(call(PC, CALLEE), end(BACK)), regionOf(tail));
  const run = (skip: number): number => {
    const [entry, other] = machine.compile([region, regionOf(ret(OTHER, 100, { skip }))], (pc) =>
      pc === OTHER ? 4 : 0,
    );
    machine.core.table.set(4, other?.raw);
    const reason = entry?.(machine.cpu) ?? -1;
    machine.core.table.set(4, machine.core.stub);
    return reason;
  };
  test('goes on behind the call', () => {
    expect(run(0)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1111n, BigInt(STACK)]);
  });
  test('and where it returns elsewhere, the region is left', () => {
    expect(run(2)).toBe(0);
    expect([machine.get('rax'), machine.get('rip')]).toEqual([111n, BigInt(BACK + 2)]);
  });
});

describe('an indirect call', () => {
  const region: Region = {
    ...inlined(regionOf(call(PC, undefined), end(BACK)), regionOf(ret(CALLEE, 10))),
    guesses: new Map([[PC, [CALLEE, OTHER]]]),
  };
  const run = (to: number): number => {
    const [entry, other] = machine.compile([region, regionOf(ret(OTHER, 100))], (pc) => (pc === OTHER ? 4 : 0));
    machine.core.table.set(4, other?.raw);
    machine.set('rdx', BigInt(to));
    const reason = entry?.(machine.cpu) ?? -1;
    machine.core.table.set(4, machine.core.stub);
    return reason;
  };
  test('of the function inlined', () => {
    expect(run(CALLEE)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1011n, BigInt(STACK)]);
  });
  test('of another one that was guessed, by its slot', () => {
    expect(run(OTHER)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1101n, BigInt(STACK)]);
  });
  test('of anything else, with all state stored', () => {
    for (const to of [CALLEE + 2 ** 32, CALLEE + 4]) {
      expect(run(to)).toBe(0);
      expect([machine.get('rip'), machine.get('rsp')]).toEqual([BigInt(to), BigInt(STACK - 8)]);
      machine.set('rsp', BigInt(STACK));
    }
  });
});

describe('an indirect jump', () => {
  const jump = build(PC, (b) => {
    b.emit('mov_i64', [G.rip, RDX]);
    b.emit('lookup_and_goto_ptr', []);
  });
  test('out of an inlined function, to one inlined in it: both return behind the call', () => {
    const tail: Body = {
      ...inlined(regionOf({ ...jump, pc: CALLEE }), regionOf(ret(OTHER, 100))),
      guesses: new Map([[CALLEE, [OTHER]]]),
    };
    const region = inlined(regionOf(call(PC, CALLEE), end(BACK)), tail);
    machine.set('rdx', BigInt(OTHER));
    expect(one(region)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rsp')]).toEqual([1101n, BigInt(STACK)]);
    machine.set('rdx', BigInt(OTHER + 1));
    expect(one(region)?.(machine.cpu)).toBe(0);
    expect([machine.get('rip'), machine.get('rsp')]).toEqual([BigInt(OTHER + 1), BigInt(STACK - 8)]);
  });
  test('to what was guessed stays in the region, and polls', () => {
    const region: Region = { ...regionOf(jump, end(BACK)), guesses: new Map([[PC, [BACK]]]) };
    machine.set('rdx', BigInt(BACK));
    expect(one(region)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    machine.setI32(CPU.CONTROL, CONTROL.KICK);
    expect(one(region)?.(machine.cpu)).toBe(EXIT.POLL);
    expect(machine.get('rip')).toBe(BigInt(BACK));
  });
});

describe('polls', () => {
  /** rcx -= 1; at 0 on to `out`, else to `next`. */
  const count = (pc: number, next: number, out: number): Tb =>
    build(pc, (b) => {
      b.emit('sub_i64', [RCX, RCX, b.i64(1)]);
      const done = b.label();
      b.emit('brcond_i64', [RCX, b.i64(0)], ['eq', done]);
      goto(b, next);
      b.emit('set_label', [], [done]);
      goto(b, out, 1);
    });
  test('a loop that only a call closes', () => {
    // The loop is entered where the call returns to: its one retreating edge is the call.
    const CALL = BACK - 16;
    const region: Region = {
      head: BACK,
      tbs: new Map([count(BACK, CALL, OTHER), call(CALL, CALLEE), end(OTHER)].map((tb) => [tb.pc, tb])),
      callees: new Map([[CALL, new Map([[CALLEE, regionOf(ret(CALLEE, 10))]])]]),
    };
    expect(one(region)?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect(machine.get('rax')).toBe(1044n);
    machine.set('rcx', 5n);
    machine.set('rax', 0n);
    machine.setI32(CPU.CONTROL, CONTROL.SIGNAL);
    expect(one(region)?.(machine.cpu)).toBe(EXIT.POLL);
    expect([machine.get('rip'), machine.get('rsp'), machine.get('rcx'), machine.get('rax')]).toEqual([
      BigInt(CALLEE),
      BigInt(STACK - 8),
      4n,
      1n,
    ]);
  });
  test('a loop without end that only a jump table leads to', () => {
    const jump = build(PC, (b) => {
      b.emit('mov_i64', [G.rip, RDX]);
      b.emit('lookup_and_goto_ptr', []);
    });
    const loop = build(BACK, (b) => {
      b.emit('add_i64', [RAX, RAX, b.i64(1)]);
      b.emit('call', [RBX, RAX, RAX], ['mulhu']);
      goto(b, BACK);
    });
    const mulhu = (a: bigint): bigint => {
      if (a >= 1000n) machine.setI32(CPU.CONTROL, CONTROL.KICK);
      return 5n;
    };
    const [run] = machine.compile([{ ...regionOf(jump, loop), jumps: new Map([[PC, [BACK]]]) }], () => 0, { mulhu });
    machine.set('rdx', BigInt(BACK));
    expect(run?.(machine.cpu)).toBe(EXIT.POLL);
    expect([machine.get('rip'), machine.get('rax')]).toEqual([BigInt(BACK), 1000n]);
  });
});
