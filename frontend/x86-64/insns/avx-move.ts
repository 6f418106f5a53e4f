/**
 * Moves, broadcasts, permutations and state of AVX. Out: rows. Source: SDM 2C, VMOV*, VBROADCAST, VPERMIL*, VPERM2F128, VINSERTF128, VEXTRACTF128, VMASKMOV, VZEROALL, VZEROUPPER.
 */
import type { InsnRow } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { lanes, shuffle, storeVec, vec, withLow } from '../vector.js';
import { shuffleDoubles, shuffleDwords } from '../vector-int.js';
import {
  broadcast,
  broadcastHalf,
  extractHalf,
  insertHalf,
  permuteDoubles,
  permuteHalves,
  permuteSingles,
  signFlags,
  zeroAll,
  zeroUpper,
} from '../vex-permute.js';
import { maskedLoad, maskedStore } from '../vex-masked.js';
import { setHalves, vexBinary, vexMask, vexMove, vexTest, vexUnary, vexUnaryImm } from '../vex-lift.js';
import { vex, vexInt } from '../vex-rows.js';
import { moveHigh } from './sse-move.js';
import { duplicateLane, maskmov, moveGeneral, moveQuad } from './sse2-move.js';
import { ldmxcsr, stmxcsr } from '../float-control.js';

/** VMOVSS, VMOVSD, VMOVLPS to memory: the low bytes. */
function storeLow(l: Lifter): void {
  storeVec(l, 0, vec(l, 1));
}

/** VMOVSS, VMOVSD from memory: the rest becomes zero. */
function loadLow(l: Lifter): void {
  setHalves(l, 0, [vec(l, 1)]);
}

export const avxMoveRows: readonly InsnRow[] = [
  vex('NP.0F.WIG 10 /r', 'vmovups', 'Vx,Wx', vexMove(false)),
  vex('NP.0F.WIG 11 /r', 'vmovups', 'Wx,Vx', vexMove(false)),
  vex('66.0F.WIG 10 /r', 'vmovupd', 'Vx,Wx', vexMove(false)),
  vex('66.0F.WIG 11 /r', 'vmovupd', 'Wx,Vx', vexMove(false)),
  vex('NP.0F.WIG 28 /r', 'vmovaps', 'Vx,Wx', vexMove(true)),
  vex('NP.0F.WIG 29 /r', 'vmovaps', 'Wx,Vx', vexMove(true)),
  vex('66.0F.WIG 28 /r', 'vmovapd', 'Vx,Wx', vexMove(true)),
  vex('66.0F.WIG 29 /r', 'vmovapd', 'Wx,Vx', vexMove(true)),
  vex('66.0F.WIG 6F /r', 'vmovdqa', 'Vx,Wx', vexMove(true)),
  vex('66.0F.WIG 7F /r', 'vmovdqa', 'Wx,Vx', vexMove(true)),
  vex('F3.0F.WIG 6F /r', 'vmovdqu', 'Vx,Wx', vexMove(false)),
  vex('F3.0F.WIG 7F /r', 'vmovdqu', 'Wx,Vx', vexMove(false)),
  vex('NP.0F.WIG 2B /r', 'vmovntps', 'Mx,Vx', vexMove(true)),
  vex('66.0F.WIG 2B /r', 'vmovntpd', 'Mx,Vx', vexMove(true)),
  vex('66.0F.WIG E7 /r', 'vmovntdq', 'Mx,Vx', vexMove(true)),
  vex('F2.0F.WIG F0 /r', 'vlddqu', 'Vx,Mx', vexMove(false)),
  ...vexInt('66.0F38.WIG 2A /r', 'vmovntdqa', 'Vx,Mx', vexMove(true)),
  vex('LIG.F3.0F.WIG 10 /r', 'vmovss', 'Vdq,Md', loadLow),
  vex(
    'LIG.F3.0F.WIG 10 /r',
    'vmovss',
    'Vdq,Hdq,Udq',
    vexBinary((l, a, b) => withLow(l, a, b, 4)),
  ),
  vex('LIG.F3.0F.WIG 11 /r', 'vmovss', 'Md,Vdq', storeLow),
  vex(
    'LIG.F3.0F.WIG 11 /r',
    'vmovss',
    'Udq,Hdq,Vdq',
    vexBinary((l, a, b) => withLow(l, a, b, 4)),
  ),
  vex('LIG.F2.0F.WIG 10 /r', 'vmovsd', 'Vdq,Mq', loadLow),
  vex(
    'LIG.F2.0F.WIG 10 /r',
    'vmovsd',
    'Vdq,Hdq,Udq',
    vexBinary((l, a, b) => withLow(l, a, b, 8)),
  ),
  vex('LIG.F2.0F.WIG 11 /r', 'vmovsd', 'Mq,Vdq', storeLow),
  vex(
    'LIG.F2.0F.WIG 11 /r',
    'vmovsd',
    'Udq,Hdq,Vdq',
    vexBinary((l, a, b) => withLow(l, a, b, 8)),
  ),
  vex(
    '128.NP.0F.WIG 12 /r',
    'vmovlps',
    'Vdq,Hdq,Mq',
    vexBinary((l, a, b) => withLow(l, a, b, 8)),
  ),
  vex(
    '128.NP.0F.WIG 12 /r',
    'vmovhlps',
    'Vdq,Hdq,Udq',
    vexBinary((l, a, b) => shuffle(l, b, a, lanes(8, [1, 3]))),
  ),
  vex('128.NP.0F.WIG 13 /r', 'vmovlps', 'Mq,Vdq', storeLow),
  vex(
    '128.66.0F.WIG 12 /r',
    'vmovlpd',
    'Vdq,Hdq,Mq',
    vexBinary((l, a, b) => withLow(l, a, b, 8)),
  ),
  vex('128.66.0F.WIG 13 /r', 'vmovlpd', 'Mq,Vdq', storeLow),
  vex(
    '128.NP.0F.WIG 16 /r',
    'vmovhps',
    'Vdq,Hdq,Mq',
    vexBinary((l, a, b) => shuffle(l, a, b, lanes(8, [0, 2]))),
  ),
  vex(
    '128.NP.0F.WIG 16 /r',
    'vmovlhps',
    'Vdq,Hdq,Udq',
    vexBinary((l, a, b) => shuffle(l, a, b, lanes(8, [0, 2]))),
  ),
  vex('128.NP.0F.WIG 17 /r', 'vmovhps', 'Mq,Vdq', moveHigh),
  vex(
    '128.66.0F.WIG 16 /r',
    'vmovhpd',
    'Vdq,Hdq,Mq',
    vexBinary((l, a, b) => shuffle(l, a, b, lanes(8, [0, 2]))),
  ),
  vex('128.66.0F.WIG 17 /r', 'vmovhpd', 'Mq,Vdq', moveHigh),
  vex('F3.0F.WIG 12 /r', 'vmovsldup', 'Vx,Wx', vexUnary(duplicateLane(lanes(4, [0, 0, 2, 2])))),
  vex('F3.0F.WIG 16 /r', 'vmovshdup', 'Vx,Wx', vexUnary(duplicateLane(lanes(4, [1, 1, 3, 3])))),
  vex('128.F2.0F.WIG 12 /r', 'vmovddup', 'Vdq,Wq', vexUnary(duplicateLane(lanes(8, [0, 0])))),
  vex('256.F2.0F.WIG 12 /r', 'vmovddup', 'Vqq,Wqq', vexUnary(duplicateLane(lanes(8, [0, 0])))),
  vex('NP.0F.WIG 50 /r', 'vmovmskps', 'Gy,Ux', vexMask('i32x4')),
  vex('66.0F.WIG 50 /r', 'vmovmskpd', 'Gy,Ux', vexMask('i64x2')),
  vex('128.66.0F.W0 6E /r', 'vmovd', 'Vdq,Ed', moveGeneral),
  vex('128.66.0F.W1 6E /r', 'vmovq', 'Vdq,Eq', moveGeneral),
  vex('128.66.0F.W0 7E /r', 'vmovd', 'Ed,Vdq', moveGeneral),
  vex('128.66.0F.W1 7E /r', 'vmovq', 'Eq,Vdq', moveGeneral),
  vex('128.F3.0F.WIG 7E /r', 'vmovq', 'Vdq,Wq', moveQuad),
  vex('128.66.0F.WIG D6 /r', 'vmovq', 'Wq,Vdq', moveQuad),
  ...vexInt('66.0F.WIG D7 /r', 'vpmovmskb', 'Gy,Ux', vexMask('i8x16')),
  vex('128.66.0F.WIG F7 /r', 'vmaskmovdqu', 'BDx,Vx,Ux', maskmov),
  vex('LZ.NP.0F.WIG AE /2', 'vldmxcsr', 'Md', ldmxcsr),
  vex('LZ.NP.0F.WIG AE /3', 'vstmxcsr', 'Md', stmxcsr),
  vex('128.NP.0F.WIG 77', 'vzeroupper', '', zeroUpper),
  vex('256.NP.0F.WIG 77', 'vzeroall', '', zeroAll),
  // What AVX brought.
  vex('66.0F38.W0 18 /r', 'vbroadcastss', 'Vx,Md', broadcast(4)),
  vex('256.66.0F38.W0 19 /r', 'vbroadcastsd', 'Vqq,Mq', broadcast(8)),
  vex('256.66.0F38.W0 1A /r', 'vbroadcastf128', 'Vqq,Mdq', broadcastHalf),
  vex('66.0F38.W0 0C /r', 'vpermilps', 'Vx,Hx,Wx', vexBinary(permuteSingles)),
  vex('66.0F38.W0 0D /r', 'vpermilpd', 'Vx,Hx,Wx', vexBinary(permuteDoubles)),
  vex('66.0F3A.W0 04 /r', 'vpermilps', 'Vx,Wx,Ib', vexUnaryImm(shuffleDwords)),
  vex(
    '66.0F3A.W0 05 /r',
    'vpermilpd',
    'Vx,Wx,Ib',
    vexUnaryImm((l, a, imm) => shuffleDoubles(l, a, a, imm, false), 2),
  ),
  vex('256.66.0F3A.W0 06 /r', 'vperm2f128', 'Vqq,Hqq,Wqq,Ib', permuteHalves),
  vex('256.66.0F3A.W0 18 /r', 'vinsertf128', 'Vqq,Hqq,Wdq,Ib', insertHalf),
  vex('256.66.0F3A.W0 19 /r', 'vextractf128', 'Wdq,Vqq,Ib', extractHalf),
  vex('66.0F38.W0 0E /r', 'vtestps', 'Vx,Wx', vexTest(signFlags('i32x4'))),
  vex('66.0F38.W0 0F /r', 'vtestpd', 'Vx,Wx', vexTest(signFlags('i64x2'))),
  vex('66.0F38.W0 2C /r', 'vmaskmovps', 'Vx,Hx,Mx', maskedLoad(4)),
  vex('66.0F38.W0 2D /r', 'vmaskmovpd', 'Vx,Hx,Mx', maskedLoad(8)),
  vex('66.0F38.W0 2E /r', 'vmaskmovps', 'Mx,Hx,Vx', maskedStore(4)),
  vex('66.0F38.W0 2F /r', 'vmaskmovpd', 'Mx,Hx,Vx', maskedStore(8)),
];
