/**
 * x87 transcendental and rounding instructions. Out: rows. Source: SDM 2A, F2XM1 FYL2X FPTAN FPATAN FXTRACT FPREM FPREM1 FSQRT FSINCOS FRNDINT FSCALE FSIN FCOS.
 */
import type { InsnRow } from '../insn.js';
import { plain } from '../x87.js';

export const x87MathRows = [
  { enc: 'D9 F0', mnemonic: 'f2xm1', operands: '', feature: 'x87', lift: plain('x87_f2xm1') },
  { enc: 'D9 F1', mnemonic: 'fyl2x', operands: '', feature: 'x87', lift: plain('x87_fyl2x', 0) },
  { enc: 'D9 F2', mnemonic: 'fptan', operands: '', feature: 'x87', lift: plain('x87_trig', 3) },
  { enc: 'D9 F3', mnemonic: 'fpatan', operands: '', feature: 'x87', lift: plain('x87_fpatan') },
  { enc: 'D9 F4', mnemonic: 'fxtract', operands: '', feature: 'x87', lift: plain('x87_fxtract') },
  { enc: 'D9 F5', mnemonic: 'fprem1', operands: '', feature: 'x87', lift: plain('x87_fprem', 1) },
  { enc: 'D9 F8', mnemonic: 'fprem', operands: '', feature: 'x87', lift: plain('x87_fprem', 0) },
  { enc: 'D9 F9', mnemonic: 'fyl2xp1', operands: '', feature: 'x87', lift: plain('x87_fyl2x', 1) },
  { enc: 'D9 FA', mnemonic: 'fsqrt', operands: '', feature: 'x87', lift: plain('x87_fsqrt') },
  { enc: 'D9 FB', mnemonic: 'fsincos', operands: '', feature: 'x87', lift: plain('x87_trig', 2) },
  { enc: 'D9 FC', mnemonic: 'frndint', operands: '', feature: 'x87', lift: plain('x87_frndint') },
  { enc: 'D9 FD', mnemonic: 'fscale', operands: '', feature: 'x87', lift: plain('x87_fscale') },
  { enc: 'D9 FE', mnemonic: 'fsin', operands: '', feature: 'x87', lift: plain('x87_trig', 0) },
  { enc: 'D9 FF', mnemonic: 'fcos', operands: '', feature: 'x87', lift: plain('x87_trig', 1) },
] as const satisfies readonly InsnRow[];
