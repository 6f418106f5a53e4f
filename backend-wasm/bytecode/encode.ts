/**
 * IR to bytecode in the shared memory. In: a Tb (verified, optimised) and an allocator of arena bytes. Out: the address of its TB header (src/guest/tb-header.ts),
 * followed by the instruction table and the code.
 */
import { InternalError } from '../../src/base/errors.js';
import type { TempId } from '../../src/base/ids.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { HEAT_OFF, TB, TB_STATE } from '../../src/guest/tb-header.js';
import { helperDef } from '../../src/ir/helpers.js';
import { opDef } from '../../src/ir/ops.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { accessSize, isGuestLoad, isGuestStore, OPCODE_BY_KEY, type Opcode } from './opcodes.js';
import { assignSlots } from './slots.js';

export interface EncodeOptions {
  /** Entries before the TB counts as hot; 0: never. */
  readonly hotThreshold: number;
}

/** Bytes of an instruction table row: { i32 offset of its first op, i32 CC_OP or -1, i64 pc }. */
const INSN_ROW = 16;

/** Writes `tb` into the memory behind `view`; gives the header's address. Throws InternalError when its temps do not fit the frame. */
export function encodeTb(tb: Tb, view: DataView, allocate: (bytes: number) => number, options: EncodeOptions): number {
  const e = new Encoder(tb);
  e.run();
  const tableBytes = INSN_ROW * e.insns.length;
  const total = TB.HEADER_SIZE + tableBytes + e.size;
  const header = allocate(total);
  const table = header + TB.HEADER_SIZE;
  const code = table + tableBytes;
  const i32 = (offset: number, value: number): void => {
    view.setInt32(header + offset, value, true);
  };
  view.setBigInt64(header + TB.PC, BigInt(tb.pc), true);
  i32(TB.HASH_NEXT, 0);
  i32(TB.STATE, TB_STATE.VALID);
  i32(TB.HEAT, options.hotThreshold === 0 ? HEAT_OFF : options.hotThreshold);
  i32(TB.SLOT, 0);
  i32(TB.CODE, code);
  i32(TB.SIZE, tb.size);
  i32(TB.ID, 0);
  i32(TB.INSNS, e.insns.length);
  i32(TB.INSN_TABLE, table);
  i32(TB.LINK0, 0);
  i32(TB.LINK1, 0);
  i32(TB.FLAGS, 0);
  i32(TB.ARENA_SIZE, total);
  e.insns.forEach((insn, n) => {
    const row = table + INSN_ROW * n;
    view.setInt32(row, insn.offset, true);
    view.setInt32(row + 4, insn.ccOp, true);
    view.setBigInt64(row + 8, BigInt(insn.pc), true);
  });
  new Uint8Array(view.buffer, code, e.size).set(e.bytes.subarray(0, e.size));
  return header;
}

/** A growing buffer that all encoders of this thread use in turn. */
let buffer = new Uint8Array(1 << 14);
let words = new DataView(buffer.buffer);

class Encoder {
  size = 0;
  readonly insns: { readonly offset: number; readonly ccOp: number; readonly pc: number }[] = [];
  private readonly slots: Int32Array;
  private readonly uses: Int32Array;
  private readonly labelAt = new Map<number, number>();
  private readonly fixups: { readonly at: number; readonly label: number }[] = [];
  /** Scratch slots for constants that have no immediate form, after the frame of the temps. */
  private readonly constantBase: number;
  private constants = 0;

  constructor(private readonly tb: Tb) {
    const assigned = assignSlots(tb);
    this.slots = assigned.slots;
    this.uses = assigned.uses;
    this.constantBase = assigned.end;
  }

  get bytes(): Uint8Array {
    return buffer;
  }

  run(): void {
    const { ops } = this.tb;
    for (let i = 0; i < ops.length; i++) {
      this.constants = 0;
      i += this.op(i) - 1;
    }
    for (const { at, label } of this.fixups) {
      const target = this.labelAt.get(label);
      if (target === undefined) throw new InternalError(`bytecode: L${label} is not set`);
      words.setInt32(at, target - at, true);
    }
  }

  /** Encodes the op at `i`, with those that fuse with it; gives how many ops that took. */
  private op(i: number): number {
    const { ops } = this.tb;
    const op = ops[i] as Op;
    switch (op.name) {
      case 'insn_start':
        this.insns.push({ offset: this.size, ccOp: Number(op.imms[1]), pc: Number(op.imms[0]) });
        return 1;
      case 'set_label':
        this.labelAt.set(Number(op.imms[0]), this.size);
        return 1;
      case 'exit_tb':
        return 1;
      case 'add_i64':
      case 'guard_r':
      case 'guard_w':
      case 'guard_rw':
        return this.fused(i) ?? this.plain(op);
      default:
        return this.plain(op);
    }
  }

  /** [add_i64 with a constant,] guard, load or store: one op, when the address and the host address have no other use. */
  private fused(i: number): number | undefined {
    const { ops, temps } = this.tb;
    const first = ops[i] as Op;
    let at = i;
    let base = first.args[1];
    let displacement: number | undefined;
    if (first.name === 'add_i64') {
      const value = temps[first.args[2] ?? 0]?.value;
      const small = value === undefined ? NaN : Number(BigInt.asIntN(64, value));
      if (!(small >= -0x8000 && small < 0x8000) || !this.usedOnce(first.args[0])) return undefined;
      displacement = small;
      base = first.args[1];
      at++;
    }
    const guard = ops[at];
    const access = ops[at + 1];
    if (guard === undefined || access === undefined || base === undefined) return undefined;
    const load = isGuestLoad(access.name) && guard.name === 'guard_r';
    const store = isGuestStore(access.name) && guard.name === 'guard_w';
    if (!load && !store) return undefined;
    if (displacement !== undefined && guard.args[1] !== first.args[0]) return undefined;
    if (displacement === undefined) base = guard.args[1] ?? base;
    const host = load ? access.args[1] : access.args[0];
    if (host !== guard.args[0] || !this.usedOnce(guard.args[0])) return undefined;
    if (Number(access.imms[0]) !== 0 || Number(guard.imms[0]) !== accessSize(access.name)) return undefined;
    // The value must not be a constant temp's slot computed between: materialise first.
    const value = load ? access.args[0] : access.args[1];
    const valueSlot = load ? this.slot(value) : this.input(value);
    const baseSlot = this.input(base);
    const code = this.opcode(`${access.name}+${displacement === undefined ? 'guard' : 'add'}`);
    this.u16(code.code, valueSlot, baseSlot, (displacement ?? 0) & 0xffff);
    return at + 2 - i;
  }

  private usedOnce(id: TempId | undefined): boolean {
    const t = this.tb.temps[id ?? 0];
    return t?.kind === 'ebb' && this.uses[t.id] === 1;
  }

  private plain(op: Op): number {
    const def = opDef(op.name);
    if (op.name === 'goto_tb') {
      this.u16(this.opcode('goto_tb').code, Number(op.imms[0]) === 0 ? TB.LINK0 : TB.LINK1, 0, 0);
      this.word(BigInt(Number(op.imms[1])));
      return 1;
    }
    if (op.name === 'exit') {
      this.u16(this.opcode('exit').code, Number(op.imms[0]), 0, 0);
      this.word(BigInt(Number(op.imms[1])));
      this.word(BigInt(Number(op.imms[2])));
      return 1;
    }
    if (op.name === 'call') return this.call(op);
    const cond = def.imms[0] === 'cond' ? `.${String(op.imms[0])}` : '';
    const outs = def.outs.length;
    const last = op.args.at(-1);
    const value = last === undefined ? undefined : this.tb.temps[last]?.value;
    if (op.name.startsWith('mov_') && value !== undefined && op.args.length === 2) {
      this.movi(this.slot(op.args[0]), def.outs[0] ?? 'i64', value);
      return 1;
    }
    const form =
      value === undefined ? '' : this.constantForm(op.name + cond, value, def.ins.at(-1) === 'i32' ? 32 : 64);
    const code = this.opcode(op.name + cond + form);
    const args = op.args.map((id, i) =>
      i < outs
        ? this.slot(id)
        : form !== '' && i === op.args.length - 1
          ? form === ':k'
            ? Number(BigInt.asUintN(16, value ?? 0n))
            : 0
          : this.input(id),
    );
    const fields = [code.code, ...args];
    let label: number | undefined;
    let lanes: readonly number[] | undefined;
    def.imms.forEach((kind, i) => {
      const imm = op.imms[i];
      if (kind === 'num') fields.push(Number(imm));
      if (kind === 'label') label = Number(imm);
      if (kind === 'lanes' && typeof imm === 'object') lanes = imm;
    });
    this.u16(...fields);
    if (form === ':K') this.word(BigInt.asIntN(64, value ?? 0n));
    if (label !== undefined) {
      this.fixups.push({ at: this.size, label });
      this.word(0n);
    }
    if (lanes !== undefined) this.bytes16(lanes);
    return 1;
  }

  private call(op: Op): number {
    const helper = helperDef(String(op.imms[0]));
    const outs = helper.ret === undefined ? 0 : 1;
    const args = op.args.map((id, i) => (i < outs ? this.slot(id) : this.input(id)));
    this.u16(this.opcode(`call ${helper.name}`).code, ...args);
    return 1;
  }

  /** ':k' when the constant fits 16 bits signed, ':K' else; '' when the op has no constant forms. */
  private constantForm(key: string, value: bigint, bits: number): '' | ':k' | ':K' {
    if (!OPCODE_BY_KEY.has(`${key}:k`)) return '';
    const signed = BigInt.asIntN(bits, value);
    return signed >= -0x8000n && signed < 0x8000n ? ':k' : ':K';
  }

  /** Slot of an input; a constant is put into a scratch slot first. */
  private input(id: TempId | undefined): number {
    const t = this.tb.temps[id ?? 0];
    if (t?.value === undefined) return this.slot(id);
    const slot = this.constantBase + 16 * this.constants++;
    if (slot + 16 > CPU.FRAME_END) throw new InternalError('bytecode: the frame is full');
    this.movi(slot, t.type, t.value);
    return slot;
  }

  private movi(slot: number, type: string, value: bigint): void {
    if (type === 'v128') {
      this.u16(this.opcode('movi_v128:K').code, slot, 0, 0);
      this.word(BigInt.asIntN(64, value));
      this.word(BigInt.asIntN(64, value >> 64n));
      return;
    }
    const int = type === 'i32' || type === 'f32' ? 'i32' : 'i64';
    const signed = BigInt.asIntN(int === 'i32' ? 32 : 64, value);
    if (signed >= -0x8000n && signed < 0x8000n) {
      this.u16(this.opcode(`movi_${int}:k`).code, slot, Number(signed) & 0xffff, 0);
    } else {
      this.u16(this.opcode(`movi_${int}:K`).code, slot, 0, 0);
      this.word(signed);
    }
  }

  private slot(id: TempId | undefined): number {
    return this.slots[id ?? 0] ?? 0;
  }

  private opcode(key: string): Opcode {
    const o = OPCODE_BY_KEY.get(key);
    if (o === undefined) throw new InternalError(`bytecode: no opcode '${key}'`);
    return o;
  }

  private reserve(bytes: number): void {
    if (this.size + bytes <= buffer.length) return;
    const larger = new Uint8Array(2 * buffer.length + bytes);
    larger.set(buffer);
    buffer = larger;
    words = new DataView(buffer.buffer);
  }

  /** Fields, padded to 8 bytes. */
  private u16(...fields: readonly number[]): void {
    const bytes = (2 * fields.length + 7) & ~7;
    this.reserve(bytes);
    for (let i = 0; i < bytes / 2; i++) words.setUint16(this.size + 2 * i, fields[i] ?? 0, true);
    this.size += bytes;
  }

  private word(value: bigint): void {
    this.reserve(8);
    words.setBigInt64(this.size, value, true);
    this.size += 8;
  }

  private bytes16(list: readonly number[]): void {
    this.reserve(16);
    buffer.set(list, this.size);
    this.size += 16;
  }
}
