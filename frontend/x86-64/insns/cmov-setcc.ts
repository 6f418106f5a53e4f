/**
 * Conditional moves and sets. Out: rows. Source: SDM 2A/2B, CMOVcc, SETcc.
 */
import type { LiftFn } from '../insn.js';
import type { InsnRow } from '../insn.js';

/** CMOVcc: the source is read (and may fault) in any case; a 32-bit destination is zero-extended in any case. `cc` is the opcode's low four bits. */
function cmov(cc: number): LiftFn {
  return (l) => {
    const value = l.load(1);
    const d = l.dest(0);
    const { cond, a, b } = l.flags.condition(cc);
    d.store(l.movcond(cond, a, b, value, d.load()));
  };
}

/** SETcc. */
function set(cc: number): LiftFn {
  return (l) => {
    const d = l.dest(0);
    d.store(l.flags.value(cc));
  };
}

export const cmovSetccRows = [
  { enc: '0F 40 /r', mnemonic: 'cmovo', operands: 'Gv,Ev', feature: 'base', lift: cmov(0) },
  { enc: '0F 41 /r', mnemonic: 'cmovno', operands: 'Gv,Ev', feature: 'base', lift: cmov(1) },
  { enc: '0F 42 /r', mnemonic: 'cmovb', operands: 'Gv,Ev', feature: 'base', lift: cmov(2) },
  { enc: '0F 43 /r', mnemonic: 'cmovae', operands: 'Gv,Ev', feature: 'base', lift: cmov(3) },
  { enc: '0F 44 /r', mnemonic: 'cmove', operands: 'Gv,Ev', feature: 'base', lift: cmov(4) },
  { enc: '0F 45 /r', mnemonic: 'cmovne', operands: 'Gv,Ev', feature: 'base', lift: cmov(5) },
  { enc: '0F 46 /r', mnemonic: 'cmovbe', operands: 'Gv,Ev', feature: 'base', lift: cmov(6) },
  { enc: '0F 47 /r', mnemonic: 'cmova', operands: 'Gv,Ev', feature: 'base', lift: cmov(7) },
  { enc: '0F 48 /r', mnemonic: 'cmovs', operands: 'Gv,Ev', feature: 'base', lift: cmov(8) },
  { enc: '0F 49 /r', mnemonic: 'cmovns', operands: 'Gv,Ev', feature: 'base', lift: cmov(9) },
  { enc: '0F 4A /r', mnemonic: 'cmovp', operands: 'Gv,Ev', feature: 'base', lift: cmov(10) },
  { enc: '0F 4B /r', mnemonic: 'cmovnp', operands: 'Gv,Ev', feature: 'base', lift: cmov(11) },
  { enc: '0F 4C /r', mnemonic: 'cmovl', operands: 'Gv,Ev', feature: 'base', lift: cmov(12) },
  { enc: '0F 4D /r', mnemonic: 'cmovge', operands: 'Gv,Ev', feature: 'base', lift: cmov(13) },
  { enc: '0F 4E /r', mnemonic: 'cmovle', operands: 'Gv,Ev', feature: 'base', lift: cmov(14) },
  { enc: '0F 4F /r', mnemonic: 'cmovg', operands: 'Gv,Ev', feature: 'base', lift: cmov(15) },
  { enc: '0F 90 /r', mnemonic: 'seto', operands: 'Eb', feature: 'base', lift: set(0) },
  { enc: '0F 91 /r', mnemonic: 'setno', operands: 'Eb', feature: 'base', lift: set(1) },
  { enc: '0F 92 /r', mnemonic: 'setb', operands: 'Eb', feature: 'base', lift: set(2) },
  { enc: '0F 93 /r', mnemonic: 'setae', operands: 'Eb', feature: 'base', lift: set(3) },
  { enc: '0F 94 /r', mnemonic: 'sete', operands: 'Eb', feature: 'base', lift: set(4) },
  { enc: '0F 95 /r', mnemonic: 'setne', operands: 'Eb', feature: 'base', lift: set(5) },
  { enc: '0F 96 /r', mnemonic: 'setbe', operands: 'Eb', feature: 'base', lift: set(6) },
  { enc: '0F 97 /r', mnemonic: 'seta', operands: 'Eb', feature: 'base', lift: set(7) },
  { enc: '0F 98 /r', mnemonic: 'sets', operands: 'Eb', feature: 'base', lift: set(8) },
  { enc: '0F 99 /r', mnemonic: 'setns', operands: 'Eb', feature: 'base', lift: set(9) },
  { enc: '0F 9A /r', mnemonic: 'setp', operands: 'Eb', feature: 'base', lift: set(10) },
  { enc: '0F 9B /r', mnemonic: 'setnp', operands: 'Eb', feature: 'base', lift: set(11) },
  { enc: '0F 9C /r', mnemonic: 'setl', operands: 'Eb', feature: 'base', lift: set(12) },
  { enc: '0F 9D /r', mnemonic: 'setge', operands: 'Eb', feature: 'base', lift: set(13) },
  { enc: '0F 9E /r', mnemonic: 'setle', operands: 'Eb', feature: 'base', lift: set(14) },
  { enc: '0F 9F /r', mnemonic: 'setg', operands: 'Eb', feature: 'base', lift: set(15) },
] as const satisfies readonly InsnRow[];
