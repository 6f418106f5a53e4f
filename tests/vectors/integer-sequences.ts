/**
 * Sequences of integer instructions: what lifter and optimiser carry from one to the next, lazy flags above all. In: a seed. Out: forms.
 * Registers 0 to 3 and 8 to 11 are operands; rsi points to memory that no instruction leaves. Of instructions that leave flags undefined only those are taken that are compared in full.
 */
import { parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { opcodeBytes, seededRandom } from '../fuzz/decoder-generate.js';
import { CODE } from '../support/integer-state.js';
import { type IntegerForm, INTEGER_ROWS, SPACING } from './integer-forms.js';
import type { Random } from './integer-state-maker.js';

/** Most bytes of a sequence: its record has so much room. */
const MOST_BYTES = 58;
const CASES = 3;
const RSI = 6;

/** Those whose flags are defined, or are as on the processor; that stay within the memory; that do not branch. */
const ALLOWED =
  /^(mov|movzx|movsxd?|lea|add|adc|sub|sbb|cmp|inc|dec|neg|cbw.*|cwd.*|and|or|xor|not|test|rol|ror|rcl|rcr|shl|sal|shr|sar|bt[src]?|popcnt|bswap|set\w+|cmov\w+|xchg|xadd|cmpxchg|lahf|sahf|cmc|clc|stc)$/;
/** Readers of flags, which come more often than their share. */
const READERS = /^(adc|sbb|rcl|rcr|set\w+|cmov\w+|lahf|inc|dec|cmc)$/;

const rows = INTEGER_ROWS.filter(
  (row) =>
    row.lift !== undefined &&
    ALLOWED.test(row.mnemonic) &&
    !/[SOM]|BA/.test(row.operands) &&
    // A register bit offset reaches far.
    !(row.mnemonic.startsWith('bt') && row.operands === 'Ev,Gv'),
);
const readers = rows.filter((row) => READERS.test(row.mnemonic));

function instruction(row: InsnRow, random: Random): number[] {
  const { mod, reg, hasModrm, plusReg } = parseEncoding(row);
  const hasWidth = /[vzy]/.test(row.operands) || row.mnemonic.includes('/');
  const width = hasWidth ? random(4) : 3;
  const prefixes = width === 0 ? [0x66] : [];
  let rex = width === 1 || width === 2 ? 0x48 : 0;
  const isMemory = hasModrm && mod !== 1 && random(4) === 0;
  if (random(3) === 0) rex |= 0x40 | random(2) | (random(2) << 2);
  // A memory operand's base is rsi: no REX.B.
  if (isMemory) rex &= ~1;
  const isLocked = isMemory && row.attrs?.includes('lock') === true && random(3) === 0;
  const bytes = opcodeBytes(row, [...(isLocked ? [0xf0] : []), ...prefixes, ...(rex === 0 ? [] : [rex])], random(4));
  if (hasModrm) {
    const field = (reg >= 0 ? reg : random(4)) << 3;
    if (isMemory) bytes.push(0x40 | field | RSI, random(48));
    else bytes.push(0xc0 | field | random(4));
  } else if (!plusReg && /^E/.test(row.operands)) return [];
  const size = width === 0 ? 2 : rex & 8 ? 8 : 4;
  for (const o of row.operands.split(',')) {
    const count = o === 'Ib' || o === 'Ibs' ? 1 : o === 'Iz' ? (size === 2 ? 2 : 4) : o === 'Iv' ? size : 0;
    for (let i = 0; i < count; i++) bytes.push(random(256));
  }
  return bytes;
}

/** `count` sequences; the first is put at the place of the form with index `first`. */
export function integerSequences(count: number, seed: number, first: number): IntegerForm[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, n) => {
    const code: number[] = [];
    for (;;) {
      const list = random(3) === 0 ? readers : rows;
      const next = instruction(list[random(list.length)] as InsnRow, random);
      if (code.length + next.length > MOST_BYTES) break;
      code.push(...next);
    }
    return { at: CODE + SPACING * (first + n), code: Uint8Array.from(code), text: `sequence ${n}`, cases: CASES };
  });
}
