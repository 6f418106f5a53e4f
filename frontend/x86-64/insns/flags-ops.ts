/**
 * Instructions that read or write single flags. Out: rows. Source: SDM 2A/2B, CLC STC CMC CLD STD CLI STI LAHF SAHF.
 */
import type { InsnRow } from '../insn.js';

export const flagsOpsRows = [
  { enc: 'F5', mnemonic: 'cmc', operands: '', feature: 'base' },
  { enc: 'F8', mnemonic: 'clc', operands: '', feature: 'base' },
  { enc: 'F9', mnemonic: 'stc', operands: '', feature: 'base' },
  { enc: 'FC', mnemonic: 'cld', operands: '', feature: 'base' },
  { enc: 'FD', mnemonic: 'std', operands: '', feature: 'base' },
  { enc: '9E', mnemonic: 'sahf', operands: '', feature: 'base' },
  { enc: '9F', mnemonic: 'lahf', operands: '', feature: 'base' },
  { enc: 'FA', mnemonic: 'cli', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: 'FB', mnemonic: 'sti', operands: '', feature: 'base', attrs: ['privileged'] },
] as const satisfies readonly InsnRow[];
