/**
 * String instructions and port input/output. Out: rows. Source: SDM 2A/2B, MOVS CMPS STOS LODS SCAS INS OUTS IN OUT, REP. Port access needs IOPL: it raises #GP at CPL 3.
 */
import type { InsnRow } from '../insn.js';

export const stringRows = [
  { enc: 'A4', mnemonic: 'movsb', operands: 'Yb,Xb', feature: 'base', attrs: ['rep'] },
  { enc: 'A5', mnemonic: 'movsw/movsd/movsq', operands: 'Yv,Xv', feature: 'base', attrs: ['rep'] },
  { enc: 'A6', mnemonic: 'cmpsb', operands: 'Xb,Yb', feature: 'base', attrs: ['rep'] },
  { enc: 'A7', mnemonic: 'cmpsw/cmpsd/cmpsq', operands: 'Xv,Yv', feature: 'base', attrs: ['rep'] },
  { enc: 'AA', mnemonic: 'stosb', operands: 'Yb,AL', feature: 'base', attrs: ['rep'] },
  { enc: 'AB', mnemonic: 'stosw/stosd/stosq', operands: 'Yv,rAX', feature: 'base', attrs: ['rep'] },
  { enc: 'AC', mnemonic: 'lodsb', operands: 'AL,Xb', feature: 'base', attrs: ['rep'] },
  { enc: 'AD', mnemonic: 'lodsw/lodsd/lodsq', operands: 'rAX,Xv', feature: 'base', attrs: ['rep'] },
  { enc: 'AE', mnemonic: 'scasb', operands: 'AL,Yb', feature: 'base', attrs: ['rep'] },
  { enc: 'AF', mnemonic: 'scasw/scasd/scasq', operands: 'rAX,Yv', feature: 'base', attrs: ['rep'] },
  { enc: '6C', mnemonic: 'insb', operands: 'Yb,DX', feature: 'base', attrs: ['rep', 'privileged'] },
  { enc: '6D', mnemonic: 'insw/insd/insd', operands: 'Yz,DX', feature: 'base', attrs: ['rep', 'privileged'] },
  { enc: '6E', mnemonic: 'outsb', operands: 'DX,Xb', feature: 'base', attrs: ['rep', 'privileged'] },
  { enc: '6F', mnemonic: 'outsw/outsd/outsd', operands: 'DX,Xz', feature: 'base', attrs: ['rep', 'privileged'] },
  { enc: 'E4', mnemonic: 'in', operands: 'AL,Ib', feature: 'base', attrs: ['privileged'] },
  { enc: 'E5', mnemonic: 'in', operands: 'eAX,Ib', feature: 'base', attrs: ['privileged'] },
  { enc: 'E6', mnemonic: 'out', operands: 'Ib,AL', feature: 'base', attrs: ['privileged'] },
  { enc: 'E7', mnemonic: 'out', operands: 'Ib,eAX', feature: 'base', attrs: ['privileged'] },
  { enc: 'EC', mnemonic: 'in', operands: 'AL,DX', feature: 'base', attrs: ['privileged'] },
  { enc: 'ED', mnemonic: 'in', operands: 'eAX,DX', feature: 'base', attrs: ['privileged'] },
  { enc: 'EE', mnemonic: 'out', operands: 'DX,AL', feature: 'base', attrs: ['privileged'] },
  { enc: 'EF', mnemonic: 'out', operands: 'DX,eAX', feature: 'base', attrs: ['privileged'] },
] as const satisfies readonly InsnRow[];
