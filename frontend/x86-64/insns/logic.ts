/**
 * Bitwise logic and TEST. Out: rows. Source: SDM 2A/2B, AND OR XOR NOT TEST.
 */
import { CC } from '../../../src/guest/flags.js';
import { lockedOld } from '../atomic.js';
import type { Lifter } from '../lifter.js';
import type { InsnRow } from '../insn.js';

function logic(l: Lifter, op: 'and' | 'or' | 'xor'): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const b = l.load(1);
  const a = lockedOld(l, d, op, b) ?? d.load();
  const r = l.e(`${op}_i64`, [a, b]);
  l.flags.set(CC.LOGIC, size, r);
  if (!l.insn.lock) d.store(r);
}
const and = (l: Lifter): void => {
  logic(l, 'and');
};
const or = (l: Lifter): void => {
  logic(l, 'or');
};
const xor = (l: Lifter): void => {
  logic(l, 'xor');
};

function not(l: Lifter): void {
  const d = l.rmw(0);
  if (lockedOld(l, d, 'xor', l.i64(-1)) === undefined) d.store(l.not(d.load()));
}

function test(l: Lifter): void {
  const a = l.load(0);
  l.flags.set(CC.LOGIC, l.size(0), l.and(a, l.load(1)));
}

export const logicRows = [
  { enc: '08 /r', mnemonic: 'or', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: or },
  { enc: '09 /r', mnemonic: 'or', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: or },
  { enc: '0A /r', mnemonic: 'or', operands: 'Gb,Eb', feature: 'base', lift: or },
  { enc: '0B /r', mnemonic: 'or', operands: 'Gv,Ev', feature: 'base', lift: or },
  { enc: '0C', mnemonic: 'or', operands: 'AL,Ib', feature: 'base', lift: or },
  { enc: '0D', mnemonic: 'or', operands: 'rAX,Iz', feature: 'base', lift: or },
  { enc: '80 /1', mnemonic: 'or', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: or },
  { enc: '81 /1', mnemonic: 'or', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: or },
  { enc: '83 /1', mnemonic: 'or', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: or },
  { enc: '20 /r', mnemonic: 'and', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: and },
  { enc: '21 /r', mnemonic: 'and', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: and },
  { enc: '22 /r', mnemonic: 'and', operands: 'Gb,Eb', feature: 'base', lift: and },
  { enc: '23 /r', mnemonic: 'and', operands: 'Gv,Ev', feature: 'base', lift: and },
  { enc: '24', mnemonic: 'and', operands: 'AL,Ib', feature: 'base', lift: and },
  { enc: '25', mnemonic: 'and', operands: 'rAX,Iz', feature: 'base', lift: and },
  { enc: '80 /4', mnemonic: 'and', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: and },
  { enc: '81 /4', mnemonic: 'and', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: and },
  { enc: '83 /4', mnemonic: 'and', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: and },
  { enc: '30 /r', mnemonic: 'xor', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: xor },
  { enc: '31 /r', mnemonic: 'xor', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: xor },
  { enc: '32 /r', mnemonic: 'xor', operands: 'Gb,Eb', feature: 'base', lift: xor },
  { enc: '33 /r', mnemonic: 'xor', operands: 'Gv,Ev', feature: 'base', lift: xor },
  { enc: '34', mnemonic: 'xor', operands: 'AL,Ib', feature: 'base', lift: xor },
  { enc: '35', mnemonic: 'xor', operands: 'rAX,Iz', feature: 'base', lift: xor },
  { enc: '80 /6', mnemonic: 'xor', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: xor },
  { enc: '81 /6', mnemonic: 'xor', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: xor },
  { enc: '83 /6', mnemonic: 'xor', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: xor },
  { enc: 'F6 /2', mnemonic: 'not', operands: 'Eb', feature: 'base', attrs: ['lock'], lift: not },
  { enc: 'F7 /2', mnemonic: 'not', operands: 'Ev', feature: 'base', attrs: ['lock'], lift: not },
  { enc: '84 /r', mnemonic: 'test', operands: 'Eb,Gb', feature: 'base', lift: test },
  { enc: '85 /r', mnemonic: 'test', operands: 'Ev,Gv', feature: 'base', lift: test },
  { enc: 'A8', mnemonic: 'test', operands: 'AL,Ib', feature: 'base', lift: test },
  { enc: 'A9', mnemonic: 'test', operands: 'rAX,Iz', feature: 'base', lift: test },
  { enc: 'F6 /0', mnemonic: 'test', operands: 'Eb,Ib', feature: 'base', lift: test },
  { enc: 'F7 /0', mnemonic: 'test', operands: 'Ev,Iz', feature: 'base', lift: test },
  // /1 is an undocumented alias of /0.
  { enc: 'F6 /1', mnemonic: 'test', operands: 'Eb,Ib', feature: 'base', lift: test },
  { enc: 'F7 /1', mnemonic: 'test', operands: 'Ev,Iz', feature: 'base', lift: test },
] as const satisfies readonly InsnRow[];
