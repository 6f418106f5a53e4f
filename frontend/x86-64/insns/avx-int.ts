/**
 * Integer operations of SSE2 to SSE4.2 and cryptography in their VEX forms: AVX with 128 bits, AVX2 with 256. Out: rows. Source: SDM 2B and 2C, P* (VEX forms).
 */
import type { InsnRow, LiftFn } from '../insn.js';
import { imm8 } from '../vector.js';
import { aesInverseMix, aesKeyAssist, carrylessProduct, CRYPTO } from '../vector-crypto.js';
import { compareImplicit } from '../vector-string.js';
import { pextrw } from './sse2-int.js';
import { estri, estrm, stringCompare } from './sse42-string.js';
import { extract } from './sse41-int.js';
import {
  packedLane,
  shiftByImm,
  shiftByVector,
  shiftBytes,
  shuffleDwords,
  shuffleHighWords,
  shuffleLowWords,
  type ShiftKind,
} from '../vector-int.js';
import { blendByMask, insertLane, type LaneSize, SSE41, SSE41_IMM, SSE41_UNARY, testFlags } from '../vector-sse41.js';
import { alignRight, SSSE3, SSSE3_UNARY } from '../vector-ssse3.js';
import {
  forHalves,
  half,
  halves,
  setHalves,
  vexBinary,
  vexBinaryImm,
  vexBlend,
  vexTest,
  vexUnary,
  vexUnaryImm,
  vexWiden,
} from '../vex-lift.js';
import { vex, vexInt } from '../vex-rows.js';

/** Shifts whose count is the low half of operand 2. */
function shiftVector(kind: ShiftKind, laneBits: 16 | 32 | 64): LiftFn {
  const shift = shiftByVector(kind, laneBits);
  return (l) => {
    const [count] = halves(l, 2);
    const a = halves(l, 1);
    setHalves(
      l,
      0,
      forHalves(l, (n) => shift(l, half(a, n), count)),
    );
  };
}

/** Shifts by an immediate. */
const shiftImm = (kind: ShiftKind, laneBits: 16 | 32 | 64): LiftFn => vexUnaryImm(shiftByImm(kind, laneBits));

/** PINSR: operand 1 with a lane from operand 2. */
function insert(size: LaneSize): LiftFn {
  return (l) => {
    const value = l.load(2);
    setHalves(l, 0, [insertLane(l, halves(l, 1)[0], value, size, imm8(l, 3))]);
  };
}

export const avxIntRows: readonly InsnRow[] = [
  ...vexInt('66.0F.WIG 60 /r', 'vpunpcklbw', 'Vx,Hx,Wx', vexBinary(packedLane('punpcklbw'))),
  ...vexInt('66.0F.WIG 61 /r', 'vpunpcklwd', 'Vx,Hx,Wx', vexBinary(packedLane('punpcklwd'))),
  ...vexInt('66.0F.WIG 62 /r', 'vpunpckldq', 'Vx,Hx,Wx', vexBinary(packedLane('punpckldq'))),
  ...vexInt('66.0F.WIG 63 /r', 'vpacksswb', 'Vx,Hx,Wx', vexBinary(packedLane('packsswb'))),
  ...vexInt('66.0F.WIG 64 /r', 'vpcmpgtb', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpgtb'))),
  ...vexInt('66.0F.WIG 65 /r', 'vpcmpgtw', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpgtw'))),
  ...vexInt('66.0F.WIG 66 /r', 'vpcmpgtd', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpgtd'))),
  ...vexInt('66.0F.WIG 67 /r', 'vpackuswb', 'Vx,Hx,Wx', vexBinary(packedLane('packuswb'))),
  ...vexInt('66.0F.WIG 68 /r', 'vpunpckhbw', 'Vx,Hx,Wx', vexBinary(packedLane('punpckhbw'))),
  ...vexInt('66.0F.WIG 69 /r', 'vpunpckhwd', 'Vx,Hx,Wx', vexBinary(packedLane('punpckhwd'))),
  ...vexInt('66.0F.WIG 6A /r', 'vpunpckhdq', 'Vx,Hx,Wx', vexBinary(packedLane('punpckhdq'))),
  ...vexInt('66.0F.WIG 6B /r', 'vpackssdw', 'Vx,Hx,Wx', vexBinary(packedLane('packssdw'))),
  ...vexInt('66.0F.WIG 6C /r', 'vpunpcklqdq', 'Vx,Hx,Wx', vexBinary(packedLane('punpcklqdq'))),
  ...vexInt('66.0F.WIG 6D /r', 'vpunpckhqdq', 'Vx,Hx,Wx', vexBinary(packedLane('punpckhqdq'))),
  ...vexInt('66.0F.WIG 74 /r', 'vpcmpeqb', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpeqb'))),
  ...vexInt('66.0F.WIG 75 /r', 'vpcmpeqw', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpeqw'))),
  ...vexInt('66.0F.WIG 76 /r', 'vpcmpeqd', 'Vx,Hx,Wx', vexBinary(packedLane('pcmpeqd'))),
  ...vexInt('66.0F.WIG D4 /r', 'vpaddq', 'Vx,Hx,Wx', vexBinary(packedLane('paddq'))),
  ...vexInt('66.0F.WIG D5 /r', 'vpmullw', 'Vx,Hx,Wx', vexBinary(packedLane('pmullw'))),
  ...vexInt('66.0F.WIG D8 /r', 'vpsubusb', 'Vx,Hx,Wx', vexBinary(packedLane('psubusb'))),
  ...vexInt('66.0F.WIG D9 /r', 'vpsubusw', 'Vx,Hx,Wx', vexBinary(packedLane('psubusw'))),
  ...vexInt('66.0F.WIG DA /r', 'vpminub', 'Vx,Hx,Wx', vexBinary(packedLane('pminub'))),
  ...vexInt('66.0F.WIG DB /r', 'vpand', 'Vx,Hx,Wx', vexBinary(packedLane('pand'))),
  ...vexInt('66.0F.WIG DC /r', 'vpaddusb', 'Vx,Hx,Wx', vexBinary(packedLane('paddusb'))),
  ...vexInt('66.0F.WIG DD /r', 'vpaddusw', 'Vx,Hx,Wx', vexBinary(packedLane('paddusw'))),
  ...vexInt('66.0F.WIG DE /r', 'vpmaxub', 'Vx,Hx,Wx', vexBinary(packedLane('pmaxub'))),
  ...vexInt('66.0F.WIG DF /r', 'vpandn', 'Vx,Hx,Wx', vexBinary(packedLane('pandn'))),
  ...vexInt('66.0F.WIG E0 /r', 'vpavgb', 'Vx,Hx,Wx', vexBinary(packedLane('pavgb'))),
  ...vexInt('66.0F.WIG E3 /r', 'vpavgw', 'Vx,Hx,Wx', vexBinary(packedLane('pavgw'))),
  ...vexInt('66.0F.WIG E4 /r', 'vpmulhuw', 'Vx,Hx,Wx', vexBinary(packedLane('pmulhuw'))),
  ...vexInt('66.0F.WIG E5 /r', 'vpmulhw', 'Vx,Hx,Wx', vexBinary(packedLane('pmulhw'))),
  ...vexInt('66.0F.WIG E8 /r', 'vpsubsb', 'Vx,Hx,Wx', vexBinary(packedLane('psubsb'))),
  ...vexInt('66.0F.WIG E9 /r', 'vpsubsw', 'Vx,Hx,Wx', vexBinary(packedLane('psubsw'))),
  ...vexInt('66.0F.WIG EA /r', 'vpminsw', 'Vx,Hx,Wx', vexBinary(packedLane('pminsw'))),
  ...vexInt('66.0F.WIG EB /r', 'vpor', 'Vx,Hx,Wx', vexBinary(packedLane('por'))),
  ...vexInt('66.0F.WIG EC /r', 'vpaddsb', 'Vx,Hx,Wx', vexBinary(packedLane('paddsb'))),
  ...vexInt('66.0F.WIG ED /r', 'vpaddsw', 'Vx,Hx,Wx', vexBinary(packedLane('paddsw'))),
  ...vexInt('66.0F.WIG EE /r', 'vpmaxsw', 'Vx,Hx,Wx', vexBinary(packedLane('pmaxsw'))),
  ...vexInt('66.0F.WIG EF /r', 'vpxor', 'Vx,Hx,Wx', vexBinary(packedLane('pxor'))),
  ...vexInt('66.0F.WIG F4 /r', 'vpmuludq', 'Vx,Hx,Wx', vexBinary(packedLane('pmuludq'))),
  ...vexInt('66.0F.WIG F5 /r', 'vpmaddwd', 'Vx,Hx,Wx', vexBinary(packedLane('pmaddwd'))),
  ...vexInt('66.0F.WIG F6 /r', 'vpsadbw', 'Vx,Hx,Wx', vexBinary(packedLane('psadbw'))),
  ...vexInt('66.0F.WIG F8 /r', 'vpsubb', 'Vx,Hx,Wx', vexBinary(packedLane('psubb'))),
  ...vexInt('66.0F.WIG F9 /r', 'vpsubw', 'Vx,Hx,Wx', vexBinary(packedLane('psubw'))),
  ...vexInt('66.0F.WIG FA /r', 'vpsubd', 'Vx,Hx,Wx', vexBinary(packedLane('psubd'))),
  ...vexInt('66.0F.WIG FB /r', 'vpsubq', 'Vx,Hx,Wx', vexBinary(packedLane('psubq'))),
  ...vexInt('66.0F.WIG FC /r', 'vpaddb', 'Vx,Hx,Wx', vexBinary(packedLane('paddb'))),
  ...vexInt('66.0F.WIG FD /r', 'vpaddw', 'Vx,Hx,Wx', vexBinary(packedLane('paddw'))),
  ...vexInt('66.0F.WIG FE /r', 'vpaddd', 'Vx,Hx,Wx', vexBinary(packedLane('paddd'))),
  // Shifts: by the low 64 bits of an xmm register or memory, or by an immediate.
  ...vexInt('66.0F.WIG D1 /r', 'vpsrlw', 'Vx,Hx,Wdq', shiftVector('shr', 16)),
  ...vexInt('66.0F.WIG D2 /r', 'vpsrld', 'Vx,Hx,Wdq', shiftVector('shr', 32)),
  ...vexInt('66.0F.WIG D3 /r', 'vpsrlq', 'Vx,Hx,Wdq', shiftVector('shr', 64)),
  ...vexInt('66.0F.WIG E1 /r', 'vpsraw', 'Vx,Hx,Wdq', shiftVector('sar', 16)),
  ...vexInt('66.0F.WIG E2 /r', 'vpsrad', 'Vx,Hx,Wdq', shiftVector('sar', 32)),
  ...vexInt('66.0F.WIG F1 /r', 'vpsllw', 'Vx,Hx,Wdq', shiftVector('shl', 16)),
  ...vexInt('66.0F.WIG F2 /r', 'vpslld', 'Vx,Hx,Wdq', shiftVector('shl', 32)),
  ...vexInt('66.0F.WIG F3 /r', 'vpsllq', 'Vx,Hx,Wdq', shiftVector('shl', 64)),
  ...vexInt('66.0F.WIG 71 /2', 'vpsrlw', 'Hx,Ux,Ib', shiftImm('shr', 16)),
  ...vexInt('66.0F.WIG 71 /4', 'vpsraw', 'Hx,Ux,Ib', shiftImm('sar', 16)),
  ...vexInt('66.0F.WIG 71 /6', 'vpsllw', 'Hx,Ux,Ib', shiftImm('shl', 16)),
  ...vexInt('66.0F.WIG 72 /2', 'vpsrld', 'Hx,Ux,Ib', shiftImm('shr', 32)),
  ...vexInt('66.0F.WIG 72 /4', 'vpsrad', 'Hx,Ux,Ib', shiftImm('sar', 32)),
  ...vexInt('66.0F.WIG 72 /6', 'vpslld', 'Hx,Ux,Ib', shiftImm('shl', 32)),
  ...vexInt('66.0F.WIG 73 /2', 'vpsrlq', 'Hx,Ux,Ib', shiftImm('shr', 64)),
  ...vexInt('66.0F.WIG 73 /3', 'vpsrldq', 'Hx,Ux,Ib', vexUnaryImm(shiftBytes(false))),
  ...vexInt('66.0F.WIG 73 /6', 'vpsllq', 'Hx,Ux,Ib', shiftImm('shl', 64)),
  ...vexInt('66.0F.WIG 73 /7', 'vpslldq', 'Hx,Ux,Ib', vexUnaryImm(shiftBytes(true))),
  ...vexInt('66.0F.WIG 70 /r', 'vpshufd', 'Vx,Wx,Ib', vexUnaryImm(shuffleDwords)),
  ...vexInt('F3.0F.WIG 70 /r', 'vpshufhw', 'Vx,Wx,Ib', vexUnaryImm(shuffleHighWords)),
  ...vexInt('F2.0F.WIG 70 /r', 'vpshuflw', 'Vx,Wx,Ib', vexUnaryImm(shuffleLowWords)),
  vex('128.66.0F.WIG C4 /r', 'vpinsrw', 'Vdq,Hdq,Ey/w,Ib', insert(2)),
  vex('128.66.0F.WIG C5 /r', 'vpextrw', 'Gy,Udq,Ib', pextrw),
  // SSSE3.
  ...vexInt('66.0F38.WIG 00 /r', 'vpshufb', 'Vx,Hx,Wx', vexBinary(SSSE3.pshufb)),
  ...vexInt('66.0F38.WIG 01 /r', 'vphaddw', 'Vx,Hx,Wx', vexBinary(SSSE3.phaddw)),
  ...vexInt('66.0F38.WIG 02 /r', 'vphaddd', 'Vx,Hx,Wx', vexBinary(SSSE3.phaddd)),
  ...vexInt('66.0F38.WIG 03 /r', 'vphaddsw', 'Vx,Hx,Wx', vexBinary(SSSE3.phaddsw)),
  ...vexInt('66.0F38.WIG 04 /r', 'vpmaddubsw', 'Vx,Hx,Wx', vexBinary(SSSE3.pmaddubsw)),
  ...vexInt('66.0F38.WIG 05 /r', 'vphsubw', 'Vx,Hx,Wx', vexBinary(SSSE3.phsubw)),
  ...vexInt('66.0F38.WIG 06 /r', 'vphsubd', 'Vx,Hx,Wx', vexBinary(SSSE3.phsubd)),
  ...vexInt('66.0F38.WIG 07 /r', 'vphsubsw', 'Vx,Hx,Wx', vexBinary(SSSE3.phsubsw)),
  ...vexInt('66.0F38.WIG 08 /r', 'vpsignb', 'Vx,Hx,Wx', vexBinary(SSSE3.psignb)),
  ...vexInt('66.0F38.WIG 09 /r', 'vpsignw', 'Vx,Hx,Wx', vexBinary(SSSE3.psignw)),
  ...vexInt('66.0F38.WIG 0A /r', 'vpsignd', 'Vx,Hx,Wx', vexBinary(SSSE3.psignd)),
  ...vexInt('66.0F38.WIG 0B /r', 'vpmulhrsw', 'Vx,Hx,Wx', vexBinary(SSSE3.pmulhrsw)),
  ...vexInt('66.0F38.WIG 1C /r', 'vpabsb', 'Vx,Wx', vexUnary(SSSE3_UNARY.pabsb)),
  ...vexInt('66.0F38.WIG 1D /r', 'vpabsw', 'Vx,Wx', vexUnary(SSSE3_UNARY.pabsw)),
  ...vexInt('66.0F38.WIG 1E /r', 'vpabsd', 'Vx,Wx', vexUnary(SSSE3_UNARY.pabsd)),
  ...vexInt('66.0F3A.WIG 0F /r', 'vpalignr', 'Vx,Hx,Wx,Ib', vexBinaryImm(alignRight)),
  // SSE4.1.
  ...vexInt('66.0F38.WIG 20 /r', 'vpmovsxbw', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovsxbw, 2)),
  ...vexInt('66.0F38.WIG 21 /r', 'vpmovsxbd', 'Vx,Wdq/xq', vexWiden(SSE41_UNARY.pmovsxbd, 4)),
  ...vexInt('66.0F38.WIG 22 /r', 'vpmovsxbq', 'Vx,Wdq/xe', vexWiden(SSE41_UNARY.pmovsxbq, 8)),
  ...vexInt('66.0F38.WIG 23 /r', 'vpmovsxwd', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovsxwd, 2)),
  ...vexInt('66.0F38.WIG 24 /r', 'vpmovsxwq', 'Vx,Wdq/xq', vexWiden(SSE41_UNARY.pmovsxwq, 4)),
  ...vexInt('66.0F38.WIG 25 /r', 'vpmovsxdq', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovsxdq, 2)),
  ...vexInt('66.0F38.WIG 30 /r', 'vpmovzxbw', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovzxbw, 2)),
  ...vexInt('66.0F38.WIG 31 /r', 'vpmovzxbd', 'Vx,Wdq/xq', vexWiden(SSE41_UNARY.pmovzxbd, 4)),
  ...vexInt('66.0F38.WIG 32 /r', 'vpmovzxbq', 'Vx,Wdq/xe', vexWiden(SSE41_UNARY.pmovzxbq, 8)),
  ...vexInt('66.0F38.WIG 33 /r', 'vpmovzxwd', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovzxwd, 2)),
  ...vexInt('66.0F38.WIG 34 /r', 'vpmovzxwq', 'Vx,Wdq/xq', vexWiden(SSE41_UNARY.pmovzxwq, 4)),
  ...vexInt('66.0F38.WIG 35 /r', 'vpmovzxdq', 'Vx,Wdq/xh', vexWiden(SSE41_UNARY.pmovzxdq, 2)),
  ...vexInt('66.0F38.WIG 28 /r', 'vpmuldq', 'Vx,Hx,Wx', vexBinary(SSE41.pmuldq)),
  ...vexInt('66.0F38.WIG 29 /r', 'vpcmpeqq', 'Vx,Hx,Wx', vexBinary(SSE41.pcmpeqq)),
  ...vexInt('66.0F38.WIG 2B /r', 'vpackusdw', 'Vx,Hx,Wx', vexBinary(SSE41.packusdw)),
  ...vexInt('66.0F38.WIG 37 /r', 'vpcmpgtq', 'Vx,Hx,Wx', vexBinary(SSE41.pcmpgtq)),
  ...vexInt('66.0F38.WIG 38 /r', 'vpminsb', 'Vx,Hx,Wx', vexBinary(SSE41.pminsb)),
  ...vexInt('66.0F38.WIG 39 /r', 'vpminsd', 'Vx,Hx,Wx', vexBinary(SSE41.pminsd)),
  ...vexInt('66.0F38.WIG 3A /r', 'vpminuw', 'Vx,Hx,Wx', vexBinary(SSE41.pminuw)),
  ...vexInt('66.0F38.WIG 3B /r', 'vpminud', 'Vx,Hx,Wx', vexBinary(SSE41.pminud)),
  ...vexInt('66.0F38.WIG 3C /r', 'vpmaxsb', 'Vx,Hx,Wx', vexBinary(SSE41.pmaxsb)),
  ...vexInt('66.0F38.WIG 3D /r', 'vpmaxsd', 'Vx,Hx,Wx', vexBinary(SSE41.pmaxsd)),
  ...vexInt('66.0F38.WIG 3E /r', 'vpmaxuw', 'Vx,Hx,Wx', vexBinary(SSE41.pmaxuw)),
  ...vexInt('66.0F38.WIG 3F /r', 'vpmaxud', 'Vx,Hx,Wx', vexBinary(SSE41.pmaxud)),
  ...vexInt('66.0F38.WIG 40 /r', 'vpmulld', 'Vx,Hx,Wx', vexBinary(SSE41.pmulld)),
  vex('66.0F38.WIG 17 /r', 'vptest', 'Vx,Wx', vexTest(testFlags)),
  vex('128.66.0F38.WIG 41 /r', 'vphminposuw', 'Vx,Wx', vexUnary(SSE41_UNARY.phminposuw)),
  ...vexInt('66.0F3A.WIG 0E /r', 'vpblendw', 'Vx,Hx,Wx,Ib', vexBinaryImm(SSE41_IMM.pblendw)),
  ...vexInt('66.0F3A.WIG 42 /r', 'vmpsadbw', 'Vx,Hx,Wx,Ib', vexBinaryImm(SSE41_IMM.mpsadbw, 3)),
  ...vexInt(
    '66.0F3A.W0 4C /r',
    'vpblendvb',
    'Vx,Hx,Wx,Lx',
    vexBlend((l, a, b, mask) => blendByMask(l, a, b, mask, 'i8x16')),
  ),
  vex('128.66.0F3A.WIG 14 /r', 'vpextrb', 'Ey/b,Vdq,Ib', extract(1)),
  vex('128.66.0F3A.WIG 15 /r', 'vpextrw', 'Ey/w,Vdq,Ib', extract(2)),
  vex('128.66.0F3A.W0 16 /r', 'vpextrd', 'Ed,Vdq,Ib', extract(4)),
  vex('128.66.0F3A.W1 16 /r', 'vpextrq', 'Eq,Vdq,Ib', extract(8)),
  vex('128.66.0F3A.WIG 20 /r', 'vpinsrb', 'Vdq,Hdq,Ey/b,Ib', insert(1)),
  vex('128.66.0F3A.W0 22 /r', 'vpinsrd', 'Vdq,Hdq,Ed,Ib', insert(4)),
  vex('128.66.0F3A.W1 22 /r', 'vpinsrq', 'Vdq,Hdq,Eq,Ib', insert(8)),
  // SSE4.2, AES, PCLMULQDQ.
  vex('128.66.0F3A.W0 60 /r', 'vpcmpestrm', 'Vx,Wx,Ib', estrm(4)),
  vex('128.66.0F3A.W1 60 /r', 'vpcmpestrm64', 'Vx,Wx,Ib', estrm(8)),
  vex('128.66.0F3A.W0 61 /r', 'vpcmpestri', 'Vx,Wx,Ib', estri(4)),
  vex('128.66.0F3A.W1 61 /r', 'vpcmpestri64', 'Vx,Wx,Ib', estri(8)),
  vex('128.66.0F3A.WIG 62 /r', 'vpcmpistrm', 'Vx,Wx,Ib', stringCompare(compareImplicit, 'mask')),
  vex('128.66.0F3A.WIG 63 /r', 'vpcmpistri', 'Vx,Wx,Ib', stringCompare(compareImplicit, 'index')),
  vex('128.66.0F3A.WIG DF /r', 'vaeskeygenassist', 'Vx,Wx,Ib', vexUnaryImm(aesKeyAssist)),
  vex('128.66.0F38.WIG DB /r', 'vaesimc', 'Vx,Wx', vexUnary(aesInverseMix)),
  vex('128.66.0F38.WIG DC /r', 'vaesenc', 'Vx,Hx,Wx', vexBinary(CRYPTO.aesenc)),
  vex('128.66.0F38.WIG DD /r', 'vaesenclast', 'Vx,Hx,Wx', vexBinary(CRYPTO.aesenclast)),
  vex('128.66.0F38.WIG DE /r', 'vaesdec', 'Vx,Hx,Wx', vexBinary(CRYPTO.aesdec)),
  vex('128.66.0F38.WIG DF /r', 'vaesdeclast', 'Vx,Hx,Wx', vexBinary(CRYPTO.aesdeclast)),
  vex('128.66.0F3A.WIG 44 /r', 'vpclmulqdq', 'Vx,Hx,Wx,Ib', vexBinaryImm(carrylessProduct)),
];
