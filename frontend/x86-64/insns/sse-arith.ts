/**
 * Arithmetic, comparison, logic, shuffles and conversions of single precision (SSE). Out: rows. Source: SDM 2A/2B, ADDPS ADDSS CMPPS COMISS CVTPI2PS SHUFPS UNPCKLPS.
 */
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { pairToIntegersLane, pairToSinglesLane } from '../float-convert.js';
import { afterX87, enterMmx, isMmx, setVec, vec } from '../vector.js';
import {
  arithmetic,
  compare,
  compareFlags,
  fromInteger,
  intoMmx,
  reciprocal,
  squareRoot,
  toInteger,
} from '../vector-float.js';
import { packed, shuffleSingles } from '../vector-int.js';
import { binaryImm } from '../vector-lift.js';
import type { InsnRow } from '../insn.js';

function cvtpi2ps(l: Lifter): void {
  const b = vec(l, 1);
  if (isMmx(l, 1)) enterMmx(l);
  setVec(l, 0, pairToSinglesLane(l, vec(l, 0), b));
}

const cvtps2pi = (truncate: boolean): LiftFn => intoMmx(pairToIntegersLane(truncate));

export const sseArithRows = [
  { enc: 'NP 0F 51 /r', mnemonic: 'sqrtps', operands: 'Vps,Wps', feature: 'sse', lift: squareRoot('ps') },
  { enc: 'F3 0F 51 /r', mnemonic: 'sqrtss', operands: 'Vss,Wss', feature: 'sse', lift: squareRoot('ss') },
  { enc: 'NP 0F 58 /r', mnemonic: 'addps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('add', 'ps') },
  { enc: 'F3 0F 58 /r', mnemonic: 'addss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('add', 'ss') },
  { enc: 'NP 0F 59 /r', mnemonic: 'mulps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('mul', 'ps') },
  { enc: 'F3 0F 59 /r', mnemonic: 'mulss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('mul', 'ss') },
  { enc: 'NP 0F 5C /r', mnemonic: 'subps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('sub', 'ps') },
  { enc: 'F3 0F 5C /r', mnemonic: 'subss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('sub', 'ss') },
  { enc: 'NP 0F 5D /r', mnemonic: 'minps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('min', 'ps') },
  { enc: 'F3 0F 5D /r', mnemonic: 'minss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('min', 'ss') },
  { enc: 'NP 0F 5E /r', mnemonic: 'divps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('div', 'ps') },
  { enc: 'F3 0F 5E /r', mnemonic: 'divss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('div', 'ss') },
  { enc: 'NP 0F 5F /r', mnemonic: 'maxps', operands: 'Vps,Wps', feature: 'sse', lift: arithmetic('max', 'ps') },
  { enc: 'F3 0F 5F /r', mnemonic: 'maxss', operands: 'Vss,Wss', feature: 'sse', lift: arithmetic('max', 'ss') },
  { enc: 'NP 0F 52 /r', mnemonic: 'rsqrtps', operands: 'Vps,Wps', feature: 'sse', lift: reciprocal('ps', true) },
  { enc: 'F3 0F 52 /r', mnemonic: 'rsqrtss', operands: 'Vss,Wss', feature: 'sse', lift: reciprocal('ss', true) },
  { enc: 'NP 0F 53 /r', mnemonic: 'rcpps', operands: 'Vps,Wps', feature: 'sse', lift: reciprocal('ps', false) },
  { enc: 'F3 0F 53 /r', mnemonic: 'rcpss', operands: 'Vss,Wss', feature: 'sse', lift: reciprocal('ss', false) },
  { enc: 'NP 0F 54 /r', mnemonic: 'andps', operands: 'Vps,Wps', feature: 'sse', lift: packed('pand') },
  { enc: 'NP 0F 55 /r', mnemonic: 'andnps', operands: 'Vps,Wps', feature: 'sse', lift: packed('pandn') },
  { enc: 'NP 0F 56 /r', mnemonic: 'orps', operands: 'Vps,Wps', feature: 'sse', lift: packed('por') },
  { enc: 'NP 0F 57 /r', mnemonic: 'xorps', operands: 'Vps,Wps', feature: 'sse', lift: packed('pxor') },
  { enc: 'NP 0F C2 /r', mnemonic: 'cmpps', operands: 'Vps,Wps,Ib', feature: 'sse', lift: compare('ps') },
  { enc: 'F3 0F C2 /r', mnemonic: 'cmpss', operands: 'Vss,Wss,Ib', feature: 'sse', lift: compare('ss') },
  { enc: 'NP 0F 2E /r', mnemonic: 'ucomiss', operands: 'Vss,Wss', feature: 'sse', lift: compareFlags('ss', true) },
  { enc: 'NP 0F 2F /r', mnemonic: 'comiss', operands: 'Vss,Wss', feature: 'sse', lift: compareFlags('ss', false) },
  { enc: 'NP 0F 14 /r', mnemonic: 'unpcklps', operands: 'Vps,Wps', feature: 'sse', lift: packed('punpckldq') },
  { enc: 'NP 0F 15 /r', mnemonic: 'unpckhps', operands: 'Vps,Wps', feature: 'sse', lift: packed('punpckhdq') },
  { enc: 'NP 0F C6 /r', mnemonic: 'shufps', operands: 'Vps,Wps,Ib', feature: 'sse', lift: binaryImm(shuffleSingles) },
  { enc: 'NP 0F 2A /r', mnemonic: 'cvtpi2ps', operands: 'Vq,Qq', feature: 'sse', lift: afterX87(cvtpi2ps) },
  { enc: 'F3 0F 2A /r', mnemonic: 'cvtsi2ss', operands: 'Vss,Ey', feature: 'sse', lift: fromInteger('ss') },
  { enc: 'NP 0F 2C /r', mnemonic: 'cvttps2pi', operands: 'Pq,Wq', feature: 'sse', lift: afterX87(cvtps2pi(true)) },
  { enc: 'F3 0F 2C /r', mnemonic: 'cvttss2si', operands: 'Gy,Wss', feature: 'sse', lift: toInteger('ss', true) },
  { enc: 'NP 0F 2D /r', mnemonic: 'cvtps2pi', operands: 'Pq,Wq', feature: 'sse', lift: afterX87(cvtps2pi(false)) },
  { enc: 'F3 0F 2D /r', mnemonic: 'cvtss2si', operands: 'Gy,Wss', feature: 'sse', lift: toInteger('ss', false) },
] as const satisfies readonly InsnRow[];
