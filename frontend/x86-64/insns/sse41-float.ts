/**
 * SSE4.1's floating-point instructions. Out: rows. Source: SDM 2A, DPPS DPPD; 2B, ROUNDPS ROUNDPD ROUNDSS ROUNDSD; 2D, table A-5 (0F 3A).
 */
import type { InsnRow, LiftFn } from '../insn.js';
import { imm8, setVec, vec } from '../vector.js';
import { binaryImm } from '../vector-lift.js';
import type { FloatType } from '../float-lanes.js';
import { dotProduct, roundLane } from '../vector-sse41-float.js';

function round(t: FloatType): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    setVec(l, 0, roundLane(l, t, vec(l, 0), b, imm8(l, 2)));
  };
}
const dot = (t: 'ps' | 'pd'): LiftFn => binaryImm((l, a, b, imm) => dotProduct(l, t, a, b, imm));

export const sse41FloatRows = [
  { enc: '66 0F 3A 08 /r', mnemonic: 'roundps', operands: 'Vps,Wps,Ib', feature: 'sse4.1', lift: round('ps') },
  { enc: '66 0F 3A 09 /r', mnemonic: 'roundpd', operands: 'Vpd,Wpd,Ib', feature: 'sse4.1', lift: round('pd') },
  { enc: '66 0F 3A 0A /r', mnemonic: 'roundss', operands: 'Vss,Wss,Ib', feature: 'sse4.1', lift: round('ss') },
  { enc: '66 0F 3A 0B /r', mnemonic: 'roundsd', operands: 'Vsd,Wsd,Ib', feature: 'sse4.1', lift: round('sd') },
  { enc: '66 0F 3A 40 /r', mnemonic: 'dpps', operands: 'Vps,Wps,Ib', feature: 'sse4.1', lift: dot('ps') },
  { enc: '66 0F 3A 41 /r', mnemonic: 'dppd', operands: 'Vpd,Wpd,Ib', feature: 'sse4.1', lift: dot('pd') },
] as const satisfies readonly InsnRow[];
