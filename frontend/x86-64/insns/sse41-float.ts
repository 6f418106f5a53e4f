/**
 * SSE4.1's floating-point instructions. Out: rows. Source: SDM 2A, DPPS DPPD; 2B, ROUNDPS ROUNDPD ROUNDSS ROUNDSD; 2D, table A-5 (0F 3A).
 */
import type { InsnRow, LiftFn } from '../insn.js';
import { imm8, setVec, vec, withLow } from '../vector.js';
import { binaryImm, unaryImm } from '../vector-lift.js';
import { dotProduct, type FloatShape, roundLanes } from '../vector-sse41-float.js';

const round = (shape: FloatShape): LiftFn => unaryImm((l, a, imm) => roundLanes(l, a, imm, shape));
const dot = (shape: FloatShape): LiftFn => binaryImm((l, a, b, imm) => dotProduct(l, a, b, imm, shape));

/** ROUNDSS and ROUNDSD: the low lane; the rest of the destination stays. */
function roundScalar(shape: FloatShape): LiftFn {
  return (l) => {
    const low = roundLanes(l, vec(l, 1), imm8(l, 2), shape);
    setVec(l, 0, withLow(l, vec(l, 0), low, shape === 'f32x4' ? 4 : 8));
  };
}

export const sse41FloatRows = [
  { enc: '66 0F 3A 08 /r', mnemonic: 'roundps', operands: 'Vps,Wps,Ib', feature: 'sse4.1', lift: round('f32x4') },
  { enc: '66 0F 3A 09 /r', mnemonic: 'roundpd', operands: 'Vpd,Wpd,Ib', feature: 'sse4.1', lift: round('f64x2') },
  { enc: '66 0F 3A 0A /r', mnemonic: 'roundss', operands: 'Vss,Wss,Ib', feature: 'sse4.1', lift: roundScalar('f32x4') },
  { enc: '66 0F 3A 0B /r', mnemonic: 'roundsd', operands: 'Vsd,Wsd,Ib', feature: 'sse4.1', lift: roundScalar('f64x2') },
  { enc: '66 0F 3A 40 /r', mnemonic: 'dpps', operands: 'Vps,Wps,Ib', feature: 'sse4.1', lift: dot('f32x4') },
  { enc: '66 0F 3A 41 /r', mnemonic: 'dppd', operands: 'Vpd,Wpd,Ib', feature: 'sse4.1', lift: dot('f64x2') },
] as const satisfies readonly InsnRow[];
