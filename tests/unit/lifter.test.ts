/** Every row in all its operand forms: the IR builds, verifies before and after each pass, is precise, and fits the interpreter's frame. */
import { HEAT_OFF } from '../../src/guest/tb-header.js';
import { describe, expect, test } from '@jest/globals';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { allRows, decode, isInsn, rowKey } from '../../frontend/x86-64/decoder.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { EXC, EXIT } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { STRIDE, tableStrings } from '../fuzz/decoder-generate.js';
import { codeReader } from '../support/insn-machine.js';
import { impreciseOps } from '../support/precise.js';

const PC = 0x40_1000;
/** One form in so many, and the first of each row. */
const EVERY = 61;
const MAX_TB_INSNS = 64;

/** The IR of the instructions in `code`. */
const lift = (code: Uint8Array, pc = PC): Tb => translate(codeReader(code, pc), pc, { maxInsns: MAX_TB_INSNS });
const names = (tb: Tb): string[] => tb.ops.map((op) => op.name);
const hexed = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Instructions of `row`, without what follows them in their strings. */
function formsOf(row: InsnRow): Uint8Array[] {
  const strings = tableStrings([row], 1, EVERY);
  const forms: Uint8Array[] = [];
  for (let at = 0; at < strings.length; at += STRIDE) {
    const code = strings.subarray(at, at + STRIDE);
    const insn = decode(codeReader(code, PC), PC);
    if (isInsn(insn) && insn.row === row) forms.push(code.slice(0, insn.length));
  }
  return forms;
}

const repeated = (code: Uint8Array, times: number): Uint8Array =>
  Uint8Array.from(Array.from({ length: times }, () => [...code]).flat());

describe('every form of every row', () => {
  const families = new Map<string, InsnRow[]>();
  for (const row of allRows()) families.set(row.feature, [...(families.get(row.feature) ?? []), row]);
  for (const [feature, rows] of families) {
    test(feature, () => {
      for (const row of rows)
        for (const code of formsOf(row)) {
          const tb = lift(code);
          verifyTb(tb);
          expect([rowKey(row), impreciseOps(tb)]).toEqual([rowKey(row), []]);
          optimise(tb, PASSES, verifyTb);
        }
    });
  }
});

test('64 instructions of each row fit the frame of the interpreter', () => {
  const view = new Int32Array(1 << 18);
  for (const row of allRows()) {
    const [code] = formsOf(row);
    if (code === undefined) continue;
    const tb = lift(repeated(code, MAX_TB_INSNS));
    for (const version of [tb, optimise(tb, PASSES)]) encodeTb(version, view, () => 64, HEAT_OFF);
  }
});

describe('the check of precision', () => {
  const build = (emit: (b: IrBuilder) => void): Tb => {
    const b = new IrBuilder(PC);
    b.insnStart(PC, -1);
    emit(b);
    b.emit('goto_tb', [], [0, PC + 1]);
    b.emit('exit_tb', [], [0]);
    return b.finish(1);
  };

  test('sees a guard after a write to a global', () => {
    const tb = build((b) => {
      const host = b.temp('i32');
      b.emit('mov_i64', [G.reg(0), b.i64(1)]);
      b.emit('guard_r', [host, G.reg(1)], [8]);
      b.free(host);
    });
    expect(impreciseOps(tb)).toHaveLength(1);
  });

  test('sees it on one of two paths, and not where the write is on the other', () => {
    const paths = (writes: boolean): Tb =>
      build((b) => {
        const label = b.label();
        const host = b.temp('i32');
        if (writes) b.emit('mov_i64', [G.reg(0), b.i64(1)]);
        b.emit('brcond_i64', [G.reg(1), b.i64(0)], ['eq', label]);
        b.emit('mov_i64', [G.reg(0), b.i64(1)]);
        b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 1]);
        b.emit('set_label', [], [label]);
        b.emit('guard_r', [host, G.reg(1)], [8]);
        b.free(host);
      });
    expect(impreciseOps(paths(true))).toHaveLength(1);
    expect(impreciseOps(paths(false))).toHaveLength(0);
  });
});

describe('translation', () => {
  test('SYSCALL and INT 0x80 leave with the address of the next instruction', () => {
    expect(lift(hexed('0f05')).ops.at(-1)).toMatchObject({ name: 'exit', imms: [EXIT.SYSCALL, 0, PC + 2] });
    expect(lift(hexed('cd80')).ops.at(-1)).toMatchObject({ name: 'exit', imms: [EXIT.INT80, 0, PC + 2] });
  });

  test('the debug switch for a late pc leaves it at the instruction', () => {
    const tb = translate(codeReader(hexed('0f05'), PC), PC, { maxInsns: 64, latePc: true });
    expect(tb.ops.at(-1)).toMatchObject({ imms: [EXIT.SYSCALL, 0, PC] });
  });

  test('INT3 traps behind itself, UD2 and privileged instructions fault at themselves', () => {
    expect(lift(hexed('cc')).ops.at(-1)?.imms).toEqual([EXIT.EXCEPTION, EXC.BP, PC + 1]);
    expect(lift(hexed('0f0b')).ops.at(-1)?.imms).toEqual([EXIT.EXCEPTION, EXC.UD, PC]);
    expect(lift(hexed('f4')).ops.at(-1)?.imms).toEqual([EXIT.EXCEPTION, EXC.GP, PC]);
  });

  test('a TB ends before what can not be fetched or decoded, which has a TB of its own', () => {
    // nop; then the first byte of a longer instruction; then bytes that are none.
    const short = lift(hexed('90 48'));
    expect([short.insns, short.size]).toEqual([1, 1]);
    expect(short.ops.find((op) => op.name === 'goto_tb')?.imms).toEqual([0, PC + 1]);
    expect(lift(hexed('48')).ops.at(-1)).toMatchObject({ name: 'exit', imms: [EXIT.PAGE_FAULT, PC + 1, PC] });
    expect(lift(hexed('06')).ops.at(-1)?.imms).toEqual([EXIT.EXCEPTION, EXC.UD, PC]);
    expect(lift(repeated(hexed('66'), 16)).ops.at(-1)?.imms).toEqual([EXIT.EXCEPTION, EXC.GP, PC]);
  });

  test('no more instructions than asked for', () => {
    const code = repeated(hexed('90'), 100);
    expect(lift(code).insns).toBe(MAX_TB_INSNS);
    expect(translate(codeReader(code, PC), PC, { maxInsns: 1 }).insns).toBe(1);
  });

  test('jumps out of the user half fault instead of going on', () => {
    // jmp to PC - 0x7ffffffb, which wraps around.
    const tb = lift(hexed('e9 00000080'), 0x1000);
    expect(names(tb)).not.toContain('goto_tb');
    expect(tb.ops.at(-1)).toMatchObject({ name: 'exit', imms: [EXIT.EXCEPTION, EXC.GP, 0x1000] });
    verifyTb(tb);
  });

  test('code beyond the user half is #GP', () => {
    for (const pc of [0x8000_0000_0000, 0x4141_4141_4141_4141])
      expect(lift(hexed('90'), pc).ops.at(-1)?.imms).toMatchObject([EXIT.EXCEPTION, EXC.GP, Math.min(pc, 2 ** 53 - 1)]);
  });

  test('an instruction that is not lifted leaves with UNIMPLEMENTED and is told of', () => {
    const told: string[] = [];
    const tb = translate(codeReader(hexed('0fa2'), PC), PC, {
      maxInsns: 64,
      decode: (reader, addr) => {
        const insn = decode(reader, addr);
        if (!isInsn(insn)) return insn;
        const { enc, mnemonic, operands, feature } = insn.row;
        return { ...insn, row: { enc, mnemonic, operands, feature } };
      },
      unimplemented: (pc, mnemonic) => told.push(`${pc.toString(16)} ${mnemonic}`),
    });
    expect(tb.ops.at(-1)?.imms).toEqual([EXIT.UNIMPLEMENTED, 0, PC]);
    expect(told).toEqual(['401000 cpuid']);
  });
});

test('RORX is a rotation of the operand as it is', () => {
  const names = (code: string): string[] =>
    optimise(lift(hexed(code)), PASSES, verifyTb)
      .ops.map((op) => op.name)
      .slice(0, 4);
  // rorx edx, eax, 11; rorx rdx, rax, 11
  expect(names('c4e37bf0d00b')).toEqual(['insn_start', 'extrl_i64_i32', 'rotr_i32', 'extu_i32_i64']);
  expect(names('c4e3fbf0d00b').slice(0, 2)).toEqual(['insn_start', 'rotr_i64']);
});

describe('lazy flags', () => {
  /** Optimised IR of a TB that compares, then branches. */
  const optimised = (code: string): Tb => optimise(lift(hexed(code)), PASSES, verifyTb);

  test('a comparison and the jump on it need no helper', () => {
    for (const code of [
      '39c8 7400', // cmp eax, ecx; je
      '4839c8 7f00', // cmp rax, rcx; jg
      '38c8 7200', // cmp al, cl; jb
      '85c0 7800', // test eax, eax; js
      '4801c8 7200', // add rax, rcx; jb
      '4829c8 7000', // sub rax, rcx; jo
      '31d2 ffc8 7500', // xor edx, edx; dec eax; jne
      '4811c8 4811d3', // adc; adc
    ]) {
      const helpers = optimised(code).ops.filter((op) => op.name === 'call');
      expect([code, helpers.map((op) => op.imms[0]).slice(code.startsWith('4811') ? 1 : 0)]).toEqual([code, []]);
    }
  });

  test('cc_op is written once, at the end of the TB', () => {
    const tb = optimised('4801c8 4801d3 4801fe 7400');
    const writes = tb.ops.filter((op) => op.args[0] === G.ccOp && op.name.startsWith('mov'));
    expect(writes).toHaveLength(1);
  });

  test('flags that the next instruction overwrites are not computed', () => {
    // imul eax, ecx; bt eax, ecx; xor eax, eax: no helper is left.
    const tb = optimised('0fafc1 0fa3c8 31c0');
    expect(tb.ops.filter((op) => op.name === 'call')).toEqual([]);
  });
});

test('flags that nothing uses are not computed: rotations between logic instructions', () => {
  // rol rcx,1; xor rcx,rax; rol rax,1; xor rax,[rdi]; ror rdx,7; and rdx,rcx; ret
  const code = hexed('48 d1 c1  48 31 c1  48 d1 c0  48 33 07  48 c1 ca 07  48 21 ca  c3');
  const calls = (tb: Tb): number => tb.ops.filter((op) => op.imms[0] === 'cc_compute_all').length;
  expect(calls(lift(code))).toBe(3);
  // A fault of the load shows the flags as the second one leaves them: they follow from the XOR before it alone.
  expect(calls(optimise(lift(code), PASSES))).toBe(1);
});
