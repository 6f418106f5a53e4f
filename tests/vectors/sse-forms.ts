/**
 * The instruction forms of the SSE and MMX vectors, from the lifter's rows: registers low, high and equal, aligned and unaligned memory, immediates.
 * In: rows. Out: forms with their inputs.
 */
import { parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { mmxRows } from '../../frontend/x86-64/insns/mmx.js';
import { sseArithRows } from '../../frontend/x86-64/insns/sse-arith.js';
import { sseMoveRows } from '../../frontend/x86-64/insns/sse-move.js';
import { sse2FloatRows } from '../../frontend/x86-64/insns/sse2-float.js';
import { sse2IntRows } from '../../frontend/x86-64/insns/sse2-int.js';
import { sse2MoveRows } from '../../frontend/x86-64/insns/sse2-move.js';
import { systemRows } from '../../frontend/x86-64/insns/system.js';
import { opcodeBytes, seededRandom } from '../fuzz/decoder-generate.js';
import type { VectorForm } from '../support/vectors.js';
import { filled } from './fill.js';
import { SSE_RANGE, type ValueKind } from './sse-pool.js';

export const SSE_ROWS: readonly InsnRow[] = [
  ...sseMoveRows,
  ...sseArithRows,
  ...sse2MoveRows,
  ...sse2FloatRows,
  ...sse2IntRows,
  ...mmxRows,
  ...systemRows.filter((row) => /mxcsr$/.test(row.mnemonic)),
];

/** Cases of a row's main form by the kind of its values, of moves, and of the other forms. */
const MAIN_CASES: Readonly<Record<ValueKind, number>> = { f32: 44, f64: 47, int: 20, wide: 18, count: 16, mxcsr: 8, text: 20 };
const MOVE_CASES = 4;
const OTHER_CASES = 3;
const CLOSED_CASES = 2;
/** Of string comparisons with other immediates than the first. */
const TEXT_CASES = 8;

/** Instructions that only move bits. */
export const isMove = (mnemonic: string): boolean =>
  /^(p?mov(?!sx|zx)|lddqu|p?shuf(?!b)|p?unpck|p?andn?|p?x?or|maskmov)/.test(mnemonic) && !mnemonic.includes('mask');

const [RSI, DISP8, REGISTER] = [6, 0x40, 0xc0] as const;
const modrm = (mod: number, reg: number, rm: number): number => mod | ((reg & 7) << 3) | (rm & 7);
/** [rsi+16], and [rsi+31], whose first byte is the last of its page. */
const ALIGNED = 16;
const ACROSS = 31;

/** What the source operand of a row holds. */
export function kindOf(row: InsnRow): ValueKind {
  const { mnemonic, operands } = row;
  if (mnemonic === 'ldmxcsr') return 'mxcsr';
  const converted = /^cvtt?(ps|pd|ss|sd|dq|pi|si)2/.exec(mnemonic)?.[1];
  const type = converted ?? /^(?:[a-oq-z]\w*?|p)(ps|pd|ss|sd)$/.exec(mnemonic)?.[1];
  if (type === 'ps' || type === 'ss') return 'f32';
  if (type === 'pd' || type === 'sd') return 'f64';
  if (type === 'si') return 'wide';
  if (/^ps(ll|rl|ra)[wdq]$/.test(mnemonic) && !operands.includes('I')) return 'count';
  if (/^pcmp[ei]str/.test(mnemonic)) return 'text';
  return 'int';
}

/** Immediates worth a form each, by mnemonic: those whose fields need more than the common ones. */
const IMMEDIATES: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^pcmp[ei]str/, Array.from({ length: 130 }, (_, i) => (i < 128 ? i : i === 128 ? 0x80 : 0xff))],
  [/^palignr$/, [0, 1, 5, 7, 8, 9, 15, 16, 17, 31, 32, 255]],
  [/^mpsadbw$/, [0, 1, 2, 3, 4, 5, 6, 7, 0xff]],
  [/^(insertps|extractps)$/, [0x00, 0x10, 0x21, 0x32, 0x4e, 0x50, 0x68, 0x7f, 0x9b, 0xb4, 0xc0, 0xd5, 0xe2, 0xff]],
  [/^(pinsr|pextr)[bdq]$/, [0, 1, 2, 3, 7, 10, 15, 0xfd]],
  [/^round/, [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 0xff]],
  [/^dpp/, [0xff, 0x71, 0x00, 0xf0, 0x0f, 0x3c, 0x55, 0xaa, 0x31, 0x9e, 0xe7]],
  [/^pclmul/, [0x00, 0x01, 0x10, 0x11, 0xee, 0xff]],
  [/^aeskey/, [0x00, 0x01, 0x1b, 0x36, 0x80, 0xff]],
  [/^sha1rnds4$/, [0, 1, 2, 3, 0xff]],
];

/** Immediates worth a form each. */
export function immediates(row: InsnRow): readonly number[] {
  if (!row.operands.endsWith('Ib')) return [-1];
  const own = IMMEDIATES.find(([names]) => names.test(row.mnemonic));
  if (own !== undefined) return own[1];
  if (row.mnemonic.startsWith('cmp')) return [0, 1, 2, 3, 4, 5, 6, 7, 0x0a, 0xff];
  if (/dq$/.test(row.mnemonic)) return [0, 1, 5, 8, 15, 16, 17, 255];
  if (/^ps[lr]/.test(row.mnemonic)) return [0, 1, 7, 8, 15, 16, 17, 31, 32, 63, 64, 255];
  if (/^p(ins|ext)rw$/.test(row.mnemonic)) return [0, 1, 3, 6, 7, 0xfd];
  return [0x1b, 0xe4, 0x00, 0x72, 0xff];
}

/** Pairs that run through a kind at two speeds, so that edges meet edges. */
export function pairs(a: ValueKind, b: ValueKind, count: number, start: number): (readonly [number, number])[] {
  const [firstA, lengthA] = SSE_RANGE[a];
  const [firstB, lengthB] = SSE_RANGE[b];
  return Array.from({ length: Math.floor(count) }, (_, i) => {
    const j = i + start;
    return [firstA + (j % lengthA), firstB + ((j * 5 + Math.floor(j / lengthA)) % lengthB)] as const;
  });
}

/** `row` with ModRM and what follows. */
function encode(row: InsnRow, rex: number, reg: number, rm: number, tail: readonly number[]): Uint8Array {
  const { reg: digit, hasModrm } = parseEncoding(row);
  const head = opcodeBytes(row, rex === 0 ? [] : [rex], 0);
  if (!hasModrm) return Uint8Array.from(head);
  const mode = tail[0] === undefined ? REGISTER : tail[0];
  return Uint8Array.from([...head, modrm(mode, digit >= 0 ? digit : reg, rm), ...tail.slice(1)]);
}

/** The forms of a row; `index` varies their inputs. */
export function formsOf(row: InsnRow, index: number): VectorForm[] {
  const { mod, hasModrm } = parseEncoding(row);
  const forms: VectorForm[] = [];
  const source = kindOf(row);
  const target = source === 'count' ? 'int' : source;
  const widths = row.operands.includes('y') ? [0, 0x48] : [0];
  for (const [n, imm] of immediates(row).entries()) {
    const last = imm < 0 ? [] : [imm];
    const add = (what: string, code: Uint8Array, cases: number, closed = false): void => {
      const text = `${row.mnemonic} ${row.operands} ${what}${imm < 0 ? '' : ` imm ${imm}`}`;
      forms.push({ code, text, inputs: pairs(target, source, cases, index + 3 * n), ...(closed ? { closed } : {}) });
    };
    const many = isMove(row.mnemonic) ? MOVE_CASES : MAIN_CASES[source];
    const others = row.mnemonic.startsWith('cmp') ? many / 2 : source === 'text' ? TEXT_CASES : OTHER_CASES;
    const main = n === 0 ? many : others;
    for (const width of widths) {
      const w = width === 0 ? '' : ' W';
      const register = (what: string, rex: number, reg: number, rm: number, cases: number): void => {
        const bytes = encode(row, rex | width, reg, rm, [REGISTER, ...last]);
        add(what + w, bytes, cases);
      };
      const memory = (what: string, offset: number, cases: number, closed = false): void => {
        add(what + w, encode(row, width, 0, RSI, [DISP8, offset, ...last]), cases, closed);
      };
      if (mod !== 0 || !hasModrm) register('low', 0, 0, 1, main);
      if (!hasModrm || (n > 0 && mod !== 0)) continue;
      if (mod !== 0) {
        register('high', 0x45, 1, 6, OTHER_CASES);
        register('equal', 0, 2, 2, OTHER_CASES);
      }
      if (mod !== 1) {
        memory('aligned', ALIGNED, mod === 0 ? main : OTHER_CASES);
        memory('across', ACROSS, OTHER_CASES);
        memory('across closed', ACROSS, CLOSED_CASES, true);
      }
    }
  }
  return forms;
}

/** MXCSR with RC = down, up, toward zero. */
const ROUNDINGS = [0x3f80, 0x5f80, 0x7f80] as const;

export function sseForms(): VectorForm[] {
  const forms = filled(SSE_ROWS.flatMap(formsOf), kindOf, seededRandom(41));
  const rounded = forms.filter((f) => /^cvt(?!t)\w*2(si|dq|pi) .* low/.test(f.text) && !/^cvt(dq|pi|si)/.test(f.text));
  return [...forms, ...ROUNDINGS.flatMap((mxcsr) => rounded.map((f) => ({ ...f, mxcsr })))];
}
