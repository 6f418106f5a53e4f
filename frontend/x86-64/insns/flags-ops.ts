/**
 * Instructions that read or write single flags. Out: rows. Source: SDM 2A/2B, CLC STC CMC CLD STD CLI STI LAHF SAHF.
 */
import type { TempId } from '../../../src/base/ids.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { Lifter } from '../lifter.js';
import type { InsnRow } from '../insn.js';

function carry(l: Lifter, change: (flags: TempId) => TempId): void {
  l.flags.setEflags(change(l.flags.all()));
}
const cmc = (l: Lifter): void => {
  carry(l, (f) => l.xor(f, l.i64(FLAG.CF)));
};
const clc = (l: Lifter): void => {
  carry(l, (f) => l.and(f, l.i64(~FLAG.CF)));
};
const stc = (l: Lifter): void => {
  carry(l, (f) => l.or(f, l.i64(FLAG.CF)));
};
const cld = (l: Lifter): void => {
  l.emit('mov_i32', [G.df, l.i32(1)]);
};
const std = (l: Lifter): void => {
  l.emit('mov_i32', [G.df, l.i32(-1)]);
};

/** SF ZF AF PF CF between AH and the flags. */
const AH_FLAGS = FLAG.SF | FLAG.ZF | FLAG.AF | FLAG.PF | FLAG.CF;

function sahf(l: Lifter): void {
  const ah = l.e('extract_i64', [G.reg(GPR.RAX)], [8, 8]);
  l.flags.setEflags(l.or(l.and(l.flags.all(), l.i64(FLAG.OF)), l.and(ah, l.i64(AH_FLAGS))));
}

function lahf(l: Lifter): void {
  const f = l.or(l.and(l.flags.all(), l.i64(AH_FLAGS)), l.i64(2));
  l.emit('deposit_i64', [G.reg(GPR.RAX), G.reg(GPR.RAX), f], [8, 8]);
}

export const flagsOpsRows = [
  { enc: 'F5', mnemonic: 'cmc', operands: '', feature: 'base', lift: cmc },
  { enc: 'F8', mnemonic: 'clc', operands: '', feature: 'base', lift: clc },
  { enc: 'F9', mnemonic: 'stc', operands: '', feature: 'base', lift: stc },
  { enc: 'FC', mnemonic: 'cld', operands: '', feature: 'base', lift: cld },
  { enc: 'FD', mnemonic: 'std', operands: '', feature: 'base', lift: std },
  { enc: '9E', mnemonic: 'sahf', operands: '', feature: 'base', lift: sahf },
  { enc: '9F', mnemonic: 'lahf', operands: '', feature: 'base', lift: lahf },
  { enc: 'FA', mnemonic: 'cli', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: 'FB', mnemonic: 'sti', operands: '', feature: 'base', attrs: ['privileged'] },
] as const satisfies readonly InsnRow[];
