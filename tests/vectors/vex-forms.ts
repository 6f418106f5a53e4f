/**
 * The instruction forms of the VEX vectors, from the rows: both lengths, registers low, high and equal, aligned and unaligned memory, immediates, gathers. In: rows. Out: forms with their inputs.
 */
import { parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { avx2Rows } from '../../frontend/x86-64/insns/avx2.js';
import { avxFloatRows } from '../../frontend/x86-64/insns/avx-float.js';
import { avxIntRows } from '../../frontend/x86-64/insns/avx-int.js';
import { avxMoveRows } from '../../frontend/x86-64/insns/avx-move.js';
import { fmaRows } from '../../frontend/x86-64/insns/fma.js';
import { seededRandom, vexPrefix } from '../fuzz/decoder-generate.js';
import type { VectorForm } from '../support/vectors.js';
import { AT_LEAST, filled } from './fill.js';
import { immediates, isMove, kindOf, pairs } from './sse-forms.js';

export const VEX_ROWS: readonly InsnRow[] = [...avxMoveRows, ...avxFloatRows, ...avxIntRows, ...avx2Rows, ...fmaRows].filter(
  (row) => row.lift !== undefined,
);

const [RSI, MEM_DISP8, REGISTER] = [6, 0x40, 0xc0] as const;
/** Displacements: the last 32 bytes of a page; its last byte and what follows on the next. */
const [ALIGNED, ACROSS] = [0, 31];
/** Displacement of gathers, whose indices reach from -8 to 7 by a scale of 2. */
const [MIDDLE, SCALE_2] = [24, 0x40];
const MAIN_CASES = { f32: 30, f64: 30, int: 16, wide: 16, count: 16, mxcsr: 8, text: 16 } as const;
const [MOVE_CASES, OTHER_CASES, CLOSED_CASES] = [3, 3, 2];

interface Registers {
  readonly what: string;
  readonly reg: number;
  readonly vvvv: number;
  readonly rm: number;
}

const LOW: Registers = { what: 'low', reg: 1, vvvv: 2, rm: 3 };
const HIGH: Registers = { what: 'high', reg: 9, vvvv: 10, rm: 11 };
const SHAPES: readonly Registers[] = [
  HIGH,
  { what: 'equal', reg: 2, vvvv: 2, rm: 2 },
  { what: 'destination first', reg: 5, vvvv: 5, rm: 8 },
  { what: 'destination second', reg: 12, vvvv: 6, rm: 12 },
];

/** The legacy row's name, by which kinds and immediates are chosen. */
const legacy = (row: InsnRow): InsnRow => ({ ...row, mnemonic: row.mnemonic.slice(1) });

function immediatesOf(row: InsnRow): readonly number[] {
  const { mnemonic, operands } = row;
  if (/,L\w+$/.test(operands)) return [0x70, 0xdf];
  if (/^vcmp/.test(mnemonic)) return Array.from({ length: 33 }, (_, i) => (i < 32 ? i : 0xff));
  if (/^v(perm|blend|pblendd|shuf|insert|extract)/.test(mnemonic) && operands.endsWith('Ib'))
    return [0x1b, 0xe4, 0x00, 0x72, 0xff, 0x31, 0x20, 0x13, 0x8d, 0xc6, 0x80, 0x08];
  if (mnemonic === 'vmpsadbw') return [0, 1, 2, 3, 4, 0x0f, 0x2a, 0x35, 0x3f, 0xff];
  if (mnemonic === 'vcvtps2ph') return [0, 1, 2, 3, 4, 0xff];
  return immediates(legacy(row));
}

/** Bytes of the instruction with its operands. */
function encode(row: InsnRow, length: number, w: number, r: Registers, tail: readonly number[]): Uint8Array {
  const encoding = parseEncoding(row);
  const memory = tail[0] !== REGISTER;
  const rex = w | (r.reg > 7 ? 4 : 0) | (!memory && r.rm > 7 ? 1 : 0);
  const usesV = /(^|,)(H|B[a-z])/.test(row.operands);
  const prefix = vexPrefix(encoding, rex, length, usesV ? r.vvvv : 0, r.what === 'low');
  if (!encoding.hasModrm) return Uint8Array.from([...prefix, encoding.opcode]);
  const field = encoding.reg >= 0 ? encoding.reg : r.reg & 7;
  const modrm = (tail[0] ?? REGISTER) | (field << 3) | (memory ? RSI : r.rm & 7);
  return Uint8Array.from([...prefix, encoding.opcode, modrm, ...tail.slice(1)]);
}

function gatherForms(row: InsnRow, length: number, index: number): VectorForm[] {
  const encoding = parseEncoding(row);
  return [LOW, HIGH].flatMap((r) => {
    const rex = (r.reg > 7 ? 4 : 0) | (r.rm > 7 ? 2 : 0);
    const sib = SCALE_2 | ((r.rm & 7) << 3) | RSI;
    const prefix = vexPrefix(encoding, rex, length, r.vvvv, false);
    const code = Uint8Array.from([...prefix, encoding.opcode, MEM_DISP8 | ((r.reg & 7) << 3) | 4, sib, MIDDLE]);
    const text = `${row.mnemonic} ${row.operands} ${r.what} ${length === 0 ? 128 : 256}`;
    const form = { code, text, inputs: pairs('int', 'int', r === LOW ? MAIN_CASES.int : OTHER_CASES, index) };
    return [form, { ...form, text: `${text} closed`, closed: true }];
  });
}

/** The forms of a row; `index` varies their inputs. */
export function vexFormsOf(row: InsnRow, index: number): VectorForm[] {
  const { mod, hasModrm, vexL, rexW } = parseEncoding(row);
  const forms: VectorForm[] = [];
  const source = kindOf(legacy(row));
  const target = source === 'count' ? 'int' : source;
  // VZEROUPPER, VZEROALL: all registers get values.
  if (row.operands === '') {
    const inputs = Array.from({ length: AT_LEAST }, (_, i) => [7 * i + index, 1 + (i % 40)] as const);
    return [{ code: encode(row, 0, 0, LOW, []), text: `sequence ${row.mnemonic}`, inputs }];
  }
  for (const length of vexL < 0 ? [0, 1] : [vexL]) {
    if (row.operands.includes('vm')) {
      forms.push(...gatherForms(row, length, index));
      continue;
    }
    for (const [n, imm] of immediatesOf(row).entries()) {
      const last = imm < 0 ? [] : [imm];
      const many = isMove(row.mnemonic.slice(1)) ? MOVE_CASES : MAIN_CASES[source];
      const main = n === 0 ? many : OTHER_CASES;
      for (const w of row.operands.includes('y') && rexW < 0 ? [0, 8] : [0]) {
        const name = `${row.mnemonic} ${row.operands}`.trimEnd();
        const form = (r: Registers, tail: readonly number[], what: string, cases: number, closed = false): void => {
          const text = `${name} ${what} ${length === 0 ? 128 : 256}${w === 0 ? '' : ' W'}${imm < 0 ? '' : ` imm ${imm}`}`;
          const inputs = pairs(target, source, cases, index + 3 * n);
          forms.push({ code: encode(row, length, w, r, [...tail, ...last]), text, inputs, ...(closed ? { closed } : {}) });
        };
        if (mod !== 0 || !hasModrm) form(LOW, [REGISTER], 'low', main);
        if (!hasModrm || (n > 0 && mod !== 0)) continue;
        if (mod !== 0) for (const shape of SHAPES) form(shape, [REGISTER], shape.what, OTHER_CASES);
        if (mod !== 1) {
          form(LOW, [MEM_DISP8, ALIGNED], 'aligned', mod === 0 ? main : OTHER_CASES);
          form(LOW, [MEM_DISP8, ACROSS], 'across', OTHER_CASES);
          form(LOW, [MEM_DISP8, ACROSS], 'across closed', CLOSED_CASES, true);
        }
      }
    }
  }
  return forms;
}

/** MXCSR with RC = down, up, toward zero. */
const ROUNDINGS = [0x3f80, 0x5f80, 0x7f80] as const;

export function vexForms(): VectorForm[] {
  const forms = filled(VEX_ROWS.flatMap(vexFormsOf), (row) => kindOf(legacy(row)), seededRandom(43));
  const rounded = forms.filter(
    (f) =>
      (/^vcvt(?!t)\w*2(si|dq) .* low/.test(f.text) && !/^vcvt(dq|si)/.test(f.text)) ||
      /^v(round|cvtps2ph).* low .* imm 4$/.test(f.text),
  );
  return [...forms, ...ROUNDINGS.flatMap((mxcsr) => rounded.map((f) => ({ ...f, mxcsr })))];
}
