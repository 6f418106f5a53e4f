/**
 * 128-bit integer instructions of SSE2. Out: rows. Source: SDM 2A/2B, one section an instruction; appendix A, table A-3.
 */
import type { Lifter } from '../lifter.js';
import { imm8, setGeneral32, setVec, vec } from '../vector.js';
import { byteShift, packed, packedShift, shuffleDwords, shuffleHighWords, shuffleLowWords } from '../vector-int.js';
import { unaryImm } from '../vector-lift.js';
import type { InsnRow } from '../insn.js';

export function pinsrw(l: Lifter): void {
  const value = l.lo(l.load(1));
  const count = l.op(0).kind === 'mmx' ? 3 : 7;
  setVec(l, 0, l.e('v_replace_i16x8', [vec(l, 0), value], [imm8(l, 2) & count]));
}

export function pextrw(l: Lifter): void {
  const count = l.op(1).kind === 'mmx' ? 3 : 7;
  setGeneral32(l, 0, l.e('v_extractu_i16x8', [vec(l, 1)], [imm8(l, 2) & count]));
}

export const sse2IntRows = [
  { enc: '66 0F 60 /r', mnemonic: 'punpcklbw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpcklbw') },
  { enc: '66 0F 61 /r', mnemonic: 'punpcklwd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpcklwd') },
  { enc: '66 0F 62 /r', mnemonic: 'punpckldq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpckldq') },
  { enc: '66 0F 63 /r', mnemonic: 'packsswb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('packsswb') },
  { enc: '66 0F 64 /r', mnemonic: 'pcmpgtb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpgtb') },
  { enc: '66 0F 65 /r', mnemonic: 'pcmpgtw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpgtw') },
  { enc: '66 0F 66 /r', mnemonic: 'pcmpgtd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpgtd') },
  { enc: '66 0F 67 /r', mnemonic: 'packuswb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('packuswb') },
  { enc: '66 0F 68 /r', mnemonic: 'punpckhbw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpckhbw') },
  { enc: '66 0F 69 /r', mnemonic: 'punpckhwd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpckhwd') },
  { enc: '66 0F 6A /r', mnemonic: 'punpckhdq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpckhdq') },
  { enc: '66 0F 6B /r', mnemonic: 'packssdw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('packssdw') },
  { enc: '66 0F 6C /r', mnemonic: 'punpcklqdq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpcklqdq') },
  { enc: '66 0F 6D /r', mnemonic: 'punpckhqdq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('punpckhqdq') },
  { enc: '66 0F 74 /r', mnemonic: 'pcmpeqb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpeqb') },
  { enc: '66 0F 75 /r', mnemonic: 'pcmpeqw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpeqw') },
  { enc: '66 0F 76 /r', mnemonic: 'pcmpeqd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pcmpeqd') },
  { enc: '66 0F D1 /r', mnemonic: 'psrlw', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shr', 16) },
  { enc: '66 0F D2 /r', mnemonic: 'psrld', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shr', 32) },
  { enc: '66 0F D3 /r', mnemonic: 'psrlq', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shr', 64) },
  { enc: '66 0F D4 /r', mnemonic: 'paddq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddq') },
  { enc: '66 0F D5 /r', mnemonic: 'pmullw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmullw') },
  { enc: '66 0F D8 /r', mnemonic: 'psubusb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubusb') },
  { enc: '66 0F D9 /r', mnemonic: 'psubusw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubusw') },
  { enc: '66 0F DA /r', mnemonic: 'pminub', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pminub') },
  { enc: '66 0F DB /r', mnemonic: 'pand', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pand') },
  { enc: '66 0F DC /r', mnemonic: 'paddusb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddusb') },
  { enc: '66 0F DD /r', mnemonic: 'paddusw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddusw') },
  { enc: '66 0F DE /r', mnemonic: 'pmaxub', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmaxub') },
  { enc: '66 0F DF /r', mnemonic: 'pandn', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pandn') },
  { enc: '66 0F E0 /r', mnemonic: 'pavgb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pavgb') },
  { enc: '66 0F E1 /r', mnemonic: 'psraw', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('sar', 16) },
  { enc: '66 0F E2 /r', mnemonic: 'psrad', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('sar', 32) },
  { enc: '66 0F E3 /r', mnemonic: 'pavgw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pavgw') },
  { enc: '66 0F E4 /r', mnemonic: 'pmulhuw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmulhuw') },
  { enc: '66 0F E5 /r', mnemonic: 'pmulhw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmulhw') },
  { enc: '66 0F E8 /r', mnemonic: 'psubsb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubsb') },
  { enc: '66 0F E9 /r', mnemonic: 'psubsw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubsw') },
  { enc: '66 0F EA /r', mnemonic: 'pminsw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pminsw') },
  { enc: '66 0F EB /r', mnemonic: 'por', operands: 'Vx,Wx', feature: 'sse2', lift: packed('por') },
  { enc: '66 0F EC /r', mnemonic: 'paddsb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddsb') },
  { enc: '66 0F ED /r', mnemonic: 'paddsw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddsw') },
  { enc: '66 0F EE /r', mnemonic: 'pmaxsw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmaxsw') },
  { enc: '66 0F EF /r', mnemonic: 'pxor', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pxor') },
  { enc: '66 0F F1 /r', mnemonic: 'psllw', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shl', 16) },
  { enc: '66 0F F2 /r', mnemonic: 'pslld', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shl', 32) },
  { enc: '66 0F F3 /r', mnemonic: 'psllq', operands: 'Vx,Wx', feature: 'sse2', lift: packedShift('shl', 64) },
  { enc: '66 0F F4 /r', mnemonic: 'pmuludq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmuludq') },
  { enc: '66 0F F5 /r', mnemonic: 'pmaddwd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('pmaddwd') },
  { enc: '66 0F F6 /r', mnemonic: 'psadbw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psadbw') },
  { enc: '66 0F F8 /r', mnemonic: 'psubb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubb') },
  { enc: '66 0F F9 /r', mnemonic: 'psubw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubw') },
  { enc: '66 0F FA /r', mnemonic: 'psubd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubd') },
  { enc: '66 0F FB /r', mnemonic: 'psubq', operands: 'Vx,Wx', feature: 'sse2', lift: packed('psubq') },
  { enc: '66 0F FC /r', mnemonic: 'paddb', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddb') },
  { enc: '66 0F FD /r', mnemonic: 'paddw', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddw') },
  { enc: '66 0F FE /r', mnemonic: 'paddd', operands: 'Vx,Wx', feature: 'sse2', lift: packed('paddd') },
  { enc: '66 0F 71 /2', mnemonic: 'psrlw', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shr', 16) },
  { enc: '66 0F 71 /4', mnemonic: 'psraw', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('sar', 16) },
  { enc: '66 0F 71 /6', mnemonic: 'psllw', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shl', 16) },
  { enc: '66 0F 72 /2', mnemonic: 'psrld', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shr', 32) },
  { enc: '66 0F 72 /4', mnemonic: 'psrad', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('sar', 32) },
  { enc: '66 0F 72 /6', mnemonic: 'pslld', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shl', 32) },
  { enc: '66 0F 73 /2', mnemonic: 'psrlq', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shr', 64) },
  { enc: '66 0F 73 /6', mnemonic: 'psllq', operands: 'Ux,Ib', feature: 'sse2', lift: packedShift('shl', 64) },
  { enc: '66 0F 73 /3', mnemonic: 'psrldq', operands: 'Ux,Ib', feature: 'sse2', lift: byteShift(false) },
  { enc: '66 0F 73 /7', mnemonic: 'pslldq', operands: 'Ux,Ib', feature: 'sse2', lift: byteShift(true) },
  { enc: '66 0F 70 /r', mnemonic: 'pshufd', operands: 'Vx,Wx,Ib', feature: 'sse2', lift: unaryImm(shuffleDwords) },
  { enc: 'F3 0F 70 /r', mnemonic: 'pshufhw', operands: 'Vx,Wx,Ib', feature: 'sse2', lift: unaryImm(shuffleHighWords) },
  { enc: 'F2 0F 70 /r', mnemonic: 'pshuflw', operands: 'Vx,Wx,Ib', feature: 'sse2', lift: unaryImm(shuffleLowWords) },
  { enc: '66 0F C4 /r', mnemonic: 'pinsrw', operands: 'Vx,Ey/w,Ib', feature: 'sse2', lift: pinsrw },
  { enc: '66 0F C5 /r', mnemonic: 'pextrw', operands: 'Gy,Ux,Ib', feature: 'sse2', lift: pextrw },
] as const satisfies readonly InsnRow[];
