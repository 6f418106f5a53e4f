/**
 * The instruction forms of the vectors of SSSE3 and what came after it up to SHA, from the lifter's rows. In: rows. Out: forms with their inputs.
 */
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { cryptoRows } from '../../frontend/x86-64/insns/crypto.js';
import { sse41FloatRows } from '../../frontend/x86-64/insns/sse41-float.js';
import { sse41IntRows } from '../../frontend/x86-64/insns/sse41-int.js';
import { sse42StringRows } from '../../frontend/x86-64/insns/sse42-string.js';
import { ssse3Rows } from '../../frontend/x86-64/insns/ssse3.js';
import { seededRandom } from '../fuzz/decoder-generate.js';
import type { VectorForm } from '../support/vectors.js';
import { filled } from './fill.js';
import { formsOf, kindOf } from './sse-forms.js';

export const SSE4_ROWS: readonly InsnRow[] = [...ssse3Rows, ...sse41IntRows, ...sse41FloatRows, ...sse42StringRows, ...cryptoRows];

/** MXCSR with RC = down, up, toward zero. */
const ROUNDINGS = [0x3f80, 0x5f80, 0x7f80] as const;

export function sse4Forms(): VectorForm[] {
  const forms = filled(SSE4_ROWS.flatMap(formsOf), kindOf, seededRandom(42));
  const rounded = forms.filter(({ text }) => /^round.* low imm (4|12)$/.test(text));
  return [...forms, ...ROUNDINGS.flatMap((mxcsr) => rounded.map((form) => ({ ...form, mxcsr })))];
}
