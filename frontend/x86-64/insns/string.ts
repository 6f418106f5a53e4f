/**
 * String instructions and port input/output. Out: rows. Source: SDM 2A/2B, MOVS CMPS STOS LODS SCAS INS OUTS IN OUT, REP. Port access needs IOPL: it raises #GP at CPL 3.
 */
import type { TempId } from '../../../src/base/ids.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { G } from '../../../src/ir/globals.js';
import { CCODE } from '../conditions.js';
import type { Lifter } from '../lifter.js';
import { LOG2, type Size } from '../operands.js';
import type { InsnRow } from '../insn.js';

const RCX = GPR.RCX;
const RSI = GPR.RSI;
const RDI = GPR.RDI;

/** Width of the elements. */
const element = (l: Lifter): Size => l.size(0);

/** Memory operand at `operand`: its effective address. */
function address(l: Lifter, i: number): TempId {
  return l.ea(l.mem(i));
}

/** Steps an index register by one element, up or down as DF says, at the address size. */
function stepIndex(l: Lifter, reg: number, size: Size): void {
  const delta = l.shl(l.e('ext_i32_i64', [G.df]), l.i64(LOG2[size]));
  const place = l.reg(reg, l.insn.addrSize);
  place.store(l.add(place.load(), delta));
}

/**
 * REP around one iteration: a TB of one iteration that jumps to itself, so that faults, signals and polls find the registers of an iteration's boundary.
 * `until`: REPE and REPNE also end on ZF (condition code that ends the loop).
 */
function repeat(l: Lifter, body: () => void, until?: number): void {
  if (l.insn.rep === 0) {
    body();
    return;
  }
  const size = l.insn.addrSize;
  const counter = l.reg(RCX, size);
  l.flags.sync();
  const done = l.label();
  const finished = l.label();
  l.brcond('eq', l.zext(counter.load(), size), l.i64(0), done);
  body();
  counter.store(l.sub(counter.load(), l.i64(1)));
  l.flags.sync();
  if (until !== undefined) {
    const { cond, a, b } = l.flags.condition(until);
    l.brcond(cond, a, b, finished);
  }
  l.brcond('eq', l.zext(counter.load(), size), l.i64(0), finished);
  l.gotoTb(0, l.insn.addr);
  l.setLabel(done);
  l.setLabel(finished);
  l.flags.joinDynamic();
  l.gotoTb(1, l.next);
  l.ended = true;
}

/** Each iteration counts, or each access: the trap flag or the alignment check flag is set. */
const isWatched = (l: Lifter): boolean => l.options.oneIteration === true || l.options.alignCheck === true;

/**
 * REP MOVS and REP STOS in bulk: the helper does as many elements as it can up to a page's end, and keeps the registers in step with what it has done. Without any element it is left out:
 * what copies by words and then by bytes often has no whole word, and a call that may change all registers has them stored and loaded.
 */
function bulk(l: Lifter, helper: 'rep_movs' | 'rep_stos', segmentBase: TempId): void {
  const size = l.insn.addrSize;
  l.flags.sync();
  const done = l.label();
  l.brcond('eq', l.zext(G.reg(RCX), size), l.i64(0), done);
  l.call(helper, [l.i32(element(l)), l.i32(size), segmentBase]);
  l.brcond('eq', l.zext(G.reg(RCX), size), l.i64(0), done);
  l.gotoTb(0, l.insn.addr);
  l.setLabel(done);
  l.gotoTb(1, l.next);
  l.ended = true;
}

const segmentBase = (l: Lifter, i: number): TempId => {
  const { seg } = l.mem(i);
  return seg === 'fs' ? G.fsBase : seg === 'gs' ? G.gsBase : l.i64(0);
};

function movs(l: Lifter): void {
  const size = element(l);
  if (l.insn.rep !== 0 && !isWatched(l)) {
    bulk(l, 'rep_movs', segmentBase(l, 1));
    return;
  }
  repeat(l, () => {
    moveOne(l, size);
  });
}

function moveOne(l: Lifter, size: Size): void {
  const source = l.guardRead(address(l, 1), size);
  const target = l.guardWrite(address(l, 0), size);
  l.st(target, l.ld(source, size), size);
  stepIndex(l, RSI, size);
  stepIndex(l, RDI, size);
}

function stos(l: Lifter): void {
  const size = element(l);
  if (l.insn.rep !== 0 && !isWatched(l)) {
    bulk(l, 'rep_stos', l.i64(0));
    return;
  }
  repeat(l, () => {
    l.st(l.guardWrite(address(l, 0), size), G.reg(GPR.RAX), size);
    stepIndex(l, RDI, size);
  });
}

function lods(l: Lifter): void {
  repeat(l, () => {
    const size = element(l);
    const value = l.ld(l.guardRead(address(l, 1), size), size);
    l.dest(0).store(value);
    stepIndex(l, RSI, size);
  });
}

/** Condition that ends REPE (0xf3) or REPNE (0xf2). */
const ending = (l: Lifter): number => (l.insn.rep === 0xf2 ? CCODE.E : CCODE.NE);

function scas(l: Lifter): void {
  repeat(
    l,
    () => {
      const size = element(l);
      const b = l.ld(l.guardRead(address(l, 1), size), size);
      const a = G.reg(GPR.RAX);
      l.flags.setSub(size, a, b, l.sub(a, b));
      stepIndex(l, RDI, size);
    },
    ending(l),
  );
}

/**
 * CMPS subtracts the second (ES:rDI) from the first (rSI). Which is read first, the signal tells where both fault, and processors differ: of those seen, one reads the first as here, another the second but for
 * REPE CMPSB.
 */
function cmps(l: Lifter): void {
  repeat(
    l,
    () => {
      const size = element(l);
      const a = l.ld(l.guardRead(address(l, 0), size), size);
      const b = l.ld(l.guardRead(address(l, 1), size), size);
      l.flags.setSub(size, a, b, l.sub(a, b));
      stepIndex(l, RSI, size);
      stepIndex(l, RDI, size);
    },
    ending(l),
  );
}

export const stringRows = [
  { enc: 'A4', mnemonic: 'movsb', operands: 'Yb,Xb', feature: 'base', attrs: ['rep'], lift: movs },
  { enc: 'A5', mnemonic: 'movsw/movsd/movsq', operands: 'Yv,Xv', feature: 'base', attrs: ['rep'], lift: movs },
  { enc: 'A6', mnemonic: 'cmpsb', operands: 'Xb,Yb', feature: 'base', attrs: ['rep'], lift: cmps },
  { enc: 'A7', mnemonic: 'cmpsw/cmpsd/cmpsq', operands: 'Xv,Yv', feature: 'base', attrs: ['rep'], lift: cmps },
  { enc: 'AA', mnemonic: 'stosb', operands: 'Yb,AL', feature: 'base', attrs: ['rep'], lift: stos },
  { enc: 'AB', mnemonic: 'stosw/stosd/stosq', operands: 'Yv,rAX', feature: 'base', attrs: ['rep'], lift: stos },
  { enc: 'AC', mnemonic: 'lodsb', operands: 'AL,Xb', feature: 'base', attrs: ['rep'], lift: lods },
  { enc: 'AD', mnemonic: 'lodsw/lodsd/lodsq', operands: 'rAX,Xv', feature: 'base', attrs: ['rep'], lift: lods },
  { enc: 'AE', mnemonic: 'scasb', operands: 'AL,Yb', feature: 'base', attrs: ['rep'], lift: scas },
  { enc: 'AF', mnemonic: 'scasw/scasd/scasq', operands: 'rAX,Yv', feature: 'base', attrs: ['rep'], lift: scas },
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
