/**
 * The interpreter's opcodes, derived from the IR's op table and the helper table. In: OPS, HELPERS. Out: one Opcode a variant, numbered in order;
 * the encoder picks by key, scripts/gen-core.js writes the interpreter's switch from the same list.
 *
 * Format: u16 fields [opcode, arguments as offsets from the CPU block, small immediates], padded to 8 bytes, then 8-byte words (64-bit constants, guest pcs)
 * or 16 bytes (lanes, v128 constants).
 */
import { HELPER_LIST, type HelperDef } from '../../src/ir/helpers.js';
import { OP_LIST, type OpDef } from '../../src/ir/ops.js';
import { CONDS, type Cond } from '../../src/ir/types.js';

/** How the last input is given: in a slot, as a 16-bit signed constant in its field, or as a 64-bit word behind. */
export type LastInput = 'slot' | 'k16' | 'k64';

export interface Opcode {
  readonly code: number;
  /** Unique: `op`, `op.cond`, with ':k' or ':K' for constant forms; 'call helper'; names of fused and special ones. */
  readonly key: string;
  readonly op: OpDef;
  readonly last: LastInput;
  readonly cond?: Cond;
  readonly helper?: HelperDef;
  /** Fused memory access: the guard (and address addition) is part of this op. */
  readonly fused?: 'guard' | 'add-guard';
  /** movi: the constant goes to the slot. */
  readonly movi?: boolean;
}

/** Ops that never become bytecode: markers, and what is merged into another. */
const NOT_ENCODED = new Set(['insn_start', 'set_label', 'exit_tb', 'call']);

/** Inputs of 32 or 64 bits of which the last may be a constant. */
function takesConstant(op: OpDef): boolean {
  const last = op.ins.at(-1);
  return (
    op.ins.length === 2 &&
    op.ins[0] === last &&
    (last === 'i32' || last === 'i64') &&
    op.outs.length <= 1 &&
    !op.name.startsWith('gst') &&
    !op.name.startsWith('atomic')
  );
}

/** Loads and stores that have fused forms. */
export const isGuestLoad = (name: string): boolean => name.startsWith('gld');
export const isGuestStore = (name: string): boolean => name.startsWith('gst');

function build(): Opcode[] {
  const list: Opcode[] = [];
  const add = (o: Omit<Opcode, 'code'>): void => {
    list.push({ code: list.length, ...o });
  };
  for (const op of OP_LIST) {
    if (NOT_ENCODED.has(op.name)) continue;
    const conds: readonly (Cond | undefined)[] = op.imms.includes('cond') ? CONDS : [undefined];
    for (const cond of conds) {
      const base = cond === undefined ? op.name : `${op.name}.${cond}`;
      const c = cond === undefined ? {} : { cond };
      add({ key: base, op, last: 'slot', ...c });
      if (takesConstant(op)) {
        add({ key: `${base}:k`, op, last: 'k16', ...c });
        add({ key: `${base}:K`, op, last: 'k64', ...c });
      }
    }
    if (op.name.startsWith('mov_') && op.name !== 'mov_f32' && op.name !== 'mov_f64') {
      if (op.name !== 'mov_v128') add({ key: `movi${op.name.slice(3)}:k`, op, last: 'k16', movi: true });
      add({ key: `movi${op.name.slice(3)}:K`, op, last: 'k64', movi: true });
    }
    if (isGuestLoad(op.name) || isGuestStore(op.name)) {
      add({ key: `${op.name}+guard`, op, last: 'slot', fused: 'guard' });
      add({ key: `${op.name}+add`, op, last: 'slot', fused: 'add-guard' });
    }
  }
  const call = OP_LIST.find((o) => o.name === 'call');
  if (call !== undefined)
    for (const helper of HELPER_LIST) add({ key: `call ${helper.name}`, op: call, last: 'slot', helper });
  return list;
}

export const OPCODES: readonly Opcode[] = build();
export const OPCODE_BY_KEY: ReadonlyMap<string, Opcode> = new Map(OPCODES.map((o) => [o.key, o]));

/** Bytes that a guest load or store accesses. */
export function accessSize(name: string): number {
  const m = /^g(?:ld|st)(\d+)?[usz]?_(i32|i64|v128)$/.exec(name);
  if (m?.[1] !== undefined) return Number(m[1]) / 8;
  return m?.[2] === 'v128' ? 16 : m?.[2] === 'i64' ? 8 : 4;
}
