/**
 * Data movement between registers and memory. Out: rows. Source: SDM 2B, MOV MOVZX MOVSX MOVSXD LEA MOVNTI XLAT LSS/LFS/LGS.
 */
import type { InsnRow } from '../insn.js';

export const movRows = [
  { enc: '88 /r', mnemonic: 'mov', operands: 'Eb,Gb', feature: 'base' },
  { enc: '89 /r', mnemonic: 'mov', operands: 'Ev,Gv', feature: 'base' },
  { enc: '8A /r', mnemonic: 'mov', operands: 'Gb,Eb', feature: 'base' },
  { enc: '8B /r', mnemonic: 'mov', operands: 'Gv,Ev', feature: 'base' },
  { enc: '8C /r', mnemonic: 'mov', operands: 'Ev/w,Sw', feature: 'base' },
  { enc: '8E /r', mnemonic: 'mov', operands: 'Sw,Ev/w', feature: 'base' },
  { enc: 'A0', mnemonic: 'mov', operands: 'AL,Ob', feature: 'base' },
  { enc: 'A1', mnemonic: 'mov', operands: 'rAX,Ov', feature: 'base' },
  { enc: 'A2', mnemonic: 'mov', operands: 'Ob,AL', feature: 'base' },
  { enc: 'A3', mnemonic: 'mov', operands: 'Ov,rAX', feature: 'base' },
  { enc: 'B0+r', mnemonic: 'mov', operands: 'Zb,Ib', feature: 'base' },
  { enc: 'B8+r', mnemonic: 'mov', operands: 'Zv,Iv', feature: 'base' },
  { enc: 'C6 /0', mnemonic: 'mov', operands: 'Eb,Ib', feature: 'base' },
  { enc: 'C7 /0', mnemonic: 'mov', operands: 'Ev,Iz', feature: 'base' },
  { enc: '8D /r', mnemonic: 'lea', operands: 'Gv,M', feature: 'base' },
  { enc: '0F B6 /r', mnemonic: 'movzx', operands: 'Gv,Eb', feature: 'base' },
  { enc: '0F B7 /r', mnemonic: 'movzx', operands: 'Gv,Ew', feature: 'base' },
  { enc: '0F BE /r', mnemonic: 'movsx', operands: 'Gv,Eb', feature: 'base' },
  { enc: '0F BF /r', mnemonic: 'movsx', operands: 'Gv,Ew', feature: 'base' },
  { enc: '63 /r', mnemonic: 'movsxd', operands: 'Gv,Ez', feature: 'base' },
  { enc: 'NP 0F C3 /r', mnemonic: 'movnti', operands: 'My,Gy', feature: 'sse2' },
  { enc: 'D7', mnemonic: 'xlatb', operands: 'BAb', feature: 'base' },
  { enc: '0F B2 /r', mnemonic: 'lss', operands: 'Gv,Mp', feature: 'base' },
  { enc: '0F B4 /r', mnemonic: 'lfs', operands: 'Gv,Mp', feature: 'base' },
  { enc: '0F B5 /r', mnemonic: 'lgs', operands: 'Gv,Mp', feature: 'base' },
] as const satisfies readonly InsnRow[];
