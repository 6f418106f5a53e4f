/**
 * SSE4.1's and SSE4.2's packed integer instructions, blends, insertions and extractions. Out: rows. Source: SDM 2A/2B, one section an instruction; 2D, tables A-4 (0F 38) and A-5 (0F 3A).
 */
import { G } from '../../../src/ir/globals.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { imm8, moveFull, setVec, vec } from '../vector.js';
import { binary, binaryImm, unary } from '../vector-lift.js';
import {
  blendByMask,
  extractLane,
  insertLane,
  insertSingle,
  type LaneSize,
  SSE41,
  SSE41_IMM,
  SSE41_UNARY,
  testFlags,
} from '../vector-sse41.js';

/** PBLENDVB, BLENDVPS, BLENDVPD: the mask is xmm0. */
function blendVariable(shape: 'i8x16' | 'i32x4' | 'i64x2'): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    setVec(l, 0, blendByMask(l, vec(l, 0), b, G.xmm(0), shape));
  };
}

function ptest(l: Lifter): void {
  const b = vec(l, 1);
  l.flags.setEflags(testFlags(l, vec(l, 0), b));
}

/** INSERTPS: bits 7:6 of the immediate choose a lane of a register; memory is one lane. */
function insertps(l: Lifter): void {
  const imm = imm8(l, 2);
  const b = vec(l, 1);
  setVec(l, 0, insertSingle(l, vec(l, 0), b, l.op(1).kind === 'mem' ? 0 : imm >> 6, imm));
}

function insert(size: LaneSize): LiftFn {
  return (l) => {
    const value = l.load(1);
    setVec(l, 0, insertLane(l, vec(l, 0), value, size, imm8(l, 2)));
  };
}

/** PEXTR, EXTRACTPS: to memory of the lane's size, or to a general register, zero-extended to 64 bits. */
export function extract(size: LaneSize): LiftFn {
  return (l) => {
    const o = l.op(0);
    const to = o.kind === 'gpr' ? l.reg(o.reg, 8) : l.dest(0);
    to.store(extractLane(l, vec(l, 1), size, imm8(l, 2)));
  };
}

export const sse41IntRows = [
  { enc: '66 0F 38 10 /r', mnemonic: 'pblendvb', operands: 'Vx,Wx', feature: 'sse4.1', lift: blendVariable('i8x16') },
  { enc: '66 0F 38 14 /r', mnemonic: 'blendvps', operands: 'Vx,Wx', feature: 'sse4.1', lift: blendVariable('i32x4') },
  { enc: '66 0F 38 15 /r', mnemonic: 'blendvpd', operands: 'Vx,Wx', feature: 'sse4.1', lift: blendVariable('i64x2') },
  { enc: '66 0F 38 17 /r', mnemonic: 'ptest', operands: 'Vx,Wx', feature: 'sse4.1', lift: ptest },
  {
    enc: '66 0F 38 20 /r',
    mnemonic: 'pmovsxbw',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxbw),
  },
  {
    enc: '66 0F 38 21 /r',
    mnemonic: 'pmovsxbd',
    operands: 'Vx,Wd',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxbd),
  },
  {
    enc: '66 0F 38 22 /r',
    mnemonic: 'pmovsxbq',
    operands: 'Vx,Ww',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxbq),
  },
  {
    enc: '66 0F 38 23 /r',
    mnemonic: 'pmovsxwd',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxwd),
  },
  {
    enc: '66 0F 38 24 /r',
    mnemonic: 'pmovsxwq',
    operands: 'Vx,Wd',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxwq),
  },
  {
    enc: '66 0F 38 25 /r',
    mnemonic: 'pmovsxdq',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovsxdq),
  },
  {
    enc: '66 0F 38 30 /r',
    mnemonic: 'pmovzxbw',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxbw),
  },
  {
    enc: '66 0F 38 31 /r',
    mnemonic: 'pmovzxbd',
    operands: 'Vx,Wd',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxbd),
  },
  {
    enc: '66 0F 38 32 /r',
    mnemonic: 'pmovzxbq',
    operands: 'Vx,Ww',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxbq),
  },
  {
    enc: '66 0F 38 33 /r',
    mnemonic: 'pmovzxwd',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxwd),
  },
  {
    enc: '66 0F 38 34 /r',
    mnemonic: 'pmovzxwq',
    operands: 'Vx,Wd',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxwq),
  },
  {
    enc: '66 0F 38 35 /r',
    mnemonic: 'pmovzxdq',
    operands: 'Vx,Wq',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.pmovzxdq),
  },
  { enc: '66 0F 38 28 /r', mnemonic: 'pmuldq', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmuldq) },
  { enc: '66 0F 38 29 /r', mnemonic: 'pcmpeqq', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pcmpeqq) },
  { enc: '66 0F 38 2A /r', mnemonic: 'movntdqa', operands: 'Vx,Mx', feature: 'sse4.1', lift: moveFull(true) },
  { enc: '66 0F 38 2B /r', mnemonic: 'packusdw', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.packusdw) },
  { enc: '66 0F 38 37 /r', mnemonic: 'pcmpgtq', operands: 'Vx,Wx', feature: 'sse4.2', lift: binary(SSE41.pcmpgtq) },
  { enc: '66 0F 38 38 /r', mnemonic: 'pminsb', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pminsb) },
  { enc: '66 0F 38 39 /r', mnemonic: 'pminsd', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pminsd) },
  { enc: '66 0F 38 3A /r', mnemonic: 'pminuw', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pminuw) },
  { enc: '66 0F 38 3B /r', mnemonic: 'pminud', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pminud) },
  { enc: '66 0F 38 3C /r', mnemonic: 'pmaxsb', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmaxsb) },
  { enc: '66 0F 38 3D /r', mnemonic: 'pmaxsd', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmaxsd) },
  { enc: '66 0F 38 3E /r', mnemonic: 'pmaxuw', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmaxuw) },
  { enc: '66 0F 38 3F /r', mnemonic: 'pmaxud', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmaxud) },
  { enc: '66 0F 38 40 /r', mnemonic: 'pmulld', operands: 'Vx,Wx', feature: 'sse4.1', lift: binary(SSE41.pmulld) },
  {
    enc: '66 0F 38 41 /r',
    mnemonic: 'phminposuw',
    operands: 'Vx,Wx',
    feature: 'sse4.1',
    lift: unary(SSE41_UNARY.phminposuw),
  },
  {
    enc: '66 0F 3A 0C /r',
    mnemonic: 'blendps',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.1',
    lift: binaryImm(SSE41_IMM.blendps),
  },
  {
    enc: '66 0F 3A 0D /r',
    mnemonic: 'blendpd',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.1',
    lift: binaryImm(SSE41_IMM.blendpd),
  },
  {
    enc: '66 0F 3A 0E /r',
    mnemonic: 'pblendw',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.1',
    lift: binaryImm(SSE41_IMM.pblendw),
  },
  {
    enc: '66 0F 3A 42 /r',
    mnemonic: 'mpsadbw',
    operands: 'Vx,Wx,Ib',
    feature: 'sse4.1',
    lift: binaryImm(SSE41_IMM.mpsadbw),
  },
  { enc: '66 0F 3A 14 /r', mnemonic: 'pextrb', operands: 'Ey/b,Vx,Ib', feature: 'sse4.1', lift: extract(1) },
  { enc: '66 0F 3A 15 /r', mnemonic: 'pextrw', operands: 'Ey/w,Vx,Ib', feature: 'sse4.1', lift: extract(2) },
  { enc: '66 0F 3A 16 /r', mnemonic: 'pextrd', operands: 'Ed,Vx,Ib', feature: 'sse4.1', lift: extract(4) },
  { enc: '66 REX.W 0F 3A 16 /r', mnemonic: 'pextrq', operands: 'Eq,Vx,Ib', feature: 'sse4.1', lift: extract(8) },
  { enc: '66 0F 3A 17 /r', mnemonic: 'extractps', operands: 'Ey/d,Vx,Ib', feature: 'sse4.1', lift: extract(4) },
  { enc: '66 0F 3A 20 /r', mnemonic: 'pinsrb', operands: 'Vx,Ey/b,Ib', feature: 'sse4.1', lift: insert(1) },
  { enc: '66 0F 3A 21 /r', mnemonic: 'insertps', operands: 'Vx,Wd,Ib', feature: 'sse4.1', lift: insertps },
  { enc: '66 0F 3A 22 /r', mnemonic: 'pinsrd', operands: 'Vx,Ed,Ib', feature: 'sse4.1', lift: insert(4) },
  { enc: '66 REX.W 0F 3A 22 /r', mnemonic: 'pinsrq', operands: 'Vx,Eq,Ib', feature: 'sse4.1', lift: insert(8) },
] as const satisfies readonly InsnRow[];
