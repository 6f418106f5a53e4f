/**
 * Sequences of VEX and SSE instructions in one TB: what lifter and optimiser carry from one to the next, upper halves among it. In: a seed. Out: forms.
 */
import { parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { seededRandom, vexPrefix } from '../fuzz/decoder-generate.js';
import type { VectorForm } from '../support/vectors.js';
import { SSE_POOL } from './sse-pool.js';
import { flagReader, instruction as legacyInstruction, LENGTH, MOST_BYTES, SEQUENCE_CASES, SEQUENCE_ROWS } from './sse-sequences.js';
import { VEX_ROWS } from './vex-forms.js';

const RSI = 6;

/** Not: what is approximate, MXCSR, and gathers, whose indices would have to be small. */
const ROWS = VEX_ROWS.filter((row) => !/^vr(cp|sqrt)[ps]s$|mxcsr$|gather/.test(row.mnemonic));
const COMPARES = ROWS.filter((row) => /^v(u?comis|p?test|pcmp.str)/.test(row.mnemonic));

/** Register numbers 0 to 3 and 8 to 11; memory within its 64 bytes, aligned. */
function instruction(row: InsnRow, random: (n: number) => number): number[] {
  const encoding = parseEncoding(row);
  const memory = encoding.mod === 0 || (encoding.mod !== 1 && random(4) === 0);
  const rex = (random(3) === 0 ? 4 : 0) | (!memory && random(3) === 0 ? 1 : 0) | (random(3) === 0 ? 8 : 0);
  const usesV = /(^|,)(H|B[a-z])/.test(row.operands);
  const vvvv = usesV ? random(4) + (random(3) === 0 ? 8 : 0) : 0;
  const bytes = [...vexPrefix(encoding, rex, random(2), vvvv, random(2) === 0), encoding.opcode];
  if (!encoding.hasModrm) return bytes;
  const field = (encoding.reg >= 0 ? encoding.reg : random(4)) << 3;
  if (memory) bytes.push(0x40 | field | RSI, 32 * random(2));
  else bytes.push(0xc0 | field | random(4));
  if (row.operands.endsWith('Ib')) bytes.push(random(2) === 0 ? random(32) : random(256));
  if (/,L\w+$/.test(row.operands)) bytes.push((random(4) << 4) | random(16));
  return bytes;
}

export function vexSequences(count: number, seed: number): VectorForm[] {
  const random = seededRandom(seed);
  const pick = (list: readonly InsnRow[]): InsnRow => list[random(list.length)] as InsnRow;
  return Array.from({ length: count }, (_, n) => {
    const code: number[] = [];
    for (let i = 0; i < LENGTH && code.length < MOST_BYTES; i++) {
      if (random(3) === 0) code.push(...legacyInstruction(pick(SEQUENCE_ROWS), random));
      else code.push(...instruction(random(6) === 0 ? pick(COMPARES) : pick(ROWS), random));
      if (random(4) === 0) code.push(...flagReader(random));
    }
    const inputs = Array.from({ length: SEQUENCE_CASES }, () => [random(SSE_POOL.length), 1 + random(40)] as const);
    return { code: Uint8Array.from(code), text: `sequence vex ${n}`, inputs };
  });
}
