/**
 * The IR's data: types, temps, ops, TBs. In: nothing. Out: types only. Terms as in TCG (QEMU docs/devel/tcg-ops).
 */
import type { LabelId, TempId } from '../base/ids.js';
import type { OpName } from './ops.js';

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** `ebb` dies at a label or an unconditional branch, `tb` lives to the exit, `const` is one per type and value, `global` has a home in CPU state. */
export type TempKind = 'ebb' | 'tb' | 'const' | 'global';

export interface Temp {
  readonly id: TempId;
  readonly type: Type;
  readonly kind: TempKind;
  /** Globals: register name; others: 't5'; constants: '$0x10'. */
  readonly name: string;
  /** Constants: the value; integers as unsigned bigint of their width, floats as bit patterns, v128 as an unsigned 128-bit bigint (lane 0 lowest). */
  readonly value?: bigint | undefined;
  /** Globals: offset in CPU state, bytes. */
  readonly offset?: number | undefined;
}

/** Integer conditions; 'tsteq' and 'tstne' compare `a & b` with 0. */
export const CONDS = ['eq', 'ne', 'lt', 'ge', 'le', 'gt', 'ltu', 'geu', 'leu', 'gtu', 'tsteq', 'tstne'] as const;
export type Cond = (typeof CONDS)[number];
/** The opposite of each condition. */
export const NEGATED: Readonly<Record<Cond, Cond>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  le: 'gt',
  gt: 'le',
  ltu: 'geu',
  geu: 'ltu',
  leu: 'gtu',
  gtu: 'leu',
  tsteq: 'tstne',
  tstne: 'tsteq',
};

/**
 * One op. `args` are temps, outputs first, as the op's row in ops.ts lists them (`call`: the helper's row);
 * `imms` are the immediates of the row in order: numbers (offsets, sizes, positions, indices, labels, guest pcs), a Cond or helper name, or a 16-entry lane list.
 */
export interface Op {
  readonly name: OpName;
  readonly args: readonly TempId[];
  readonly imms: readonly Imm[];
}
export type Imm = number | string | readonly number[];

/** A translation block in IR form. */
export interface Tb {
  /** Guest address of the first instruction. */
  readonly pc: number;
  /** Guest bytes covered. */
  readonly size: number;
  /** Guest instructions. */
  readonly insns: number;
  /** Globals first (the same ids in every TB), then constants and temps in order of allocation. */
  readonly temps: readonly Temp[];
  readonly ops: readonly Op[];
  /** Labels allocated: ids 0..labels-1. */
  readonly labels: number;
}

export type { LabelId, TempId };
