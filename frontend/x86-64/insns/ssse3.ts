/**
 * SSSE3: xmm and MMX forms. Out: rows. Source: SDM 2B, one section an instruction; 2D, table A-4 (0F 38) and A-5 (0F 3A).
 */
import { afterX87 } from '../vector.js';
import { binary, binaryImm, unary } from '../vector-lift.js';
import { alignRight, SSSE3, SSSE3_UNARY } from '../vector-ssse3.js';
import type { InsnRow, LiftFn } from '../insn.js';

/** The MMX and the xmm row of one opcode. */
function both(opcode: string, mnemonic: string, lift: LiftFn, imm = ''): InsnRow[] {
  return [
    { enc: `NP ${opcode} /r`, mnemonic, operands: `Pq,Qq${imm}`, feature: 'ssse3', lift: afterX87(lift) },
    { enc: `66 ${opcode} /r`, mnemonic, operands: `Vx,Wx${imm}`, feature: 'ssse3', lift },
  ];
}

export const ssse3Rows: readonly InsnRow[] = [
  ...both('0F 38 00', 'pshufb', binary(SSSE3.pshufb)),
  ...both('0F 38 01', 'phaddw', binary(SSSE3.phaddw)),
  ...both('0F 38 02', 'phaddd', binary(SSSE3.phaddd)),
  ...both('0F 38 03', 'phaddsw', binary(SSSE3.phaddsw)),
  ...both('0F 38 04', 'pmaddubsw', binary(SSSE3.pmaddubsw)),
  ...both('0F 38 05', 'phsubw', binary(SSSE3.phsubw)),
  ...both('0F 38 06', 'phsubd', binary(SSSE3.phsubd)),
  ...both('0F 38 07', 'phsubsw', binary(SSSE3.phsubsw)),
  ...both('0F 38 08', 'psignb', binary(SSSE3.psignb)),
  ...both('0F 38 09', 'psignw', binary(SSSE3.psignw)),
  ...both('0F 38 0A', 'psignd', binary(SSSE3.psignd)),
  ...both('0F 38 0B', 'pmulhrsw', binary(SSSE3.pmulhrsw)),
  ...both('0F 38 1C', 'pabsb', unary(SSSE3_UNARY.pabsb)),
  ...both('0F 38 1D', 'pabsw', unary(SSSE3_UNARY.pabsw)),
  ...both('0F 38 1E', 'pabsd', unary(SSSE3_UNARY.pabsd)),
  ...both('0F 3A 0F', 'palignr', binaryImm(alignRight), ',Ib'),
];
