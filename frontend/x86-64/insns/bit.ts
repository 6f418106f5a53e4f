/**
 * Bit tests, bit scans, counts, byte swap. Out: rows. Source: SDM 2A/2B, BT BTS BTR BTC BSF BSR POPCNT LZCNT TZCNT BSWAP.
 * F3 0F BC and F3 0F BD are BSF and BSR on a CPU without BMI1 and LZCNT.
 */
import type { InsnRow } from '../insn.js';

export const bitRows = [
  { enc: '0F A3 /r', mnemonic: 'bt', operands: 'Ev,Gv', feature: 'base' },
  { enc: '0F AB /r', mnemonic: 'bts', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '0F B3 /r', mnemonic: 'btr', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '0F BB /r', mnemonic: 'btc', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '0F BA /4', mnemonic: 'bt', operands: 'Ev,Ib', feature: 'base' },
  { enc: '0F BA /5', mnemonic: 'bts', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'] },
  { enc: '0F BA /6', mnemonic: 'btr', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'] },
  { enc: '0F BA /7', mnemonic: 'btc', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'] },
  { enc: '0F BC /r', mnemonic: 'bsf', operands: 'Gv,Ev', feature: 'base' },
  { enc: '0F BD /r', mnemonic: 'bsr', operands: 'Gv,Ev', feature: 'base' },
  { enc: 'F3 0F BC /r', mnemonic: 'tzcnt', operands: 'Gv,Ev', feature: 'bmi1' },
  { enc: 'F3 0F BD /r', mnemonic: 'lzcnt', operands: 'Gv,Ev', feature: 'lzcnt' },
  { enc: 'F3 0F B8 /r', mnemonic: 'popcnt', operands: 'Gv,Ev', feature: 'popcnt' },
  { enc: '0F C8+r', mnemonic: 'bswap', operands: 'Zv', feature: 'base' },
] as const satisfies readonly InsnRow[];
