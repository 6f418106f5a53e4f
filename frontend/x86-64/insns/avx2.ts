/**
 * What AVX2 brought: broadcasts of registers, permutations across lanes, shifts by each element's own count, masked moves, gathers. Out: rows.
 * Source: SDM 2C, VPBROADCAST, VPERM*, VPSLLV, VPSRLV, VPSRAVD, VPMASKMOV, VGATHER*, VPGATHER*.
 */
import type { InsnRow } from '../insn.js';
import { SSE41_IMM } from '../vector-sse41.js';
import {
  broadcast,
  broadcastHalf,
  extractHalf,
  insertHalf,
  permuteDwords,
  permuteHalves,
  permuteQuads,
  shiftEach,
} from '../vex-permute.js';
import { gather, maskedLoad, maskedStore } from '../vex-masked.js';
import { vexBinary, vexBinaryImm } from '../vex-lift.js';
import { vex } from '../vex-rows.js';

export const avx2Rows: readonly InsnRow[] = [
  vex('66.0F38.W0 18 /r', 'vbroadcastss', 'Vx,Udq', broadcast(4), 'avx2'),
  vex('256.66.0F38.W0 19 /r', 'vbroadcastsd', 'Vqq,Udq', broadcast(8), 'avx2'),
  vex('66.0F38.W0 78 /r', 'vpbroadcastb', 'Vx,Wdq/b', broadcast(1), 'avx2'),
  vex('66.0F38.W0 79 /r', 'vpbroadcastw', 'Vx,Wdq/w', broadcast(2), 'avx2'),
  vex('66.0F38.W0 58 /r', 'vpbroadcastd', 'Vx,Wdq/d', broadcast(4), 'avx2'),
  vex('66.0F38.W0 59 /r', 'vpbroadcastq', 'Vx,Wdq/q', broadcast(8), 'avx2'),
  vex('256.66.0F38.W0 5A /r', 'vbroadcasti128', 'Vqq,Mdq', broadcastHalf, 'avx2'),
  vex('256.66.0F38.W0 16 /r', 'vpermps', 'Vqq,Hqq,Wqq', permuteDwords, 'avx2'),
  vex('256.66.0F38.W0 36 /r', 'vpermd', 'Vqq,Hqq,Wqq', permuteDwords, 'avx2'),
  vex('256.66.0F3A.W1 00 /r', 'vpermq', 'Vqq,Wqq,Ib', permuteQuads, 'avx2'),
  vex('256.66.0F3A.W1 01 /r', 'vpermpd', 'Vqq,Wqq,Ib', permuteQuads, 'avx2'),
  vex('256.66.0F3A.W0 46 /r', 'vperm2i128', 'Vqq,Hqq,Wqq,Ib', permuteHalves, 'avx2'),
  vex('256.66.0F3A.W0 38 /r', 'vinserti128', 'Vqq,Hqq,Wdq,Ib', insertHalf, 'avx2'),
  vex('256.66.0F3A.W0 39 /r', 'vextracti128', 'Wdq,Vqq,Ib', extractHalf, 'avx2'),
  vex('66.0F3A.W0 02 /r', 'vpblendd', 'Vx,Hx,Wx,Ib', vexBinaryImm(SSE41_IMM.blendps, 4), 'avx2'),
  vex('66.0F38.W0 45 /r', 'vpsrlvd', 'Vx,Hx,Wx', vexBinary(shiftEach('shr', 32)), 'avx2'),
  vex('66.0F38.W0 47 /r', 'vpsllvd', 'Vx,Hx,Wx', vexBinary(shiftEach('shl', 32)), 'avx2'),
  vex('66.0F38.W1 45 /r', 'vpsrlvq', 'Vx,Hx,Wx', vexBinary(shiftEach('shr', 64)), 'avx2'),
  vex('66.0F38.W1 47 /r', 'vpsllvq', 'Vx,Hx,Wx', vexBinary(shiftEach('shl', 64)), 'avx2'),
  vex('66.0F38.W0 46 /r', 'vpsravd', 'Vx,Hx,Wx', vexBinary(shiftEach('sar', 32)), 'avx2'),
  vex('66.0F38.W0 8C /r', 'vpmaskmovd', 'Vx,Hx,Mx', maskedLoad(4), 'avx2'),
  vex('66.0F38.W0 8E /r', 'vpmaskmovd', 'Mx,Hx,Vx', maskedStore(4), 'avx2'),
  vex('66.0F38.W1 8C /r', 'vpmaskmovq', 'Vx,Hx,Mx', maskedLoad(8), 'avx2'),
  vex('66.0F38.W1 8E /r', 'vpmaskmovq', 'Mx,Hx,Vx', maskedStore(8), 'avx2'),
  vex('66.0F38.W0 90 /r', 'vpgatherdd', 'Vx,vm32x/d,Hx', gather, 'avx2'),
  vex('66.0F38.W1 90 /r', 'vpgatherdq', 'Vx,vm32dq/q,Hx', gather, 'avx2'),
  vex('66.0F38.W0 91 /r', 'vpgatherqd', 'Vdq,vm64x/d,Hdq', gather, 'avx2'),
  vex('66.0F38.W1 91 /r', 'vpgatherqq', 'Vx,vm64x/q,Hx', gather, 'avx2'),
  vex('66.0F38.W0 92 /r', 'vgatherdps', 'Vx,vm32x/d,Hx', gather, 'avx2'),
  vex('66.0F38.W1 92 /r', 'vgatherdpd', 'Vx,vm32dq/q,Hx', gather, 'avx2'),
  vex('66.0F38.W0 93 /r', 'vgatherqps', 'Vdq,vm64x/d,Hdq', gather, 'avx2'),
  vex('66.0F38.W1 93 /r', 'vgatherqpd', 'Vx,vm64x/q,Hx', gather, 'avx2'),
];
