/**
 * Bytecode with places for registers, displacement, immediate and addresses. In: the bytecode of two instructions of one shape that have nothing else in common, and what is different between
 * them. Out: a template for all of that shape: where they differ, each place must hold the same one of their values; else there is none.
 */
import { G, GLOBALS } from '../../src/ir/globals.js';
import { fieldBytes, type Opcode, opcodes, opcodeSize } from './opcodes.js';

/** What the bytecode of one instruction has from it. */
export interface InsnValues {
  /** Register numbers by role, -1 where there is none. */
  readonly regs: ArrayLike<number>;
  readonly disp: number;
  /** The immediate, sign-extended from its size. */
  readonly immLow: number;
  readonly immHigh: number;
  /** Guest addresses of the instruction and of the one behind it. */
  readonly pc: number;
  readonly next: number;
}

/** Kinds of places. In a field: the slot of a register in a bank (ROLE_SHIFT), or the low half of a value. */
export const AT_REG = 0;
export const AT_DISP = 1;
export const AT_IMM = 2;
export const AT_IMM8 = 3;
/** In a word of 64 bits: sign-extended, or zero-extended from some bits; and addresses: a branch's target, and what is relative to rip. */
export const WORD_DISP = 4;
export const WORD_IMM = 5;
export const WORD_IMM8 = 6;
export const WORD_IMM16 = 7;
export const WORD_IMM32 = 8;
export const WORD_PC = 9;
export const WORD_NEXT = 10;
export const WORD_TARGET = 11;
export const WORD_RIP = 12;

/** A place: its kind, for AT_REG the bank times 4 plus the role, and the offset in the code in bytes. */
export const ROLE_SHIFT = 4;
export const ROLE_MASK = 15;
export const OFFSET_SHIFT = 8;

/** Slots of the registers, by bank (general registers, lower and upper halves of vectors) times 16 plus the number. */
export const REGISTER_SLOTS: Int32Array = Int32Array.from({ length: 48 }, (_, i) => {
  const bank = [G.reg, G.xmm, G.ymmh][i >> 4] ?? G.reg;
  return GLOBALS[bank(i & 15)]?.offset ?? 0;
});
const BANKS = 3;

export interface TemplateCode {
  readonly code: Int32Array;
  readonly places: Int32Array;
  /** Numbers of the registers in the code that are no places, as bits: what the instruction names may not be one of them. */
  readonly implicit: number;
}

const wordKinds: readonly (readonly [number, (v: InsnValues) => bigint])[] = [
  [WORD_DISP, (v) => BigInt(v.disp)],
  [WORD_IMM, immediate],
  [WORD_IMM8, (v) => BigInt(v.immLow & 0xff)],
  [WORD_IMM16, (v) => BigInt(v.immLow & 0xffff)],
  [WORD_IMM32, (v) => BigInt(v.immLow >>> 0)],
  [WORD_PC, (v) => BigInt(v.pc)],
  [WORD_NEXT, (v) => BigInt(v.next)],
  [WORD_TARGET, (v) => BigInt(v.next) + immediate(v)],
  [WORD_RIP, (v) => BigInt(v.next + v.disp)],
];
const fieldKinds: readonly (readonly [number, (v: InsnValues) => number])[] = [
  [AT_DISP, (v) => v.disp & 0xffff],
  [AT_IMM, (v) => v.immLow & 0xffff],
  [AT_IMM8, (v) => v.immLow & 0xff],
];

/** The immediate's 64 bits. */
export function immediate(v: Pick<InsnValues, 'immLow' | 'immHigh'>): bigint {
  return (BigInt(v.immHigh) << 32n) | BigInt(v.immLow >>> 0);
}

/** Fields behind the opcode that are slots: the first ones; a push has one more. */
function slotFields(o: Opcode): number {
  if (o.helper !== undefined) return o.helper.params.length + (o.helper.ret === undefined ? 0 : 1);
  if (o.movi === true) return 1;
  const lastIsConstant = o.last === 'slot' ? 0 : 1;
  switch (o.fusion) {
    case 'push':
    case 'pop':
    case 'guard':
    case 'add-guard':
      return 2;
    case 'cmp':
    case 'jump':
      return 2 - lastIsConstant;
    default:
      return o.op.outs.length + o.op.ins.length - lastIsConstant;
  }
}

/** Undefined where the two differ in what is no place. */
export function makeTemplate(a: Uint8Array, b: Uint8Array, va: InsnValues, vb: InsnValues): TemplateCode | undefined {
  if (a.length !== b.length) return undefined;
  const [viewA, viewB] = [a, b].map((x) => new DataView(x.buffer, x.byteOffset, x.length)) as [DataView, DataView];
  const places: number[] = [];
  let implicit = 0;
  for (let at = 0; at < a.length;) {
    const o = opcodes()[viewA.getUint16(at, true)];
    if (o === undefined || viewB.getUint16(at, true) !== o.code) return undefined;
    const fieldsEnd = at + fieldBytes(o);
    const slots = slotFields(o);
    for (let k = 1, f = at + 2; f < fieldsEnd; k++, f += 2) {
      const [x, y] = [viewA.getUint16(f, true), viewB.getUint16(f, true)];
      if (x === y) {
        if (k <= slots || o.fusion === 'push') implicit |= registersAt(x);
        continue;
      }
      const place = registerPlace(x, y, va, vb) ?? fieldKinds.find(([, of]) => of(va) === x && of(vb) === y)?.[0];
      if (place === undefined) return undefined;
      places.push(place | (f << OFFSET_SHIFT));
    }
    at += opcodeSize(o);
    for (let w = fieldsEnd; w < at; w += 8) {
      const [x, y] = [viewA.getBigUint64(w, true), viewB.getBigUint64(w, true)];
      if (x === y) continue;
      const kind = wordKinds.find(
        ([, of]) => BigInt.asUintN(64, of(va)) === x && BigInt.asUintN(64, of(vb)) === y,
      )?.[0];
      if (kind === undefined) return undefined;
      places.push(kind | (w << OFFSET_SHIFT));
    }
  }
  return { code: new Int32Array(a.slice().buffer), places: Int32Array.from(places), implicit };
}

function registersAt(slot: number): number {
  const found = REGISTER_SLOTS.indexOf(slot);
  return found < 0 ? 0 : 1 << (found & 15);
}

function registerPlace(x: number, y: number, va: InsnValues, vb: InsnValues): number | undefined {
  for (let role = 0; role < va.regs.length; role++) {
    const [a = -1, b = -1] = [va.regs[role], vb.regs[role]];
    if (a < 0) continue;
    for (let bank = 0; bank < BANKS; bank++)
      if (REGISTER_SLOTS[16 * bank + a] === x && REGISTER_SLOTS[16 * bank + b] === y)
        return AT_REG | ((4 * bank + role) << ROLE_SHIFT);
  }
  return undefined;
}
