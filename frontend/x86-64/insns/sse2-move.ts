/**
 * Moves of SSE2 and of SSE3. Out: rows. Source: SDM 2A/2B, MOVUPD MOVSD MOVAPD MOVDQA MOVDQU MOVQ MOVD MOVNTDQ MASKMOVDQU MOVDDUP LDDQU.
 */
import type { InsnRow } from '../insn.js';

export const sse2MoveRows = [
  { enc: '66 0F 10 /r', mnemonic: 'movupd', operands: 'Vpd,Wpd', feature: 'sse2' },
  { enc: '66 0F 11 /r', mnemonic: 'movupd', operands: 'Wpd,Vpd', feature: 'sse2' },
  { enc: 'F2 0F 10 /r', mnemonic: 'movsd', operands: 'Vsd,Wsd', feature: 'sse2' },
  { enc: 'F2 0F 11 /r', mnemonic: 'movsd', operands: 'Wsd,Vsd', feature: 'sse2' },
  { enc: '66 0F 12 /r', mnemonic: 'movlpd', operands: 'Vq,Mq', feature: 'sse2' },
  { enc: '66 0F 13 /r', mnemonic: 'movlpd', operands: 'Mq,Vq', feature: 'sse2' },
  { enc: '66 0F 16 /r', mnemonic: 'movhpd', operands: 'Vq,Mq', feature: 'sse2' },
  { enc: '66 0F 17 /r', mnemonic: 'movhpd', operands: 'Mq,Vq', feature: 'sse2' },
  { enc: '66 0F 28 /r', mnemonic: 'movapd', operands: 'Vpd,Wpd', feature: 'sse2' },
  { enc: '66 0F 29 /r', mnemonic: 'movapd', operands: 'Wpd,Vpd', feature: 'sse2' },
  { enc: '66 0F 2B /r', mnemonic: 'movntpd', operands: 'Mpd,Vpd', feature: 'sse2' },
  { enc: '66 0F 50 /r', mnemonic: 'movmskpd', operands: 'Gy,Upd', feature: 'sse2' },
  { enc: '66 0F 6E /r', mnemonic: 'movd', operands: 'Vd,Ed', feature: 'sse2' },
  { enc: '66 REX.W 0F 6E /r', mnemonic: 'movq', operands: 'Vq,Eq', feature: 'sse2' },
  { enc: '66 0F 7E /r', mnemonic: 'movd', operands: 'Ed,Vd', feature: 'sse2' },
  { enc: '66 REX.W 0F 7E /r', mnemonic: 'movq', operands: 'Eq,Vq', feature: 'sse2' },
  { enc: '66 0F 6F /r', mnemonic: 'movdqa', operands: 'Vx,Wx', feature: 'sse2' },
  { enc: '66 0F 7F /r', mnemonic: 'movdqa', operands: 'Wx,Vx', feature: 'sse2' },
  { enc: 'F3 0F 6F /r', mnemonic: 'movdqu', operands: 'Vx,Wx', feature: 'sse2' },
  { enc: 'F3 0F 7F /r', mnemonic: 'movdqu', operands: 'Wx,Vx', feature: 'sse2' },
  { enc: 'F3 0F 7E /r', mnemonic: 'movq', operands: 'Vq,Wq', feature: 'sse2' },
  { enc: '66 0F D6 /r', mnemonic: 'movq', operands: 'Wq,Vq', feature: 'sse2' },
  { enc: 'F3 0F D6 /r', mnemonic: 'movq2dq', operands: 'Vq,Nq', feature: 'sse2' },
  { enc: 'F2 0F D6 /r', mnemonic: 'movdq2q', operands: 'Pq,Uq', feature: 'sse2' },
  { enc: '66 0F E7 /r', mnemonic: 'movntdq', operands: 'Mx,Vx', feature: 'sse2' },
  { enc: '66 0F D7 /r', mnemonic: 'pmovmskb', operands: 'Gy,Ux', feature: 'sse2' },
  { enc: '66 0F F7 /r', mnemonic: 'maskmovdqu', operands: 'BDx,Vx,Ux', feature: 'sse2' },
  // SSE3.
  { enc: 'F2 0F 12 /r', mnemonic: 'movddup', operands: 'Vx,Wq', feature: 'sse3' },
  { enc: 'F3 0F 12 /r', mnemonic: 'movsldup', operands: 'Vx,Wx', feature: 'sse3' },
  { enc: 'F3 0F 16 /r', mnemonic: 'movshdup', operands: 'Vx,Wx', feature: 'sse3' },
  { enc: 'F2 0F F0 /r', mnemonic: 'lddqu', operands: 'Vx,Mx', feature: 'sse3' },
] as const satisfies readonly InsnRow[];
