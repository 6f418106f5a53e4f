/**
 * Read-modify-write instructions that are used as atomics. XCHG with memory locks without the prefix. Out: rows. Source: SDM 2A to 2D, XCHG XADD CMPXCHG CMPXCHG8B/16B.
 */
import type { InsnRow } from '../insn.js';

export const atomicRows = [
  { enc: '86 /r', mnemonic: 'xchg', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'] },
  { enc: '87 /r', mnemonic: 'xchg', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '90+r', mnemonic: 'xchg', operands: 'Zv,rAX', feature: 'base' },
  { enc: '0F C0 /r', mnemonic: 'xadd', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'] },
  { enc: '0F C1 /r', mnemonic: 'xadd', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '0F B0 /r', mnemonic: 'cmpxchg', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'] },
  { enc: '0F B1 /r', mnemonic: 'cmpxchg', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'] },
  { enc: '0F C7 /1', mnemonic: 'cmpxchg8b', operands: 'Mq', feature: 'base', attrs: ['lock'] },
  { enc: 'REX.W 0F C7 /1', mnemonic: 'cmpxchg16b', operands: 'Mdq', feature: 'cx16', attrs: ['lock'] },
] as const satisfies readonly InsnRow[];
