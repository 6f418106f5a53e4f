/**
 * Sequences of SSE and MMX instructions in one TB, with instructions that read the flags of COMISS: what lifter and optimiser carry from one to the next. In: a seed. Out: forms.
 */
import { parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { opcodeBytes, seededRandom } from '../fuzz/decoder-generate.js';
import type { VectorForm } from '../support/vectors.js';
import { SSE_ROWS } from './sse-forms.js';
import { SSE_POOL } from './sse-pool.js';

/** Instructions of a sequence, and input states of each. */
export const LENGTH = 14;
export const SEQUENCE_CASES = 2;

/** Not: what is approximate, MXCSR (its exception flags are not modelled), what empties the x87 registers. */
export const SEQUENCE_ROWS = SSE_ROWS.filter((row) => !/^(r(cp|sqrt)[ps]s|emms)$|mxcsr$/.test(row.mnemonic));
/** Most bytes of a sequence: what the runner holds, but for the longest instruction and its reader of flags. */
export const MOST_BYTES = 140;

const RSI = 6;

/** Register numbers 0..3, and 8..11 by REX: neither rsp nor the pointers to the memory. */
export function instruction(row: InsnRow, random: (n: number) => number): number[] {
  const { mod, reg, hasModrm } = parseEncoding(row);
  const rex = random(3) === 0 ? 0x40 | random(2) | (random(2) << 2) : 0;
  const wide = row.operands.includes('y') && random(2) === 0 ? 0x48 : 0;
  const memory = mod === 0 || (mod !== 1 && random(4) === 0);
  // A memory operand's base is rsi: no REX.B.
  const used = memory ? rex & ~1 : rex;
  const bytes = opcodeBytes(row, (used | wide) === 0 ? [] : [used | wide], 0);
  if (!hasModrm) return bytes;
  const field = (reg >= 0 ? reg : random(4)) << 3;
  if (memory) bytes.push(0x40 | field | RSI, 16 * random(4));
  else bytes.push(0xc0 | field | random(4));
  if (row.operands.endsWith('Ib')) bytes.push(random(2) === 0 ? random(32) : random(256));
  return bytes;
}

/** SETcc, CMOVcc, ADC: readers of the flags. */
export function flagReader(random: (n: number) => number): number[] {
  const modrm = 0xc0 | (random(4) << 3) | random(4);
  const which = random(3);
  if (which === 0) return [0x0f, 0x90 + random(16), 0xc0 | random(4)];
  if (which === 1) return [0x48, 0x0f, 0x40 + random(16), modrm];
  return [0x48, 0x11, modrm];
}

/** Sequences of the SSE and MMX rows; with `others`, half of the instructions are from those. */
export function sseSequences(count: number, seed: number, others: readonly InsnRow[] = []): VectorForm[] {
  const random = seededRandom(seed);
  const compares = [...SEQUENCE_ROWS, ...others].filter((row) => /^(u?comis|ptest|pcmp.str)/.test(row.mnemonic));
  const pick = (list: readonly InsnRow[]): InsnRow => list[random(list.length)] as InsnRow;
  return Array.from({ length: count }, (_, n) => {
    const code: number[] = [];
    for (let i = 0; i < LENGTH && code.length < MOST_BYTES; i++) {
      const rows = others.length > 0 && random(2) === 0 ? others : SEQUENCE_ROWS;
      code.push(...instruction(random(6) === 0 ? pick(compares) : pick(rows), random));
      if (random(4) === 0) code.push(...flagReader(random));
    }
    const inputs = Array.from({ length: SEQUENCE_CASES }, () => [random(SSE_POOL.length), 1 + random(40)] as const);
    return { code: Uint8Array.from(code), text: `sequence ${n}`, inputs };
  });
}
