/**
 * BMI1 and BMI2 on general registers, VEX encoded (TZCNT and LZCNT are in bit.ts). Out: rows. Source: SDM 2A to 2C, ANDN BEXTR BLSI BLSMSK BLSR BZHI MULX PDEP PEXT RORX SARX SHLX SHRX.
 */
import type { TempId } from '../../../src/base/ids.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { bits } from '../operands.js';

/** ZF of the result, and `others`. PF, undefined in the SDM, is the result's on the processor of the vectors. */
function setFlags(l: Lifter, result: TempId, others: TempId): void {
  const size = l.size(0);
  const even = l.setcond('tsteq', l.e('popcnt_i64', [l.zext(result, 1)]), l.i64(1));
  const pf = l.shl(even, l.i64(2));
  const zf = l.shl(l.setcond('eq', l.zext(result, size), l.i64(0)), l.i64(6));
  l.flags.setEflags(l.or(l.or(zf, pf), others));
}

/** SF of the result. */
function sign(l: Lifter, result: TempId): TempId {
  return l.shl(l.and(l.shr(result, l.i64(bits(l.size(0)) - 1)), l.i64(1)), l.i64(7));
}

function andn(l: Lifter): void {
  const size = l.size(0);
  const r = l.e('andc_i64', [l.load(2), l.load(1)]);
  l.flags.set(CC.LOGIC, size, r);
  l.dest(0).store(r);
}

/** BLSI, BLSMSK, BLSR: on the lowest set bit. */
function lowest(result: (l: Lifter, s: TempId) => TempId, carryIfZero: boolean): LiftFn {
  return (l) => {
    const s = l.loadZ(1);
    const r = result(l, s);
    setFlags(l, r, l.or(sign(l, r), l.setcond(carryIfZero ? 'eq' : 'ne', s, l.i64(0))));
    l.dest(0).store(r);
  };
}
const blsi = lowest((l, s) => l.and(l.neg(s), s), false);
const blsmsk = lowest((l, s) => l.xor(l.sub(s, l.i64(1)), s), true);
const blsr = lowest((l, s) => l.and(l.sub(s, l.i64(1)), s), true);

/** 2**n - 1 for n below 64, all ones from there on. */
function lowMask(l: Lifter, n: TempId): TempId {
  const ones = l.sub(l.shl(l.i64(1), l.and(n, l.i64(63))), l.i64(1));
  return l.movcond('ltu', n, l.i64(64), ones, l.i64(-1));
}

/** AF and SF are undefined in the SDM; the processor of the vectors sets the one and clears the other. */
function bextr(l: Lifter): void {
  const size = l.size(0);
  const s = l.loadZ(1);
  const control = l.load(2);
  const start = l.zext(control, 1);
  const length = l.e('extract_i64', [control], [8, 8]);
  const shifted = l.movcond('ltu', start, l.i64(bits(size)), l.shr(s, l.and(start, l.i64(63))), l.i64(0));
  const r = l.and(shifted, lowMask(l, length));
  setFlags(l, r, l.i64(FLAG.AF));
  l.dest(0).store(r);
}

function bzhi(l: Lifter): void {
  const size = l.size(0);
  const s = l.loadZ(1);
  const n = l.zext(l.load(2), 1);
  const r = l.and(s, lowMask(l, n));
  setFlags(l, r, l.or(sign(l, r), l.setcond('gtu', n, l.i64(bits(size) - 1))));
  l.dest(0).store(r);
}

/** MULX: the upper half is written last, and stays where both destinations are one register. */
function mulx(l: Lifter): void {
  const size = l.size(0);
  const a = l.zext(G.reg(GPR.RDX), size);
  const b = l.loadZ(2);
  const lo = l.copy(l.mul(a, b));
  const hi = size === 8 ? l.callFor('mulhu', [a, b]) : l.shr(lo, l.i64(32));
  l.dest(1).store(lo);
  l.dest(0).store(hi);
}

/** PDEP and PEXT: operand 1 through the mask of operand 2. */
function throughMask(helper: 'pdep' | 'pext'): LiftFn {
  return (l) => {
    const mask = l.loadZ(2);
    l.dest(0).store(l.callFor(helper, [l.load(1), mask]));
  };
}

function rorx(l: Lifter): void {
  const size = l.size(0);
  const o = l.op(2);
  const n = o.kind === 'imm' ? Number(o.value) & (bits(size) - 1) : 0;
  const s = l.loadZ(1);
  const rotated = (): TempId =>
    size === 8 ? l.e('rotr_i64', [s, l.i64(n)]) : l.up(l.e('rotr_i32', [l.lo(s), l.i32(n)]));
  l.dest(0).store(n === 0 ? s : rotated());
}

/** SARX, SHLX, SHRX: the count is masked to the operand's width; no flags. */
function shiftx(op: 'sar' | 'shl' | 'shr'): LiftFn {
  return (l) => {
    const size = l.size(0);
    const s = op === 'sar' ? l.loadS(1) : l.loadZ(1);
    l.dest(0).store(l[op](s, l.and(l.load(2), l.i64(bits(size) - 1))));
  };
}

export const bmiRows = [
  { enc: 'VEX.LZ.0F38 F2 /r', mnemonic: 'andn', operands: 'Gy,By,Ey', feature: 'bmi1', lift: andn },
  { enc: 'VEX.LZ.0F38 F7 /r', mnemonic: 'bextr', operands: 'Gy,Ey,By', feature: 'bmi1', lift: bextr },
  { enc: 'VEX.LZ.0F38 F3 /1', mnemonic: 'blsr', operands: 'By,Ey', feature: 'bmi1', lift: blsr },
  { enc: 'VEX.LZ.0F38 F3 /2', mnemonic: 'blsmsk', operands: 'By,Ey', feature: 'bmi1', lift: blsmsk },
  { enc: 'VEX.LZ.0F38 F3 /3', mnemonic: 'blsi', operands: 'By,Ey', feature: 'bmi1', lift: blsi },
  { enc: 'VEX.LZ.0F38 F5 /r', mnemonic: 'bzhi', operands: 'Gy,Ey,By', feature: 'bmi2', lift: bzhi },
  { enc: 'VEX.LZ.F2.0F38 F6 /r', mnemonic: 'mulx', operands: 'Gy,By,Ey', feature: 'bmi2', lift: mulx },
  { enc: 'VEX.LZ.F2.0F38 F5 /r', mnemonic: 'pdep', operands: 'Gy,By,Ey', feature: 'bmi2', lift: throughMask('pdep') },
  { enc: 'VEX.LZ.F3.0F38 F5 /r', mnemonic: 'pext', operands: 'Gy,By,Ey', feature: 'bmi2', lift: throughMask('pext') },
  { enc: 'VEX.LZ.F2.0F3A F0 /r', mnemonic: 'rorx', operands: 'Gy,Ey,Ib', feature: 'bmi2', lift: rorx },
  { enc: 'VEX.LZ.F3.0F38 F7 /r', mnemonic: 'sarx', operands: 'Gy,Ey,By', feature: 'bmi2', lift: shiftx('sar') },
  { enc: 'VEX.LZ.66.0F38 F7 /r', mnemonic: 'shlx', operands: 'Gy,Ey,By', feature: 'bmi2', lift: shiftx('shl') },
  { enc: 'VEX.LZ.F2.0F38 F7 /r', mnemonic: 'shrx', operands: 'Gy,Ey,By', feature: 'bmi2', lift: shiftx('shr') },
] as const satisfies readonly InsnRow[];
