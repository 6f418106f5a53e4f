/**
 * Multiplication and division. Out: rows. Source: SDM 2A/2B, MUL IMUL DIV IDIV.
 */
import type { InsnRow } from '../insn.js';

export const muldivRows = [
  { enc: 'F6 /4', mnemonic: 'mul', operands: 'Eb', feature: 'base' },
  { enc: 'F7 /4', mnemonic: 'mul', operands: 'Ev', feature: 'base' },
  { enc: 'F6 /5', mnemonic: 'imul', operands: 'Eb', feature: 'base' },
  { enc: 'F7 /5', mnemonic: 'imul', operands: 'Ev', feature: 'base' },
  { enc: '0F AF /r', mnemonic: 'imul', operands: 'Gv,Ev', feature: 'base' },
  { enc: '69 /r', mnemonic: 'imul', operands: 'Gv,Ev,Iz', feature: 'base' },
  { enc: '6B /r', mnemonic: 'imul', operands: 'Gv,Ev,Ibs', feature: 'base' },
  { enc: 'F6 /6', mnemonic: 'div', operands: 'Eb', feature: 'base' },
  { enc: 'F7 /6', mnemonic: 'div', operands: 'Ev', feature: 'base' },
  { enc: 'F6 /7', mnemonic: 'idiv', operands: 'Eb', feature: 'base' },
  { enc: 'F7 /7', mnemonic: 'idiv', operands: 'Ev', feature: 'base' },
] as const satisfies readonly InsnRow[];
