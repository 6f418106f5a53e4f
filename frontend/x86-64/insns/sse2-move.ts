/**
 * Moves of SSE2 and of SSE3. Out: rows. Source: SDM 2A/2B, MOVUPD MOVSD MOVAPD MOVDQA MOVDQU MOVQ MOVD MOVNTDQ MASKMOVDQU MOVDDUP LDDQU.
 */
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import {
  afterX87,
  enterMmx,
  fromGeneral,
  lanes,
  moveFull,
  setVec,
  shuffle,
  storeVec,
  toGeneral,
  vec,
  widened,
} from '../vector.js';
import { moveHigh, moveLow, moveMask, moveScalar } from './sse-move.js';
import { unary, type Unary } from '../vector-lift.js';
import type { InsnRow } from '../insn.js';

/** MOVD and MOVQ between a general operand and the low lane; the rest becomes zero. */
export function moveGeneral(l: Lifter): void {
  if (l.op(0).kind === 'xmm') setVec(l, 0, fromGeneral(l, 1));
  else toGeneral(l, 0, vec(l, 1));
}

/** MOVQ between xmm registers and memory: the high half of the destination becomes zero. */
export function moveQuad(l: Lifter): void {
  if (l.op(0).kind === 'mem') {
    storeVec(l, 0, vec(l, 1));
    return;
  }
  const value = vec(l, 1);
  setVec(l, 0, l.op(1).kind === 'mem' ? value : widened(l, value));
}

function movq2dq(l: Lifter): void {
  const value = widened(l, vec(l, 1));
  enterMmx(l);
  setVec(l, 0, value);
}

function movdq2q(l: Lifter): void {
  setVec(l, 0, vec(l, 1));
}

/** A vector's own bytes by a list. */
export const duplicateLane =
  (list: readonly number[]): Unary =>
  (l, a) =>
    shuffle(l, a, a, list);

const duplicated = (list: readonly number[]): LiftFn => unary(duplicateLane(list));

/** MASKMOVDQU: the bytes whose mask has its top bit set; others are neither written nor checked. */
export function maskmov(l: Lifter): void {
  const ea = l.ea(l.mem(0));
  l.checkAligned(ea, 1, 8);
  l.call('maskmov', [
    ea,
    l.e('v_extract_i64x2', [vec(l, 1)], [0]),
    l.e('v_extract_i64x2', [vec(l, 1)], [1]),
    l.e('v_bitmask_i8x16', [vec(l, 2)]),
  ]);
}

export const sse2MoveRows = [
  { enc: '66 0F 10 /r', mnemonic: 'movupd', operands: 'Vpd,Wpd', feature: 'sse2', lift: moveFull(false) },
  { enc: '66 0F 11 /r', mnemonic: 'movupd', operands: 'Wpd,Vpd', feature: 'sse2', lift: moveFull(false) },
  { enc: 'F2 0F 10 /r', mnemonic: 'movsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: moveScalar(8) },
  { enc: 'F2 0F 11 /r', mnemonic: 'movsd', operands: 'Wsd,Vsd', feature: 'sse2', lift: moveScalar(8) },
  { enc: '66 0F 12 /r', mnemonic: 'movlpd', operands: 'Vq,Mq', feature: 'sse2', lift: moveLow },
  { enc: '66 0F 13 /r', mnemonic: 'movlpd', operands: 'Mq,Vq', feature: 'sse2', lift: moveLow },
  { enc: '66 0F 16 /r', mnemonic: 'movhpd', operands: 'Vq,Mq', feature: 'sse2', lift: moveHigh },
  { enc: '66 0F 17 /r', mnemonic: 'movhpd', operands: 'Mq,Vq', feature: 'sse2', lift: moveHigh },
  { enc: '66 0F 28 /r', mnemonic: 'movapd', operands: 'Vpd,Wpd', feature: 'sse2', lift: moveFull(true) },
  { enc: '66 0F 29 /r', mnemonic: 'movapd', operands: 'Wpd,Vpd', feature: 'sse2', lift: moveFull(true) },
  { enc: '66 0F 2B /r', mnemonic: 'movntpd', operands: 'Mpd,Vpd', feature: 'sse2', lift: moveFull(true) },
  { enc: '66 0F 50 /r', mnemonic: 'movmskpd', operands: 'Gy,Upd', feature: 'sse2', lift: moveMask('i64x2') },
  { enc: '66 0F 6E /r', mnemonic: 'movd', operands: 'Vd,Ed', feature: 'sse2', lift: moveGeneral },
  { enc: '66 REX.W 0F 6E /r', mnemonic: 'movq', operands: 'Vq,Eq', feature: 'sse2', lift: moveGeneral },
  { enc: '66 0F 7E /r', mnemonic: 'movd', operands: 'Ed,Vd', feature: 'sse2', lift: moveGeneral },
  { enc: '66 REX.W 0F 7E /r', mnemonic: 'movq', operands: 'Eq,Vq', feature: 'sse2', lift: moveGeneral },
  { enc: '66 0F 6F /r', mnemonic: 'movdqa', operands: 'Vx,Wx', feature: 'sse2', lift: moveFull(true) },
  { enc: '66 0F 7F /r', mnemonic: 'movdqa', operands: 'Wx,Vx', feature: 'sse2', lift: moveFull(true) },
  { enc: 'F3 0F 6F /r', mnemonic: 'movdqu', operands: 'Vx,Wx', feature: 'sse2', lift: moveFull(false) },
  { enc: 'F3 0F 7F /r', mnemonic: 'movdqu', operands: 'Wx,Vx', feature: 'sse2', lift: moveFull(false) },
  { enc: 'F3 0F 7E /r', mnemonic: 'movq', operands: 'Vq,Wq', feature: 'sse2', lift: moveQuad },
  { enc: '66 0F D6 /r', mnemonic: 'movq', operands: 'Wq,Vq', feature: 'sse2', lift: moveQuad },
  { enc: 'F3 0F D6 /r', mnemonic: 'movq2dq', operands: 'Vq,Nq', feature: 'sse2', lift: afterX87(movq2dq) },
  { enc: 'F2 0F D6 /r', mnemonic: 'movdq2q', operands: 'Pq,Uq', feature: 'sse2', lift: afterX87(movdq2q) },
  { enc: '66 0F E7 /r', mnemonic: 'movntdq', operands: 'Mx,Vx', feature: 'sse2', lift: moveFull(true) },
  { enc: '66 0F D7 /r', mnemonic: 'pmovmskb', operands: 'Gy,Ux', feature: 'sse2', lift: moveMask('i8x16') },
  { enc: '66 0F F7 /r', mnemonic: 'maskmovdqu', operands: 'BDx,Vx,Ux', feature: 'sse2', lift: maskmov },
  // SSE3.
  { enc: 'F2 0F 12 /r', mnemonic: 'movddup', operands: 'Vx,Wq', feature: 'sse3', lift: duplicated(lanes(8, [0, 0])) },
  {
    enc: 'F3 0F 12 /r',
    mnemonic: 'movsldup',
    operands: 'Vx,Wx',
    feature: 'sse3',
    lift: duplicated(lanes(4, [0, 0, 2, 2])),
  },
  {
    enc: 'F3 0F 16 /r',
    mnemonic: 'movshdup',
    operands: 'Vx,Wx',
    feature: 'sse3',
    lift: duplicated(lanes(4, [1, 1, 3, 3])),
  },
  { enc: 'F2 0F F0 /r', mnemonic: 'lddqu', operands: 'Vx,Mx', feature: 'sse3', lift: moveFull(false) },
] as const satisfies readonly InsnRow[];
