/**
 * The interpreter's opcodes, derived from the IR's op table and the helper table. In: OPS, HELPERS. Out: one Opcode a variant, numbered in order;
 * the encoder picks by key (plans.ts), scripts/gen-core.js writes the interpreter's switch from the same list.
 *
 * Format: u16 fields [opcode, arguments as offsets from the CPU block, small immediates], padded to 8 bytes, then 8-byte words: a 64-bit constant, then the distance of a branch;
 * or 16 bytes (lanes, v128 constants). Jumps to other TBs have ways behind these: { i64 guest pc, i32 link cell: header address of the TB there, 0 none, i32 0 }.
 */
import { InternalError } from '../../src/base/errors.js';
import { TB } from '../../src/guest/tb-header.js';
import { HELPER_LIST, type HelperDef } from '../../src/ir/helpers.js';
import { OP_LIST, type OpDef } from '../../src/ir/ops.js';
import { CONDS, type Cond } from '../../src/ir/types.js';
import { JOINED_OPS } from './joined-ops.js';

/** How the last input is given: in a slot, as a 16-bit signed constant in its field, or as a 64-bit word behind. */
export type LastInput = 'slot' | 'k16' | 'k64';

/**
 * Ops that one opcode does together (fuse.ts finds them):
 * guard: guard and load or store [value, address]; add-guard: address addition before it [value, base, i16 displacement];
 * push: add-guard store whose address goes to a slot [value, base, i16 displacement, slot]; pop: guarded load, then addition to the base [value, base, i16];
 * cmp: cc_dst = a - b, cc_src = b [a, b]; jump: brcond to one of two goto_tb [a, b, i16 cc_op or -1], the ways not taken and taken.
 */
export type Fusion = 'guard' | 'add-guard' | 'push' | 'pop' | 'cmp' | 'jump';

export interface Opcode {
  readonly code: number;
  /** Unique: `op`, `op.cond`, with ':k' or ':K' for constant forms, '+fusion'; 'call helper'; 'movi_type:k'. */
  readonly key: string;
  readonly op: OpDef;
  readonly last: LastInput;
  readonly cond?: Cond;
  readonly helper?: HelperDef;
  readonly fusion?: Fusion;
  /** movi: the constant goes to the slot. */
  readonly movi?: boolean;
  /** This one, in the first one's place, does all of them (joined-ops.ts). */
  readonly joined?: readonly Opcode[];
}

/** Ops that never become bytecode: markers, and what is merged into another. */
const NOT_ENCODED: ReadonlySet<string> = new Set(['insn_start', 'set_label', 'exit_tb', 'call']);

/** Bytes of a way, and where in it the link cell is. */
export const WAY_SIZE = 16;
export const WAY_LINK = 8;

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

/** Counts of shifts and rotations are below the width: they fit the field. */
const takesWord = (op: OpDef): boolean => !/^(shl|shr|sar|rotl|rotr)_/.test(op.name);

export const isGuestLoad = (name: string): boolean => name.startsWith('gld');
export const isGuestStore = (name: string): boolean => name.startsWith('gst');

function build(): Opcode[] {
  const list: Opcode[] = [];
  const add = (o: Omit<Opcode, 'code'>): void => {
    list.push({ code: list.length, ...o });
  };
  const constantForms = (o: Omit<Opcode, 'code' | 'last'>): void => {
    add({ ...o, last: 'slot' });
    if (!takesConstant(o.op)) return;
    add({ ...o, key: `${o.key}:k`, last: 'k16' });
    if (takesWord(o.op)) add({ ...o, key: `${o.key}:K`, last: 'k64' });
  };
  for (const op of OP_LIST) {
    if (NOT_ENCODED.has(op.name)) continue;
    const conds: readonly (Cond | undefined)[] = op.imms.includes('cond') ? CONDS : [undefined];
    for (const cond of conds) {
      if (cond === undefined) constantForms({ key: op.name, op });
      else constantForms({ key: `${op.name}.${cond}`, op, cond });
      if (cond !== undefined && op.name === 'brcond_i64')
        constantForms({ key: `${op.name}.${cond}+jump`, op, cond, fusion: 'jump' });
    }
    if (op.name.startsWith('mov_') && op.name !== 'mov_f32' && op.name !== 'mov_f64') {
      if (op.name !== 'mov_v128') add({ key: `movi${op.name.slice(3)}:k`, op, last: 'k16', movi: true });
      add({ key: `movi${op.name.slice(3)}:K`, op, last: 'k64', movi: true });
    }
    if (isGuestLoad(op.name) || isGuestStore(op.name)) {
      add({ key: `${op.name}+guard`, op, last: 'slot', fusion: 'guard' });
      add({ key: `${op.name}+add`, op, last: 'slot', fusion: 'add-guard' });
    }
    if (op.name === 'gst_i64') add({ key: 'gst_i64+push', op, last: 'slot', fusion: 'push' });
    if (op.name === 'gld_i64') add({ key: 'gld_i64+pop', op, last: 'slot', fusion: 'pop' });
    if (op.name === 'sub_i64') constantForms({ key: 'sub_i64+cmp', op, fusion: 'cmp' });
  }
  const call = OP_LIST.find((o) => o.name === 'call');
  if (call !== undefined)
    for (const helper of HELPER_LIST) add({ key: `call ${helper.name}`, op: call, last: 'slot', helper });
  const singles = new Map(list.map((o) => [o.key, o]));
  for (const key of JOINED_OPS) {
    const joined = key.split(' & ').map((k) => {
      const single = singles.get(k);
      if (single === undefined) throw new InternalError(`no opcode ${k} to join`);
      return single;
    });
    const [{ op, last }] = joined as [Opcode];
    add({ key, op, last, joined });
  }
  return list;
}

let list: readonly Opcode[] | undefined;
let byKey: ReadonlyMap<string, Opcode> | undefined;
let fingerprint: number | undefined;

/** All opcodes, by number: made at the first call, since threads that find their code translated do without. */
export const opcodes = (): readonly Opcode[] => (list ??= build());

/** The opcode with that key; undefined: there is none. */
export const opcodeOf = (key: string): Opcode | undefined =>
  (byKey ??= new Map(opcodes().map((o) => [o.key, o]))).get(key);

/** u16 fields, the opcode among them. */
export function fieldCount(o: Opcode): number {
  if (o.helper !== undefined) return 1 + (o.helper.ret === undefined ? 0 : 1) + o.helper.params.length;
  switch (o.fusion) {
    case 'push':
      return 5;
    case 'guard':
    case 'add-guard':
    case 'pop':
    case 'cmp':
    case 'jump':
      return 4;
    default:
  }
  if (o.movi === true || o.op.effects.includes('exit')) return 4;
  return 1 + o.op.outs.length + o.op.ins.length + o.op.imms.filter((kind) => kind === 'num').length;
}

/** Bytes before the words: the fields, padded. */
export const fieldBytes = (o: Opcode): number => (2 * fieldCount(o) + 7) & ~7;

/** Bytes of the whole op. */
export function opcodeSize(o: Opcode): number {
  if (o.joined !== undefined) return o.joined.reduce((sum, part) => sum + opcodeSize(part), 0);
  const fields = fieldBytes(o);
  if (o.movi === true && o.op.outs[0] === 'v128') return fields + 16;
  const constant = o.last === 'k64' ? 8 : 0;
  if (o.fusion === 'jump') return fields + constant + 2 * WAY_SIZE;
  if (o.op.name === 'goto_tb') return fields + WAY_SIZE;
  if (o.op.name === 'exit') return fields + 16;
  if (o.op.imms.includes('label')) return fields + constant + 8;
  if (o.op.imms.includes('lanes')) return fields + 16;
  return fields + constant;
}

/** Bytes that a guest load or store accesses. */
export function accessSize(name: string): number {
  const m = /^g(?:ld|st)(\d+)?[usz]?_(i32|i64|v128)$/.exec(name);
  if (m?.[1] !== undefined) return Number(m[1]) / 8;
  return m?.[2] === 'v128' ? 16 : m?.[2] === 'i64' ? 8 : 4;
}

/** FNV-1a over all opcodes and their sizes, i32: the core has that of the bytecode that it was built for. */
export const bytecodeFingerprint = (): number =>
  (fingerprint ??= opcodes().reduce((hash, o) => {
    for (const c of `${o.key} ${opcodeSize(o)} ${TB.CODE};`) hash = Math.imul(hash ^ c.charCodeAt(0), 0x0100_0193);
    return hash;
  }, 0x811c_9dc5 | 0));
