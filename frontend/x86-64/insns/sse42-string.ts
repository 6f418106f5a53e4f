/** SSE4.2's string comparisons. Out: rows. Source: SDM 2B, PCMPESTRI PCMPESTRM PCMPISTRI PCMPISTRM. Memory operands need no alignment (SDM 2A, 2.4, exceptions type 4). */
import type { TempId } from '../../../src/base/ids.js';
import { G } from '../../../src/ir/globals.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { imm8, vec } from '../vector.js';
import { compareExplicit, compareImplicit, flagsOf, indexOf, maskOf } from '../vector-string.js';

const RCX = 1;

type Compare = (l: Lifter, a: TempId, b: TempId, imm: number) => TempId;
const explicit =
  (size: 4 | 8): Compare =>
  (l, a, b, imm) =>
    compareExplicit(l, a, b, imm, size);

/** To rcx, or as a mask to xmm0. */
export function stringCompare(compare: Compare, to: 'index' | 'mask'): LiftFn {
  return (l) => {
    const imm = imm8(l, 2);
    const b = vec(l, 1, true);
    const result = compare(l, vec(l, 0), b, imm);
    if (to === 'index') l.mov(G.reg(RCX), indexOf(l, result));
    else {
      l.emit('mov_v128', [G.xmm(0), maskOf(l, result, imm)]);
      if (l.insn.vexL !== 0) l.emit('mov_v128', [G.ymmh(0), l.v128(0n)]);
    }
    l.flags.setEflags(flagsOf(l, result));
  };
}

export const estrm = (size: 4 | 8): LiftFn => stringCompare(explicit(size), 'mask');
export const estri = (size: 4 | 8): LiftFn => stringCompare(explicit(size), 'index');

export const sse42StringRows = [
  { enc: '66 0F 3A 60 /r', mnemonic: 'pcmpestrm', operands: 'Vx,Wx,Ib', feature: 'sse4.2', lift: estrm(4) },
  { enc: '66 REX.W 0F 3A 60 /r', mnemonic: 'pcmpestrm64', operands: 'Vx,Wx,Ib', feature: 'sse4.2', lift: estrm(8) },
  { enc: '66 0F 3A 61 /r', mnemonic: 'pcmpestri', operands: 'Vx,Wx,Ib', feature: 'sse4.2', lift: estri(4) },
  { enc: '66 REX.W 0F 3A 61 /r', mnemonic: 'pcmpestri64', operands: 'Vx,Wx,Ib', feature: 'sse4.2', lift: estri(8) },
  {
    enc: '66 0F 3A 62 /r',
    mnemonic: 'pcmpistrm',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.2',
    lift: stringCompare(compareImplicit, 'mask'),
  },
  {
    enc: '66 0F 3A 63 /r',
    mnemonic: 'pcmpistri',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.2',
    lift: stringCompare(compareImplicit, 'index'),
  },
] as const satisfies readonly InsnRow[];
