/**
 * Compiles instruction rows into dispatch tables. In: rows. Out: for each map and opcode a slot, that leads from prefixes, REX and ModRM to a row.
 * Source: Intel SDM 2A, section 2.1; 2D, appendix A.3 to A.5 (opcode maps, groups). A slot is compiled when its opcode is first decoded, since building
 * counts as start-up time.
 */
import type { DecodeFields } from './decode-fields.js';
import { OPCODE_MAPS, opcodeIndex, parseEncoding } from './encoding.js';
import type { Encoding } from './encoding.js';
import type { Attr, Feature, InsnRow } from './insn.js';
import { operandReaders } from './operand-codes.js';
import type { BySize, OperandReader } from './operand-codes.js';

/** A row, ready for the decoder. */
export interface CompiledRow {
  readonly row: InsnRow;
  readonly operands: readonly OperandReader[];
  /** Bytes behind ModRM, SIB and displacement, by operand size; -1: an absolute address, of the address size. */
  readonly immBytes: BySize | -1;
  /** Do the register numbers exist? */
  readonly valid: ((f: DecodeFields) => boolean) | undefined;
  readonly lockable: boolean;
  readonly modIgnored: boolean;
  /** 66 is part of the opcode, and so no operand size. */
  readonly takes66: boolean;
  /** F2 or F3 is part of the opcode, and so no repeat prefix. */
  readonly takesRep: boolean;
  /** 'd64' or 'f64', as in `Attr`. */
  readonly wide: 'd64' | 'f64' | undefined;
  /** An operand is the register in VEX.vvvv. */
  readonly takesV: boolean;
  /** A gather: the SIB index is a vector register, and no two of the operands' registers may be the same. */
  readonly vsib: boolean;
}

/** What chooses among the rows of one opcode, as bits of `Slot.by`. */
export const BY_PREFIX = 1;
export const BY_REX_W = 2;
export const BY_REX_B = 4;
export const BY_REG = 8;
export const BY_MOD = 16;
export const BY_RM = 32;
export const BY_VEX_L = 64;

/** The rows of one opcode: `cells` is indexed by the selectors of `by`, the last of them varying fastest (`BY_` order). */
export interface Slot {
  readonly hasModrm: boolean;
  readonly by: number;
  readonly cells: readonly (CompiledRow | undefined)[];
}

interface Selector {
  readonly bit: number;
  readonly field: 'prefix' | 'rexW' | 'rexB' | 'reg' | 'mod' | 'rm' | 'vexL';
  readonly count: number;
}

const SELECTORS: readonly Selector[] = [
  { bit: BY_PREFIX, field: 'prefix', count: 4 },
  { bit: BY_REX_W, field: 'rexW', count: 2 },
  { bit: BY_REX_B, field: 'rexB', count: 2 },
  { bit: BY_REG, field: 'reg', count: 8 },
  { bit: BY_MOD, field: 'mod', count: 2 },
  { bit: BY_RM, field: 'rm', count: 8 },
  { bit: BY_VEX_L, field: 'vexL', count: 2 },
];

interface Parsed {
  readonly encoding: Encoding;
  readonly row: InsnRow;
}

/** Dispatch tables over some rows. Owner: a decoder; lives as long as it. */
export class DispatchTables {
  /** Rows by map * 256 + opcode; those of '+r' in the first of their opcodes, which is a multiple of 8. */
  readonly #rows: (InsnRow[] | undefined)[] = new Array<InsnRow[] | undefined>(OPCODE_MAPS.length * 256).fill(
    undefined,
  );
  /** undefined: not compiled yet; null: invalid. */
  readonly #slots: (Slot | null | undefined)[] = new Array<Slot | null | undefined>(OPCODE_MAPS.length * 256).fill(
    undefined,
  );

  /** `features`: only rows that need one of these are valid; absent: all. */
  constructor(rows: readonly InsnRow[], features?: ReadonlySet<Feature>) {
    for (const row of rows) {
      if (features === undefined || features.has(row.feature)) (this.#rows[opcodeIndex(row.enc)] ??= []).push(row);
    }
  }

  /** The slot of an opcode, or null where the opcode is invalid. Throws an Error where a row is malformed or two are in each other's way. */
  slot(map: number, opcode: number): Slot | null {
    const index = map * 256 + opcode;
    const slot = this.#slots[index];
    return slot !== undefined ? slot : this.#compile(index);
  }

  #compile(index: number): Slot | null {
    const own = this.#parsedAt(index);
    const first = index & ~7;
    const shared = first === index ? [] : this.#parsedAt(first).filter(({ encoding }) => encoding.plusReg);
    const parsed = [...own, ...shared];
    const slot = parsed.length === 0 ? null : compileSlot(parsed);
    this.#slots[index] = slot;
    return slot;
  }

  #parsedAt(index: number): Parsed[] {
    return (this.#rows[index] ?? []).map((row) => ({ encoding: parseEncoding(row), row }));
  }
}

function compileSlot(parsed: readonly Parsed[]): Slot {
  const hasModrm = parsed.some(({ encoding }) => encoding.hasModrm);
  const selectors = SELECTORS.filter(({ field }) =>
    parsed.some(({ encoding }) => encoding[field] >= 0 || (field === 'prefix' && encoding.noRep)),
  );
  const size = selectors.reduce((product, { count }) => product * count, 1);
  const cells = new Array<CompiledRow | undefined>(size).fill(undefined);
  const conditions = new Uint8Array(size);
  for (const { encoding, row } of parsed) {
    if (encoding.hasModrm !== hasModrm)
      throw new Error(`row '${row.enc}' ${row.mnemonic}: only some rows of this opcode have ModRM`);
    const compiled = compileRow(row, encoding);
    const weight = 1 + SELECTORS.filter(({ field }) => encoding[field] >= 0).length;
    for (const cell of cellsOf(encoding, selectors)) {
      const held = conditions[cell] ?? 0;
      if (held === weight)
        throw new Error(`rows '${row.enc}' ${row.mnemonic} and '${cells[cell]?.row.enc}' claim the same bytes`);
      if (held > weight) continue;
      conditions[cell] = weight;
      cells[cell] = compiled;
    }
  }
  return { hasModrm, by: selectors.reduce((bits, { bit }) => bits | bit, 0), cells };
}

/** Indices of all cells that meet the row's conditions. */
function cellsOf(encoding: Encoding, selectors: readonly Selector[]): number[] {
  let cells = [0];
  for (const { field, count } of selectors) {
    const wanted = encoding[field];
    const any = field === 'prefix' && encoding.noRep ? 2 : count;
    const values = wanted >= 0 ? [wanted] : Array.from({ length: any }, (_, n) => n);
    cells = cells.flatMap((cell) => values.map((value) => cell * count + value));
  }
  return cells;
}

function compileRow(row: InsnRow, encoding: Encoding): CompiledRow {
  const operands = operandReaders(row.operands);
  const has = (attr: Attr): boolean => row.attrs?.includes(attr) ?? false;
  const checks = operands.flatMap(({ valid }) => (valid === undefined ? [] : [valid]));
  if (checks.length > 1) throw new Error(`row '${row.enc}' ${row.mnemonic}: more than one operand of few registers`);
  return {
    row,
    operands,
    immBytes: sumOfImmediates(operands),
    valid: checks[0],
    lockable: has('lock'),
    modIgnored: has('mod-ignored'),
    takes66: encoding.prefix === 1,
    takesRep: encoding.prefix > 1,
    takesV: /(^|,)(H|B[a-z])/.test(row.operands),
    vsib: row.operands.includes('vm'),
    wide: has('d64') ? 'd64' : has('f64') ? 'f64' : undefined,
  };
}

function sumOfImmediates(operands: readonly OperandReader[]): BySize | -1 {
  let sum: BySize = { 2: 0, 4: 0, 8: 0 };
  for (const { immBytes } of operands) {
    if (immBytes === -1) return -1;
    sum = { 2: sum[2] + immBytes[2], 4: sum[4] + immBytes[4], 8: sum[8] + immBytes[8] };
  }
  return sum;
}
