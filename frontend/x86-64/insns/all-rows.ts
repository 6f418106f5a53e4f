/**
 * All rows of the instruction tables, in one list. In: the family files. Out: `allRows` for the decoder, support pages and fuzzers.
 * Source: Intel SDM volume 2. A new family file is added here and nowhere else.
 */
import type { InsnRow } from '../insn.js';
import { arithRows } from './arith.js';
import { atomicRows } from './atomic.js';
import { avx2Rows } from './avx2.js';
import { avxFloatRows } from './avx-float.js';
import { avxIntRows } from './avx-int.js';
import { avxMoveRows } from './avx-move.js';
import { bitRows } from './bit.js';
import { bmiRows } from './bmi.js';
import { branchRows } from './branch.js';
import { cmovSetccRows } from './cmov-setcc.js';
import { cryptoRows } from './crypto.js';
import { farRows } from './far.js';
import { flagsOpsRows } from './flags-ops.js';
import { fmaRows } from './fma.js';
import { logicRows } from './logic.js';
import { mmxRows } from './mmx.js';
import { movRows } from './mov.js';
import { muldivRows } from './muldiv.js';
import { shiftRows } from './shift.js';
import { sseArithRows } from './sse-arith.js';
import { sseMoveRows } from './sse-move.js';
import { sse2FloatRows } from './sse2-float.js';
import { sse2IntRows } from './sse2-int.js';
import { sse2MoveRows } from './sse2-move.js';
import { sse41FloatRows } from './sse41-float.js';
import { sse41IntRows } from './sse41-int.js';
import { sse42StringRows } from './sse42-string.js';
import { ssse3Rows } from './ssse3.js';
import { stackRows } from './stack.js';
import { stringRows } from './string.js';
import { systemRows } from './system.js';
import { x87ArithRows } from './x87-arith.js';
import { x87ControlRows } from './x87-control.js';
import { x87MathRows } from './x87-math.js';
import { x87MoveRows } from './x87-move.js';
import { xsaveRows } from './xsave.js';

const families: readonly (readonly InsnRow[])[] = [
  movRows,
  arithRows,
  logicRows,
  shiftRows,
  bitRows,
  bmiRows,
  muldivRows,
  branchRows,
  farRows,
  stackRows,
  stringRows,
  flagsOpsRows,
  cmovSetccRows,
  atomicRows,
  systemRows,
  x87MoveRows,
  x87ArithRows,
  x87MathRows,
  x87ControlRows,
  mmxRows,
  sseMoveRows,
  sseArithRows,
  sse2MoveRows,
  sse2FloatRows,
  sse2IntRows,
  ssse3Rows,
  sse41IntRows,
  sse41FloatRows,
  sse42StringRows,
  cryptoRows,
  avxMoveRows,
  avxFloatRows,
  avxIntRows,
  avx2Rows,
  fmaRows,
  xsaveRows,
];

/** Every row, family by family. */
export function allRows(): InsnRow[] {
  return families.flat();
}

/** A name for a row that no other row has, and that stays while its encoding does: for support pages, coverage and test titles. */
export function rowKey(row: InsnRow): string {
  return `${row.enc} ${row.mnemonic} ${row.operands}`.trimEnd();
}
