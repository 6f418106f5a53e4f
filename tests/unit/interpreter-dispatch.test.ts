/** The dispatcher: chaining, look-up, dead TBs, heat, fuel, polls, single steps, table slots, counts. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CONTROL, CPU, EXIT, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { TB_HASH_BITS } from '../../src/guest/memory-map.js';
import { HEAT_OFF, pcHash, TARGETS_KEPT, TB, TB_STATE } from '../../src/guest/tb-header.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';

const A = 0x40_0000;
const B = 0x40_1000;
const RAX = G.reg(0);
const m = new CoreMachine();

/** `insns` instructions that each add `n` to rax, then a jump to `target`. */
function addAndGo(pc: number, n: number, target: number, insns = 1): Tb {
  const b = new IrBuilder(pc);
  for (let i = 0; i < insns; i++) {
    b.insnStart(pc + i, -1);
    b.emit('add_i64', [RAX, RAX, b.i64(n)]);
  }
  b.emit('goto_tb', [], [0, target]);
  b.emit('exit_tb', [], [0]);
  return b.finish(insns);
}

/** Goes to the address in rcx. */
function goIndirect(pc: number): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  b.emit('mov_i64', [G.rip, G.reg(1)]);
  b.emit('lookup_and_goto_ptr', []);
  return b.finish(1);
}

const done = (pc: number, n: number): Tb =>
  singleTb(pc, (b) => {
    b.emit('add_i64', [RAX, RAX, b.i64(n)]);
  });

beforeEach(() => {
  m.clear();
  m.setI32(CPU.CONTROL, 0);
  m.setI32(CPU.RUN_FLAGS, 0);
  m.setI32(CPU.FUEL, -1);
  m.setI64(CPU.TB_EXECS, 0n);
  m.setI64(CPU.INSN_EXECS, 0n);
  m.set('rax', 0n);
});

describe('targets of indirect jumps', () => {
  const words = (header: number): number[] =>
    Array.from({ length: TARGETS_KEPT + 1 }, (_, i) => m.word(header + TB.TARGETS + 4 * i));
  const go = (...to: number[]): void => {
    for (const pc of to) {
      m.set('rcx', BigInt(pc));
      m.run(A);
    }
  };
  test('are listed, the frequent ones to the front, and what finds no room is counted', () => {
    const header = m.add(goIndirect(A));
    go(B, B);
    expect(words(header)).toEqual([B, 0, 0, 0, 0, 0]);
    go(B + 1, B + 2, B + 2);
    expect(words(header)).toEqual([B, B + 2, B + 1, 0, 0, 0]);
    go(B + 2, B + 3, B + 4, B + 5, B + 6);
    expect(words(header)).toEqual([B + 2, B, B + 1, B + 3, B + 4, 2]);
  });
  test('of returns are not', () => {
    const b = new IrBuilder(A);
    b.insnStart(A, -1);
    b.emit('mov_i64', [G.rip, G.reg(1)]);
    b.emit('add_i64', [G.reg(4), G.reg(4), b.i64(8)]);
    b.emit('lookup_and_goto_ptr', []);
    const header = m.add(b.finish(1));
    go(B);
    expect(words(header)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('look-up', () => {
  test('of a pc without a TB asks for translation, without a link cell', () => {
    m.setI32(CPU.EXIT_LINK, 1);
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    expect(m.i32(CPU.EXIT_REASON)).toBe(EXIT.TRANSLATE);
    expect(m.i32(CPU.EXIT_LINK)).toBe(0);
    expect(m.get('rip')).toBe(BigInt(A));
  });

  test.each([0n, 0x7fff_ffff_f000n, 0x8000_0000_0000n, 0xffff_ffff_ff60_0000n])('of rip %p', (pc) => {
    expect(m.run(pc)).toBe(EXIT.TRANSLATE);
    expect(m.get('rip')).toBe(pc);
  });

  test('tells apart TBs of one hash bucket, and pcs that differ in the upper half', () => {
    const others: number[] = [];
    for (let pc = A + 1; others.length < 2; pc++)
      if (pcHash(pc, TB_HASH_BITS) === pcHash(A, TB_HASH_BITS)) others.push(pc);
    const high = A + 2 ** 40;
    [A, ...others, high].forEach((pc, i) => m.add(done(pc, i + 1)));
    for (let round = 0; round < 2; round++) {
      [A, ...others, high].forEach((pc, i) => {
        m.set('rax', 0n);
        expect(m.run(pc)).toBe(DONE);
        expect(m.get('rax')).toBe(BigInt(i + 1));
      });
    }
  });

  test('by lookup_and_goto_ptr goes on at rip', () => {
    m.add(goIndirect(A));
    m.set('rcx', BigInt(B));
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    expect(m.get('rip')).toBe(BigInt(B));
    m.add(done(B, 5));
    for (let i = 1; i <= 3; i++) {
      expect(m.run(A)).toBe(DONE);
      expect(m.get('rax')).toBe(BigInt(5 * i));
    }
  });

  test('does not go to a dead TB of the jump cache', () => {
    m.add(goIndirect(A));
    m.set('rcx', BigInt(B));
    const old = m.add(done(B, 5));
    expect(m.run(A)).toBe(DONE);
    m.setWord(old + TB.STATE, TB_STATE.DEAD);
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    m.add(done(B, 7));
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(12n);
  });

  test('run clears what the last exit left', () => {
    m.add(
      singleTb(A, (b) => {
        // A helper that can fault: its op looks at EXIT_REASON.
        b.emit('call', [], ['x87_check']);
      }),
    );
    m.setI32(CPU.EXIT_REASON, EXIT.PAGE_FAULT);
    expect(m.run(A)).toBe(DONE);
  });
});

describe('chaining', () => {
  test('names the link cell of the jump that found no TB', () => {
    const header = m.add(addAndGo(A, 1, B));
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    expect(m.i32(CPU.EXIT_LINK) >>> 0).toBe(m.links(header)[0]);
    expect(m.get('rip')).toBe(BigInt(B));
    expect(m.get('rax')).toBe(1n);
  });

  test('links to a TB that the hash table has', () => {
    const header = m.add(addAndGo(A, 1, B));
    const next = m.add(done(B, 10));
    expect(m.run(A)).toBe(DONE);
    expect(m.word(m.links(header)[0] ?? 0)).toBe(next);
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(22n);
  });

  test('uses both link cells', () => {
    const b = new IrBuilder(A);
    const taken = b.label();
    b.insnStart(A, -1);
    b.emit('brcond_i64', [RAX, b.i64(100)], ['geu', taken]);
    b.emit('goto_tb', [], [1, B]);
    b.emit('exit_tb', [], [1]);
    b.emit('set_label', [], [taken]);
    b.emit('goto_tb', [], [0, B + 16]);
    b.emit('exit_tb', [], [0]);
    const header = m.add(b.finish(1));
    const targets = [m.add(done(B, 1)), m.add(done(B + 16, 2))];
    expect(m.run(A)).toBe(DONE);
    m.set('rax', 100n);
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(102n);
    expect(m.links(header).map((at) => m.word(at))).toEqual(targets);
  });

  test('follows a link that the engine has stored', () => {
    const header = m.add(addAndGo(A, 1, B));
    const elsewhere = m.add(done(B + 16, 3));
    m.setWord(m.links(header)[0] ?? 0, elsewhere);
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(4n);
  });

  test('leaves a dead TB for the valid one at its pc, and relinks', () => {
    const header = m.add(addAndGo(A, 1, B));
    const old = m.add(done(B, 10));
    expect(m.run(A)).toBe(DONE);
    m.setWord(old + TB.STATE, TB_STATE.DEAD);
    const valid = m.add(done(B, 20));
    m.set('rax', 0n);
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(21n);
    expect(m.word(m.links(header)[0] ?? 0)).toBe(valid);
  });

  test('asks for translation where only a dead TB is', () => {
    const header = m.add(addAndGo(A, 1, B));
    const old = m.add(done(B, 10));
    expect(m.run(A)).toBe(DONE);
    m.setWord(old + TB.STATE, TB_STATE.DEAD);
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    expect(m.i32(CPU.EXIT_LINK) >>> 0).toBe(m.links(header)[0]);
  });

  test('reaches targets above 4 GiB', () => {
    m.add(addAndGo(A, 1, 0x7fff_ffff_f000));
    m.add(done(0x7fff_ffff_f000, 2));
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(3n);
  });
});

describe('leaving on the way', () => {
  test.each([
    ['goto_tb', addAndGo(A, 1, B)],
    ['lookup_and_goto_ptr', goIndirect(A)],
  ])('%s polls CONTROL', (_name, tb) => {
    m.add(tb);
    m.add(done(B, 1));
    m.set('rcx', BigInt(B));
    m.setI32(CPU.CONTROL, CONTROL.SIGNAL);
    expect(m.run(A)).toBe(EXIT.POLL);
    expect(m.get('rip')).toBe(BigInt(B));
    m.setI32(CPU.CONTROL, 0);
    expect(m.run()).toBe(DONE);
  });

  test.each([
    ['goto_tb', addAndGo(A, 1, B)],
    ['lookup_and_goto_ptr', goIndirect(A)],
  ])('%s returns after each TB under NO_CHAIN', (_name, tb) => {
    const header = m.add(tb);
    m.add(done(B, 1));
    m.set('rcx', BigInt(B));
    m.setI32(CPU.RUN_FLAGS, RUN_FLAG.NO_CHAIN);
    expect(m.run(A)).toBe(EXIT.STEP);
    expect(m.get('rip')).toBe(BigInt(B));
    for (const link of m.links(header)) expect(m.word(link)).toBe(0);
    expect(m.run()).toBe(DONE);
  });

  test('fuel runs out after as many jumps', () => {
    m.add(addAndGo(A, 1, A));
    m.setI32(CPU.FUEL, 10);
    expect(m.run(A)).toBe(EXIT.YIELD);
    expect(m.get('rax')).toBe(10n);
    expect(m.get('rip')).toBe(BigInt(A));
  });

  test('fuel is kept over other exits', () => {
    m.add(addAndGo(A, 1, B));
    m.add(done(B, 0));
    m.setI32(CPU.FUEL, 10);
    for (let i = 1; i < 10; i++) expect(m.run(A)).toBe(DONE);
    expect(m.i32(CPU.FUEL)).toBe(1);
    expect(m.run(A)).toBe(EXIT.YIELD);
    expect(m.get('rip')).toBe(BigInt(B));
  });

  test('a TB gets hot once, after its threshold of entries', () => {
    const header = m.add(addAndGo(A, 1, A), 3);
    expect(m.run(A)).toBe(EXIT.HOT);
    expect(m.get('rax')).toBe(3n);
    expect(m.get('rip')).toBe(BigInt(A));
    expect(m.i32(CPU.CUR_TB) >>> 0).toBe(header);
    expect(m.word(header + TB.HEAT)).toBe(HEAT_OFF);
    m.setI32(CPU.FUEL, 1000);
    expect(m.run(A)).toBe(EXIT.YIELD);
  });
});

describe('table slots', () => {
  const region = (pc: number, slot: number, f: (cpu: number) => number): number => {
    const header = m.add(done(pc, 1000));
    m.setSlot(slot, f);
    m.setWord(header + TB.SLOT, slot);
    return header;
  };

  test('a region that gives 0 goes on at rip', () => {
    const seen: number[] = [];
    region(A, 3, (cpu) => {
      seen.push(cpu >>> 0);
      m.set('rip', BigInt(B));
      return 0;
    });
    m.add(done(B, 1));
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(1n);
    expect(seen).toEqual([m.cpu]);
  });

  test('a region that gives a reason leaves with it', () => {
    m.add(addAndGo(B, 1, A));
    region(A, 3, () => {
      m.set('rip', 0x1234n);
      return EXIT.POLL;
    });
    expect(m.run(B)).toBe(EXIT.POLL);
    expect(m.i32(CPU.EXIT_REASON)).toBe(EXIT.POLL);
    expect(m.get('rip')).toBe(0x1234n);
  });

  test('chained TBs notice a region that comes later', () => {
    m.add(addAndGo(A, 1, B));
    const next = m.add(done(B, 10));
    expect(m.run(A)).toBe(DONE);
    m.setSlot(4, () => EXIT.UNIMPLEMENTED);
    m.setWord(next + TB.SLOT, 4);
    expect(m.run(A)).toBe(EXIT.UNIMPLEMENTED);
  });

  test.each([RUN_FLAG.INTERP_ONLY, RUN_FLAG.NO_CHAIN])('are not entered with RUN_FLAGS %d', (flags) => {
    region(A, 3, () => EXIT.POLL);
    m.setI32(CPU.RUN_FLAGS, flags);
    expect(m.run(A)).toBe(DONE);
    expect(m.get('rax')).toBe(1000n);
  });

  test('a slot that another thread has filled asks for installation', () => {
    const header = m.add(done(A, 1));
    m.core.table.set(9, m.core.stub);
    m.setWord(header + TB.SLOT, 9);
    expect(m.run(A)).toBe(EXIT.INSTALL);
    expect(m.exitArgs[0]).toBe(9n);
  });

  test("a slot beyond this thread's table asks for installation", () => {
    const header = m.add(done(A, 1));
    const beyond = m.core.table.length;
    m.setWord(header + TB.SLOT, beyond);
    expect(m.run(A)).toBe(EXIT.INSTALL);
    expect(m.exitArgs[0]).toBe(BigInt(beyond));
  });
});

describe('counts', () => {
  const counts = (): (bigint | number)[] => [m.i64(CPU.TB_EXECS), m.i64(CPU.INSN_EXECS)];

  test('of TBs and instructions', () => {
    m.add(addAndGo(A, 1, B, 4));
    m.add(addAndGo(B, 1, A, 3));
    m.setI32(CPU.FUEL, 5);
    expect(m.run(A)).toBe(EXIT.YIELD);
    expect(counts()).toEqual([5n, 18n]);
    m.setI32(CPU.RUN_FLAGS, RUN_FLAG.NO_CHAIN);
    expect(m.run(A)).toBe(EXIT.STEP);
    expect(counts()).toEqual([6n, 22n]);
  });

  test('of a TB whose jump finds nothing', () => {
    m.add(addAndGo(A, 1, B, 4));
    expect(m.run(A)).toBe(EXIT.TRANSLATE);
    expect(counts()).toEqual([1n, 4n]);
  });

  test('leave out the instructions that a fault kept from running', () => {
    const b = new IrBuilder(A);
    const host = b.temp('i32');
    b.insnStart(A, -1);
    b.insnStart(A + 1, -1);
    b.emit('guard_r', [host, b.i64(0x9000_0000)], [4]);
    b.free(host);
    b.insnStart(A + 2, -1);
    b.emit('exit', [], [DONE, 0, A + 3]);
    m.add(b.finish(3));
    expect(m.run(A)).toBe(EXIT.PAGE_FAULT);
    expect(counts()).toEqual([1n, 1n]);
  });
});
