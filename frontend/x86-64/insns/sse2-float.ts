/**
 * Double precision arithmetic, comparison, logic, shuffles and conversions (SSE2), horizontal additions (SSE3). Out: rows. Source: SDM 2A/2B, ADDPD ADDSD CMPPD COMISD CVTPD2PS HADDPD.
 */
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import {
  demoteLane,
  doubleToSingleLane,
  fromIntegersLane,
  promoteLane,
  singleToDoubleLane,
  toIntegersLane,
} from '../float-convert.js';
import { afterX87, enterMmx, isMmx, setVec, vec } from '../vector.js';
import {
  addSub,
  arithmetic,
  compare,
  compareFlags,
  fromInteger,
  horizontal,
  intoMmx,
  ofSource,
  squareRoot,
  toInteger,
  withDestination,
} from '../vector-float.js';
import { packed, shuffleDoubles } from '../vector-int.js';
import { binaryImm } from '../vector-lift.js';
import type { InsnRow } from '../insn.js';

function cvtpi2pd(l: Lifter): void {
  const b = vec(l, 1);
  if (isMmx(l, 1)) enterMmx(l);
  setVec(l, 0, fromIntegersLane('pd')(l, b));
}

const toIntegers = (from: 'ps' | 'pd', truncate: boolean): LiftFn => ofSource(toIntegersLane(from, truncate));
const toMmx = (truncate: boolean): LiftFn => intoMmx(toIntegersLane('pd', truncate));

export const sse2FloatRows = [
  { enc: '66 0F 51 /r', mnemonic: 'sqrtpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: squareRoot('pd') },
  { enc: 'F2 0F 51 /r', mnemonic: 'sqrtsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: squareRoot('sd') },
  { enc: '66 0F 58 /r', mnemonic: 'addpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('add', 'pd') },
  { enc: 'F2 0F 58 /r', mnemonic: 'addsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('add', 'sd') },
  { enc: '66 0F 59 /r', mnemonic: 'mulpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('mul', 'pd') },
  { enc: 'F2 0F 59 /r', mnemonic: 'mulsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('mul', 'sd') },
  { enc: '66 0F 5C /r', mnemonic: 'subpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('sub', 'pd') },
  { enc: 'F2 0F 5C /r', mnemonic: 'subsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('sub', 'sd') },
  { enc: '66 0F 5D /r', mnemonic: 'minpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('min', 'pd') },
  { enc: 'F2 0F 5D /r', mnemonic: 'minsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('min', 'sd') },
  { enc: '66 0F 5E /r', mnemonic: 'divpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('div', 'pd') },
  { enc: 'F2 0F 5E /r', mnemonic: 'divsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('div', 'sd') },
  { enc: '66 0F 5F /r', mnemonic: 'maxpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: arithmetic('max', 'pd') },
  { enc: 'F2 0F 5F /r', mnemonic: 'maxsd', operands: 'Vsd,Wsd', feature: 'sse2', lift: arithmetic('max', 'sd') },
  { enc: '66 0F 54 /r', mnemonic: 'andpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('pand') },
  { enc: '66 0F 55 /r', mnemonic: 'andnpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('pandn') },
  { enc: '66 0F 56 /r', mnemonic: 'orpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('por') },
  { enc: '66 0F 57 /r', mnemonic: 'xorpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('pxor') },
  { enc: '66 0F C2 /r', mnemonic: 'cmppd', operands: 'Vpd,Wpd,Ib', feature: 'sse2', lift: compare('pd') },
  { enc: 'F2 0F C2 /r', mnemonic: 'cmpsd', operands: 'Vsd,Wsd,Ib', feature: 'sse2', lift: compare('sd') },
  { enc: '66 0F 2E /r', mnemonic: 'ucomisd', operands: 'Vsd,Wsd', feature: 'sse2', lift: compareFlags('sd', true) },
  { enc: '66 0F 2F /r', mnemonic: 'comisd', operands: 'Vsd,Wsd', feature: 'sse2', lift: compareFlags('sd', false) },
  { enc: '66 0F 14 /r', mnemonic: 'unpcklpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('punpcklqdq') },
  { enc: '66 0F 15 /r', mnemonic: 'unpckhpd', operands: 'Vpd,Wpd', feature: 'sse2', lift: packed('punpckhqdq') },
  { enc: '66 0F C6 /r', mnemonic: 'shufpd', operands: 'Vpd,Wpd,Ib', feature: 'sse2', lift: binaryImm(shuffleDoubles) },
  { enc: '66 0F 2A /r', mnemonic: 'cvtpi2pd', operands: 'Vpd,Qq', feature: 'sse2', lift: afterX87(cvtpi2pd) },
  { enc: 'F2 0F 2A /r', mnemonic: 'cvtsi2sd', operands: 'Vsd,Ey', feature: 'sse2', lift: fromInteger('sd') },
  {
    enc: '66 0F 2C /r',
    mnemonic: 'cvttpd2pi',
    operands: 'Pq,Wpd',
    feature: 'sse2',
    lift: afterX87(toMmx(true)),
  },
  { enc: 'F2 0F 2C /r', mnemonic: 'cvttsd2si', operands: 'Gy,Wsd', feature: 'sse2', lift: toInteger('sd', true) },
  {
    enc: '66 0F 2D /r',
    mnemonic: 'cvtpd2pi',
    operands: 'Pq,Wpd',
    feature: 'sse2',
    lift: afterX87(toMmx(false)),
  },
  { enc: 'F2 0F 2D /r', mnemonic: 'cvtsd2si', operands: 'Gy,Wsd', feature: 'sse2', lift: toInteger('sd', false) },
  {
    enc: 'NP 0F 5A /r',
    mnemonic: 'cvtps2pd',
    operands: 'Vpd,Wq',
    feature: 'sse2',
    lift: ofSource(promoteLane),
  },
  { enc: '66 0F 5A /r', mnemonic: 'cvtpd2ps', operands: 'Vq,Wpd', feature: 'sse2', lift: ofSource(demoteLane) },
  {
    enc: 'F3 0F 5A /r',
    mnemonic: 'cvtss2sd',
    operands: 'Vsd,Wss',
    feature: 'sse2',
    lift: withDestination(singleToDoubleLane),
  },
  {
    enc: 'F2 0F 5A /r',
    mnemonic: 'cvtsd2ss',
    operands: 'Vss,Wsd',
    feature: 'sse2',
    lift: withDestination(doubleToSingleLane),
  },
  {
    enc: 'NP 0F 5B /r',
    mnemonic: 'cvtdq2ps',
    operands: 'Vps,Wx',
    feature: 'sse2',
    lift: ofSource(fromIntegersLane('ps')),
  },
  { enc: '66 0F 5B /r', mnemonic: 'cvtps2dq', operands: 'Vx,Wps', feature: 'sse2', lift: toIntegers('ps', false) },
  { enc: 'F3 0F 5B /r', mnemonic: 'cvttps2dq', operands: 'Vx,Wps', feature: 'sse2', lift: toIntegers('ps', true) },
  { enc: '66 0F E6 /r', mnemonic: 'cvttpd2dq', operands: 'Vq,Wpd', feature: 'sse2', lift: toIntegers('pd', true) },
  {
    enc: 'F3 0F E6 /r',
    mnemonic: 'cvtdq2pd',
    operands: 'Vpd,Wq',
    feature: 'sse2',
    lift: ofSource(fromIntegersLane('pd')),
  },
  { enc: 'F2 0F E6 /r', mnemonic: 'cvtpd2dq', operands: 'Vq,Wpd', feature: 'sse2', lift: toIntegers('pd', false) },
  // SSE3.
  { enc: '66 0F 7C /r', mnemonic: 'haddpd', operands: 'Vpd,Wpd', feature: 'sse3', lift: horizontal('add', 'pd') },
  { enc: 'F2 0F 7C /r', mnemonic: 'haddps', operands: 'Vps,Wps', feature: 'sse3', lift: horizontal('add', 'ps') },
  { enc: '66 0F 7D /r', mnemonic: 'hsubpd', operands: 'Vpd,Wpd', feature: 'sse3', lift: horizontal('sub', 'pd') },
  { enc: 'F2 0F 7D /r', mnemonic: 'hsubps', operands: 'Vps,Wps', feature: 'sse3', lift: horizontal('sub', 'ps') },
  { enc: '66 0F D0 /r', mnemonic: 'addsubpd', operands: 'Vpd,Wpd', feature: 'sse3', lift: addSub('pd') },
  { enc: 'F2 0F D0 /r', mnemonic: 'addsubps', operands: 'Vps,Wps', feature: 'sse3', lift: addSub('ps') },
] as const satisfies readonly InsnRow[];
