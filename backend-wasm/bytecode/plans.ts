/**
 * What the encoder needs to know of an op's row, worked out once. In: op names. Out: Plans.
 */
import { InternalError } from '../../src/base/errors.js';
import { helperDef } from '../../src/ir/helpers.js';
import { OP_LIST, opDef, type OpDef } from '../../src/ir/ops.js';
import { CONDS } from '../../src/ir/types.js';
import { accessSize, isGuestLoad, isGuestStore, NOT_ENCODED, OPCODE_BY_KEY } from './opcodes.js';

/** How the encoder treats an op: 'plain' by its row, the others by hand. */
export type PlanKind =
  | 'plain'
  | 'insn_start'
  | 'set_label'
  | 'goto_tb'
  | 'exit_tb'
  | 'lookup_and_goto_ptr'
  | 'exit'
  | 'br'
  | 'call'
  | 'guard'
  | 'add_i64'
  | 'sub_i64'
  | 'mov'
  | 'brcond_i64';

/** Opcodes of one condition of an op (or of an op without conditions): the last input in a slot, as i16, as a word; -1 where there is no such form. */
export interface Codes {
  readonly slot: number;
  readonly k16: number;
  readonly k64: number;
}

export interface Plan {
  readonly kind: PlanKind;
  readonly def: OpDef;
  readonly outs: number;
  /** Bits of the last input. */
  readonly lastBits: number;
  /** By condition where the row has one, else under ''. */
  readonly codes: ReadonlyMap<string, Codes>;
  /** Position of the condition in the immediates, -1 none. */
  readonly condImm: number;
  /** Bytes accessed, by guest loads and stores. */
  readonly access: number;
  readonly isLoad: boolean;
  readonly isStore: boolean;
}

/** Number of the opcode `key`. Throws InternalError when there is none. */
export function opcode(key: string): number {
  const o = OPCODE_BY_KEY.get(key);
  if (o === undefined) throw new InternalError(`bytecode: no opcode '${key}'`);
  return o.code;
}

/** Opcodes of `key` and its constant forms. */
export function codesOf(key: string): Codes {
  const code = (k: string): number => OPCODE_BY_KEY.get(k)?.code ?? -1;
  return { slot: code(key), k16: code(`${key}:k`), k64: code(`${key}:K`) };
}

const BY_NAME: ReadonlySet<string> = new Set<PlanKind>([
  'insn_start',
  'set_label',
  'goto_tb',
  'exit_tb',
  'lookup_and_goto_ptr',
  'exit',
  'br',
  'call',
  'add_i64',
  'sub_i64',
  'brcond_i64',
]);

function kindOf(name: string): PlanKind {
  if (BY_NAME.has(name)) return name as PlanKind;
  if (name.startsWith('guard_')) return 'guard';
  return name.startsWith('mov_') ? 'mov' : 'plain';
}

function build(def: OpDef): Plan {
  const condImm = def.imms.indexOf('cond');
  const keys = condImm >= 0 ? CONDS.map((c) => [c, `${def.name}.${c}`] as const) : ([['', def.name]] as const);
  const isLoad = isGuestLoad(def.name);
  const isStore = isGuestStore(def.name);
  return {
    kind: kindOf(def.name),
    def,
    outs: def.outs.length,
    lastBits: def.ins.at(-1) === 'i32' ? 32 : 64,
    codes: new Map(NOT_ENCODED.has(def.name) ? [] : keys.map(([cond, key]) => [cond, codesOf(key)])),
    condImm,
    access: isLoad || isStore ? accessSize(def.name) : 0,
    isLoad,
    isStore,
  };
}

const PLANS: ReadonlyMap<string, Plan> = new Map(OP_LIST.map((def) => [def.name, build(def)]));

/** Plan of the op `name`. Throws RangeError when the op table has no such row. */
export function planOf(name: string): Plan {
  const plan = PLANS.get(name);
  return plan ?? build(opDef(name));
}

/** Number of outputs of an op: a call's are its helper's. */
export function outCount(name: string, imms: readonly unknown[]): number {
  if (name !== 'call') return planOf(name).outs;
  return helperDef(String(imms[0])).ret === undefined ? 0 : 1;
}
