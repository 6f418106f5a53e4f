/** AES, PCLMULQDQ and SHA instructions. Out: rows. Source: SDM 2A/2B, one section an instruction; 2D, tables A-4 (0F 38) and A-5 (0F 3A). */
import { G } from '../../../src/ir/globals.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { setVec, vec } from '../vector.js';
import { aesInverseMix, aesKeyAssist, carrylessProduct, CRYPTO, sha1Rounds, sha256Rounds } from '../vector-crypto.js';
import { type Binary, binary, binaryImm, unary, unaryImm } from '../vector-lift.js';

/** SHA takes memory operands of any alignment on the processors that recorded the vectors (AMD EPYC); the SDM lets processors raise #GP (exceptions type 4). */
const sha = (f: Binary): LiftFn => binary(f, true);

function sha256rnds2(l: Lifter): void {
  const b = vec(l, 1, true);
  setVec(l, 0, sha256Rounds(l, vec(l, 0), b, G.xmm(0)));
}

export const cryptoRows = [
  { enc: '66 0F 38 DB /r', mnemonic: 'aesimc', operands: 'Vx,Wx', feature: 'aes', lift: unary(aesInverseMix) },
  { enc: '66 0F 38 DC /r', mnemonic: 'aesenc', operands: 'Vx,Wx', feature: 'aes', lift: binary(CRYPTO.aesenc) },
  { enc: '66 0F 38 DD /r', mnemonic: 'aesenclast', operands: 'Vx,Wx', feature: 'aes', lift: binary(CRYPTO.aesenclast) },
  { enc: '66 0F 38 DE /r', mnemonic: 'aesdec', operands: 'Vx,Wx', feature: 'aes', lift: binary(CRYPTO.aesdec) },
  { enc: '66 0F 38 DF /r', mnemonic: 'aesdeclast', operands: 'Vx,Wx', feature: 'aes', lift: binary(CRYPTO.aesdeclast) },
  {
    enc: '66 0F 3A DF /r',
    mnemonic: 'aeskeygenassist',
    operands: 'Vx,Wx,Ib',
    feature: 'aes',
    lift: unaryImm(aesKeyAssist),
  },
  {
    enc: '66 0F 3A 44 /r',
    mnemonic: 'pclmulqdq',
    operands: 'Vx,Wx,Ib',
    feature: 'pclmulqdq',
    lift: binaryImm(carrylessProduct),
  },
  { enc: 'NP 0F 38 C8 /r', mnemonic: 'sha1nexte', operands: 'Vx,Wx', feature: 'sha', lift: sha(CRYPTO.sha1nexte) },
  { enc: 'NP 0F 38 C9 /r', mnemonic: 'sha1msg1', operands: 'Vx,Wx', feature: 'sha', lift: sha(CRYPTO.sha1msg1) },
  { enc: 'NP 0F 38 CA /r', mnemonic: 'sha1msg2', operands: 'Vx,Wx', feature: 'sha', lift: sha(CRYPTO.sha1msg2) },
  { enc: 'NP 0F 38 CB /r', mnemonic: 'sha256rnds2', operands: 'Vx,Wx', feature: 'sha', lift: sha256rnds2 },
  { enc: 'NP 0F 38 CC /r', mnemonic: 'sha256msg1', operands: 'Vx,Wx', feature: 'sha', lift: sha(CRYPTO.sha256msg1) },
  { enc: 'NP 0F 38 CD /r', mnemonic: 'sha256msg2', operands: 'Vx,Wx', feature: 'sha', lift: sha(CRYPTO.sha256msg2) },
  {
    enc: 'NP 0F 3A CC /r',
    mnemonic: 'sha1rnds4',
    operands: 'Vx,Wx,Ib',
    feature: 'sha',
    lift: binaryImm(sha1Rounds, true),
  },
] as const satisfies readonly InsnRow[];
