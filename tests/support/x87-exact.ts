/**
 * Exact values of the transcendental x87 functions, and how far results lie from them. In: lines of tests/vectors/src/x87-exact.py. Out: states before an instruction, errors in units of the last place.
 */
import { type InsnState, plainState } from './insn-state.js';

interface Exact {
  readonly negative: boolean;
  readonly exponent: number;
  /** 128 bits, the first one set. */
  readonly significand: bigint;
}

export interface ExactCase {
  readonly code: Uint8Array;
  readonly key: string;
  readonly operands: readonly (readonly [number, bigint])[];
  readonly results: readonly Exact[];
}

/** Physical registers of ST(0) and ST(1); a result that is pushed goes to the one before. */
const [ST0, ST1] = [6, 7] as const;
/** Those that pop, so that their result is where ST(1) was: FYL2X, FYL2XP1, FPATAN. */
const POPS: ReadonlySet<string> = new Set(['d9f1', 'd9f9', 'd9f3']);

function parseExact(text: string): Exact {
  const [exponent = '', significand = ''] = text.slice(1).split(':');
  return { negative: text.startsWith('-'), exponent: parseInt(exponent, 16), significand: BigInt(`0x${significand}`) };
}

export function parseExactCases(text: string): ExactCase[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [key = '', a = '', b = '', ...results] = line.split(' ');
      const operands = [a, b].map((operand) => {
        const [se = '', sig = ''] = operand.split(':');
        return [parseInt(se, 16), BigInt(`0x${sig}`)] as const;
      });
      return { key, code: Uint8Array.from(Buffer.from(key, 'hex')), operands, results: results.map(parseExact) };
    });
}

/** Rounding to nearest, all exceptions masked. */
export function exactState({ operands }: ExactCase): InsnState {
  const s = plainState();
  s.top = ST0;
  s.empty = 0xff & ~((1 << ST0) | (1 << ST1));
  operands.forEach(([se, sig], i) => {
    s.setExponent(ST0 + i, se);
    s.setMm(ST0 + i, sig);
  });
  return s;
}

/** Errors of a case's results in units of the last place of what came out; Infinity for another sign or magnitude. */
export function ulpsOf({ key, results }: ExactCase, after: InsnState): number[] {
  const first = POPS.has(key) ? ST1 : ST0;
  return results.map((exact, i) => {
    const se = after.exponent(first - i);
    const shift = exact.exponent - (se & 0x7fff);
    if (((se & 0x8000) !== 0) !== exact.negative || Math.abs(shift) > 1) return Infinity;
    const wanted = shift < 0 ? exact.significand >> 1n : exact.significand << BigInt(shift);
    const difference = wanted - (after.mm(first - i) << 64n);
    return Math.abs(Number(difference)) / 2 ** 64;
  });
}
