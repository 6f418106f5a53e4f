/**
 * Multiplication and division. Out: rows. Source: SDM 2A/2B, MUL IMUL DIV IDIV.
 */
import type { TempId } from '../../../src/base/ids.js';
import { EXC, GPR } from '../../../src/guest/cpu-state.js';
import { CC } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { Lifter } from '../lifter.js';
import { bits, type Size, wide } from '../operands.js';
import type { InsnRow } from '../insn.js';

const RAX = GPR.RAX;
const RDX = GPR.RDX;

/** MUL and one-operand IMUL. Flags: CF = OF = the upper half is not the extension of the lower. */
function multiply(l: Lifter, signed: boolean): void {
  const size = l.size(0);
  const b = signed ? l.loadS(0) : l.loadZ(0);
  const a = signed ? l.sext(G.reg(RAX), size) : l.zext(G.reg(RAX), size);
  if (size === 8) {
    const bb = l.copy(b);
    const lo = l.mul(a, bb);
    const hi = l.callFor(signed ? 'mulhs' : 'mulhu', [a, bb]);
    l.flags.set(CC.MUL, 8, lo, signed ? l.sub(l.sar(lo, l.i64(63)), hi) : hi);
    l.mov(G.reg(RAX), lo);
    l.mov(G.reg(RDX), hi);
    return;
  }
  const r = l.mul(a, b);
  const high = l.shr(r, l.i64(bits(size)));
  const overflow = signed ? l.sub(l.sext(r, size), r) : l.and(high, l.i64((1n << BigInt(bits(size))) - 1n));
  l.flags.set(CC.MUL, size, r, overflow);
  if (size === 1) {
    l.reg(RAX, 2).store(r);
  } else {
    l.reg(RAX, size).store(r);
    l.reg(RDX, size).store(high);
  }
}
const mul = (l: Lifter): void => {
  multiply(l, false);
};
const imul1 = (l: Lifter): void => {
  multiply(l, true);
};

/** IMUL with two or three operands. */
function imul2(l: Lifter): void {
  const size = l.size(0);
  const last = l.insn.operands.length - 1;
  const b = l.loadS(last);
  const a = l.loadS(last - 1);
  const r = l.mul(a, b);
  const overflow = size === 8 ? l.sub(l.sar(r, l.i64(63)), l.callFor('mulhs', [a, b])) : l.sub(l.sext(r, size), r);
  l.flags.set(CC.MUL, size, r, overflow);
  l.dest(0).store(r);
}

/** Dividend of 16 to 64 bits: AX, DX:AX or EDX:EAX, zero-extended (the sign stands at its own width). */
function dividend(l: Lifter, size: Size): TempId {
  if (size === 1) return l.zext(G.reg(RAX), 2);
  return l.or(l.shl(l.zext(G.reg(RDX), size), l.i64(bits(size))), l.zext(G.reg(RAX), size));
}

function storeQuotient(l: Lifter, size: Size, q: TempId, r: TempId): void {
  if (size === 1) {
    l.reg(RAX, 1).store(q);
    l.emit('deposit_i64', [G.reg(RAX), G.reg(RAX), r], [8, 8]);
  } else {
    l.reg(RAX, size).store(q);
    l.reg(RDX, size).store(r);
  }
}

/** Of the division of RDX:RAX by `d`: its low half suffices. */
const remainder = (l: Lifter, q: TempId, d: TempId): TempId => l.sub(G.reg(RAX), l.mul(q, d));

/** #DE when the divisor is 0 or the quotient does not fit (SDM 2A, DIV). The flags stay: the SDM leaves them undefined, the processor keeps them. */
function div(l: Lifter): void {
  const size = l.size(0);
  const d = l.copy(l.loadZ(0), 'tb');
  if (size === 8) {
    l.raiseIf('leu', d, G.reg(RDX), EXC.DE);
    const args = [G.reg(RDX), G.reg(RAX), d];
    const q = l.callFor('div128u', args);
    storeQuotient(l, 8, q, remainder(l, q, d));
    return;
  }
  const n = l.copy(dividend(l, size), 'tb');
  l.raiseIf('eq', d, l.i64(0), EXC.DE);
  const q = l.copy(l.e('divu_i64', [n, d]), 'tb');
  l.raiseIf('gtu', q, l.i64((1n << BigInt(bits(size))) - 1n), EXC.DE);
  storeQuotient(l, size, q, l.e('remu_i64', [n, d]));
}

function idiv(l: Lifter): void {
  const size = l.size(0);
  const d = l.copy(l.loadS(0), 'tb');
  if (size === 8) {
    const args = [G.reg(RDX), G.reg(RAX), d];
    l.raiseIf('eq', l.callFor('div128s_fits', args), l.i64(0), EXC.DE);
    const q = l.callFor('div128s', args);
    storeQuotient(l, 8, q, remainder(l, q, d));
    return;
  }
  const wideSize = wide(size * 2);
  const n = l.copy(l.sext(dividend(l, size), wideSize), 'tb');
  l.raiseIf('eq', d, l.i64(0), EXC.DE);
  // The one quotient that even 64 bits can't hold.
  l.raiseIf('eq', l.or(l.xor(n, l.i64(1n << 63n)), l.not(d)), l.i64(0), EXC.DE);
  const q = l.copy(l.e('divs_i64', [n, d]), 'tb');
  l.raiseIf('ne', q, l.sext(q, size), EXC.DE);
  storeQuotient(l, size, q, l.e('rems_i64', [n, d]));
}

export const muldivRows = [
  { enc: 'F6 /4', mnemonic: 'mul', operands: 'Eb', feature: 'base', lift: mul },
  { enc: 'F7 /4', mnemonic: 'mul', operands: 'Ev', feature: 'base', lift: mul },
  { enc: 'F6 /5', mnemonic: 'imul', operands: 'Eb', feature: 'base', lift: imul1 },
  { enc: 'F7 /5', mnemonic: 'imul', operands: 'Ev', feature: 'base', lift: imul1 },
  { enc: '0F AF /r', mnemonic: 'imul', operands: 'Gv,Ev', feature: 'base', lift: imul2 },
  { enc: '69 /r', mnemonic: 'imul', operands: 'Gv,Ev,Iz', feature: 'base', lift: imul2 },
  { enc: '6B /r', mnemonic: 'imul', operands: 'Gv,Ev,Ibs', feature: 'base', lift: imul2 },
  { enc: 'F6 /6', mnemonic: 'div', operands: 'Eb', feature: 'base', lift: div },
  { enc: 'F7 /6', mnemonic: 'div', operands: 'Ev', feature: 'base', lift: div },
  { enc: 'F6 /7', mnemonic: 'idiv', operands: 'Eb', feature: 'base', lift: idiv },
  { enc: 'F7 /7', mnemonic: 'idiv', operands: 'Ev', feature: 'base', lift: idiv },
] as const satisfies readonly InsnRow[];
