/**
 * MMX, and what SSE and SSE2 added to it. Out: rows. Source: SDM 2A/2B, one section an instruction; appendix A, table A-3.
 */
import type { TempId } from '../../../src/base/ids.js';
import { CPU } from '../../../src/guest/cpu-state.js';
import type { Lifter } from '../lifter.js';
import {
  afterX87,
  enterMmx,
  fields2,
  fromGeneral,
  imm8,
  lanes,
  setGeneral32,
  setVec,
  shuffle,
  storeVec,
  toGeneral,
  vec,
} from '../vector.js';
import { packed, packedShift } from '../vector-int.js';
import { pextrw, pinsrw } from './sse2-int.js';
import type { InsnRow } from '../insn.js';

function moveGeneral(l: Lifter): void {
  if (l.op(0).kind === 'mmx') {
    setVec(l, 0, fromGeneral(l, 1));
    return;
  }
  toGeneral(l, 0, vec(l, 1));
  enterMmx(l);
}

function moveQuad(l: Lifter): void {
  if (l.op(0).kind === 'mem') {
    storeVec(l, 0, vec(l, 1));
    enterMmx(l);
    return;
  }
  setVec(l, 0, vec(l, 1));
}

/** EMMS: all x87 registers are empty; TOP is 0. */
function emms(l: Lifter): void {
  l.setEnv(CPU.FPTOP, l.i32(0));
  l.setEnv(CPU.FPTAG, l.i32(0xff));
}

function pshufw(l: Lifter): void {
  const a = vec(l, 1);
  setVec(l, 0, shuffle(l, a, a, lanes(2, [...fields2(imm8(l, 2)), 4, 5, 6, 7])));
}

function extract(l: Lifter): void {
  pextrw(l);
  enterMmx(l);
}

/** Top bits of the eight bytes of operand `i`. */
function maskOf(l: Lifter, i: number): TempId {
  return l.e('and_i32', [l.e('v_bitmask_i8x16', [vec(l, i)]), l.i32(0xff)]);
}

/** PMOVMSKB of eight bytes. */
function mask(l: Lifter): void {
  setGeneral32(l, 0, maskOf(l, 1));
  enterMmx(l);
}

function maskmov(l: Lifter): void {
  const ea = l.ea(l.mem(0));
  l.checkAligned(ea, 1, 8);
  l.call('maskmov', [ea, l.e('v_extract_i64x2', [vec(l, 1)], [0]), l.i64(0), maskOf(l, 2)]);
  enterMmx(l);
}

const rows = [
  { enc: 'NP 0F 6E /r', mnemonic: 'movd', operands: 'Pq,Ed', feature: 'mmx', lift: moveGeneral },
  { enc: 'NP REX.W 0F 6E /r', mnemonic: 'movq', operands: 'Pq,Eq', feature: 'mmx', lift: moveGeneral },
  { enc: 'NP 0F 7E /r', mnemonic: 'movd', operands: 'Ed,Pq', feature: 'mmx', lift: moveGeneral },
  { enc: 'NP REX.W 0F 7E /r', mnemonic: 'movq', operands: 'Eq,Pq', feature: 'mmx', lift: moveGeneral },
  { enc: 'NP 0F 6F /r', mnemonic: 'movq', operands: 'Pq,Qq', feature: 'mmx', lift: moveQuad },
  { enc: 'NP 0F 7F /r', mnemonic: 'movq', operands: 'Qq,Pq', feature: 'mmx', lift: moveQuad },
  { enc: 'NP 0F 77', mnemonic: 'emms', operands: '', feature: 'mmx', lift: emms },
  { enc: 'NP 0F 60 /r', mnemonic: 'punpcklbw', operands: 'Pq,Qd', feature: 'mmx', lift: packed('punpcklbw') },
  { enc: 'NP 0F 61 /r', mnemonic: 'punpcklwd', operands: 'Pq,Qd', feature: 'mmx', lift: packed('punpcklwd') },
  { enc: 'NP 0F 62 /r', mnemonic: 'punpckldq', operands: 'Pq,Qd', feature: 'mmx', lift: packed('punpckldq') },
  { enc: 'NP 0F 63 /r', mnemonic: 'packsswb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('packsswb') },
  { enc: 'NP 0F 64 /r', mnemonic: 'pcmpgtb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpgtb') },
  { enc: 'NP 0F 65 /r', mnemonic: 'pcmpgtw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpgtw') },
  { enc: 'NP 0F 66 /r', mnemonic: 'pcmpgtd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpgtd') },
  { enc: 'NP 0F 67 /r', mnemonic: 'packuswb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('packuswb') },
  { enc: 'NP 0F 68 /r', mnemonic: 'punpckhbw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('punpckhbw') },
  { enc: 'NP 0F 69 /r', mnemonic: 'punpckhwd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('punpckhwd') },
  { enc: 'NP 0F 6A /r', mnemonic: 'punpckhdq', operands: 'Pq,Qq', feature: 'mmx', lift: packed('punpckhdq') },
  { enc: 'NP 0F 6B /r', mnemonic: 'packssdw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('packssdw') },
  { enc: 'NP 0F 74 /r', mnemonic: 'pcmpeqb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpeqb') },
  { enc: 'NP 0F 75 /r', mnemonic: 'pcmpeqw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpeqw') },
  { enc: 'NP 0F 76 /r', mnemonic: 'pcmpeqd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pcmpeqd') },
  { enc: 'NP 0F D1 /r', mnemonic: 'psrlw', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shr', 16) },
  { enc: 'NP 0F D2 /r', mnemonic: 'psrld', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shr', 32) },
  { enc: 'NP 0F D3 /r', mnemonic: 'psrlq', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shr', 64) },
  { enc: 'NP 0F D5 /r', mnemonic: 'pmullw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pmullw') },
  { enc: 'NP 0F D8 /r', mnemonic: 'psubusb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubusb') },
  { enc: 'NP 0F D9 /r', mnemonic: 'psubusw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubusw') },
  { enc: 'NP 0F DB /r', mnemonic: 'pand', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pand') },
  { enc: 'NP 0F DC /r', mnemonic: 'paddusb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddusb') },
  { enc: 'NP 0F DD /r', mnemonic: 'paddusw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddusw') },
  { enc: 'NP 0F DF /r', mnemonic: 'pandn', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pandn') },
  { enc: 'NP 0F E1 /r', mnemonic: 'psraw', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('sar', 16) },
  { enc: 'NP 0F E2 /r', mnemonic: 'psrad', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('sar', 32) },
  { enc: 'NP 0F E5 /r', mnemonic: 'pmulhw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pmulhw') },
  { enc: 'NP 0F E8 /r', mnemonic: 'psubsb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubsb') },
  { enc: 'NP 0F E9 /r', mnemonic: 'psubsw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubsw') },
  { enc: 'NP 0F EB /r', mnemonic: 'por', operands: 'Pq,Qq', feature: 'mmx', lift: packed('por') },
  { enc: 'NP 0F EC /r', mnemonic: 'paddsb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddsb') },
  { enc: 'NP 0F ED /r', mnemonic: 'paddsw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddsw') },
  { enc: 'NP 0F EF /r', mnemonic: 'pxor', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pxor') },
  { enc: 'NP 0F F1 /r', mnemonic: 'psllw', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shl', 16) },
  { enc: 'NP 0F F2 /r', mnemonic: 'pslld', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shl', 32) },
  { enc: 'NP 0F F3 /r', mnemonic: 'psllq', operands: 'Pq,Qq', feature: 'mmx', lift: packedShift('shl', 64) },
  { enc: 'NP 0F F5 /r', mnemonic: 'pmaddwd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('pmaddwd') },
  { enc: 'NP 0F F8 /r', mnemonic: 'psubb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubb') },
  { enc: 'NP 0F F9 /r', mnemonic: 'psubw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubw') },
  { enc: 'NP 0F FA /r', mnemonic: 'psubd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('psubd') },
  { enc: 'NP 0F FC /r', mnemonic: 'paddb', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddb') },
  { enc: 'NP 0F FD /r', mnemonic: 'paddw', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddw') },
  { enc: 'NP 0F FE /r', mnemonic: 'paddd', operands: 'Pq,Qq', feature: 'mmx', lift: packed('paddd') },
  // Added by SSE and SSE2.
  { enc: 'NP 0F DA /r', mnemonic: 'pminub', operands: 'Pq,Qq', feature: 'sse', lift: packed('pminub') },
  { enc: 'NP 0F DE /r', mnemonic: 'pmaxub', operands: 'Pq,Qq', feature: 'sse', lift: packed('pmaxub') },
  { enc: 'NP 0F E0 /r', mnemonic: 'pavgb', operands: 'Pq,Qq', feature: 'sse', lift: packed('pavgb') },
  { enc: 'NP 0F E3 /r', mnemonic: 'pavgw', operands: 'Pq,Qq', feature: 'sse', lift: packed('pavgw') },
  { enc: 'NP 0F E4 /r', mnemonic: 'pmulhuw', operands: 'Pq,Qq', feature: 'sse', lift: packed('pmulhuw') },
  { enc: 'NP 0F EA /r', mnemonic: 'pminsw', operands: 'Pq,Qq', feature: 'sse', lift: packed('pminsw') },
  { enc: 'NP 0F EE /r', mnemonic: 'pmaxsw', operands: 'Pq,Qq', feature: 'sse', lift: packed('pmaxsw') },
  { enc: 'NP 0F F6 /r', mnemonic: 'psadbw', operands: 'Pq,Qq', feature: 'sse', lift: packed('psadbw') },
  { enc: 'NP 0F D4 /r', mnemonic: 'paddq', operands: 'Pq,Qq', feature: 'sse2', lift: packed('paddq') },
  { enc: 'NP 0F F4 /r', mnemonic: 'pmuludq', operands: 'Pq,Qq', feature: 'sse2', lift: packed('pmuludq') },
  { enc: 'NP 0F FB /r', mnemonic: 'psubq', operands: 'Pq,Qq', feature: 'sse2', lift: packed('psubq') },
  { enc: 'NP 0F 70 /r', mnemonic: 'pshufw', operands: 'Pq,Qq,Ib', feature: 'sse', lift: pshufw },
  { enc: 'NP 0F C4 /r', mnemonic: 'pinsrw', operands: 'Pq,Ey/w,Ib', feature: 'sse', lift: pinsrw },
  { enc: 'NP 0F C5 /r', mnemonic: 'pextrw', operands: 'Gy,Nq,Ib', feature: 'sse', lift: extract },
  { enc: 'NP 0F D7 /r', mnemonic: 'pmovmskb', operands: 'Gy,Nq', feature: 'sse', lift: mask },
  { enc: 'NP 0F E7 /r', mnemonic: 'movntq', operands: 'Mq,Pq', feature: 'sse', lift: moveQuad },
  { enc: 'NP 0F F7 /r', mnemonic: 'maskmovq', operands: 'BDq,Pq,Nq', feature: 'sse', lift: maskmov },
  { enc: 'NP 0F 71 /2', mnemonic: 'psrlw', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shr', 16) },
  { enc: 'NP 0F 71 /4', mnemonic: 'psraw', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('sar', 16) },
  { enc: 'NP 0F 71 /6', mnemonic: 'psllw', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shl', 16) },
  { enc: 'NP 0F 72 /2', mnemonic: 'psrld', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shr', 32) },
  { enc: 'NP 0F 72 /4', mnemonic: 'psrad', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('sar', 32) },
  { enc: 'NP 0F 72 /6', mnemonic: 'pslld', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shl', 32) },
  { enc: 'NP 0F 73 /2', mnemonic: 'psrlq', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shr', 64) },
  { enc: 'NP 0F 73 /6', mnemonic: 'psllq', operands: 'Nq,Ib', feature: 'mmx', lift: packedShift('shl', 64) },
] as const satisfies readonly InsnRow[];

export const mmxRows: readonly InsnRow[] = rows.map((row) => ({ ...row, lift: afterX87(row.lift) }));
