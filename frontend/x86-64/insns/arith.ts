/**
 * Addition, subtraction, comparison and sign extension within rAX. Out: rows. Source: SDM 2A/2B, ADD ADC SUB SBB CMP INC DEC NEG CBW CWD.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import { CC } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import { atomicUpdate, lockedOld } from '../atomic.js';
import type { Lifter } from '../lifter.js';
import { wide } from '../operands.js';
import type { InsnRow } from '../insn.js';

/** The flags are written before the destination: a source register may be the destination. */
function add(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const b = l.load(1);
  const a = lockedOld(l, d, 'add', b) ?? d.load();
  const r = l.add(a, b);
  l.flags.set(CC.ADD, size, r, b);
  if (!l.insn.lock) d.store(r);
}

function adc(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const b = l.load(1);
  const c = l.flags.carry();
  const bc = l.add(b, c);
  const a = lockedOld(l, d, 'add', bc) ?? d.load();
  const r = l.add(a, bc);
  l.flags.set(CC.ADC, size, r, b, c);
  if (!l.insn.lock) d.store(r);
}

function sub(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const b = l.load(1);
  const a = l.insn.lock ? lockedOld(l, d, 'add', l.neg(b)) : undefined;
  const left = a ?? d.load();
  const r = l.sub(left, b);
  l.flags.setSub(size, left, b, r);
  if (!l.insn.lock) d.store(r);
}

function sbb(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const b = l.load(1);
  const c = l.flags.carry();
  const bc = l.add(b, c);
  const a = l.insn.lock ? lockedOld(l, d, 'add', l.neg(bc)) : undefined;
  const r = l.sub(a ?? d.load(), bc);
  l.flags.set(CC.SBB, size, r, b, c);
  if (!l.insn.lock) d.store(r);
}

function cmp(l: Lifter): void {
  const a = l.load(0);
  const b = l.load(1);
  l.flags.setSub(l.size(0), a, b, l.sub(a, b));
}

/** INC and DEC keep CF: it is computed first. */
function step(l: Lifter, family: typeof CC.INC | typeof CC.DEC): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const by = l.i64(family === CC.INC ? 1 : -1);
  const c = l.flags.carry();
  const r = l.add(lockedOld(l, d, 'add', by) ?? d.load(), by);
  l.flags.set(family, size, r, c);
  if (!l.insn.lock) d.store(r);
}
const inc = (l: Lifter): void => {
  step(l, CC.INC);
};
const dec = (l: Lifter): void => {
  step(l, CC.DEC);
};

function neg(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const a = l.insn.lock ? atomicUpdate(l, d, (old) => l.neg(old)) : d.load();
  const r = l.neg(a);
  l.flags.set(CC.SUB, size, r, a);
  if (!l.insn.lock) d.store(r);
}

/** CBW, CWDE, CDQE. */
function signExtendAcc(l: Lifter): void {
  const size = l.insn.opSize;
  l.reg(GPR.RAX, size).store(l.sext(G.reg(GPR.RAX), wide(size / 2)));
}

/** CWD, CDQ, CQO. */
function signExtendDx(l: Lifter): void {
  const size = l.insn.opSize;
  l.reg(GPR.RDX, size).store(l.sar(l.sext(G.reg(GPR.RAX), size), l.i64(63)));
}

export const arithRows = [
  { enc: '00 /r', mnemonic: 'add', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: add },
  { enc: '01 /r', mnemonic: 'add', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: add },
  { enc: '02 /r', mnemonic: 'add', operands: 'Gb,Eb', feature: 'base', lift: add },
  { enc: '03 /r', mnemonic: 'add', operands: 'Gv,Ev', feature: 'base', lift: add },
  { enc: '04', mnemonic: 'add', operands: 'AL,Ib', feature: 'base', lift: add },
  { enc: '05', mnemonic: 'add', operands: 'rAX,Iz', feature: 'base', lift: add },
  { enc: '80 /0', mnemonic: 'add', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: add },
  { enc: '81 /0', mnemonic: 'add', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: add },
  { enc: '83 /0', mnemonic: 'add', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: add },
  { enc: '10 /r', mnemonic: 'adc', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: adc },
  { enc: '11 /r', mnemonic: 'adc', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: adc },
  { enc: '12 /r', mnemonic: 'adc', operands: 'Gb,Eb', feature: 'base', lift: adc },
  { enc: '13 /r', mnemonic: 'adc', operands: 'Gv,Ev', feature: 'base', lift: adc },
  { enc: '14', mnemonic: 'adc', operands: 'AL,Ib', feature: 'base', lift: adc },
  { enc: '15', mnemonic: 'adc', operands: 'rAX,Iz', feature: 'base', lift: adc },
  { enc: '80 /2', mnemonic: 'adc', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: adc },
  { enc: '81 /2', mnemonic: 'adc', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: adc },
  { enc: '83 /2', mnemonic: 'adc', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: adc },
  { enc: '18 /r', mnemonic: 'sbb', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: sbb },
  { enc: '19 /r', mnemonic: 'sbb', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: sbb },
  { enc: '1A /r', mnemonic: 'sbb', operands: 'Gb,Eb', feature: 'base', lift: sbb },
  { enc: '1B /r', mnemonic: 'sbb', operands: 'Gv,Ev', feature: 'base', lift: sbb },
  { enc: '1C', mnemonic: 'sbb', operands: 'AL,Ib', feature: 'base', lift: sbb },
  { enc: '1D', mnemonic: 'sbb', operands: 'rAX,Iz', feature: 'base', lift: sbb },
  { enc: '80 /3', mnemonic: 'sbb', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: sbb },
  { enc: '81 /3', mnemonic: 'sbb', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: sbb },
  { enc: '83 /3', mnemonic: 'sbb', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: sbb },
  { enc: '28 /r', mnemonic: 'sub', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: sub },
  { enc: '29 /r', mnemonic: 'sub', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: sub },
  { enc: '2A /r', mnemonic: 'sub', operands: 'Gb,Eb', feature: 'base', lift: sub },
  { enc: '2B /r', mnemonic: 'sub', operands: 'Gv,Ev', feature: 'base', lift: sub },
  { enc: '2C', mnemonic: 'sub', operands: 'AL,Ib', feature: 'base', lift: sub },
  { enc: '2D', mnemonic: 'sub', operands: 'rAX,Iz', feature: 'base', lift: sub },
  { enc: '80 /5', mnemonic: 'sub', operands: 'Eb,Ib', feature: 'base', attrs: ['lock'], lift: sub },
  { enc: '81 /5', mnemonic: 'sub', operands: 'Ev,Iz', feature: 'base', attrs: ['lock'], lift: sub },
  { enc: '83 /5', mnemonic: 'sub', operands: 'Ev,Ibs', feature: 'base', attrs: ['lock'], lift: sub },
  { enc: '38 /r', mnemonic: 'cmp', operands: 'Eb,Gb', feature: 'base', lift: cmp },
  { enc: '39 /r', mnemonic: 'cmp', operands: 'Ev,Gv', feature: 'base', lift: cmp },
  { enc: '3A /r', mnemonic: 'cmp', operands: 'Gb,Eb', feature: 'base', lift: cmp },
  { enc: '3B /r', mnemonic: 'cmp', operands: 'Gv,Ev', feature: 'base', lift: cmp },
  { enc: '3C', mnemonic: 'cmp', operands: 'AL,Ib', feature: 'base', lift: cmp },
  { enc: '3D', mnemonic: 'cmp', operands: 'rAX,Iz', feature: 'base', lift: cmp },
  { enc: '80 /7', mnemonic: 'cmp', operands: 'Eb,Ib', feature: 'base', lift: cmp },
  { enc: '81 /7', mnemonic: 'cmp', operands: 'Ev,Iz', feature: 'base', lift: cmp },
  { enc: '83 /7', mnemonic: 'cmp', operands: 'Ev,Ibs', feature: 'base', lift: cmp },
  { enc: 'FE /0', mnemonic: 'inc', operands: 'Eb', feature: 'base', attrs: ['lock'], lift: inc },
  { enc: 'FF /0', mnemonic: 'inc', operands: 'Ev', feature: 'base', attrs: ['lock'], lift: inc },
  { enc: 'FE /1', mnemonic: 'dec', operands: 'Eb', feature: 'base', attrs: ['lock'], lift: dec },
  { enc: 'FF /1', mnemonic: 'dec', operands: 'Ev', feature: 'base', attrs: ['lock'], lift: dec },
  { enc: 'F6 /3', mnemonic: 'neg', operands: 'Eb', feature: 'base', attrs: ['lock'], lift: neg },
  { enc: 'F7 /3', mnemonic: 'neg', operands: 'Ev', feature: 'base', attrs: ['lock'], lift: neg },
  { enc: '98', mnemonic: 'cbw/cwde/cdqe', operands: '', feature: 'base', lift: signExtendAcc },
  { enc: '99', mnemonic: 'cwd/cdq/cqo', operands: '', feature: 'base', lift: signExtendDx },
] as const satisfies readonly InsnRow[];
