/**
 * What the encoder needs to know of an op's row, worked out once. In: op names. Out: Plans.
 */
import { InternalError } from '../../src/base/errors.js';
import { helperDef } from '../../src/ir/helpers.js';
import { opDef, type OpDef } from '../../src/ir/ops.js';
import { CONDS, type Op } from '../../src/ir/types.js';
import { accessSize, isGuestLoad, isGuestStore, opcodeOf } from './opcodes.js';

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
  /** Of an op without conditions; else by condition. */
  readonly codes: Codes;
  readonly byCond: ReadonlyMap<string, Codes>;
  /** Positions of the condition and of the label in the immediates, -1 none. */
  readonly condImm: number;
  readonly labelImm: number;
  /** Bytes accessed, by guest loads and stores. */
  readonly access: number;
  readonly isLoad: boolean;
  readonly isStore: boolean;
  /** Opcodes of its fused forms; -1 where there are none. */
  readonly guarded: { readonly guard: number; readonly add: number; readonly push: number; readonly pop: number };
  readonly jumps: ReadonlyMap<string, Codes>;
}

/** Number of the opcode `key`. Throws InternalError when there is none. */
export function opcode(key: string): number {
  const o = opcodeOf(key);
  if (o === undefined) throw new InternalError(`bytecode: no opcode '${key}'`);
  return o.code;
}

/** Opcodes of `key` and its constant forms. */
export function codesOf(key: string): Codes {
  const code = (k: string): number => opcodeOf(k)?.code ?? -1;
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
  const isLoad = isGuestLoad(def.name);
  const isStore = isGuestStore(def.name);
  const fused = (fusion: string): number => codesOf(`${def.name}+${fusion}`).slot;
  return {
    kind: kindOf(def.name),
    def,
    outs: def.outs.length,
    lastBits: def.ins.at(-1) === 'i32' ? 32 : 64,
    codes: codesOf(def.name),
    byCond: new Map(condImm < 0 ? [] : CONDS.map((c) => [c, codesOf(`${def.name}.${c}`)])),
    condImm,
    labelImm: def.imms.indexOf('label'),
    access: isLoad || isStore ? accessSize(def.name) : 0,
    isLoad,
    isStore,
    guarded: { guard: fused('guard'), add: fused('add'), push: fused('push'), pop: fused('pop') },
    jumps: new Map(condImm < 0 ? [] : CONDS.map((c) => [c, codesOf(`${def.name}.${c}+jump`)])),
  };
}

/** Those that were asked for. */
const plans = new Map<string, Plan>();

/** Plan of the op `name`. Throws RangeError when the op table has no such row. */
export function planOf(name: string): Plan {
  let plan = plans.get(name);
  if (plan === undefined) plans.set(name, (plan = build(opDef(name))));
  return plan;
}

/** Number of outputs of `op`, whose plan is `plan`: a call's are its helper's. */
export function outCount(op: Op, plan: Plan): number {
  if (plan.kind !== 'call') return plan.outs;
  return helperDef(String(op.imms[0])).ret === undefined ? 0 : 1;
}
