/**
 * Bytecode of one TB. In: a Tb (verified). Out: bytes in a buffer that all encoders of a thread share, and the instruction table's rows. Format: opcodes.ts.
 * Errors: InternalError for what the verifier would have refused, and when the frame is full.
 */
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import { HELPER_LIST } from '../../src/ir/helpers.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { transferOf } from '../compiler/transfer.js';
import { Fuser, type Jump } from './fuse.js';
import { codesOf, opcode, planOf, type Codes, type Plan } from './plans.js';
import { assignSlots, type Slots } from './slots.js';
import { BytecodeWriter } from './writer.js';

/** What the encoder asks for by name. */
const namedOpcodes = () => ({
  movi: { i32: codesOf('movi_i32'), i64: codesOf('movi_i64'), v128: opcode('movi_v128:K') },
  gotoTb: opcode('goto_tb'),
  lookup: opcode('lookup_and_goto_ptr'),
  compare: codesOf('sub_i64+cmp'),
  calls: new Map(HELPER_LIST.map((h) => [h.name, opcode(`call ${h.name}`)])),
  jumps: planOf('brcond_i64').jumps,
});
let named: ReturnType<typeof namedOpcodes> | undefined;

const fits16 = (n: number): boolean => n >= -0x8000 && n < 0x8000;
const NO_CC_OP = 0xffff;

/** Fields of the op that is being encoded: the opcode, at most eleven more. */
const scratch = new Int32Array(12);

export class Encoder extends BytecodeWriter {
  /** Rows of the instruction table: offset of the first op, cc_op, pc. */
  readonly insns: number[] = [];
  /** Positions of the link cells, at most two. */
  readonly links: number[] = [];
  private readonly slots: Slots;
  private readonly fuser: Fuser;
  private readonly labelAt: number[];
  /** Positions of distances to fill in, each followed by its label. */
  private readonly fixups: number[] = [];
  private readonly plans: readonly Plan[];
  private readonly named = (named ??= namedOpcodes());
  /** Constants of the present op that stand in slots, after the frame of the temps. */
  private constants = 0;
  /** What lastInput found: the field, and the constant behind the fields. */
  private lastField = 0;
  private wordValue: bigint | undefined;

  constructor(private readonly tb: Tb) {
    super();
    this.plans = tb.ops.map((op) => planOf(op.name));
    this.slots = assignSlots(tb, this.plans);
    this.fuser = new Fuser(tb, this.plans, this.slots);
    this.labelAt = new Array<number>(tb.labels).fill(-1);
  }

  run(): void {
    const count = this.tb.ops.length;
    for (let i = 0; i < count;) {
      this.constants = 0;
      i += this.op(i);
    }
    for (let n = 0; n < this.fixups.length; n += 2) {
      const at = this.fixups[n] ?? 0;
      const target = this.labelAt[this.fixups[n + 1] ?? 0] ?? -1;
      if (target < 0) throw new InternalError(`bytecode: L${String(this.fixups[n + 1])} is not set`);
      this.patch(at, target - at);
    }
  }

  /** Encodes the op at `i`, with those that it fuses with; gives how many ops that took. */
  private op(i: number): number {
    const op = this.tb.ops[i] as Op;
    const plan = this.plans[i] as Plan;
    switch (plan.kind) {
      case 'insn_start':
        this.insns.push(this.size, Number(op.imms[1]), Number(op.imms[0]));
        return 1;
      case 'set_label':
        this.labelAt[Number(op.imms[0])] = this.size;
        return 1;
      case 'exit_tb':
        if (this.tb.ops[i - 1]?.name !== 'goto_tb') throw new InternalError('bytecode: exit_tb without its goto_tb');
        return 1;
      case 'goto_tb':
        return this.gotoTb(op, NO_CC_OP);
      case 'lookup_and_goto_ptr':
        this.lookup(NO_CC_OP);
        return 1;
      case 'exit':
        this.fields(plan.codes.slot, Number(op.imms[0]), 0, 0);
        this.pcWord(Number(op.imms[1]));
        this.pcWord(Number(op.imms[2]));
        return 1;
      case 'br':
        return this.branch(i, op, plan);
      case 'call':
        return this.call(i, op);
      case 'guard':
      case 'add_i64':
        return this.access(i) ?? this.plain(op, plan);
      case 'sub_i64':
        return this.access(i) ?? this.compare(i, op) ?? this.plain(op, plan);
      case 'mov':
        return this.move(i, op, plan);
      case 'brcond_i64':
        return this.conditionalJump(this.fuser.jump(i), NO_CC_OP) ?? this.plain(op, plan);
      case 'plain':
        return this.plain(op, plan);
    }
  }

  /** mov of a constant; of a constant to cc_op before the jump that ends the TB. */
  private move(i: number, op: Op, plan: Plan): number {
    const value = this.tb.temps[op.args[1] ?? 0]?.value;
    if (value === undefined) return this.plain(op, plan);
    const k = Number(value);
    if (op.args[0] === G.ccOp && k < 0x8000) {
      const jump = this.conditionalJump(this.fuser.jump(i + 1), k);
      if (jump !== undefined) return 1 + jump;
      const next = this.tb.ops[i + 1];
      if (next?.name === 'goto_tb') return 1 + this.gotoTb(next, k);
      if (next?.name === 'lookup_and_goto_ptr') {
        this.lookup(k);
        return 2;
      }
    }
    this.constant(this.slot(op.args[0]), plan.def.outs[0] ?? 'i64', value);
    return 1;
  }

  /** The targets of returns are not counted: they follow from the calls. */
  private lookup(ccOp: number): void {
    this.fields(this.named.lookup, ccOp, transferOf(this.tb).kind === 'return' ? 0 : 1, 0);
  }

  private gotoTb(op: Op, ccOp: number): number {
    this.fields(this.named.gotoTb, ccOp, 0, 0);
    this.way(op);
    return 1;
  }

  private conditionalJump(jump: Jump | undefined, ccOp: number): number | undefined {
    if (jump === undefined) return undefined;
    const { brcond } = jump;
    const a = this.input(brcond.args[0]);
    const codes = this.named.jumps.get(String(brcond.imms[0]));
    if (codes === undefined) throw new InternalError(`bytecode: no condition ${String(brcond.imms[0])}`);
    const code = this.lastInput(codes, 64, brcond.args[1]);
    this.fields(code, a, this.lastField, ccOp);
    this.lastWord();
    this.way(jump.notTaken);
    this.way(jump.taken);
    return jump.ops;
  }

  private branch(i: number, op: Op, plan: Plan): number {
    const next = this.tb.ops[i + 1];
    if (next?.name === 'set_label' && next.imms[0] === op.imms[0]) return 1;
    return this.plain(op, plan);
  }

  private access(i: number): number | undefined {
    const found = this.fuser.access(i);
    if (found === undefined) return undefined;
    const { guarded, isLoad } = found.plan;
    const value = isLoad ? this.slot(found.value) : this.input(found.value);
    const base = this.input(found.base);
    const displacement = (found.displacement ?? 0) & 0xffff;
    if (found.push !== undefined) {
      this.fields(guarded.push, value, base, displacement);
      this.fields(this.slot(found.push.to), 0, 0, 0);
      this.slots.slots[found.push.from] = this.slot(found.push.to);
    } else if (found.pop !== undefined) this.fields(guarded.pop, value, base, found.pop & 0xffff);
    else this.fields(found.displacement === undefined ? guarded.guard : guarded.add, value, base, displacement);
    return found.ops;
  }

  private compare(i: number, op: Op): number | undefined {
    if (!this.fuser.isCompare(i)) return undefined;
    const a = this.input(op.args[1]);
    const code = this.lastInput(this.named.compare, 64, op.args[2]);
    this.fields(code, a, this.lastField, 0);
    this.lastWord();
    return 2;
  }

  private plain(op: Op, plan: Plan): number {
    const { def, outs } = plan;
    const { args, imms } = op;
    const codes = plan.condImm < 0 ? plan.codes : plan.byCond.get(String(imms[plan.condImm]));
    if (codes === undefined) throw new InternalError(`bytecode: no opcode for ${op.name}`);
    const last = args.length - 1;
    // Constants that have no form of their own go to slots first.
    let n = 1;
    for (let k = 0; k < last || k < outs; k++) scratch[n++] = k < outs ? this.slot(args[k]) : this.input(args[k]);
    scratch[0] = codes.slot;
    this.wordValue = undefined;
    if (last >= outs) {
      scratch[0] = this.lastInput(codes, plan.lastBits, args[last]);
      scratch[n++] = this.lastField;
    }
    if (imms.length > 0)
      for (let k = 0; k < imms.length; k++) if (def.imms[k] === 'num') scratch[n++] = Number(imms[k]);
    this.fieldList(scratch, n);
    this.lastWord();
    if (plan.labelImm >= 0) {
      this.fixups.push(this.size, Number(imms[plan.labelImm]));
      this.word(0, 0);
    } else if (typeof imms[0] === 'object') {
      this.byteList(imms[0]);
    }
    return 1;
  }

  private call(i: number, op: Op): number {
    const outs = this.slots.outs[i] ?? 0;
    const code = this.named.calls.get(String(op.imms[0]));
    if (code === undefined) throw new InternalError(`bytecode: no helper ${String(op.imms[0])}`);
    let n = 0;
    scratch[n++] = code;
    op.args.forEach((id, k) => {
      scratch[n++] = k < outs ? this.slot(id) : this.input(id);
    });
    this.fieldList(scratch, n);
    return 1;
  }

  /**
   * How to give the last input `id`: returns the opcode to take; `lastField` is its field, and `lastWord` writes what stands behind the fields.
   * A constant that has no form of its own is put into a slot.
   */
  private lastInput(codes: Codes, bits: number, id: number | undefined): number {
    const value = this.tb.temps[id ?? 0]?.value;
    this.wordValue = undefined;
    if (value === undefined || codes.k16 < 0) {
      this.lastField = this.input(id);
      return codes.slot;
    }
    const k = signed(value, bits);
    if (fits16(k)) {
      this.lastField = k & 0xffff;
      return codes.k16;
    }
    if (codes.k64 < 0) throw new InternalError(`bytecode: constant ${value} is too large`);
    this.lastField = 0;
    this.wordValue = value;
    return codes.k64;
  }

  private lastWord(): void {
    if (this.wordValue !== undefined) this.bigWord(this.wordValue);
  }

  /** Slot of an input; a constant is put into a slot first. */
  private input(id: number | undefined): number {
    const t = this.tb.temps[id ?? 0];
    if (t?.value === undefined) return this.slot(id);
    const slot = this.slots.end + 16 * this.constants++;
    if (slot + 16 > CPU.FRAME_END) throw new InternalError('bytecode: the frame is full');
    this.constant(slot, t.type, t.value);
    return slot;
  }

  private constant(slot: number, type: string, value: bigint): void {
    if (type === 'v128') {
      this.fields(this.named.movi.v128, slot, 0, 0);
      this.bigWord(value & 0xffff_ffff_ffff_ffffn);
      this.bigWord(value >> 64n);
      return;
    }
    const int = type === 'i32' || type === 'f32' ? 'i32' : 'i64';
    const k = signed(value, int === 'i32' ? 32 : 64);
    if (fits16(k)) {
      this.fields(this.named.movi[int].k16, slot, k & 0xffff, 0);
      return;
    }
    this.fields(this.named.movi[int].k64, slot, 0, 0);
    this.bigWord(value);
  }

  private slot(id: number | undefined): number {
    return this.slots.slots[id ?? 0] ?? 0;
  }

  /** Where a goto_tb goes, with its link cell. */
  private way(op: Op): void {
    this.pcWord(Number(op.imms[1]));
    this.links.push(this.size);
    this.word(0, 0);
  }
}

/** `value` of `bits` bits as a signed number; exact where it is small. */
function signed(value: bigint, bits: number): number {
  const n = Number(value);
  if (n < 0x8000) return n;
  return Number(BigInt.asIntN(bits, value));
}
