/**
 * Makes the template of an instruction's shape: lifts and encodes two instructions of the shape that have nothing else in common, and compares them. In: the shape of an instruction, what is known
 * of the flags. Out: a template and what it is good for.
 */
import { Encoder } from '../../backend-wasm/bytecode/encoder.js';
import type { TemplateRecord } from '../../backend-wasm/bytecode/template-pool.js';
import { immediate, type InsnValues, makeTemplate } from '../../backend-wasm/bytecode/template.js';
import { type Decode, isInsn } from '../../frontend/x86-64/decoder.js';
import type { FlagState } from '../../frontend/x86-64/flags.js';
import type { Insn, InsnRow } from '../../frontend/x86-64/insn.js';
import type { LiftOptions } from '../../frontend/x86-64/lifter.js';
import { liftEnd, liftSeparately, type SeparateInsn } from '../../frontend/x86-64/separate.js';
import { MAX_LENGTH, type Shape, SIZE_16, SIZE_NONE } from '../../frontend/x86-64/shape.js';
import { encodeSample } from '../../frontend/x86-64/shape-sample.js';

/** How large an immediate is: constants have forms by size, and extensions go by the sign. */
export const IMM_SHORT = 0;
export const IMM_SHORT_NEGATIVE = 1;
export const IMM_LONG = 2;
export const IMM_LONG_NEGATIVE = 3;

/** What the template to make may differ in from the instruction at hand. */
export interface Freedom {
  readonly regs: boolean;
  readonly imm: boolean;
}

/** What to make a template of. */
export interface Wanted {
  readonly shape: Shape;
  readonly row: InsnRow;
  readonly immBytes: number;
  /** The immediate is the distance of a branch. */
  readonly branch: boolean;
  /** IMM_SHORT and so on. */
  readonly immSize: number;
  /** What is known of the flags before it. */
  readonly state: number;
}

export interface InsnTemplate extends TemplateRecord {
  readonly dependsOnFlags: boolean;
}

/** FlagState as a number from 0 to 105, and back. Nothing is known where a TB starts. */
export const START_STATE = 1;
export const ccOpOf = (state: number): number => (state >> 1) - 1;
const numberOf = ({ op, synced }: FlagState): number => 2 * (op + 1) + (synced ? 1 : 0);
const flagsOf = (state: number): FlagState => ({ op: ccOpOf(state), synced: (state & 1) !== 0 });

/** A record's state: 0 where nothing is known but what was known before; the lowest bit where the instruction leaves. */
export const LEAVES = 1;
const recordState = ({ ended, flags }: SeparateInsn): number =>
  (ended ? LEAVES : 0) | (flags === undefined ? 0 : (numberOf(flags) + 1) << 1);
/** What is known behind an instruction with this record's state, where `before` was known before it. */
export const stateBehind = (record: number, before: number): number => (record > LEAVES ? (record >> 1) - 1 : before);

/** The two samples, each in an array: register numbers by role, displacements, distances of branches, immediates by size. No two of them may be alike. */
const REGS = [
  [8, 9, 10, 11],
  [14, 15, 11, 10],
] as const;
const DISP16 = [0x5bd3, -0x4a6d] as const;
const DISP32 = [0x1234_5678, -0x2345_6789] as const;
const RIP_DISP = [0x0765_4321, -0x0571_3579] as const;
const DISTANCE: Readonly<Record<number, readonly [number, number]>> = {
  1: [0x13, -0x27],
  4: [0x0135_7924, -0x0246_8ace],
};
const PC = [0x1234_5678_9000, 0x2bcd_ef01_2340] as const;

/** Immediates of `bytes` bytes and a size, by IMM_SHORT and so on. */
function immediates(bytes: number, size: number): readonly [bigint, bigint] {
  const sign = (size & 1) === 0 ? 1n : -1n;
  if (bytes === 1) return [sign * 0x5bn, sign * 0x3dn];
  if (size < IMM_LONG) return [sign * 0x5a5bn, sign * 0x3c3dn];
  if (bytes === 4) return [sign * 0x5a5b_1234n, sign * 0x3c3d_4321n];
  return [sign * 0x5a5b_1234_5678_1357n, sign * 0x3c3d_4321_8765_2468n];
}

interface Sample {
  readonly lifted: SeparateInsn;
  readonly code: Uint8Array;
  readonly links: readonly number[];
  readonly values: InsnValues;
}

/** Undefined: the instruction can't be lifted, or its bytecode depends on more than the shape, the flags and what is not free. */
export function makeInsnTemplate(
  decode: Decode,
  wanted: Wanted,
  free: Freedom,
  options: LiftOptions,
): InsnTemplate | undefined {
  const [a, b] = ([0, 1] as const).map((n) => {
    const values = sampleValues(wanted, n, free);
    const insn = decodeSample(decode, wanted, values, free);
    const lifted = insn && liftSeparately(insn, flagsOf(wanted.state), options);
    return lifted && encode(lifted, { ...values, next: values.pc + insn.length });
  });
  if (a === undefined || b === undefined || (free.imm && a.lifted.dependsOnImmediate)) return undefined;
  return join(a, b);
}

/** The jump at the end of a TB whose last instruction does not leave: `pc` is the next one's. */
export function makeEndTemplate(state: number): InsnTemplate | undefined {
  const [a, b] = PC.map((pc) =>
    encode(liftEnd(pc, flagsOf(state)), { regs: [], disp: 0, immLow: 0, immHigh: 0, pc, next: pc + 1 }),
  );
  return a && b && join(a, b);
}

function join(a: Sample, b: Sample): InsnTemplate | undefined {
  const made = makeTemplate(a.code, b.code, a.values, b.values);
  if (made === undefined) return undefined;
  return { ...made, links: a.links, state: recordState(a.lifted), dependsOnFlags: a.lifted.dependsOnFlags };
}

function sampleValues(wanted: Wanted, n: 0 | 1, free: Freedom): Omit<InsnValues, 'next'> & { regs: number[] } {
  const { shape } = wanted;
  const imm = sampleImmediate(wanted, n, free);
  return {
    regs: free.regs ? sampleRegisters(shape.regs, REGS[n]) : Array.from(shape.regs),
    disp: sampleDisp(shape, n),
    immLow: Number(BigInt.asIntN(32, imm)),
    immHigh: Number(BigInt.asIntN(32, imm >> 32n)),
    pc: PC[n],
  };
}

/** The instruction at `pc`, which is `bytes[at]`; MAX_LENGTH bytes are there. Undefined: there is none. */
export function decodeAt(decode: Decode, bytes: Uint8Array, at: number, pc: number): Insn | undefined {
  const insn = decode({ bytes, base: pc - at, readable: () => MAX_LENGTH }, pc);
  return isInsn(insn) ? insn : undefined;
}

function decodeSample(
  decode: Decode,
  { shape, row, immBytes }: Wanted,
  v: ReturnType<typeof sampleValues>,
  free: Freedom,
): Insn | undefined {
  const bytes = encodeSample(shape, {
    regs: v.regs,
    disp: v.disp,
    imm: immediate(v),
    immBytes,
    rex: free.regs || shape.hasRex,
  });
  const window = new Uint8Array(MAX_LENGTH);
  if (bytes.length > MAX_LENGTH) return undefined;
  window.set(bytes);
  const insn = decodeAt(decode, window, 0, v.pc);
  return insn?.row === row && insn.length === bytes.length ? insn : undefined;
}

/** Other registers, of which those are the same that are in `regs`. */
function sampleRegisters(regs: ArrayLike<number>, others: readonly number[]): number[] {
  const list = Array.from(regs);
  return list.map((reg) => (reg < 0 ? -1 : (others[list.indexOf(reg)] ?? -1)));
}

function sampleDisp(s: Shape, n: 0 | 1): number {
  if (s.ripRelative) return RIP_DISP[n];
  if (s.dispSize === SIZE_NONE) return 0;
  return s.dispSize === SIZE_16 ? DISP16[n] : DISP32[n];
}

function sampleImmediate({ shape, immBytes, branch, immSize }: Wanted, n: 0 | 1, free: Freedom): bigint {
  if (immBytes === 0) return 0n;
  if (branch) return BigInt(DISTANCE[immBytes]?.[n] ?? 0);
  if (!free.imm) return immediate(shape);
  return immediates(immBytes, immSize)[n];
}

function encode(lifted: SeparateInsn, values: InsnValues): Sample {
  const e = new Encoder(lifted.tb);
  e.run();
  return { lifted, code: e.bytes.slice(0, e.size), links: e.links, values };
}
