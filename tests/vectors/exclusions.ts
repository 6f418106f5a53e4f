/**
 * What the vectors leave out, with the reasons: rows that are not run alone, rows without vectors and the tests that have them instead, forms with few cases, flags that are not compared.
 * In: rows. Out: reasons as text, for the generators, the tests and the instruction page.
 */
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { FLAG } from '../../src/guest/flags.js';

type Reasons = readonly (readonly [RegExp, string])[];
const find = (list: Reasons, row: InsnRow): string | undefined => list.find(([name]) => name.test(row.mnemonic))?.[1];

/** Run within programs of a few instructions only. */
const WITHIN_PROGRAMS: Reasons = [
  [/^(retf|iret|j\w+|loop\w*|call|ret)/, 'branches'],
  [/^(lar|lsl|ver[rw]|l[sfg]s)$/, 'selectors'],
  [/^(rd|wr)[fg]sbase$/, 'segment bases'],
  [/^popf/, 'not every flag may be set'],
  [/^int$/, 'not every vector is an exception'],
];

/** No vectors, and what tests the row instead. */
const WITHOUT: Reasons = [
  [/^syscall$/, 'enters the kernel; every guest program'],
  [/^int1$/, 'a virtual machine reports it otherwise; unit test insn-sources'],
  [/^rdrand$|^rdseed$/, 'random numbers; unit test insn-sources'],
  [/^(rdpid|rdtscp?)$/, 'the number and the clock of the processor; unit test insn-sources'],
  [/^cpuid$/, 'the features of the model; unit tests cpu-model and lifter'],
  [/^xgetbv$/, 'the features of the model; guest program avx-state'],
  [/^(sgdt|sidt|smsw|sldt|str)$/, 'Linux makes up what they give; unit test insn-sources'],
  [/^(fxsave|fxrstor|fldenv|fnstenv|frstor|fnsave)/, 'images of the state; unit test x87-state, guest program x87'],
  [/^(xsave|xrstor)/, 'images of the state; guest program avx-state'],
  [/^wait$/, 'nothing to see without an exception; guest programs fenv and faults'],
];

/** Fewer cases than elsewhere, because there is nothing to vary. */
const FEW: Reasons = [
  [/^(nop|pause|endbr\w+|[lms]fence|clflush\w*|clwb|prefetch\w*)$/, 'does nothing to see'],
  [/^(emms|vzeroall)$/, 'no operands: the same result always'],
  [/^(ud\d|rsm|sysenter|monitor|mwait)$/, 'the same exception always'],
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

/** Segment registers as operands: loads of them are not run alone. */
const hasSegment = (row: InsnRow): boolean => row.operands.startsWith('Sw') || /^[FG]S$/.test(row.operands);

/** Why the row is run within programs only. */
export function programReason(row: InsnRow): string | undefined {
  if (hasSegment(row)) return 'selectors';
  // JMP and JRCXZ are branches, too.
  return find(WITHIN_PROGRAMS, row);
}

/** Why the row has no vectors, and which test has it instead. */
export function withoutReason(row: InsnRow): string | undefined {
  return find(WITHOUT, row);
}

/** Why the row has few cases. */
export function fewReason(row: InsnRow): string | undefined {
  return row.attrs?.includes('privileged') === true ? 'the same exception always' : find(FEW, row);
}
