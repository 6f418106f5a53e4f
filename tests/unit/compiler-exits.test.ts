/**
 * Ways out of a compiled region: faults, polls, chains through the function table, the jump cache, helpers; and the state that each leaves.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { CONTROL, CPU, EXC, EXIT, JUMP_CACHE_BITS } from '../../src/guest/cpu-state.js';
import { PERM } from '../../src/guest/memory-map.js';
import { jumpCacheIndex } from '../../src/guest/tb-header.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G, globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';

const PC = 0x40_0000;
const PAGE = 0x60_0000;
const machine = new IrMachine();
const RAX = globalId('rax');
const RCX = globalId('rcx');
const RBX = globalId('rbx');
const RSI = globalId('rsi');

beforeEach(() => {
  machine.allow(PAGE - 4096, 0);
  machine.allow(PAGE, PERM.R | PERM.W);
  machine.allow(PAGE + 4096, 0);
  machine.setI32(CPU.CONTROL, 0);
  machine.setI32(CPU.EXIT_REASON, 0);
  machine.set('rip', 0xdeadn);
  machine.set('cc_op', 5n);
  for (const [name, v] of [
    ['rax', 10n],
    ['rbx', 20n],
    ['rcx', 30n],
    ['rsi', BigInt(PAGE)],
  ] as const)
    machine.set(name, v);
});

function build(pc: number, make: (b: IrBuilder) => void): Tb {
  const b = new IrBuilder(pc);
  make(b);
  return b.finish(16);
}
function goto(b: IrBuilder, slot: number, pc: number): void {
  b.emit('goto_tb', [], [slot, pc]);
  b.emit('exit_tb', [], [slot]);
}

/** How regions enter each other. */
const WAYS = [
  ['by the table', false],
  ['through the core', true],
] as const;

describe('guards', () => {
  /** Instructions: rax += 1, flags of an ADD; then an access of 8 bytes at rsi, with CC_OP `ccOp` in insn_start; then rbx = 99. */
  function access(kind: 'r' | 'w' | 'rw', ccOp: number): Tb {
    return build(PC, (b) => {
      b.insnStart(PC, -1);
      b.emit('add_i64', [RAX, RAX, b.i64(1)]);
      b.emit('mov_i32', [G.ccOp, b.i32(6)]);
      b.insnStart(PC + 4, ccOp);
      const host = b.temp('i32');
      b.emit(`guard_${kind}`, [host, RSI], [8]);
      if (kind === 'r') b.emit('gld_i64', [RCX, host], [0]);
      else b.emit('gst_i64', [host, b.i64(0x77)], [0]);
      b.free(host);
      b.emit('mov_i64', [RBX, b.i64(99)]);
      b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
    });
  }
  const cases = [
    { what: 'on the page', at: PAGE + 8, kind: 'rw', perm: PERM.R | PERM.W, end: EXIT.SYSCALL },
    {
      what: 'at its end, the next one not mapped',
      at: PAGE + 4088,
      kind: 'rw',
      perm: PERM.R | PERM.W,
      end: EXIT.SYSCALL,
    },
    { what: 'over its end', at: PAGE + 4089, kind: 'r', perm: PERM.R, end: EXIT.PAGE_FAULT, arg0: PAGE + 4096 },
    { what: 'before it', at: PAGE - 9, kind: 'w', perm: PERM.R | PERM.W, end: EXIT.PAGE_FAULT, arg0: PAGE - 9 },
    { what: 'not writable', at: PAGE, kind: 'w', perm: PERM.R | PERM.RFAST, end: EXIT.PAGE_FAULT, arg0: PAGE },
    {
      what: 'not writable, read and written',
      at: PAGE,
      kind: 'rw',
      perm: PERM.R | PERM.RFAST,
      end: EXIT.PAGE_FAULT,
      arg0: PAGE,
    },
    {
      what: 'code',
      at: PAGE + 16,
      kind: 'w',
      perm: PERM.R | PERM.W | PERM.CODE,
      end: EXIT.CODE_WRITE,
      arg0: PAGE + 16,
    },
    { what: 'code read', at: PAGE + 16, kind: 'r', perm: PERM.R | PERM.W | PERM.CODE, end: EXIT.SYSCALL },
    {
      what: 'above 4 GiB, same low half',
      at: 2 ** 33 + PAGE,
      kind: 'r',
      perm: PERM.R | PERM.RFAST,
      end: EXIT.PAGE_FAULT,
      arg0: 2 ** 33 + PAGE,
    },
    { what: 'not canonical', at: 2 ** 50, kind: 'r', perm: PERM.R, end: EXIT.EXCEPTION, arg0: EXC.GP },
  ] as const;
  test.each(cases.flatMap((c) => [-1, 14].map((ccOp) => [c.what, ccOp, c] as const)))(
    '%s, cc_op %d',
    (_what, ccOp, c) => {
      machine.allow(PAGE, c.perm);
      machine.set('rsi', BigInt(c.at));
      expect(machine.runCompiled(access(c.kind, ccOp))).toBe(c.end);
      expect(machine.i32(CPU.EXIT_REASON)).toBe(c.end);
      const faulted = c.end !== EXIT.SYSCALL;
      expect(machine.get('rip')).toBe(BigInt(faulted ? PC + 4 : PC + 8));
      expect(machine.get('rax')).toBe(11n);
      expect(machine.get('rbx')).toBe(faulted ? 20n : 99n);
      expect(machine.get('cc_op')).toBe(faulted && ccOp >= 0 ? BigInt(ccOp) : 6n);
      if ('arg0' in c) expect(machine.i64(CPU.EXIT_ARG0)).toBe(BigInt(c.arg0));
    },
  );

  test('of a constant address', () => {
    const tb = (addr: number): Tb =>
      build(PC, (b) => {
        b.insnStart(PC, -1);
        const host = b.temp('i32');
        b.emit('guard_w', [host, b.i64(addr)], [8]);
        b.emit('gst_i64', [host, b.i64(0x1234)], [0]);
        b.free(host);
        b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
      });
    expect(machine.runCompiled(tb(PAGE + 64))).toBe(EXIT.SYSCALL);
    expect(machine.views.view.getBigUint64(PAGE + 64, true)).toBe(0x1234n);
    expect(machine.runCompiled(tb(PAGE + 4096))).toBe(EXIT.PAGE_FAULT);
    expect(machine.runCompiled(tb(2 ** 40))).toBe(EXIT.PAGE_FAULT);
    expect(machine.get('rip')).toBe(BigInt(PC));
  });

  test('align_check', () => {
    const tb = build(PC, (b) => {
      b.insnStart(PC, -1);
      b.emit('mov_i64', [RAX, b.i64(1)]);
      b.insnStart(PC + 4, 9);
      b.emit('align_check', [RSI], [16]);
      b.emit('exit', [], [EXIT.SYSCALL, 7, PC + 8]);
    });
    machine.set('rsi', BigInt(PAGE + 32));
    expect(machine.runCompiled(tb)).toBe(EXIT.SYSCALL);
    expect(machine.i64(CPU.EXIT_ARG0)).toBe(7n);
    machine.set('rsi', BigInt(PAGE + 40));
    expect(machine.runCompiled(tb)).toBe(EXIT.EXCEPTION);
    expect(machine.i64(CPU.EXIT_ARG0)).toBe(BigInt(EXC.GP));
    expect([machine.get('rip'), machine.get('cc_op'), machine.get('rax')]).toEqual([BigInt(PC + 4), 9n, 1n]);
  });
});

describe('guards of one base', () => {
  const RSP = G.reg(4);
  /** Two pushes, of rax and rcx, and a load of the first; then rbx = 99. */
  const tb = build(PC, (b) => {
    b.insnStart(PC, -1);
    b.emit('mov_i64', [RBX, b.i64(1)]);
    for (const [i, value] of [RAX, RCX].entries()) {
      b.insnStart(PC + 1 + i, 9);
      const [slot, host] = [b.temp('i64'), b.temp('i32')];
      b.emit('sub_i64', [slot, RSP, b.i64(8)]);
      b.emit('guard_w', [host, slot], [8]);
      b.emit('gst_i64', [host, value], [0]);
      b.emit('mov_i64', [RSP, slot]);
      b.free(slot);
      b.free(host);
    }
    b.insnStart(PC + 3, 9);
    const [slot, host] = [b.temp('i64'), b.temp('i32')];
    b.emit('add_i64', [slot, RSP, b.i64(8)]);
    b.emit('guard_r', [host, slot], [4]);
    b.emit('gld32u_i64', [globalId('rdx'), host], [2]);
    b.free(slot);
    b.free(host);
    b.emit('mov_i64', [RBX, b.i64(99)]);
    b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
  });
  const [run] = machine.compile([regionOf(tb)]);

  test('are one check', () => {
    const { text } = compileModule([regionOf(tb)], () => 0, { text: true });
    expect(text?.match(/i32.load8_u/g)).toHaveLength(1);
    const plain = compileModule([regionOf(tb)], () => 0, { text: true, plainGuards: true });
    expect(plain.text?.match(/i32.load8_u/g)).toHaveLength(3);
  });
  test.each([
    ['on the page', PAGE + 0x800, PERM.R | PERM.W],
    ['from its start', PAGE + 16, PERM.R | PERM.W],
    ['at its end, the next one not mapped', PAGE + 4096, PERM.R | PERM.W],
    ['over its end', PAGE + 4096 + 8, PERM.R | PERM.W | PERM.RFAST | PERM.WFAST],
  ])('allowed %s', (_what, at, perm) => {
    machine.allow(PAGE, perm);
    machine.set('rsp', BigInt(at));
    machine.set('rax', 0x1122_3344_5566_7788n);
    expect(run?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect(machine.views.view.getBigUint64(at - 8, true)).toBe(0x1122_3344_5566_7788n);
    expect(machine.views.view.getBigUint64(at - 16, true)).toBe(30n);
    expect([machine.get('rsp'), machine.get('rbx')]).toEqual([BigInt(at - 16), 99n]);
    expect(machine.get('rdx')).toBe(0x3344_5566n);
  });
  test.each([
    ['the second is before the page', PAGE + 8, PERM.R | PERM.W],
    ['over its end', PAGE + 4096 + 8, PERM.R | PERM.W],
    ['not writable', PAGE + 0x800, PERM.R | PERM.RFAST],
    ['translated code', PAGE + 0x800, PERM.R | PERM.W | PERM.CODE | PERM.RFAST],
    ['above 4 GiB, same low half', 2 ** 33 + PAGE + 0x800, PERM.R | PERM.W | PERM.RFAST | PERM.WFAST],
    ['below 0', 8, PERM.R | PERM.W],
  ])('are left to the interpreter, with nothing of the first done: %s', (_what, at, perm) => {
    machine.allow(PAGE, perm);
    machine.set('rsp', BigInt(at));
    if (at >= PAGE && at < 2 ** 32) machine.views.view.setBigUint64(at - 8, 5n, true);
    expect(run?.(machine.cpu)).toBe(EXIT.CLOSE_LOOK);
    expect([machine.get('rip'), machine.get('rsp'), machine.get('cc_op')]).toEqual([BigInt(PC + 1), BigInt(at), 9n]);
    expect(machine.get('rbx')).toBe(1n);
    if (at >= PAGE && at < 2 ** 32) expect(machine.views.view.getBigUint64(at - 8, true)).toBe(5n);
  });
});

describe('polls', () => {
  /** A loop without end that counts in rax and calls mulhu once a round. */
  const loop = (...path: number[]): Tb[] =>
    path.map((pc, i) =>
      build(pc, (b) => {
        b.insnStart(pc, -1);
        b.emit('add_i64', [RAX, RAX, b.i64(1)]);
        if (i === 0) b.emit('call', [RBX, RAX, RAX], ['mulhu']);
        goto(b, 0, path[(i + 1) % path.length] ?? pc);
      }),
    );
  const stopAt = (count: bigint) => ({
    mulhu: (a: bigint) => {
      if (a >= count) machine.setI32(CPU.CONTROL, CONTROL.KICK);
      return 5n;
    },
  });

  test.each([
    ['one TB', [PC]],
    ['backward', [PC, PC + 0x40]],
    ['the way back falls forward', [PC + 0x40, PC, PC + 0x20]],
  ] as const)('in a loop, %s', (_what, path) => {
    const tbs = loop(...path);
    const [run] = machine.compile([regionOf(...tbs)], () => 0, stopAt(1000n));
    machine.set('rax', 0n);
    expect(run?.(machine.cpu)).toBe(EXIT.POLL);
    expect(machine.get('rip')).toBe(BigInt(path[0]));
    expect(machine.get('rbx')).toBe(5n);
    // Whole rounds have been done.
    expect(Number(machine.get('rax')) % path.length).toBe(0);
    expect(Number(machine.get('rax'))).toBeLessThanOrEqual(1000 + path.length);
  });

  test.each(WAYS)('a loop over regions, %s, runs in constant stack', (_way, viaCore) => {
    const [a, b] = loop(PC, PC + 0x40) as [Tb, Tb];
    const slots = new Map([
      [a.pc, 1],
      [b.pc, 2],
    ]);
    const run = machine.compile([regionOf(a), regionOf(b)], (pc) => slots.get(pc) ?? 0, stopAt(500_000n), {
      viaCore,
    });
    run.forEach((f, i) => {
      machine.core.table.set(i + 1, f.raw);
    });
    machine.set('rax', 0n);
    expect(run[0]?.(machine.cpu)).toBe(EXIT.POLL);
    expect(machine.get('rax')).toBeGreaterThanOrEqual(500_000n);
    for (const slot of [1, 2]) machine.core.table.set(slot, machine.core.stub);
  });

  test.each(WAYS)('a slot whose region is not there, %s, goes back to the dispatcher', (_way, viaCore) => {
    const [a] = loop(PC, PC + 0x40) as [Tb, Tb];
    for (const slot of [0, 3]) {
      const [run] = machine.compile([regionOf(a)], () => slot, {}, { viaCore });
      expect(run?.(machine.cpu)).toBe(0);
      expect(machine.get('rip')).toBe(BigInt(PC + 0x40));
    }
  });
});

describe.each(WAYS)('jump cache, %s', (_way, viaCore) => {
  const TARGET = 0x41_2345;
  const tb = build(PC, (b) => {
    b.insnStart(PC, -1);
    b.emit('add_i64', [RAX, RAX, b.i64(1)]);
    b.emit('mov_i64', [G.rip, RCX]);
    b.emit('lookup_and_goto_ptr', []);
  });
  const target = build(TARGET, (b) => {
    b.insnStart(TARGET, -1);
    b.emit('add_i64', [RAX, RAX, b.i64(100)]);
    b.emit('exit', [], [EXIT.SYSCALL, 0, TARGET + 2]);
  });
  const [run, there] = machine.compile([regionOf(tb), regionOf(target)], undefined, {}, { viaCore });
  const entry = machine.cpu + CPU.JUMP_CACHE + 16 * jumpCacheIndex(TARGET, JUMP_CACHE_BITS);
  const enter = (pc: number, slot: number): void => {
    machine.views.i64[entry / 8] = BigInt(pc);
    machine.views.i32[(entry + 12) / 4] = slot;
    machine.core.table.set(4, there?.raw);
    machine.set('rcx', BigInt(TARGET));
  };

  test('hit', () => {
    enter(TARGET, 4);
    expect(run?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect(machine.get('rax')).toBe(111n);
  });
  test.each([
    ['other pc', TARGET + 2 ** 32, 4],
    ['no slot', TARGET, 0],
  ])('miss: %s', (_what, pc, slot) => {
    enter(pc, slot);
    expect(run?.(machine.cpu)).toBe(0);
    expect([machine.get('rax'), machine.get('rip')]).toEqual([11n, BigInt(TARGET)]);
  });
  test('polls first', () => {
    enter(TARGET, 4);
    machine.setI32(CPU.CONTROL, CONTROL.SIGNAL);
    expect(run?.(machine.cpu)).toBe(EXIT.POLL);
    expect([machine.get('rax'), machine.get('rip')]).toEqual([11n, BigInt(TARGET)]);
  });
});

describe.each(WAYS)('calls, %s', (_way, viaCore) => {
  const STACK = PAGE + 0x800;
  const BACK = PC + 16;
  const CALLEE = PC + 0x100;
  const RSP = G.reg(4);
  const push = (b: IrBuilder, value: number): void => {
    const [slot, host] = [b.temp('i64'), b.temp('i32')];
    b.emit('sub_i64', [slot, RSP, b.i64(8)]);
    b.emit('guard_w', [host, slot], [8]);
    b.emit('gst_i64', [host, b.i64(value)], [0]);
    b.emit('mov_i64', [RSP, slot]);
    b.free(slot);
    b.free(host);
  };
  const ret = (b: IrBuilder): void => {
    const host = b.temp('i32');
    b.emit('guard_r', [host, RSP], [8]);
    b.emit('gld_i64', [G.rip, host], [0]);
    b.free(host);
    b.emit('add_i64', [RSP, RSP, b.i64(8)]);
    b.emit('lookup_and_goto_ptr', []);
  };
  /** rcx += 1, calls CALLEE (or the address in rbx); behind it rax += 1000 and the end. */
  const caller = (indirect: boolean): Tb[] => [
    build(PC, (b) => {
      b.insnStart(PC, -1);
      b.emit('add_i64', [RCX, RCX, b.i64(1)]);
      if (indirect) b.emit('mov_i64', [G.rip, RBX]);
      push(b, BACK);
      if (indirect) b.emit('lookup_and_goto_ptr', []);
      else goto(b, 0, CALLEE);
    }),
    build(BACK, (b) => {
      b.insnStart(BACK, -1);
      b.emit('add_i64', [RAX, RAX, b.i64(1000)]);
      b.emit('add_i64', [RCX, RCX, b.i64(1)]);
      b.emit('exit', [], [EXIT.SYSCALL, 0, BACK + 2]);
    }),
  ];
  /** rax += rcx; then `end`. */
  const callee = (end: (b: IrBuilder) => void): Tb =>
    build(CALLEE, (b) => {
      b.insnStart(CALLEE, -1);
      b.emit('add_i64', [RAX, RAX, RCX]);
      end(b);
    });
  /** Compiles both, enters the callee into slot 5 (and the jump cache), and runs the caller. */
  const run = (indirect: boolean, end: (b: IrBuilder) => void): number => {
    const slots = (pc: number): number => (pc === CALLEE ? 5 : 0);
    const regions = [regionOf(...caller(indirect)), regionOf(callee(end))];
    const [first, second] = machine.compile(regions, slots, {}, { viaCore });
    machine.core.table.set(5, second?.raw);
    const entry = machine.cpu + CPU.JUMP_CACHE + 16 * jumpCacheIndex(CALLEE, JUMP_CACHE_BITS);
    machine.views.i64[entry / 8] = BigInt(CALLEE);
    machine.views.i32[(entry + 12) / 4] = 5;
    machine.set('rbx', BigInt(CALLEE));
    machine.set('rsp', BigInt(STACK));
    const reason = first?.(machine.cpu) ?? -1;
    machine.core.table.set(5, machine.core.stub);
    return reason;
  };

  describe.each([
    ['direct', false],
    ['indirect', true],
  ])('%s', (_what, indirect) => {
    test('goes on behind the call, with what the function called has left', () => {
      expect(run(indirect, ret)).toBe(EXIT.SYSCALL);
      expect([machine.get('rax'), machine.get('rcx')]).toEqual([10n + 31n + 1000n, 32n]);
      expect([machine.get('rsp'), machine.get('rip')]).toEqual([BigInt(STACK), BigInt(BACK + 2)]);
    });
    test('another return address leaves the caller', () => {
      const result = run(indirect, (b) => {
        b.emit('add_i64', [RSP, RSP, b.i64(8)]);
        push(b, PC + 0x200);
        ret(b);
      });
      expect(result).toBe(0);
      expect([machine.get('rax'), machine.get('rcx')]).toEqual([41n, 31n]);
      expect([machine.get('rsp'), machine.get('rip')]).toEqual([BigInt(STACK), BigInt(PC + 0x200)]);
    });
    test('an exit of the function called is the exit', () => {
      expect(
        run(indirect, (b) => {
          b.emit('exit', [], [EXIT.INT80, 0, CALLEE + 2]);
        }),
      ).toBe(EXIT.INT80);
      expect([machine.get('rax'), machine.get('rip')]).toEqual([41n, BigInt(CALLEE + 2)]);
      expect(machine.get('rsp')).toBe(BigInt(STACK - 8));
    });
    test('polls', () => {
      machine.setI32(CPU.CONTROL, CONTROL.STOP);
      expect(run(indirect, ret)).toBe(EXIT.POLL);
      expect([machine.get('rip'), machine.get('rcx')]).toEqual([BigInt(CALLEE), 31n]);
      expect(machine.get('rsp')).toBe(BigInt(STACK - 8));
    });
  });

  test('recursion deeper than the budget goes back to the dispatcher, which goes on', () => {
    // rax counts down; each level calls the head, and adds 1 to rcx behind the call.
    const leaf = PC + 0x80;
    const tbs = [
      build(PC, (b) => {
        b.insnStart(PC, -1);
        b.emit('sub_i64', [RAX, RAX, b.i64(1)]);
        const down = b.label();
        b.emit('brcond_i64', [RAX, b.i64(0)], ['ne', down]);
        goto(b, 0, leaf);
        b.emit('set_label', [], [down]);
        goto(b, 1, PC + 0x20);
      }),
      build(PC + 0x20, (b) => {
        b.insnStart(PC + 0x20, -1);
        push(b, PC + 0x30);
        goto(b, 0, PC);
      }),
      build(PC + 0x30, (b) => {
        b.insnStart(PC + 0x30, -1);
        b.emit('add_i64', [RCX, RCX, b.i64(1)]);
        ret(b);
      }),
      build(leaf, (b) => {
        b.insnStart(leaf, -1);
        ret(b);
      }),
    ];
    const DEPTH = 5_000;
    const size = 8 * (DEPTH + 1);
    const top = PAGE + 0x10_0000 + size;
    for (let at = PAGE + 0x10_0000 - 4096; at < top + 4096; at += 4096) machine.allow(at, PERM.R | PERM.W);
    const behind = { head: PC + 0x30, tbs: new Map(tbs.slice(2).map((tb) => [tb.pc, tb])) };
    const heads = machine.compile([regionOf(...tbs), behind], undefined, {}, { viaCore });
    const regions = new Map([PC, PC + 0x30].map((pc, i) => [pc, heads[i]]));
    machine.set('rax', BigInt(DEPTH));
    machine.set('rcx', 0n);
    machine.set('rsp', BigInt(top));
    push8(top - 8, 0x1234);
    machine.set('rsp', BigInt(top - 8));
    machine.set('rip', BigInt(PC));
    for (let f = regions.get(PC); f !== undefined; f = regions.get(Number(machine.get('rip'))))
      expect(f(machine.cpu)).toBe(0);
    expect([machine.get('rip'), machine.get('rcx')]).toEqual([0x1234n, BigInt(DEPTH - 1)]);
    expect(machine.get('rsp')).toBe(BigInt(top));
  });

  const push8 = (at: number, value: number): void => {
    machine.views.view.setBigUint64(at, BigInt(value), true);
  };
});

describe('system calls', () => {
  /** rax += 1, a store at rsi, a system call; then rbx = rax + rcx and the same store again. */
  const NEXT = PC + 16;
  const store = (b: IrBuilder): void => {
    const host = b.temp('i32');
    b.emit('guard_w', [host, RSI], [8]);
    b.emit('gst_i64', [host, RAX], [0]);
    b.free(host);
  };
  const call = build(PC, (b) => {
    b.insnStart(PC, 9);
    b.emit('add_i64', [RAX, RAX, b.i64(1)]);
    store(b);
    b.emit('exit', [], [EXIT.SYSCALL, 0, NEXT]);
  });
  const behind = build(NEXT, (b) => {
    b.insnStart(NEXT, -1);
    b.emit('add_i64', [RBX, RAX, RCX]);
    store(b);
    b.emit('exit', [], [EXIT.UNIMPLEMENTED, 0, NEXT + 4]);
  });
  /** Runs the region with this system call; gives the result, what the call has seen in CPU state, and rip and rbx then. */
  function run(serve: () => number): { result: number | undefined; seen: bigint[]; then: bigint[] } {
    let seen: bigint[] = [];
    const syscallInPlace = (): number => {
      seen = [machine.get('rip'), machine.get('rax')];
      const reason = serve();
      machine.setI32(CPU.EXIT_REASON, reason);
      return reason;
    };
    const [enter] = machine.compile([regionOf(call, behind)], () => 0, { syscallInPlace });
    return { result: enter?.(machine.cpu), seen, then: [machine.get('rip'), machine.get('rbx')] };
  }

  test('go on in place, with the registers that the call has left', () => {
    const { result, seen, then } = run(() => {
      machine.set('rax', 1000n);
      machine.set('rcx', 7n);
      return EXIT.NONE;
    });
    expect(seen).toEqual([BigInt(NEXT), 11n]);
    expect(result).toBe(EXIT.UNIMPLEMENTED);
    expect(then).toEqual([BigInt(NEXT + 4), 1007n]);
  });
  test.each([EXIT.SYSCALL, EXIT.POLL])('leave for reason %d', (reason) => {
    const { result, then } = run(() => reason);
    expect(result).toBe(reason);
    expect(then).toEqual([BigInt(NEXT), 20n]);
  });
  test('what was checked before them is checked again behind them', () => {
    const { result, then } = run(() => {
      machine.allow(PAGE, 0);
      return EXIT.NONE;
    });
    expect(result).toBe(EXIT.PAGE_FAULT);
    expect(then).toEqual([BigInt(NEXT), 40n + 1n]);
  });
  test('are in place once the code behind them is in the region, and go on behind them', () => {
    const calls = (...tbs: Tb[]): number =>
      compileModule([regionOf(...tbs)], () => 0, { text: true }).text?.split('call $syscallInPlace').length ?? 0;
    expect(calls(call, behind)).toBe(2);
    expect(calls(call)).toBe(1);
    // The broken rule of late-pc, whose rip is the instruction's own.
    const late = build(PC, (b) => {
      b.insnStart(PC, 9);
      b.emit('exit', [], [EXIT.SYSCALL, 0, PC]);
    });
    expect(calls(late, behind)).toBe(1);
  });
});

describe('helpers', () => {
  /** rax += 1; a helper that reads and writes general registers; rbx = rcx + rax. */
  const tb = (helper: string, args: (b: IrBuilder) => number[]): Tb =>
    build(PC, (b) => {
      b.insnStart(PC, 11);
      b.emit('add_i64', [RAX, RAX, b.i64(1)]);
      b.emit('call', args(b) as never, [helper]);
      b.emit('add_i64', [RBX, RCX, RAX]);
      b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
    });

  test('see the globals that they read, and what they write is seen', () => {
    const [run] = machine.compile([regionOf(tb('cpuid', () => []))], () => 0, {
      cpuid: () => {
        expect(machine.get('rax')).toBe(11n);
        machine.set('rcx', 1000n);
      },
    });
    expect(run?.(machine.cpu)).toBe(EXIT.SYSCALL);
    expect([machine.get('rax'), machine.get('rbx'), machine.get('rcx')]).toEqual([11n, 1011n, 1000n]);
  });

  test('that fault leave the instruction with what they have done', () => {
    const region = regionOf(tb('rep_movs', (b) => [b.i32(8), b.i32(8), b.i64(0)]));
    const [run] = machine.compile([region], () => 0, {
      rep_movs: () => {
        machine.set('rcx', 29n);
        machine.setI32(CPU.EXIT_REASON, EXIT.PAGE_FAULT);
      },
    });
    expect(run?.(machine.cpu)).toBe(EXIT.PAGE_FAULT);
    expect(machine.globals()).toMatchObject({ rax: 11n, rbx: 20n, rcx: 29n, rip: BigInt(PC), cc_op: 11n });
  });
});

test('guest accesses stay in the order of the IR', () => {
  const tb = build(PC, (b) => {
    b.insnStart(PC, -1);
    const host = b.temp('i32');
    const [x, y] = [b.temp('i64'), b.temp('i64')];
    b.emit('guard_rw', [host, RSI], [4096]);
    b.emit('gld_i64', [x, host], [1001]);
    b.emit('gld_i64', [y, host], [1002]);
    b.emit('gst_i64', [host, RAX], [1003]);
    b.emit('gst_i64', [host, y], [1004]);
    b.emit('gld_i64', [RCX, host], [1005]);
    b.emit('fence', []);
    b.emit('gst_i64', [host, x], [1006]);
    for (const t of [host, x, y]) b.free(t);
    b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 8]);
  });
  const { text } = compileModule([regionOf(tb)], () => 0, { text: true });
  const order = [...(text ?? '').matchAll(/i64\.(?:load|store) offset=(100\d)|(atomic\.fence)/g)].map(
    (m) => m[1] ?? m[2],
  );
  expect(order).toEqual(['1001', '1002', '1003', '1004', '1005', 'atomic.fence', '1006']);
});
