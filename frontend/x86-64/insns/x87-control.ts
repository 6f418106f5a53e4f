/**
 * x87 control, state and environment. Out: rows. Source: SDM 2A, FLDCW FNSTCW FNSTSW FLDENV FNSTENV FNSAVE FRSTOR FNINIT FNCLEX FFREE FINCSTP.
 * Me: environment of 14 or 28 bytes by operand size, Mf: full state of 94 or 108 bytes.
 */
import type { InsnRow } from '../insn.js';
import { bare, environment, ffree, fldcw, fnclex, fnstcw, fnstsw, nop, plain } from '../x87.js';

export const x87ControlRows = [
  { enc: 'D9 /4', mnemonic: 'fldenv', operands: 'Me', feature: 'x87', lift: environment('x87_fldenv', false, false) },
  { enc: 'D9 /5', mnemonic: 'fldcw', operands: 'Mw', feature: 'x87', lift: fldcw },
  { enc: 'D9 /6', mnemonic: 'fnstenv', operands: 'Me', feature: 'x87', lift: environment('x87_fnstenv', true, false) },
  { enc: 'D9 /7', mnemonic: 'fnstcw', operands: 'Mw', feature: 'x87', lift: fnstcw },
  { enc: 'DD /4', mnemonic: 'frstor', operands: 'Mf', feature: 'x87', lift: environment('x87_frstor', false, true) },
  { enc: 'DD /6', mnemonic: 'fnsave', operands: 'Mf', feature: 'x87', lift: environment('x87_fnsave', true, true) },
  { enc: 'DD /7', mnemonic: 'fnstsw', operands: 'Mw', feature: 'x87', lift: fnstsw },
  { enc: 'DF E0', mnemonic: 'fnstsw', operands: 'AX', feature: 'x87', lift: fnstsw },
  { enc: 'D9 D0', mnemonic: 'fnop', operands: '', feature: 'x87', lift: bare('x87_check') },
  { enc: 'DB E2', mnemonic: 'fnclex', operands: '', feature: 'x87', lift: fnclex },
  { enc: 'DB E3', mnemonic: 'fninit', operands: '', feature: 'x87', lift: bare('x87_fninit') },
  // 8087 and 80287 remnants: NOPs now.
  { enc: 'DB E0', mnemonic: 'fneni', operands: '', feature: 'x87', lift: nop },
  { enc: 'DB E1', mnemonic: 'fndisi', operands: '', feature: 'x87', lift: nop },
  { enc: 'DB E4', mnemonic: 'fnsetpm', operands: '', feature: 'x87', lift: nop },
  { enc: 'DD C0+i', mnemonic: 'ffree', operands: 'STi', feature: 'x87', lift: ffree(0) },
  { enc: 'DF C0+i', mnemonic: 'ffreep', operands: 'STi', feature: 'x87', lift: ffree(1) },
  { enc: 'D9 F6', mnemonic: 'fdecstp', operands: '', feature: 'x87', lift: plain('x87_rotate', -1) },
  { enc: 'D9 F7', mnemonic: 'fincstp', operands: '', feature: 'x87', lift: plain('x87_rotate', 1) },
] as const satisfies readonly InsnRow[];
