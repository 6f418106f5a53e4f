/**
 * Forms of the integer instructions, from the lifter's rows: widths, registers low, high and equal, memory by every kind of address, LOCK and REP. In: rows. Out: machine code.
 */
import { parseEncoding, VEX_MAP } from '../../frontend/x86-64/encoding.js';
import { isInsn, decode, mnemonicOf, rowKey } from '../../frontend/x86-64/decoder.js';
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
import { FLAG } from '../../src/guest/flags.js';
import { opcodeBytes, seededRandom } from '../fuzz/decoder-generate.js';
import { codeReader } from '../support/insn-machine.js';
import { CODE, DATA } from '../support/integer-state.js';
import type { Random } from './integer-state-maker.js';

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
  ...systemRows,
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

/** Not run alone, with the reason. */
const EXCLUDED: readonly (readonly [RegExp, string])[] = [
  [/^(retf|iret)/, 'privileges: the guest program faults has them'],
  [/^(j|loop|call|ret|jmp)/, 'branches: within sequences'],
  [/^(syscall|sysenter|int|int1|int3|ud\d|rsm)$/, 'leave the instruction stream'],
  [/^(rdrand|rdseed|rdpid)$/, 'random numbers, and the number of the CPU'],
  [/^(cpuid|rdtscp?|xgetbv|xsave\w*|xrstor\w*|monitor|mwait)$/, 'the processors differ'],
  [/^int1$/, 'virtual machines report it otherwise'],
  [/^(sgdt|sidt|smsw|sldt|str)$/, 'Linux answers these, and always calls a fault SEGV_MAPERR'],
  [/^(fxsave|fxrstor|ldmxcsr|stmxcsr|wait)/, 'x87 and SSE state'],
  [/^(rdfsbase|wr[fg]sbase)$/, 'the C library needs fs'],
  [/^(lar|lsl|ver[rw]|l[sfg]s)$/, 'selectors: within sequences'],
  [/^popf/, 'within sequences: not every flag may be set'],
];
/**
 * Flags that the SDM leaves undefined, where the lifter does not do as the processor of the vectors: their old values would have to be computed first, or the rule is not known.
 */
const UNDEFINED: readonly (readonly [RegExp, number])[] = [
  [/^i?mul/, FLAG.SF | FLAG.ZF | FLAG.AF | FLAG.PF],
  [/^i?div/, FLAG.ARITH],
  [/^bs[fr]/, FLAG.PF],
  [/^[tl]zcnt/, FLAG.OF],
  // Counts past 16.
  [/^sh[lr]d16/, FLAG.ARITH],
];

/** Flags of the form with this text that are not compared. */
export function undefinedFlags(text: string): number {
  return UNDEFINED.find(([name]) => name.test(text))?.[1] ?? 0;
}

/** Names of those flags, for the instruction page. */
export function undefinedFlagNames(mnemonic: string): string {
  const flags = undefinedFlags(mnemonic);
  return (['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const).filter((name) => (flags & FLAG[name]) !== 0).join(' ');
}

/** Why the row is not run alone. */
export function exclusionOf(row: InsnRow): string | undefined {
  return EXCLUDED.find(([name]) => name.test(row.mnemonic))?.[1];
}

/** Lifted rows that `recorded` lacks although nothing above excludes them. */
export function unrecorded(recorded: ReadonlySet<InsnRow>): string[] {
  return INTEGER_ROWS.filter((row) => !isExcluded(row) && !recorded.has(row)).map(rowKey);
}

const isExcluded = (row: InsnRow): boolean =>
  row.lift === undefined || row.operands.startsWith('S') || /^[FG]S$/.test(row.operands) || EXCLUDED.some(([name]) => name.test(row.mnemonic));

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
        const withReg = (t: Tail): number[] => (reg < 0 ? [...t.bytes] : [((t.bytes[0] ?? 0) & 0xc7) | (reg << 3), ...t.bytes.slice(1)]);
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

/** `add r15, 1`, which a branch over it leaves out; `dec rdx`. */
const SKIPPED = [0x49, 0x83, 0xc7, 0x01];
const DEC_RDX = [0x48, 0xff, 0xca];

/** Branches, calls and POPF, with code around them: what they do is seen in registers and memory. */
function sequences(): IntegerForm[] {
  const list: IntegerForm[] = [];
  const add = (text: string, cases: number, ...code: readonly (number | readonly number[])[]): void => {
    list.push({ at: 0, code: Uint8Array.from(code.flat()), text, cases });
  };
  for (let cc = 0; cc < 16; cc++) {
    add(`sequence jcc ${cc} short`, 6, 0x70 + cc, 4, SKIPPED);
    add(`sequence jcc ${cc} near`, 3, 0x0f, 0x80 + cc, [4, 0, 0, 0], SKIPPED);
    // cmp eax, ecx and test bl, bl before, in the same TB.
    add(`sequence cmp jcc ${cc}`, 4, 0x39, 0xc8, 0x70 + cc, 4, SKIPPED);
    add(`sequence test jcc ${cc}`, 3, 0x84, 0xdb, 0x70 + cc, 4, SKIPPED);
  }
  for (const [op, name] of [
    [0xe0, 'loopne'],
    [0xe1, 'loope'],
    [0xe2, 'loop'],
    [0xe3, 'jrcxz'],
  ] as const) {
    add(`sequence ${name}`, 8, op, 4, SKIPPED);
    add(`sequence ${name} 67`, 8, 0x67, op, 4, SKIPPED);
  }
  // mov ecx, 5; dec rdx; loop back to dec.
  add('sequence loop back', 3, 0xb9, [5, 0, 0, 0], DEC_RDX, 0xe2, 0xfb);
  add('sequence loopne back', 6, 0xb9, [5, 0, 0, 0], 0x80, 0xc2, 0x33, 0xe0, 0xfb);
  add('sequence call near', 4, 0xe8, [4, 0, 0, 0], SKIPPED);
  add('sequence call ret', 4, 0xe8, [2, 0, 0, 0], 0xeb, 5, SKIPPED, 0xc3);
  add('sequence ret imm', 4, 0xe8, [2, 0, 0, 0], 0xeb, 7, SKIPPED, 0xc2, [8, 0]);
  add('sequence jmp short', 2, 0xeb, 4, SKIPPED);
  add('sequence jmp near', 2, 0xe9, [4, 0, 0, 0], SKIPPED);
  // lea rax, [rip+6]; jmp rax.
  add('sequence jmp rax', 2, 0x48, 0x8d, 0x05, [6, 0, 0, 0], 0xff, 0xe0, SKIPPED);
  add('sequence call rax', 2, 0x48, 0x8d, 0x05, [6, 0, 0, 0], 0xff, 0xd0, SKIPPED);
  // lea rax, [rip+10]; mov [rsi], rax; jmp, call [rsi].
  add('sequence jmp [rsi]', 2, 0x48, 0x8d, 0x05, [9, 0, 0, 0], 0x48, 0x89, 0x06, 0xff, 0x26, SKIPPED);
  add('sequence call [rsi]', 2, 0x48, 0x8d, 0x05, [9, 0, 0, 0], 0x48, 0x89, 0x06, 0xff, 0x16, SKIPPED);
  // and dword [rsp], the flags that may be set; popf; pushf.
  for (const [n, prefix] of [[], [0x66]].entries()) {
    add(`sequence popf ${n}`, 8, 0x81, 0x24, 0x24, [0xd5, 0x0c, 0x20, 0x00], prefix, 0x9d, prefix, 0x9c);
    add(`sequence popf jcc ${n}`, 4, 0x81, 0x24, 0x24, [0xd5, 0x0c, 0x00, 0x00], prefix, 0x9d, 0x7f, 4, SKIPPED);
  }
  // Selectors: mov eax, imm; mov ds, eax; mov ecx, ds. And of gs, whose base is read too: rdgsbase rdx.
  for (const selector of [0, 1, 3, 0x10, 0x20, 0x23, 0x28, 0x2b, 0x33, 0x34, 0x53, 0x78, 0x7b, 0xfff8]) {
    const [low, high] = [selector & 0xff, selector >> 8];
    const load = [0xb8, low, high, 0x34, 0x12];
    add(`sequence ds ${selector}`, 1, load, 0x8e, 0xd8, 0x8c, 0xd9);
    add(`sequence ss ${selector}`, 1, load, 0x8e, 0xd0, 0x8c, 0xd1);
    add(`sequence gs ${selector}`, 1, load, 0x8e, 0xe8, 0x8c, 0xe9, [0xf3, 0x48, 0x0f, 0xae, 0xca]);
    add(`sequence push pop gs ${selector}`, 1, 0x68, low, high, 0x34, 0x12, [0x0f, 0xa9], [0x0f, 0xa8], 0x66, [0x0f, 0xa8]);
    for (const width of [0x66, 0x90, 0x48]) {
      add(`sequence lar ${selector} ${width}`, 2, load, width, [0x0f, 0x02, 0xc8]);
      // That of 0x78 tells the number of the CPU.
      if (selector >> 3 !== 15) add(`sequence lsl ${selector} ${width}`, 2, load, width, [0x0f, 0x03, 0xc8]);
    }
    add(`sequence verr ${selector}`, 2, load, [0x0f, 0x00, 0xe0]);
    add(`sequence verw ${selector}`, 2, load, [0x0f, 0x00, 0xe8]);
    // mov dword [rsi], edx; mov word [rsi+4], ax; lgs ecx, [rsi].
    add(`sequence lgs ${selector}`, 1, load, [0x89, 0x16], [0x66, 0x89, 0x46, 0x04], [0x0f, 0xb5, 0x0e], [0x8c, 0xed]);
  }
  // REP over pages, up to one that can't be written: mov ecx, imm; std or cld; rep.
  for (const [name, op] of [
    ['movsb', [0xa4]],
    ['movsq', [0x48, 0xa5]],
    ['stosd', [0xab]],
    ['stosw', [0x66, 0xab]],
    ['lodsq', [0x48, 0xad]],
  ] as const)
    for (const direction of [0xfc, 0xfd])
      for (const count of [0x210, 0x1100]) {
        const prefixes = op.length === 1 ? [0xf3] : op[0] === 0x66 ? [0x66, 0xf3] : [0xf3, 0x48];
        add(`sequence rep ${name} ${direction} ${count}`, 2, 0xb9, count & 0xff, count >> 8, 0, 0, direction, prefixes, op.slice(-1));
      }
  add('sequence repne scasb', 3, 0xb9, [0, 0x20, 0, 0], 0x31, 0xc0, [0xf2, 0xae]);
  add('sequence repe cmpsb', 3, 0xb9, [0, 0x20, 0, 0], [0xf3, 0xa6]);
  add('sequence ud2', 1, 0x0f, 0x0b);
  add('sequence int3', 1, 0xcc, 0x90);
  add('sequence int 3', 1, 0xcd, 0x03, 0x90);
  add('sequence int 0x10', 1, 0xcd, 0x10, 0x90);
  add('sequence hlt', 1, 0xf4, 0x90);
  add('sequence cli', 1, 0xfa, 0x90);
  add('sequence in', 1, 0xec, 0x90);
  add('sequence rdmsr', 1, 0x0f, 0x32, 0x90);
  add('sequence jmp not canonical', 1, 0x48, 0xb8, [0, 0, 0, 0, 0, 0x80, 0, 0], 0xff, 0xe0);
  return list;
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

/** Every form, in a fixed order. */
export function integerForms(): IntegerForm[] {
  const forms = new Forms();
  INTEGER_ROWS.forEach((row, i) => {
    if (!isExcluded(row)) forms.row(row, i);
  });
  const placed = [...forms.list, ...sequences()].map((form, i) => ({ ...form, at: CODE + SPACING * i }));
  return [...placed, ...relativeForms(placed.length)];
}
