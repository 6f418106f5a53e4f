/**
 * x87 control, state and environment. Out: rows. Source: SDM 2A, FLDCW FNSTCW FNSTSW FLDENV FNSTENV FNSAVE FRSTOR FNINIT FNCLEX FFREE FINCSTP.
 * Me: environment of 14 or 28 bytes by operand size, Mf: full state of 94 or 108 bytes.
 */
import type { InsnRow } from '../insn.js';

export const x87ControlRows = [
  { enc: 'D9 /4', mnemonic: 'fldenv', operands: 'Me', feature: 'x87' },
  { enc: 'D9 /5', mnemonic: 'fldcw', operands: 'Mw', feature: 'x87' },
  { enc: 'D9 /6', mnemonic: 'fnstenv', operands: 'Me', feature: 'x87' },
  { enc: 'D9 /7', mnemonic: 'fnstcw', operands: 'Mw', feature: 'x87' },
  { enc: 'DD /4', mnemonic: 'frstor', operands: 'Mf', feature: 'x87' },
  { enc: 'DD /6', mnemonic: 'fnsave', operands: 'Mf', feature: 'x87' },
  { enc: 'DD /7', mnemonic: 'fnstsw', operands: 'Mw', feature: 'x87' },
  { enc: 'DF E0', mnemonic: 'fnstsw', operands: 'AX', feature: 'x87' },
  { enc: 'D9 D0', mnemonic: 'fnop', operands: '', feature: 'x87' },
  { enc: 'DB E2', mnemonic: 'fnclex', operands: '', feature: 'x87' },
  { enc: 'DB E3', mnemonic: 'fninit', operands: '', feature: 'x87' },
  // 8087 and 80287 remnants: NOPs now.
  { enc: 'DB E0', mnemonic: 'fneni', operands: '', feature: 'x87' },
  { enc: 'DB E1', mnemonic: 'fndisi', operands: '', feature: 'x87' },
  { enc: 'DB E4', mnemonic: 'fnsetpm', operands: '', feature: 'x87' },
  { enc: 'DD C0+i', mnemonic: 'ffree', operands: 'STi', feature: 'x87' },
  { enc: 'DF C0+i', mnemonic: 'ffreep', operands: 'STi', feature: 'x87' },
  { enc: 'D9 F6', mnemonic: 'fdecstp', operands: '', feature: 'x87' },
  { enc: 'D9 F7', mnemonic: 'fincstp', operands: '', feature: 'x87' },
] as const satisfies readonly InsnRow[];
