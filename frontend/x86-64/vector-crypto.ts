/**
 * AES, PCLMULQDQ and SHA as lane functions. In: v128. Out: v128. Source: SDM 2A, AESENC and relatives; 2B, PCLMULQDQ, SHA1NEXTE, SHA1MSG1, SHA1MSG2.
 * What takes more than a few ops is done by helpers (backend-wasm/helpers/aes.ts, clmul.ts, sha.ts).
 */
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { lanes, shuffle } from './vector.js';
import type { Binary, BinaryImm, Unary, UnaryImm } from './vector-lift.js';

const helper =
  (name: string): Binary =>
  (l, a, b) =>
    l.callFor(name, [a, b]);

/** Words rotated to the left. */
function rotateWords(l: Lifter, a: TempId, n: number): TempId {
  return l.e('v_or', [l.e('v_shl_i32x4', [a, l.i32(n)]), l.e('v_shr_i32x4', [a, l.i32(32 - n)])]);
}

/** SHA1NEXTE: E of the next rounds, which is A of four rounds ago, is added to the first word. */
const nextE: Binary = (l, a, b) =>
  l.e('v_add_i32x4', [b, l.e('v_and', [rotateWords(l, a, 30), l.v128(0xffff_ffffn << 96n)])]);

const message1: Binary = (l, a, b) => l.e('v_xor', [a, shuffle(l, a, b, lanes(8, [3, 0]))]);

/** Words 16 to 18, and what word 19 has without word 16, which is added last. */
const message2: Binary = (l, a, b) => {
  const zero = l.v128(0n);
  const most = rotateWords(l, l.e('v_xor', [a, shuffle(l, zero, b, lanes(4, [0, 4, 5, 6]))]), 1);
  const word16 = shuffle(l, most, zero, lanes(4, [3, 4, 4, 4]));
  return l.e('v_xor', [most, rotateWords(l, word16, 1)]);
};

/** By mnemonic: destination op source. */
export const CRYPTO = {
  aesenc: helper('aesenc'),
  aesenclast: helper('aesenclast'),
  aesdec: helper('aesdec'),
  aesdeclast: helper('aesdeclast'),
  sha1nexte: nextE,
  sha1msg1: message1,
  sha1msg2: message2,
  sha256msg1: helper('sha256msg1'),
  sha256msg2: helper('sha256msg2'),
} as const satisfies Record<string, Binary>;

export const aesInverseMix: Unary = (l, a) => l.callFor('aesimc', [a]);

export const aesKeyAssist: UnaryImm = (l, a, imm) => l.callFor('aeskeygenassist', [a, l.i32(imm)]);

/** PCLMULQDQ: bit 0 of the immediate chooses the half of a, bit 4 that of b. */
export const carrylessProduct: BinaryImm = (l, a, b, imm) => {
  const half = (v: TempId, high: number): TempId => (high === 0 ? v : shuffle(l, v, v, lanes(8, [1, 1])));
  return l.callFor('pclmul', [half(a, imm & 1), half(b, (imm >> 4) & 1)]);
};

export const sha1Rounds: BinaryImm = (l, a, b, imm) => l.callFor('sha1rnds4', [a, b, l.i32(imm & 3)]);

/** SHA256RNDS2; `keyed` is xmm0. */
export function sha256Rounds(l: Lifter, a: TempId, b: TempId, keyed: TempId): TempId {
  return l.callFor('sha256rnds2', [a, b, keyed]);
}
