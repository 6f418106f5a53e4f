/**
 * Data movement between registers and memory. Out: rows. Source: SDM 2B, MOV MOVZX MOVSX MOVSXD LEA MOVNTI XLAT LSS/LFS/LGS.
 */
import { EXIT, GPR } from '../../../src/guest/cpu-state.js';
import { G } from '../../../src/ir/globals.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { wide } from '../operands.js';
import { loadSegment, readSegment, SEG, segmentOf } from '../segments.js';

function mov(l: Lifter): void {
  const value = l.load(1);
  l.dest(0).store(value);
}

const movzx = (l: Lifter): void => {
  const value = l.loadZ(1);
  l.dest(0).store(value);
};
const movsx = (l: Lifter): void => {
  const value = l.loadS(1);
  l.dest(0).store(value);
};

/** LEA takes the offset: segment bases do not count. */
function lea(l: Lifter): void {
  l.dest(0).store(l.ea({ ...l.mem(1), seg: 'ds' }));
}

function movFromSegment(l: Lifter): void {
  const d = l.dest(0);
  d.store(readSegment(l, segmentOf(l, 1)));
}

function movToSegment(l: Lifter): void {
  const n = segmentOf(l, 0);
  if (n === SEG.CS) {
    l.undefinedOpcode();
    return;
  }
  loadSegment(l, n, l.load(1))();
  // The trap flag's exception waits for the next instruction (SDM volume 3, 6.8.3).
  if (n === SEG.SS && l.options.oneIteration === true) l.exit(EXIT.SHADOW, 0, l.next);
}

/** LSS, LFS, LGS: offset, then selector. */
function loadFarPointer(n: number): LiftFn {
  return (l) => {
    const m = l.mem(1);
    const size = wide(m.size - 2);
    const host = l.guardRead(l.ea(m), m.size, 1, m.size - 2);
    const offset = l.copy(l.ld(host, size), 'tb');
    const write = loadSegment(l, n, l.ld(host, 2, size));
    l.dest(0).store(offset);
    write();
  };
}

function xlat(l: Lifter): void {
  // The index is AL alone.
  const ea = l.ea({ ...l.mem(0), index: -1 }, l.zext(G.reg(GPR.RAX), 1));
  l.reg(GPR.RAX, 1).store(l.ld(l.guardRead(ea, 1), 1));
}

export const movRows = [
  { enc: '88 /r', mnemonic: 'mov', operands: 'Eb,Gb', feature: 'base', lift: mov },
  { enc: '89 /r', mnemonic: 'mov', operands: 'Ev,Gv', feature: 'base', lift: mov },
  { enc: '8A /r', mnemonic: 'mov', operands: 'Gb,Eb', feature: 'base', lift: mov },
  { enc: '8B /r', mnemonic: 'mov', operands: 'Gv,Ev', feature: 'base', lift: mov },
  { enc: '8C /r', mnemonic: 'mov', operands: 'Ev/w,Sw', feature: 'base', lift: movFromSegment },
  { enc: '8E /r', mnemonic: 'mov', operands: 'Sw,Ev/w', feature: 'base', lift: movToSegment },
  { enc: 'A0', mnemonic: 'mov', operands: 'AL,Ob', feature: 'base', lift: mov },
  { enc: 'A1', mnemonic: 'mov', operands: 'rAX,Ov', feature: 'base', lift: mov },
  { enc: 'A2', mnemonic: 'mov', operands: 'Ob,AL', feature: 'base', lift: mov },
  { enc: 'A3', mnemonic: 'mov', operands: 'Ov,rAX', feature: 'base', lift: mov },
  { enc: 'B0+r', mnemonic: 'mov', operands: 'Zb,Ib', feature: 'base', lift: mov },
  { enc: 'B8+r', mnemonic: 'mov', operands: 'Zv,Iv', feature: 'base', lift: mov },
  { enc: 'C6 /0', mnemonic: 'mov', operands: 'Eb,Ib', feature: 'base', lift: mov },
  { enc: 'C7 /0', mnemonic: 'mov', operands: 'Ev,Iz', feature: 'base', lift: mov },
  { enc: '8D /r', mnemonic: 'lea', operands: 'Gv,M', feature: 'base', lift: lea },
  { enc: '0F B6 /r', mnemonic: 'movzx', operands: 'Gv,Eb', feature: 'base', lift: movzx },
  { enc: '0F B7 /r', mnemonic: 'movzx', operands: 'Gv,Ew', feature: 'base', lift: movzx },
  { enc: '0F BE /r', mnemonic: 'movsx', operands: 'Gv,Eb', feature: 'base', lift: movsx },
  { enc: '0F BF /r', mnemonic: 'movsx', operands: 'Gv,Ew', feature: 'base', lift: movsx },
  { enc: '63 /r', mnemonic: 'movsxd', operands: 'Gv,Ez', feature: 'base', lift: movsx },
  { enc: 'NP 0F C3 /r', mnemonic: 'movnti', operands: 'My,Gy', feature: 'sse2', lift: mov },
  { enc: 'D7', mnemonic: 'xlatb', operands: 'BAb', feature: 'base', lift: xlat },
  { enc: '0F B2 /r', mnemonic: 'lss', operands: 'Gv,Mp', feature: 'base', lift: loadFarPointer(SEG.SS) },
  { enc: '0F B4 /r', mnemonic: 'lfs', operands: 'Gv,Mp', feature: 'base', lift: loadFarPointer(SEG.FS) },
  { enc: '0F B5 /r', mnemonic: 'lgs', operands: 'Gv,Mp', feature: 'base', lift: loadFarPointer(SEG.GS) },
] as const satisfies readonly InsnRow[];
