/**
 * Moves of SSE. Out: rows. Source: SDM 2A/2B, MOVUPS MOVSS MOVAPS MOVLPS MOVHPS MOVLHPS MOVHLPS MOVNTPS MOVMSKPS.
 */
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { lanes, moveFull, setGeneral32, setVec, shuffle, storeVec, vec, withLow } from '../vector.js';
import type { InsnRow } from '../insn.js';

/** MOVLPS and MOVLPD: eight bytes of memory and the low half. */
export function moveLow(l: Lifter): void {
  if (l.op(0).kind === 'mem') storeVec(l, 0, vec(l, 1));
  else {
    const low = vec(l, 1);
    setVec(l, 0, withLow(l, vec(l, 0), low, 8));
  }
}

/** MOVHPS and MOVHPD: eight bytes of memory and the high half. */
export function moveHigh(l: Lifter): void {
  if (l.op(0).kind === 'mem') {
    const a = vec(l, 1);
    storeVec(l, 0, shuffle(l, a, a, lanes(8, [1, 1])));
  } else {
    const high = vec(l, 1);
    setVec(l, 0, shuffle(l, vec(l, 0), high, lanes(8, [0, 2])));
  }
}

/** MOVSS and MOVSD: a load clears the rest, a register move keeps it. */
export function moveScalar(size: 4 | 8): LiftFn {
  return (l) => {
    if (l.op(0).kind === 'mem') {
      storeVec(l, 0, vec(l, 1));
      return;
    }
    const value = vec(l, 1);
    setVec(l, 0, l.op(1).kind === 'mem' ? value : withLow(l, vec(l, 0), value, size));
  };
}

/** Top bits of the lanes. */
export function moveMask(shape: 'i8x16' | 'i32x4' | 'i64x2'): LiftFn {
  return (l) => {
    setGeneral32(l, 0, l.e(`v_bitmask_${shape}`, [vec(l, 1)]));
  };
}

function movhlps(l: Lifter): void {
  setVec(l, 0, shuffle(l, vec(l, 1), vec(l, 0), lanes(8, [1, 3])));
}

function movlhps(l: Lifter): void {
  setVec(l, 0, shuffle(l, vec(l, 0), vec(l, 1), lanes(8, [0, 2])));
}

export const sseMoveRows = [
  { enc: 'NP 0F 10 /r', mnemonic: 'movups', operands: 'Vps,Wps', feature: 'sse', lift: moveFull(false) },
  { enc: 'NP 0F 11 /r', mnemonic: 'movups', operands: 'Wps,Vps', feature: 'sse', lift: moveFull(false) },
  { enc: 'F3 0F 10 /r', mnemonic: 'movss', operands: 'Vss,Wss', feature: 'sse', lift: moveScalar(4) },
  { enc: 'F3 0F 11 /r', mnemonic: 'movss', operands: 'Wss,Vss', feature: 'sse', lift: moveScalar(4) },
  { enc: 'NP 0F 12 /r', mnemonic: 'movlps', operands: 'Vq,Mq', feature: 'sse', lift: moveLow },
  { enc: 'NP 0F 12 /r', mnemonic: 'movhlps', operands: 'Vq,Uq', feature: 'sse', lift: movhlps },
  { enc: 'NP 0F 13 /r', mnemonic: 'movlps', operands: 'Mq,Vq', feature: 'sse', lift: moveLow },
  { enc: 'NP 0F 16 /r', mnemonic: 'movhps', operands: 'Vq,Mq', feature: 'sse', lift: moveHigh },
  { enc: 'NP 0F 16 /r', mnemonic: 'movlhps', operands: 'Vq,Uq', feature: 'sse', lift: movlhps },
  { enc: 'NP 0F 17 /r', mnemonic: 'movhps', operands: 'Mq,Vq', feature: 'sse', lift: moveHigh },
  { enc: 'NP 0F 28 /r', mnemonic: 'movaps', operands: 'Vps,Wps', feature: 'sse', lift: moveFull(true) },
  { enc: 'NP 0F 29 /r', mnemonic: 'movaps', operands: 'Wps,Vps', feature: 'sse', lift: moveFull(true) },
  { enc: 'NP 0F 2B /r', mnemonic: 'movntps', operands: 'Mps,Vps', feature: 'sse', lift: moveFull(true) },
  { enc: 'NP 0F 50 /r', mnemonic: 'movmskps', operands: 'Gy,Ups', feature: 'sse', lift: moveMask('i32x4') },
] as const satisfies readonly InsnRow[];
