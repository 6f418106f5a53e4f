/**
 * Moves of SSE. Out: rows. Source: SDM 2A/2B, MOVUPS MOVSS MOVAPS MOVLPS MOVHPS MOVLHPS MOVHLPS MOVNTPS MOVMSKPS.
 */
import type { InsnRow } from '../insn.js';

export const sseMoveRows = [
  { enc: 'NP 0F 10 /r', mnemonic: 'movups', operands: 'Vps,Wps', feature: 'sse' },
  { enc: 'NP 0F 11 /r', mnemonic: 'movups', operands: 'Wps,Vps', feature: 'sse' },
  { enc: 'F3 0F 10 /r', mnemonic: 'movss', operands: 'Vss,Wss', feature: 'sse' },
  { enc: 'F3 0F 11 /r', mnemonic: 'movss', operands: 'Wss,Vss', feature: 'sse' },
  { enc: 'NP 0F 12 /r', mnemonic: 'movlps', operands: 'Vq,Mq', feature: 'sse' },
  { enc: 'NP 0F 12 /r', mnemonic: 'movhlps', operands: 'Vq,Uq', feature: 'sse' },
  { enc: 'NP 0F 13 /r', mnemonic: 'movlps', operands: 'Mq,Vq', feature: 'sse' },
  { enc: 'NP 0F 16 /r', mnemonic: 'movhps', operands: 'Vq,Mq', feature: 'sse' },
  { enc: 'NP 0F 16 /r', mnemonic: 'movlhps', operands: 'Vq,Uq', feature: 'sse' },
  { enc: 'NP 0F 17 /r', mnemonic: 'movhps', operands: 'Mq,Vq', feature: 'sse' },
  { enc: 'NP 0F 28 /r', mnemonic: 'movaps', operands: 'Vps,Wps', feature: 'sse' },
  { enc: 'NP 0F 29 /r', mnemonic: 'movaps', operands: 'Wps,Vps', feature: 'sse' },
  { enc: 'NP 0F 2B /r', mnemonic: 'movntps', operands: 'Mps,Vps', feature: 'sse' },
  { enc: 'NP 0F 50 /r', mnemonic: 'movmskps', operands: 'Gy,Ups', feature: 'sse' },
] as const satisfies readonly InsnRow[];
