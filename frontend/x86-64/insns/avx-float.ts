/**
 * Floating-point arithmetic, comparisons, conversions, logic and shuffles of AVX. Out: rows. Source: SDM 2A to 2C, the sections of the SSE instructions (VEX forms).
 */
import type { TempId } from '../../../src/base/ids.js';
import type { InsnRow, LiftFn } from '../insn.js';
import { halfToSingleLane, singleToHalfLane } from '../fma-lanes.js';
import type { Lifter } from '../lifter.js';
import {
  demoteLane,
  doubleToSingleLane,
  fromIntegerLane,
  fromIntegersLane,
  promoteLane,
  singleToDoubleLane,
  toIntegersLane,
} from '../float-convert.js';
import {
  addSubLane,
  binaryLane,
  compareLane,
  type FloatType,
  horizontalLane,
  inHalves,
  reciprocalLane,
  sqrtLane,
} from '../float-lanes.js';
import { imm8, lanes, shuffle, vec } from '../vector.js';
import { compareFlags, toInteger } from '../vector-float.js';
import { packedLane, shuffleDoubles, shuffleSingles } from '../vector-int.js';
import { blendByMask, insertSingle, SSE41_IMM } from '../vector-sse41.js';
import { dotProducts, roundLane } from '../vector-sse41-float.js';
import {
  halves,
  setHalves,
  vexBinary,
  vexBinaryImm,
  vexBlend,
  vexNarrow,
  vexUnary,
  vexUnaryImm,
  vexWiden,
} from '../vex-lift.js';
import { vex, vexPacked, vexScalar } from '../vex-rows.js';
import { extract } from './sse41-int.js';

/** VCMP: predicates 0 to 31. */
const compare = (t: FloatType): LiftFn => vexBinaryImm((l, a, b, imm) => compareLane(t, imm & 31)(l, a, b));

function fromInteger(t: 'ss' | 'sd'): LiftFn {
  return (l) => {
    const value = l.load(2);
    setHalves(l, 0, [fromIntegerLane(t, l.size(2) === 8 ? 8 : 4)(l, halves(l, 1)[0], value)]);
  };
}

function dot(t: 'ps' | 'pd'): LiftFn {
  return (l) => {
    const b = halves(l, 2);
    setHalves(l, 0, dotProducts(l, t, halves(l, 1), b, imm8(l, 3)));
  };
}

/** VCVTPS2PH: to a register, whose rest becomes zero, or to memory, whose guard comes before the exceptions. */
function singleToHalf(l: Lifter): void {
  const o = l.op(0);
  const host = o.kind === 'mem' ? l.guardWrite(l.ea(o), o.size) : undefined;
  const imm = imm8(l, 2);
  const [low, high] = halves(l, 1);
  const narrow = (v: TempId): TempId => singleToHalfLane(l, v, imm);
  const value =
    high === undefined
      ? narrow(low)
      : shuffle(l, ...inHalves(l, (n) => narrow(n === 0 ? low : high)), lanes(8, [0, 2]));
  if (host === undefined) setHalves(l, 0, [value]);
  else if (high === undefined) l.emit('gst_i64', [host, l.e('v_extract_i64x2', [value], [0])], [0]);
  else l.emit('gst_v128', [host, value], [0]);
}

/** VINSERTPS: bits 7:6 of the immediate choose a lane of a register; memory is one lane. */
function insertps(l: Lifter): void {
  const imm = imm8(l, 3);
  const b = vec(l, 2);
  setHalves(l, 0, [insertSingle(l, halves(l, 1)[0], b, l.op(2).kind === 'mem' ? 0 : imm >> 6, imm)]);
}

export const avxFloatRows: readonly InsnRow[] = [
  ...vexPacked('58 /r', 'vadd', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('add', t))),
  ...vexScalar('58 /r', 'vadd', '', (t) => vexBinary(binaryLane('add', t))),
  ...vexPacked('59 /r', 'vmul', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('mul', t))),
  ...vexScalar('59 /r', 'vmul', '', (t) => vexBinary(binaryLane('mul', t))),
  ...vexPacked('5C /r', 'vsub', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('sub', t))),
  ...vexScalar('5C /r', 'vsub', '', (t) => vexBinary(binaryLane('sub', t))),
  ...vexPacked('5D /r', 'vmin', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('min', t))),
  ...vexScalar('5D /r', 'vmin', '', (t) => vexBinary(binaryLane('min', t))),
  ...vexPacked('5E /r', 'vdiv', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('div', t))),
  ...vexScalar('5E /r', 'vdiv', '', (t) => vexBinary(binaryLane('div', t))),
  ...vexPacked('5F /r', 'vmax', 'Vx,Hx,Wx', (t) => vexBinary(binaryLane('max', t))),
  ...vexScalar('5F /r', 'vmax', '', (t) => vexBinary(binaryLane('max', t))),
  ...vexPacked('51 /r', 'vsqrt', 'Vx,Wx', (t) => vexUnary((l, b) => sqrtLane(t)(l, b, b))),
  ...vexScalar('51 /r', 'vsqrt', '', (t) => vexBinary(sqrtLane(t))),
  ...vexPacked('C2 /r', 'vcmp', 'Vx,Hx,Wx,Ib', compare),
  ...vexScalar('C2 /r', 'vcmp', ',Ib', compare),
  vex(
    'NP.0F.WIG 52 /r',
    'vrsqrtps',
    'Vx,Wx',
    vexUnary((l, b) => reciprocalLane('ps', true)(l, b, b)),
  ),
  vex('LIG.F3.0F.WIG 52 /r', 'vrsqrtss', 'Vdq,Hdq,Wss', vexBinary(reciprocalLane('ss', true))),
  vex(
    'NP.0F.WIG 53 /r',
    'vrcpps',
    'Vx,Wx',
    vexUnary((l, b) => reciprocalLane('ps', false)(l, b, b)),
  ),
  vex('LIG.F3.0F.WIG 53 /r', 'vrcpss', 'Vdq,Hdq,Wss', vexBinary(reciprocalLane('ss', false))),
  vex('LIG.NP.0F.WIG 2E /r', 'vucomiss', 'Vdq,Wss', compareFlags('ss', true)),
  vex('LIG.66.0F.WIG 2E /r', 'vucomisd', 'Vdq,Wsd', compareFlags('sd', true)),
  vex('LIG.NP.0F.WIG 2F /r', 'vcomiss', 'Vdq,Wss', compareFlags('ss', false)),
  vex('LIG.66.0F.WIG 2F /r', 'vcomisd', 'Vdq,Wsd', compareFlags('sd', false)),
  vex('66.0F.WIG 7C /r', 'vhaddpd', 'Vx,Hx,Wx', vexBinary(horizontalLane('add', 'pd'))),
  vex('F2.0F.WIG 7C /r', 'vhaddps', 'Vx,Hx,Wx', vexBinary(horizontalLane('add', 'ps'))),
  vex('66.0F.WIG 7D /r', 'vhsubpd', 'Vx,Hx,Wx', vexBinary(horizontalLane('sub', 'pd'))),
  vex('F2.0F.WIG 7D /r', 'vhsubps', 'Vx,Hx,Wx', vexBinary(horizontalLane('sub', 'ps'))),
  vex('66.0F.WIG D0 /r', 'vaddsubpd', 'Vx,Hx,Wx', vexBinary(addSubLane('pd'))),
  vex('F2.0F.WIG D0 /r', 'vaddsubps', 'Vx,Hx,Wx', vexBinary(addSubLane('ps'))),
  ...vexPacked('54 /r', 'vand', 'Vx,Hx,Wx', () => vexBinary(packedLane('pand'))),
  ...vexPacked('55 /r', 'vandn', 'Vx,Hx,Wx', () => vexBinary(packedLane('pandn'))),
  ...vexPacked('56 /r', 'vor', 'Vx,Hx,Wx', () => vexBinary(packedLane('por'))),
  ...vexPacked('57 /r', 'vxor', 'Vx,Hx,Wx', () => vexBinary(packedLane('pxor'))),
  ...vexPacked('14 /r', 'vunpckl', 'Vx,Hx,Wx', (t) => vexBinary(packedLane(t === 'ps' ? 'punpckldq' : 'punpcklqdq'))),
  ...vexPacked('15 /r', 'vunpckh', 'Vx,Hx,Wx', (t) => vexBinary(packedLane(t === 'ps' ? 'punpckhdq' : 'punpckhqdq'))),
  ...vexPacked('C6 /r', 'vshuf', 'Vx,Hx,Wx,Ib', (t) =>
    t === 'ps' ? vexBinaryImm(shuffleSingles) : vexBinaryImm(shuffleDoubles, 2),
  ),
  vex(
    '66.0F3A.WIG 08 /r',
    'vroundps',
    'Vx,Wx,Ib',
    vexUnaryImm((l, a, imm) => roundLane(l, 'ps', a, a, imm)),
  ),
  vex(
    '66.0F3A.WIG 09 /r',
    'vroundpd',
    'Vx,Wx,Ib',
    vexUnaryImm((l, a, imm) => roundLane(l, 'pd', a, a, imm)),
  ),
  vex(
    'LIG.66.0F3A.WIG 0A /r',
    'vroundss',
    'Vdq,Hdq,Wss,Ib',
    vexBinaryImm((l, a, b, imm) => roundLane(l, 'ss', a, b, imm)),
  ),
  vex(
    'LIG.66.0F3A.WIG 0B /r',
    'vroundsd',
    'Vdq,Hdq,Wsd,Ib',
    vexBinaryImm((l, a, b, imm) => roundLane(l, 'sd', a, b, imm)),
  ),
  vex('66.0F3A.WIG 0C /r', 'vblendps', 'Vx,Hx,Wx,Ib', vexBinaryImm(SSE41_IMM.blendps, 4)),
  vex('66.0F3A.WIG 0D /r', 'vblendpd', 'Vx,Hx,Wx,Ib', vexBinaryImm(SSE41_IMM.blendpd, 2)),
  vex(
    '66.0F3A.W0 4A /r',
    'vblendvps',
    'Vx,Hx,Wx,Lx',
    vexBlend((l, a, b, mask) => blendByMask(l, a, b, mask, 'i32x4')),
  ),
  vex(
    '66.0F3A.W0 4B /r',
    'vblendvpd',
    'Vx,Hx,Wx,Lx',
    vexBlend((l, a, b, mask) => blendByMask(l, a, b, mask, 'i64x2')),
  ),
  vex('66.0F3A.WIG 40 /r', 'vdpps', 'Vx,Hx,Wx,Ib', dot('ps')),
  vex('128.66.0F3A.WIG 41 /r', 'vdppd', 'Vx,Hx,Wx,Ib', dot('pd')),
  vex('128.66.0F3A.WIG 21 /r', 'vinsertps', 'Vdq,Hdq,Wd,Ib', insertps),
  vex('128.66.0F3A.WIG 17 /r', 'vextractps', 'Ey/d,Vdq,Ib', extract(4)),
  // Conversions.
  vex('LIG.F3.0F 2A /r', 'vcvtsi2ss', 'Vdq,Hdq,Ey', fromInteger('ss')),
  vex('LIG.F2.0F 2A /r', 'vcvtsi2sd', 'Vdq,Hdq,Ey', fromInteger('sd')),
  vex('LIG.F3.0F 2C /r', 'vcvttss2si', 'Gy,Wss', toInteger('ss', true)),
  vex('LIG.F2.0F 2C /r', 'vcvttsd2si', 'Gy,Wsd', toInteger('sd', true)),
  vex('LIG.F3.0F 2D /r', 'vcvtss2si', 'Gy,Wss', toInteger('ss', false)),
  vex('LIG.F2.0F 2D /r', 'vcvtsd2si', 'Gy,Wsd', toInteger('sd', false)),
  vex('NP.0F.WIG 5A /r', 'vcvtps2pd', 'Vx,Wdq/xh', vexWiden(promoteLane, 2)),
  vex('66.0F.WIG 5A /r', 'vcvtpd2ps', 'Vdq,Wx', vexNarrow(demoteLane)),
  vex('LIG.F3.0F.WIG 5A /r', 'vcvtss2sd', 'Vdq,Hdq,Wss', vexBinary(singleToDoubleLane)),
  vex('LIG.F2.0F.WIG 5A /r', 'vcvtsd2ss', 'Vdq,Hdq,Wsd', vexBinary(doubleToSingleLane)),
  vex('NP.0F.WIG 5B /r', 'vcvtdq2ps', 'Vx,Wx', vexUnary(fromIntegersLane('ps'))),
  vex('66.0F.WIG 5B /r', 'vcvtps2dq', 'Vx,Wx', vexUnary(toIntegersLane('ps', false))),
  vex('F3.0F.WIG 5B /r', 'vcvttps2dq', 'Vx,Wx', vexUnary(toIntegersLane('ps', true))),
  vex('66.0F.WIG E6 /r', 'vcvttpd2dq', 'Vdq,Wx', vexNarrow(toIntegersLane('pd', true))),
  vex('F3.0F.WIG E6 /r', 'vcvtdq2pd', 'Vx,Wdq/xh', vexWiden(fromIntegersLane('pd'), 2)),
  vex('F2.0F.WIG E6 /r', 'vcvtpd2dq', 'Vdq,Wx', vexNarrow(toIntegersLane('pd', false))),
  // F16C.
  vex('66.0F38.W0 13 /r', 'vcvtph2ps', 'Vx,Wdq/xh', vexWiden(halfToSingleLane, 2), 'f16c'),
  vex('66.0F3A.W0 1D /r', 'vcvtps2ph', 'Wdq/xh,Vx,Ib', singleToHalf, 'f16c'),
];
