/**
 * Stack operations. Out: rows. Source: SDM 2B, PUSH POP PUSHF POPF ENTER LEAVE.
 */
import type { InsnRow } from '../insn.js';

export const stackRows = [
  { enc: '50+r', mnemonic: 'push', operands: 'Zv', feature: 'base', attrs: ['d64'] },
  { enc: '58+r', mnemonic: 'pop', operands: 'Zv', feature: 'base', attrs: ['d64'] },
  { enc: '68', mnemonic: 'push', operands: 'Iz', feature: 'base', attrs: ['d64'] },
  { enc: '6A', mnemonic: 'push', operands: 'Ibs', feature: 'base', attrs: ['d64'] },
  { enc: '8F /0', mnemonic: 'pop', operands: 'Ev', feature: 'base', attrs: ['d64'] },
  { enc: 'FF /6', mnemonic: 'push', operands: 'Ev', feature: 'base', attrs: ['d64'] },
  { enc: '9C', mnemonic: 'pushf/pushf/pushfq', operands: '', feature: 'base', attrs: ['d64'] },
  { enc: '9D', mnemonic: 'popf/popf/popfq', operands: '', feature: 'base', attrs: ['d64'] },
  { enc: 'C8', mnemonic: 'enter', operands: 'Iw,Ib', feature: 'base', attrs: ['d64'] },
  { enc: 'C9', mnemonic: 'leave', operands: '', feature: 'base', attrs: ['d64'] },
  { enc: '0F A0', mnemonic: 'push', operands: 'FS', feature: 'base', attrs: ['d64'] },
  { enc: '0F A1', mnemonic: 'pop', operands: 'FS', feature: 'base', attrs: ['d64'] },
  { enc: '0F A8', mnemonic: 'push', operands: 'GS', feature: 'base', attrs: ['d64'] },
  { enc: '0F A9', mnemonic: 'pop', operands: 'GS', feature: 'base', attrs: ['d64'] },
] as const satisfies readonly InsnRow[];
