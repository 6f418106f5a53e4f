/**
 * Segment registers of a 64-bit process: which selectors can be loaded, and what the descriptors behind them say. In: selectors. Out: IR.
 * In 64-bit mode only the bases of FS and GS count. Source: SDM volume 3, 3.4 (selectors, descriptors), 2A/2B, MOV, POP, LAR, LSL, VERR; the global descriptor table is Linux's
 * (arch/x86 user segments: 32-bit code, data, 64-bit code, and the limit of CPU and node numbers).
 */
import type { TempId } from '../../src/base/ids.js';
import { CPU, EXC, EXIT, USER_CS, USER_SS } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import { type Cond, NEGATED } from '../../src/ir/types.js';
import type { Lifter } from './lifter.js';

/** Numbers as in ModRM.reg. */
export const SEG = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5 } as const;
/** Offsets in CPU.SEG_SELECTORS, by number. */
const SELECTOR_AT = [6, 0, 2, 4, 8, 10] as const;
const fieldOf = (n: number): number => CPU.SEG_SELECTORS + (SELECTOR_AT[n] ?? 0);

interface Descriptor {
  /** Selector without RPL. */
  readonly selector: number;
  /** Bits 8..23 of the descriptor's second word, in place: what LAR gives. */
  readonly rights: number;
  readonly limit: number;
  readonly writable: boolean;
}
/** All can be read. */
const USER_DESCRIPTORS: readonly Descriptor[] = [
  { selector: 0x20, rights: 0xcffb00, limit: 0xffff_ffff, writable: false },
  { selector: 0x28, rights: 0xcff300, limit: 0xffff_ffff, writable: true },
  { selector: 0x30, rights: 0xaffb00, limit: 0xffff_ffff, writable: false },
  // CPU 0 of node 0.
  { selector: 0x78, rights: 0x40f500, limit: 0, writable: false },
];

/** Number of the segment register at operand `i`. */
export function segmentOf(l: Lifter, i: number): number {
  const o = l.op(i);
  return o.kind === 'seg' ? o.reg : SEG.DS;
}

/** The selector in segment register `n`, as i64. */
export function readSegment(l: Lifter, n: number): TempId {
  if (n === SEG.CS) return l.i64(USER_CS);
  if (n === SEG.SS) return l.i64(USER_SS);
  return l.up(l.e('ld16u_i32', [], [fieldOf(n)]));
}

/** 1 when the selector (i64, 16 bits) names one of `descriptors`, else 0. */
function names(l: Lifter, selector: TempId, descriptors: readonly Descriptor[]): TempId {
  const index = l.and(selector, l.i64(0xfffc));
  return descriptors.map((d) => l.setcond('eq', index, l.i64(d.selector))).reduce((a, b) => l.or(a, b));
}

/**
 * Loads segment register `n`: #GP for a selector that user code can't have there. Gives the function that writes it; all guards of the instruction come before that.
 * FS and GS get the base 0 that all descriptors have (a null selector clears it too). CS is not for this.
 */
export function loadSegment(l: Lifter, n: number, value: TempId): () => void {
  const selector = l.copy(l.zext(value, 2), 'tb');
  const isFine =
    n === SEG.SS
      ? l.setcond('eq', selector, l.i64(USER_SS))
      : l.or(names(l, selector, USER_DESCRIPTORS), l.setcond('ltu', selector, l.i64(4)));
  raiseForSelector(l, 'eq', isFine, l.i64(0), selector);
  return () => {
    l.emit('st16_i32', [l.lo(selector)], [fieldOf(n)]);
    if (n === SEG.FS) l.mov(G.fsBase, l.i64(0));
    if (n === SEG.GS) l.mov(G.gsBase, l.i64(0));
  };
}

/** #GP, if `a <cond> b`, with the selector (i64, lives through the TB) as its error code; a null selector gives 0. */
export function raiseForSelector(l: Lifter, cond: Cond, a: TempId, b: TempId, selector: TempId): void {
  l.flags.sync();
  const fine = l.label();
  l.brcond(NEGATED[cond], a, b, fine);
  l.call('raise', [l.i32(EXC.GP), l.and(selector, l.i64(0xfffc))]);
  l.emit('exit', [], [EXIT.EXCEPTION, EXC.GP, l.insn.addr]);
  l.setLabel(fine);
}

/** What LAR and LSL give for a selector; `valid` is 1 or 0. */
export function describe(
  l: Lifter,
  value: TempId,
  what: 'rights' | 'limit',
): { readonly result: TempId; readonly valid: TempId } {
  const selector = l.zext(value, 2);
  const index = l.and(selector, l.i64(0xfffc));
  const result = USER_DESCRIPTORS.reduce(
    (other, d) => l.movcond('eq', index, l.i64(d.selector), l.i64(d[what]), other),
    l.i64(0),
  );
  return { result, valid: names(l, selector, USER_DESCRIPTORS) };
}

/** 1 when user code may read (VERR) or write (VERW) through the selector, else 0. */
export function isAccessible(l: Lifter, value: TempId, forWriting: boolean): TempId {
  return names(
    l,
    l.zext(value, 2),
    USER_DESCRIPTORS.filter((d) => !forWriting || d.writable),
  );
}
