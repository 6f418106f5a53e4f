/**
 * What the generator of sequences knows of the instruction rows: which it takes, families, flags, registers that are changed without being named. In: rows. Out: GenRow.
 */
import { type Encoding, parseEncoding } from '../../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../../frontend/x86-64/insn.js';
import { allRows } from '../../../frontend/x86-64/insns/all-rows.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { FLAG } from '../../../src/guest/flags.js';
import { ALL_FLAGS, type FlagUse } from './program.js';

export type Family = 'integer' | 'flags' | 'stack' | 'x87' | 'mmx' | 'sse' | 'vex' | 'fma' | 'bmi' | 'system';

/** An operand's letters, taken apart: 'Ev/w' is { letter: 'E', size: 'v', memory: 'w' }. */
export interface OperandCode {
  readonly letter: string;
  readonly size: string;
  readonly memory: string;
}

export interface GenRow {
  readonly row: InsnRow;
  readonly encoding: Encoding;
  readonly operands: readonly OperandCode[];
  readonly family: Family;
  readonly flags: FlagUse;
  /** General registers that it writes beside its first operand. */
  readonly clobbers: readonly number[];
  /** Its operand size follows prefixes. */
  readonly sized: boolean;
  /** Its second operand is written too. */
  readonly writesSecond: boolean;
  /** A memory operand must be aligned to its size, or #GP. */
  readonly aligned: boolean;
}

/** Rows that are no part of random sequences, or not as single instructions, with the reason. */
const EXCLUDED: readonly (readonly [RegExp, string])[] = [
  [
    /^(j\w+|loop\w*|call|ret\w?|int\w*|syscall|ud\d|sysenter|iret.*|rsm)$/,
    'control flow: structure.ts makes it; far ones and kernel entries are not for sequences',
  ],
  [
    /^(movs[bw]|cmps[bw]|stos|lods|scas)/,
    'strings: structure.ts makes them, with pointers and counts (operands tell them from SSE)',
  ],
  [/^(push\w*|pop|popf.*|enter|leave)$/, 'the stack: structure.ts keeps it balanced'],
  [/^(rdrand|rdseed|rdpid|rdtscp?|cpuid|xgetbv)$/, 'no two machines agree'],
  [
    /^(f?x(save|rstor)\w*|fldenv|fnstenv|fnsave|frstor)$/,
    'images with pointers that processors keep differently: structure.ts puts them where nothing else looks',
  ],
  [
    /^(l[sfg]s|lar|lsl|ver[rw]|s[gi]dt|sldt|str|smsw|[rw][dr]fsbase|wrgsbase)$/,
    'segments and system tables: vectors have them',
  ],
  [/^(monitor|mwait)$/, 'privileged here'],
  [/^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsincos|fsin|fcos)$/, 'to within 1 ulp only'],
  [/^v?r(cp|sqrt)[ps]s$/, 'within an error bound only'],
];
const STRINGS = /^(movs[bw]|cmps[bw]|stosb?|stosw|lods[bw]|scas[bw])(\/|$)/;

/** Those that structure.ts makes. */
const STRUCTURED = /^(div|idiv|fldcw|v?ldmxcsr|v?stmxcsr|xlatb|v?maskmov(q|dqu)|vp?gather\w+|emms|fninit|vzeroall)$/;

const isString = (row: InsnRow): boolean => STRINGS.test(row.mnemonic) && /[XY]/.test(row.operands);

/** Why no sequence has the row as a single instruction; undefined when one may. */
export function exclusionOf(row: InsnRow): string | undefined {
  if (row.lift === undefined) return 'not lifted';
  if (row.attrs?.includes('privileged') === true) return 'privileged';
  if (/(^|,)(S|C|D)[a-z]|^[FG]S|,[FG]S/.test(row.operands)) return 'segments: vectors have them';
  if (STRUCTURED.test(row.mnemonic)) return 'structure.ts makes it';
  const found = EXCLUDED.find(([names], i) => names.test(row.mnemonic) && (i !== 1 || isString(row)));
  return found?.[1];
}

const { CF, PF, AF, ZF, SF, OF } = FLAG;
/** Flags of the sixteen conditions, by opcode bits 3..1. */
const CONDITION_FLAGS = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, SF | OF | ZF] as const;
export const conditionFlags = (cc: number): number => CONDITION_FLAGS[(cc >> 1) & 7] ?? 0;

const FLAG_RULES: readonly (readonly [RegExp, FlagUse])[] = [
  [
    /^(add|sub|cmp|neg|and|or|xor|test|xadd|cmpxchg|popcnt|andn|bextr|blsr|blsmsk|blsi|bzhi|v?ptest|vtestp[sd]|v?u?comis[sd]|fu?comip?|v?pcmp[ei]str.*)$/,
    { reads: 0, kills: ALL_FLAGS, undefines: 0 },
  ],
  [/^(adc|sbb)$/, { reads: CF, kills: ALL_FLAGS, undefines: 0 }],
  [/^(rcl|rcr)$/, { reads: CF, kills: 0, undefines: 0 }],
  [/^(inc|dec)$/, { reads: 0, kills: PF | AF | ZF | SF | OF, undefines: 0 }],
  [/^(stc|clc|bt[src]?)$/, { reads: 0, kills: CF, undefines: 0 }],
  [/^cmc$/, { reads: CF, kills: 0, undefines: 0 }],
  [/^adcx$/, { reads: CF, kills: CF, undefines: 0 }],
  [/^adox$/, { reads: OF, kills: OF, undefines: 0 }],
  [/^lahf$/, { reads: CF | PF | AF | ZF | SF, kills: 0, undefines: 0 }],
  [/^sahf$/, { reads: 0, kills: CF | PF | AF | ZF | SF, undefines: 0 }],
  [/^pushf/, { reads: ALL_FLAGS, kills: 0, undefines: 0 }],
  [/^cmpxchg(8|16)b$/, { reads: 0, kills: ZF, undefines: 0 }],
  // What the SDM leaves undefined and lift64 does not do as the processor (tests/vectors/integer-forms.ts).
  [/^i?mul$/, { reads: 0, kills: CF | OF, undefines: SF | ZF | AF | PF }],
  [/^i?div$/, { reads: 0, kills: 0, undefines: ALL_FLAGS }],
  [/^bs[fr]$/, { reads: 0, kills: ALL_FLAGS & ~PF, undefines: PF }],
  [/^[tl]zcnt$/, { reads: 0, kills: ALL_FLAGS & ~OF, undefines: OF }],
  [/^sh[lr]d$/, { reads: 0, kills: 0, undefines: ALL_FLAGS }],
];
const CONDITIONAL = /^(cmov|set)/;
/** FCMOVcc by ModRM.reg bits 1 and 0. */
const FCMOV_FLAGS = [CF, ZF, CF | ZF, PF] as const;

function flagsOf(row: InsnRow, encoding: Encoding): FlagUse {
  if (CONDITIONAL.test(row.mnemonic)) return { reads: conditionFlags(encoding.opcode & 15), kills: 0, undefines: 0 };
  if (row.mnemonic.startsWith('fcmov')) return { reads: FCMOV_FLAGS[encoding.reg & 3] ?? 0, kills: 0, undefines: 0 };
  return FLAG_RULES.find(([names]) => names.test(row.mnemonic))?.[1] ?? { reads: 0, kills: 0, undefines: 0 };
}

const CLOBBERS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^(cbw|lahf)|^fnstsw$/, [GPR.RAX]],
  [/^cwd/, [GPR.RDX]],
  [/^cmpxchg$/, [GPR.RAX]],
  [/^cmpxchg(8|16)b$/, [GPR.RAX, GPR.RDX]],
  [/^mul$|^i?div$/, [GPR.RAX, GPR.RDX]],
  [/^v?pcmp[ei]stri/, [GPR.RCX]],
];

function clobbersOf(row: InsnRow): readonly number[] {
  // IMUL of one operand has ModRM.reg 5.
  if (row.mnemonic === 'imul' && !row.operands.includes(',')) return [GPR.RAX, GPR.RDX];
  if (row.mnemonic === 'fnstsw' && row.operands !== 'AX') return [];
  return CLOBBERS.find(([names]) => names.test(row.mnemonic))?.[1] ?? [];
}

function familyOf(row: InsnRow): Family {
  const { feature, mnemonic, operands } = row;
  if (/^(cmov|set|adc|sbb|inc|dec|rc[lr]|lahf|sahf|cmc|clc|stc|bt[src]?|adcx|adox)/.test(mnemonic)) return 'flags';
  if (/^(nop|pause|.fence|prefetch|endbr|clflush|clwb|wait|rdgsbase|clzero)/.test(mnemonic)) return 'system';
  if (feature === 'fma' || feature === 'f16c') return 'fma';
  if (row.enc.startsWith('VEX.')) return /^(avx|aes|pclmul)/.test(feature) ? 'vex' : 'bmi';
  if (/bmi|lzcnt|popcnt|movbe|adx/.test(feature) || mnemonic === 'crc32') return 'bmi';
  if (feature === 'x87' || mnemonic.startsWith('fisttp')) return 'x87';
  if (/(^|,)[PQN]/.test(operands) || mnemonic === 'emms') return 'mmx';
  return feature === 'base' || feature === 'cx16' ? 'integer' : 'sse';
}

/** VEX moves check alignment; other VEX operands do not, legacy SSE ones of 16 bytes do. */
function isAligned(row: InsnRow): boolean {
  if (/^v?mov(aps|apd|dqa|ntps|ntpd|ntdqa?)$|^cmpxchg16b$/.test(row.mnemonic)) return true;
  if (row.enc.startsWith('VEX.')) return false;
  return /(^|,)[WM](x|ps|pd|dq)\b/.test(row.operands) && !/^(movup[sd]|movdqu|lddqu|pcmp[ei]str)/.test(row.mnemonic);
}

function parseOperand(text: string): OperandCode {
  const [, letter = text, size = '', memory = ''] =
    /^(STi|ST0|AL|AX|CL|DX|rAX|eAX|BA|BD|1|vm|[A-Z])([a-z0-9]*)(?:\/(\w+))?$/.exec(text) ?? [];
  // Of general registers a byte in B is VEX.vvvv.
  return { letter, size, memory: memory === '' ? size : memory };
}

export function genRow(row: InsnRow): GenRow {
  const encoding = parseEncoding(row);
  const operands = row.operands === '' ? [] : row.operands.split(',').map(parseOperand);
  return {
    row,
    encoding,
    operands,
    family: familyOf(row),
    flags: flagsOf(row, encoding),
    clobbers: clobbersOf(row),
    sized: row.mnemonic.includes('/') || operands.some((o) => /^[vzy]$/.test(o.size) || /^[re]AX$/.test(o.letter)),
    writesSecond: /^(xchg|xadd|mulx)$/.test(row.mnemonic),
    aligned: isAligned(row),
  };
}

/** Rows that stand alone in sequences, and all of those that structure.ts asks for by name. */
export const GEN_ROWS: readonly GenRow[] = allRows()
  .filter((row) => exclusionOf(row) === undefined)
  .map(genRow);

/** Lifted rows of a mnemonic, whatever excludes them from standing alone. */
export function rowsNamed(pattern: RegExp): readonly GenRow[] {
  return allRows()
    .filter((row) => row.lift !== undefined && pattern.test(row.mnemonic))
    .map(genRow);
}
