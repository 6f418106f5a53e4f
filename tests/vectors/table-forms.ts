/**
 * The forms that vectors are counted by: a row of the instruction tables with its operand in a register or in memory, at one width. In: rows, decoded instructions. Out: forms as text keys.
 * Width: of the operands (SDM's v, z, y) where the row has several, or of the vectors where VEX.L says. A row whose widths differ in nothing but the name of a register has one.
 */
import { parseEncoding, VEX_MAP } from '../../frontend/x86-64/encoding.js';
import { rowKey } from '../../frontend/x86-64/decoder.js';
import type { Insn, InsnRow } from '../../frontend/x86-64/insn.js';

/** Where the operand is. */
export type Place = 'register' | 'memory';

export interface TableForm {
  readonly row: InsnRow;
  readonly place: Place;
  /** Bits, '' when the row has one width. */
  readonly width: string;
  readonly key: string;
}

/** Rows that read 16 bits whatever the operand size, or nothing. */
const ONE_WIDTH = /^(verr|verw|lldt|ltr|lmsw|ud\d|nop|prefetch\w*|in|out)$/;
const OPERAND_IN_MODRM = /(^|,)(E|W|Q|M)/;
const VSIB = /(^|,)vm/;

function widthsOf(row: InsnRow): readonly string[] {
  const { map, vexL, rexW } = parseEncoding(row);
  const { operands, mnemonic, attrs } = row;
  if (map > VEX_MAP) {
    if (vexL < 0 && /(^|,)[VHWUL]\w*(x|xh|xq|xe|ps|pd)(?=,|$)/.test(operands)) return ['128', '256'];
    return rexW < 0 && operands.includes('y') ? ['32', '64'] : [''];
  }
  const isSizeless = ONE_WIDTH.test(mnemonic) || attrs?.includes('f64') === true || operands.startsWith('Sw') || rexW === 1;
  if (isSizeless) return [''];
  const sized = operands.replace(/I\w+/g, (o) => (o === 'Iz' || o === 'Iv' ? o : ''));
  if (/[vz]|rAX|eAX/.test(sized) || mnemonic.includes('/')) {
    // Those that processors agree on: with 66, AMD's read 32 bits of MOVSXD's source; with REX.W, they read a far pointer of 32 bits.
    if (mnemonic === 'movsxd') return ['32', '64'];
    if (/^l[sfg]s$/.test(mnemonic)) return ['16', '32'];
    // POP and PUSH of 16 or 64 bits.
    return attrs?.includes('d64') === true ? ['16', '64'] : ['16', '32', '64'];
  }
  return operands.includes('y') ? ['32', '64'] : [''];
}

function placesOf(row: InsnRow): readonly Place[] {
  const { hasModrm, rm, mod } = parseEncoding(row);
  if (VSIB.test(row.operands)) return ['memory'];
  // In memory, all of its numbers are prefetches.
  if (row.enc === '0F 0D /r') return ['register'];
  if (!hasModrm || rm >= 0 || !OPERAND_IN_MODRM.test(row.operands) || mod === 1) return ['register'];
  return mod === 0 ? ['memory'] : ['register', 'memory'];
}

const keyOf = (row: InsnRow, place: Place, width: string): string => `${rowKey(row)} ${place} ${width}`.trimEnd();

const known = new Map<InsnRow, readonly TableForm[]>();

/** Forms of a row. */
export function tableForms(row: InsnRow): readonly TableForm[] {
  let forms = known.get(row);
  if (forms === undefined) {
    const widths = widthsOf(row);
    forms = placesOf(row).flatMap((place) => widths.map((width) => ({ row, place, width, key: keyOf(row, place, width) })));
    known.set(row, forms);
  }
  return forms;
}

/** The form that a decoded instruction is of. Throws an Error when the table knows of no such form. */
export function formOf(insn: Insn): TableForm {
  const { row } = insn;
  const forms = tableForms(row);
  const isMemory = OPERAND_IN_MODRM.test(row.operands)
    ? insn.operands.some((o) => o.kind === 'mem')
    : VSIB.test(row.operands);
  const place = isMemory ? 'memory' : 'register';
  const ofPlace = forms.filter((form) => form.place === place);
  const bits = insn.vexL !== 0 && (ofPlace[0]?.width ?? '').length === 3 ? insn.vexL : 8 * insn.opSize;
  // SDM's y has no 16 bits.
  const found =
    ofPlace.length === 1 ? ofPlace[0] : (ofPlace.find((form) => Number(form.width) === bits) ?? (bits === 16 ? ofPlace[0] : undefined));
  if (found === undefined) throw new Error(`${rowKey(row)}: no form for ${place}, ${bits} bits`);
  return found;
}
