/**
 * Forms of the integer instructions, from the lifter's rows: widths, registers low, high and equal, memory by every kind of address, LOCK and REP. In: rows. Out: machine code.
 */
import { parseEncoding, VEX_MAP } from '../../frontend/x86-64/encoding.js';
import { isInsn, decode, mnemonicOf } from '../../frontend/x86-64/decoder.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { arithRows } from '../../frontend/x86-64/insns/arith.js';
import { atomicRows } from '../../frontend/x86-64/insns/atomic.js';
import { bmiRows } from '../../frontend/x86-64/insns/bmi.js';
import { bitRows } from '../../frontend/x86-64/insns/bit.js';
import { branchRows } from '../../frontend/x86-64/insns/branch.js';
import { cmovSetccRows } from '../../frontend/x86-64/insns/cmov-setcc.js';
import { farRows } from '../../frontend/x86-64/insns/far.js';
import { flagsOpsRows } from '../../frontend/x86-64/insns/flags-ops.js';
import { logicRows } from '../../frontend/x86-64/insns/logic.js';
import { movRows } from '../../frontend/x86-64/insns/mov.js';
import { muldivRows } from '../../frontend/x86-64/insns/muldiv.js';
import { shiftRows } from '../../frontend/x86-64/insns/shift.js';
import { stackRows } from '../../frontend/x86-64/insns/stack.js';
import { stringRows } from '../../frontend/x86-64/insns/string.js';
import { systemRows } from '../../frontend/x86-64/insns/system.js';
import { xsaveRows } from '../../frontend/x86-64/insns/xsave.js';
import { opcodeBytes, seededRandom } from '../fuzz/decoder-generate.js';
import { codeReader, decodeOne } from '../support/insn-machine.js';
import { CODE, DATA } from '../support/integer-state.js';
import { fewReason, programReason, withoutReason } from './exclusions.js';
import { AT_LEAST } from './fill.js';
import { integerPrograms } from './integer-programs.js';
import type { Random } from './integer-state-maker.js';
import { formOf } from './table-forms.js';

/** The rows of the integer families. */
export const INTEGER_ROWS: readonly InsnRow[] = [
  ...movRows,
  ...arithRows,
  ...logicRows,
  ...shiftRows,
  ...bitRows,
  ...bmiRows,
  ...muldivRows,
  ...branchRows,
  ...farRows,
  ...stackRows,
  ...stringRows,
  ...flagsOpsRows,
  ...cmovSetccRows,
  ...atomicRows,
  ...systemRows.filter((row) => !/mxcsr$/.test(row.mnemonic)),
  ...xsaveRows,
];

export interface IntegerForm {
  /** Address of its first byte. */
  readonly at: number;
  readonly code: Uint8Array;
  readonly text: string;
  /** States that it deserves. */
  readonly cases: number;
}

/** Bytes between the addresses of forms. */
export const SPACING = 64;

const isRunAlone = (row: InsnRow): boolean => programReason(row) === undefined && withoutReason(row) === undefined;

const [REX_W, REX_R, REX_B] = [0x48, 0x44, 0x41] as const;

/** Bytes of the immediate that an operand stands for, at an operand size. */
function immediateBytes(operand: string, size: number, random: Random): number[] {
  const bytes = (n: number): number[] => Array.from({ length: n }, () => random(256));
  switch (operand) {
    case 'Ib':
    case 'Ibs':
      return random(3) === 0 ? [[0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0] : bytes(1);
    case 'Iw':
      return [8 * random(5), 0];
    case 'Iz':
      return bytes(size === 2 ? 2 : 4);
    case 'Iv':
      return bytes(size);
    default:
      return [];
  }
}

/** A ModRM byte with what follows, for a ModRM.reg of `reg`; prefixes that go with it. */
interface Tail {
  readonly name: string;
  readonly prefixes: readonly number[];
  readonly bytes: readonly number[];
}
const registers = (name: string, rex: number, reg: number, rm: number): Tail => ({
  name,
  prefixes: rex === 0 ? [] : [rex],
  bytes: [0xc0 | ((reg & 7) << 3) | (rm & 7)],
});
const memory = (name: string, prefixes: readonly number[], reg: number, bytes: readonly number[]): Tail => ({
  name,
  prefixes,
  bytes: [(bytes[0] ?? 0) | ((reg & 7) << 3), ...bytes.slice(1)],
});

const REGISTER_TAILS: readonly Tail[] = [
  registers('low', 0, 0, 1),
  registers('high', REX_R | REX_B, 1, 6),
  registers('equal', 0, 3, 3),
  registers('acc', 0, 2, 0),
];
/** Of bytes: AH to BH, and SIL, DIL. */
const BYTE_TAILS: readonly Tail[] = [registers('high8', 0, 4, 7), registers('mixed8', 0, 0, 4), registers('rex8', 0x40, 6, 7)];
const MEMORY_TAILS: readonly Tail[] = [
  memory('[rsi+d8]', [], 0, [0x46, 0x10]),
  memory('[r9+r10*4+d32]', [0x43], 1, [0x84, 0x91, 0xf0, 0xff, 0xff, 0xff]),
  memory('[rsp+rbx+d8]', [], 2, [0x44, 0x1c, 0xf8]),
  memory('[ebx+ecx*2]', [0x67], 0, [0x04, 0x4b]),
  memory('gs:[rdi]', [0x65], 2, [0x07]),
  memory('[disp32]', [], 1, [0x04, 0x25, 0xfc, 0x0f, 0x00, 0x10]),
  memory('[rbp+rbp*4]', [], 0, [0x44, 0xad, 0x00]),
  memory('[r13*8+d32]', [0x42], 3, [0x04, 0xed, 0x04, 0x00, 0x00, 0x00]),
];

/** Operand-size prefixes that a row makes something of. */
function widths(row: InsnRow): readonly (readonly number[])[] {
  const { rexW } = parseEncoding(row);
  if (rexW === 1) return [[REX_W]];
  if (!/[vzy]|rAX/.test(row.operands.replace(/Ib|Iw/g, '')) && !row.mnemonic.includes('/')) return [[]];
  // With 66, AMD reads 32 bits of MOVSXD's source, Intel 16: seen where a page ends.
  if (row.mnemonic === 'movsxd') return [[], [REX_W]];
  return row.attrs?.includes('d64') === true ? [[], [0x66]] : [[], [0x66], [REX_W]];
}

const merge = (a: readonly number[], b: readonly number[]): number[] => {
  const all = [...a, ...b];
  const rex = all.filter((x) => (x & 0xf0) === 0x40).reduce((x, y) => x | y, 0);
  return [...all.filter((x) => (x & 0xf0) !== 0x40), ...(rex === 0 ? [] : [rex])];
};

/** States a form deserves: where flags or special values matter, more. */
function casesOf(mnemonic: string): number {
  if (/^(sh|sa|ro|rc)[lr]|^sh[lr]d/.test(mnemonic)) return 10;
  if (/^(bextr|bzhi|pdep|pext|mulx)$|^i?div$|^i?mul$|^bs[fr]|cnt$|^cmpxchg/.test(mnemonic)) return 8;
  if (/^(nop|prefetch|endbr)/.test(mnemonic)) return 1;
  return /^(cmov|set)/.test(mnemonic) ? 3 : 4;
}

class Forms {
  readonly list: IntegerForm[] = [];
  private readonly seen = new Set<string>();
  private readonly random = seededRandom(7);

  /** Adds the form when its bytes decode to `row`. */
  add(row: InsnRow, name: string, prefixes: readonly number[], tail: readonly number[], low: number, cases: number): void {
    const size = prefixes.includes(0x66) ? 2 : prefixes.some((p) => (p & 0xf8) === 0x48) ? 8 : row.attrs?.includes('d64') === true ? 8 : 4;
    const isEnter = row.operands === 'Iw,Ib';
    const immediates = isEnter
      ? [8 * this.random(5), 0, this.random(5)]
      : row.operands.split(',').flatMap((o) => immediateBytes(o, size, this.random));
    const offset = /O[bv]/.test(row.operands) ? [0xfe, 0x0f, 0x00, 0x10, ...(prefixes.includes(0x67) ? [] : [0, 0, 0, 0])] : [];
    const code = Uint8Array.from([...opcodeBytes(row, prefixes, low), ...tail, ...immediates, ...offset]);
    const insn = decode(codeReader(code, CODE), CODE);
    if (!isInsn(insn) || insn.row !== row || insn.length !== code.length) return;
    const key = Buffer.from(code).toString('hex');
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const isShort = /^sh[lr]d$/.test(row.mnemonic) && size === 2;
    const text = `${mnemonicOf(insn)}${isShort ? '16' : ''} ${row.operands} ${name}`.trimEnd();
    this.list.push({ at: 0, code, text, cases });
  }

  row(row: InsnRow, index: number): void {
    const { hasModrm, reg, mod, rm, plusReg, map } = parseEncoding(row);
    // Of VEX forms, several registers in vvvv.
    const lows = map > VEX_MAP ? [0, 1, 2, 3] : [0];
    const cases = casesOf(row.mnemonic);
    const isShiftByImmediate = /^(sh|sa|ro|rc)[lr]/.test(row.mnemonic) && row.operands.endsWith('Ib');
    const repeats = row.attrs?.includes('rep') === true ? [[], [0xf3], [0xf2]] : [[]];
    for (const width of widths(row))
      for (const rep of repeats) {
        const prefixes = [...rep, ...width];
        if (!hasModrm) {
          this.add(row, '', prefixes, [], 0, 2 * cases);
          if (plusReg) for (const low of [3, 4, 6]) this.add(row, `+${low}`, prefixes, [], low, cases);
          if (plusReg) this.add(row, '+12', merge(prefixes, [REX_B]), [], 4, cases);
          if (/[XYOB]/.test(row.operands)) this.add(row, '67', [0x67, ...prefixes], [], 0, cases);
          continue;
        }
        if (rm >= 0) {
          this.add(row, '', prefixes, [0xc0 | (reg << 3) | rm], 0, 1);
          continue;
        }
        // Of hints in memory, the lower numbers are rows of their own.
        const number = reg < 0 && row.mnemonic === 'nop' ? 5 : reg;
        const withReg = (t: Tail): number[] =>
          number < 0 ? [...t.bytes] : [((t.bytes[0] ?? 0) & 0xc7) | (number << 3), ...t.bytes.slice(1)];
        const tails = mod === 0 ? [] : row.operands.includes('b') ? [...REGISTER_TAILS, ...BYTE_TAILS] : REGISTER_TAILS;
        for (const t of tails)
          for (const low of lows)
            this.add(row, low === 0 ? t.name : `${t.name} ${low}`, merge(t.prefixes, prefixes), withReg(t), low, cases);
        if (isShiftByImmediate)
          for (let n = 0; n < 6; n++) this.add(row, `low ${n}`, prefixes, withReg(registers('', 0, 0, 1)), 0, cases);
        if (mod === 1) continue;
        for (const [n, t] of MEMORY_TAILS.entries()) {
          const isWanted = n === 0 || (n + index) % 4 === 0 || /^(mov|add|lea)$/.test(row.mnemonic);
          if (isWanted) this.add(row, t.name, merge(t.prefixes, prefixes), withReg(t), lows.length === 1 ? 0 : n & 3, cases);
          if (isWanted && row.attrs?.includes('lock') === true)
            this.add(row, `lock ${t.name}`, [0xf0, ...merge(t.prefixes, prefixes)], withReg(t), 0, cases);
        }
      }
  }
}

/** Displacements from rip, which reach window A from the address of `n`. */
function relativeForms(first: number): IntegerForm[] {
  const form = (n: number, text: string, opcode: readonly number[], immediate: readonly number[] = []): IntegerForm => {
    const at = CODE + SPACING * (first + n);
    const d = DATA + 0xffc - (at + opcode.length + 4 + immediate.length);
    const displacement = [d & 0xff, (d >> 8) & 0xff, (d >> 16) & 0xff, (d >> 24) & 0xff];
    return { at, code: Uint8Array.from([...opcode, ...displacement, ...immediate]), text, cases: 3 };
  };
  return [
    form(0, 'mov eax, [rip+d32]', [0x8b, 0x05]),
    form(1, 'add [rip+d32], imm32', [0x81, 0x05], [1, 2, 3, 0x84]),
    form(2, 'lea rax, [rip+d32]', [0x48, 0x8d, 0x05]),
  ];
}

/** The forms with so many cases each that every form of the tables gets what is wanted, no form more than its seeds. */
function withCases(forms: readonly IntegerForm[]): IntegerForm[] {
  const groups = new Map<string, { readonly row: InsnRow; readonly members: number[] }>();
  forms.forEach(({ code, at }, i) => {
    const { key, row } = formOf(decodeOne(code, at));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, members: [i] });
    else group.members.push(i);
  });
  const cases = forms.map((form) => form.cases);
  for (const { row, members } of groups.values()) {
    if (fewReason(row) !== undefined) continue;
    for (let sum = members.reduce((n, i) => n + (cases[i] ?? 0), 0), k = 0; sum < AT_LEAST; sum++, k++) {
      const i = members[k % members.length] ?? 0;
      cases[i] = (cases[i] ?? 0) + 1;
    }
  }
  return forms.map((form, i) => ({ ...form, cases: cases[i] ?? 0 }));
}

/** Every form, in a fixed order. */
export function integerForms(): IntegerForm[] {
  const forms = new Forms();
  INTEGER_ROWS.forEach((row, i) => {
    if (isRunAlone(row)) forms.row(row, i);
  });
  const at = (form: IntegerForm, i: number): IntegerForm => ({ ...form, at: CODE + SPACING * i });
  const placed = [...withCases(forms.list.map(at)), ...integerPrograms()].map(at);
  return [...placed, ...relativeForms(placed.length)];
}
