/**
 * Reads the `enc` column of a row. In: text such as '66 0F 6F /r'. Out: the opcode map and byte, and the conditions that prefixes, REX and ModRM
 * must meet. Source: Intel SDM 2A, sections 2.1, 2.3 (VEX) and 3.1.1.1 (opcode column).
 */
import type { InsnRow } from './insn.js';
import { modOfOperands } from './operand-codes.js';

/** One-byte opcodes, 0F, 0F 38, 0F 3A; the same behind a VEX prefix, whose map field is the index less `VEX_MAP`. */
export const OPCODE_MAPS = ['', '0F', '0F 38', '0F 3A', 'VEX.0F', 'VEX.0F38', 'VEX.0F3A'] as const;
export const VEX_MAP = 3;

const VEX_MAPS: readonly string[] = ['', '0F', '0F38', '0F3A'];

/** Mandatory prefixes by their selector: none, 66, F3, F2. */
const PREFIX_TOKENS: readonly string[] = ['NP', '66', 'F3', 'F2'];

/** All tokens that stand before the opcode. */
const ROW_PREFIXES: readonly string[] = ['NP ', 'NFx ', '66 ', 'F3 ', 'F2 ', 'REX.'];

/** Conditions of a row; -1 where anything goes. */
export interface Encoding {
  /** Index into `OPCODE_MAPS`. */
  readonly map: number;
  readonly opcode: number;
  /** '+r': the row takes `opcode` to `opcode + 7`. */
  readonly plusReg: boolean;
  readonly hasModrm: boolean;
  /** 0 none of 66, F3 and F2; 1 66; 2 F3; 3 F2. */
  readonly prefix: number;
  /** 'NFx': neither F2 nor F3; 66 is the operand size. */
  readonly noRep: boolean;
  readonly rexW: number;
  readonly rexB: number;
  readonly reg: number;
  readonly rm: number;
  /** 0 memory, 1 register. */
  readonly mod: number;
  /** VEX.L: 0 or 1. */
  readonly vexL: number;
}

/** Where a row belongs: map * 256 + opcode. A quick look at every row at start-up, where `parseEncoding` would cost ten times as much. */
export function opcodeIndex(enc: string): number {
  if (enc.startsWith('VEX.')) {
    const end = enc.indexOf(' ');
    const map = enc.startsWith('0F38', enc.indexOf('0F')) ? 2 : enc.startsWith('0F3A', enc.indexOf('0F')) ? 3 : 1;
    return (VEX_MAP + map) * 256 + parseInt(enc.slice(end + 1, end + 3), 16);
  }
  let at = 0;
  while (ROW_PREFIXES.some((token) => enc.startsWith(token, at))) at = enc.indexOf(' ', at) + 1;
  let map = 0;
  if (enc.startsWith('0F', at)) {
    at += 3;
    map = enc.startsWith('38', at) ? 2 : enc.startsWith('3A', at) ? 3 : 1;
    if (map > 1) at += 3;
  }
  return map * 256 + parseInt(enc.slice(at, at + 2), 16);
}

/** Throws an Error that names the row if `enc` is malformed: a mistake in a table. */
export function parseEncoding(row: InsnRow): Encoding {
  const tokens = row.enc.split(' ');
  const vex = tokens[0]?.startsWith('VEX.') === true ? parseVex(row, tokens[0]) : undefined;
  let at = vex === undefined ? 0 : 1;
  let prefix = vex?.prefix ?? -1;
  let noRep = false;
  let rexW = vex?.rexW ?? -1;
  let rexB = -1;
  for (; vex === undefined && at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    const index = PREFIX_TOKENS.indexOf(token);
    if (index >= 0) prefix = index;
    else if (token === 'NFx') noRep = true;
    else if (token === 'REX.W') rexW = 1;
    else if (token === 'REX.B0') rexB = 0;
    else break;
  }
  let map = vex?.map ?? 0;
  if (tokens[at] === '0F' && vex === undefined) {
    map = 1;
    at++;
    if (tokens[at] === '38' || tokens[at] === '3A') {
      map = tokens[at] === '38' ? 2 : 3;
      at++;
    }
  }
  const opcodeToken = /^([0-9A-F]{2})(\+r)?$/.exec(tokens[at++] ?? '');
  if (opcodeToken === null) throw new Error(`row '${row.enc}' ${row.mnemonic}: no opcode`);
  const opcode = parseInt(opcodeToken[1] ?? '', 16);
  const tail = tokens[at++] ?? '';
  if (at < tokens.length) throw new Error(`row '${row.enc}' ${row.mnemonic}: too many tokens`);
  const mod = fixedMod(row);
  const common = {
    map,
    opcode,
    plusReg: opcodeToken[2] !== undefined,
    prefix,
    noRep,
    rexW,
    rexB,
    vexL: vex?.vexL ?? -1,
  };
  if (tail === '') return { ...common, hasModrm: false, reg: -1, rm: -1, mod: -1 };
  if (tail === '/r') return { ...common, hasModrm: true, reg: -1, rm: -1, mod };
  if (/^\/[0-7]$/.test(tail)) return { ...common, hasModrm: true, reg: Number(tail[1]), rm: -1, mod };
  const whole = /^([C-F][0-9A-F])(\+i)?$/.exec(tail);
  if (whole === null) throw new Error(`row '${row.enc}' ${row.mnemonic}: '${tail}' is not a ModRM form`);
  const modrm = parseInt(whole[1] ?? '', 16);
  return { ...common, hasModrm: true, reg: (modrm >> 3) & 7, rm: whole[2] === undefined ? modrm & 7 : -1, mod: 1 };
}

/** The fields of a VEX token. */
function parseVex(row: InsnRow, token: string): Pick<Encoding, 'map' | 'prefix' | 'rexW' | 'vexL'> {
  let [map, prefix, rexW, vexL] = [0, 0, -1, -1];
  for (const field of token.split('.').slice(1)) {
    if (PREFIX_TOKENS.includes(field)) prefix = PREFIX_TOKENS.indexOf(field);
    else if (VEX_MAPS.includes(field)) map = VEX_MAP + VEX_MAPS.indexOf(field);
    else if (field === '128' || field === 'LZ') vexL = 0;
    else if (field === '256') vexL = 1;
    else if (field === 'W0' || field === 'W1') rexW = Number(field[1]);
    else if (field !== 'LIG' && field !== 'WIG') throw new Error(`row '${row.enc}' ${row.mnemonic}: '${field}' in VEX`);
  }
  if (map === 0) throw new Error(`row '${row.enc}' ${row.mnemonic}: no opcode map in VEX`);
  return { map, prefix, rexW, vexL };
}

/** Memory or register form, from the operands' letters and the attributes. */
function fixedMod(row: InsnRow): number {
  const attrs = row.attrs ?? [];
  if (attrs.includes('mod-ignored')) return -1;
  if (attrs.includes('mem-only')) return 0;
  if (attrs.includes('reg-only')) return 1;
  return modOfOperands(row.operands);
}
