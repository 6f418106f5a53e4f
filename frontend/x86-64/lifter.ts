/**
 * Lifts one TB: the state that the lift functions of the instruction rows share. In: decoded instructions, one after another. Out: IR through IrBuilder.
 *
 * Contract of every lift function (DESIGN.md section 7): all guards, alignment checks and faulting helpers of an instruction come before its first write to a global,
 * so that a side exit finds the state of the instruction's start. Temps from `temp` and the emit shorthands are freed at the end of the instruction.
 */
import { InternalError } from '../../src/base/errors.js';
import type { LabelId, TempId } from '../../src/base/ids.js';
import { EXC, EXIT } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import { helperDef } from '../../src/ir/helpers.js';
import { opDef, type OpName } from '../../src/ir/ops.js';
import { type Cond, type Imm, NEGATED, type Tb, type Type } from '../../src/ir/types.js';
import { Flags } from './flags.js';
import type { Insn, MemOperand, Operand } from './insn.js';
import { bits, effectiveAddress, memPlace, type Place, regPlace, type Size, wide } from './operands.js';

/** Last address of the lower canonical half, which is the user's (SDM volume 1, 3.3.7.1). */
const LAST_USER_ADDRESS = 0x7fff_ffff_ffffn;

/** Alignment of an operand of `size` bytes for #AC: as SDM volume 3, table 6-7 has it, and this of the vectors' processor: 16 for 32 bytes, 8 for packed decimals. */
function naturalAlignment(size: number): number {
  switch (size) {
    case 2:
    case 14:
    case 94:
      return 2;
    case 4:
    case 6:
    case 28:
    case 108:
      return 4;
    case 8:
    case 10:
      return 8;
    case 16:
    case 32:
      return 16;
    default:
      return 1;
  }
}

export interface LiftOptions {
  /** Tests only: SYSCALL leaves with its own pc, and the loop advances it after the call has been served. */
  readonly latePc?: boolean;
  /** Floating point obeys MXCSR and sets its flags; else it rounds to nearest and sets none (PCB.FLOAT_PRECISE). */
  readonly preciseFloat?: boolean;
  /** REP stops after each iteration, for the trap flag. */
  readonly oneIteration?: boolean;
  /** Misaligned accesses raise #AC. */
  readonly alignCheck?: boolean;
  /** Accesses to watchpoints are noted (`note_access`). */
  readonly noteAccesses?: boolean;
  /** An instruction is lifted by itself: no temps are kept for those that follow. */
  readonly separate?: boolean;
}

export class Lifter {
  readonly b: IrBuilder;
  readonly flags: Flags;
  /** The instruction being lifted. */
  insn!: Insn;
  /** True once the TB has left: nothing more may be lifted. */
  ended = false;
  /** An op that writes to guest memory has been lifted. */
  wrote = false;
  /** Float operations leave their exceptions to the next one of the same instruction (inHalves in float-lanes.ts). */
  deferExceptions = false;
  private scratch: TempId[] = [];

  constructor(
    readonly pc: number,
    readonly options: LiftOptions = {},
  ) {
    this.b = new IrBuilder(pc);
    this.flags = new Flags(this);
  }

  // ---------------------------------------------------------------- instructions

  /** Starts an instruction: its state is what every side exit up to the next one goes back to. */
  begin(insn: Insn): void {
    this.insn = insn;
    this.b.insnStart(insn.addr, this.flags.staticOp);
  }

  /** Ends an instruction: frees its temps. */
  end(): void {
    for (const t of this.scratch) this.b.free(t);
    this.scratch = [];
  }

  /** Guest address of the next instruction. */
  get next(): number {
    return this.insn.addr + this.insn.length;
  }

  /** Closes the TB of `size` bytes; when no instruction has left it, it goes on at `next`. */
  finish(size: number): Tb {
    if (!this.ended) this.jump(this.pc + size);
    this.end();
    this.flags.release();
    return this.b.finish(size);
  }

  // ---------------------------------------------------------------- temps and emission

  temp(type: Type, kind: 'ebb' | 'tb' = 'ebb'): TempId {
    const t = this.b.temp(type, kind);
    this.scratch.push(t);
    return t;
  }

  i32(v: number | bigint): TempId {
    return this.b.i32(v);
  }

  i64(v: number | bigint): TempId {
    return this.b.i64(v);
  }

  v128(v: bigint): TempId {
    return this.b.constant('v128', v);
  }

  /** Emits an op with one output into a fresh temp. */
  e(name: OpName, ins: readonly TempId[], imms: readonly Imm[] = []): TempId {
    const out = this.temp(opDef(name).outs[0] ?? 'i64');
    this.b.emit(name, [out, ...ins], imms);
    return out;
  }

  /** Emits an op with explicit arguments, outputs first. */
  emit(name: OpName, args: readonly TempId[], imms: readonly Imm[] = []): void {
    this.b.emit(name, args, imms);
  }

  /** Calls a helper; gives its result in a fresh temp (undefined when it has none). */
  call(name: string, args: readonly TempId[]): TempId | undefined {
    const { ret, memory } = helperDef(name);
    if (memory === true) this.wrote = true;
    if (ret === undefined) {
      this.b.emit('call', args, [name]);
      return undefined;
    }
    const out = this.temp(ret);
    this.b.emit('call', [out, ...args], [name]);
    return out;
  }

  /** Calls a helper that has a result. */
  callFor(name: string, args: readonly TempId[]): TempId {
    const r = this.call(name, args);
    if (r === undefined) throw new InternalError(`helper ${name} has no result`);
    return r;
  }

  add(a: TempId, b: TempId): TempId {
    return this.e('add_i64', [a, b]);
  }
  sub(a: TempId, b: TempId): TempId {
    return this.e('sub_i64', [a, b]);
  }
  mul(a: TempId, b: TempId): TempId {
    return this.e('mul_i64', [a, b]);
  }
  and(a: TempId, b: TempId): TempId {
    return this.e('and_i64', [a, b]);
  }
  or(a: TempId, b: TempId): TempId {
    return this.e('or_i64', [a, b]);
  }
  xor(a: TempId, b: TempId): TempId {
    return this.e('xor_i64', [a, b]);
  }
  not(a: TempId): TempId {
    return this.e('not_i64', [a]);
  }
  neg(a: TempId): TempId {
    return this.e('neg_i64', [a]);
  }
  shl(a: TempId, b: TempId): TempId {
    return this.e('shl_i64', [a, b]);
  }
  shr(a: TempId, b: TempId): TempId {
    return this.e('shr_i64', [a, b]);
  }
  sar(a: TempId, b: TempId): TempId {
    return this.e('sar_i64', [a, b]);
  }
  /** The low `size` bytes of `a`, zero-extended. */
  zext(a: TempId, size: Size): TempId {
    return size === 8 ? a : this.e(`ext${bits(size)}u_i64`, [a]);
  }
  /** The low `size` bytes of `a`, sign-extended. */
  sext(a: TempId, size: Size): TempId {
    return size === 8 ? a : this.e(`ext${bits(size)}s_i64`, [a]);
  }
  setcond(cond: Cond, a: TempId, b: TempId): TempId {
    return this.e('setcond_i64', [a, b], [cond]);
  }
  movcond(cond: Cond, a: TempId, b: TempId, yes: TempId, no: TempId): TempId {
    return this.e('movcond_i64', [a, b, yes, no], [cond]);
  }
  /** Low half of an i64. */
  lo(a: TempId): TempId {
    return this.e('extrl_i64_i32', [a]);
  }
  /** i32 zero-extended to i64. */
  up(a: TempId): TempId {
    return this.e('extu_i32_i64', [a]);
  }
  /** A copy that later writes to `a` do not change. */
  copy(a: TempId, kind: 'ebb' | 'tb' = 'ebb'): TempId {
    const t = this.temp('i64', kind);
    this.b.emit('mov_i64', [t, a]);
    return t;
  }
  /** global or temp = value, i64. */
  mov(to: TempId, value: TempId): void {
    this.b.emit('mov_i64', [to, value]);
  }

  label(): LabelId {
    return this.b.label();
  }

  /** Sets a label. Flags must be the same on all paths to it: `flags.sync()` before each branch to it. */
  setLabel(label: LabelId): void {
    this.b.emit('set_label', [], [label]);
    this.flags.join();
  }

  brcond(cond: Cond, a: TempId, b: TempId, label: LabelId): void {
    this.b.emit('brcond_i64', [a, b], [cond, label]);
  }

  br(label: LabelId): void {
    this.b.emit('br', [], [label]);
  }

  // ---------------------------------------------------------------- operands

  /** Operand `i` of the instruction. */
  op(i: number): Operand {
    const o = this.insn.operands[i];
    if (o === undefined) throw new InternalError(`${this.insn.row.mnemonic} has no operand ${i}`);
    return o;
  }

  mem(i: number): MemOperand {
    const o = this.op(i);
    if (o.kind !== 'mem') throw new InternalError(`operand ${i} of ${this.insn.row.mnemonic} is no memory operand`);
    return o;
  }

  /** Number of the general register that is operand `i`. */
  register(i: number): number {
    const o = this.op(i);
    if (o.kind !== 'gpr') throw new InternalError(`operand ${i} of ${this.insn.row.mnemonic} is no general register`);
    return o.reg;
  }

  /** Guest address of a memory operand, plus `extra` (i64, bytes) before the segment base. */
  ea(m: MemOperand, extra?: TempId): TempId {
    return effectiveAddress(this, m, extra);
  }

  /** Guards; `ea` is a guest address. With `align`, #GP when it is no multiple. Give the host address (i32). */
  guardRead(ea: TempId, size: number, align = 1, natural = naturalAlignment(size)): TempId {
    this.checkAligned(ea, align, natural);
    return this.guard('guard_r', ea, size);
  }
  guardWrite(ea: TempId, size: number, align = 1): TempId {
    this.wrote = true;
    this.checkAligned(ea, align, naturalAlignment(size));
    return this.guard('guard_w', ea, size);
  }
  guardRW(ea: TempId, size: number): TempId {
    this.wrote = true;
    this.checkAligned(ea, 1, naturalAlignment(size));
    return this.guard('guard_rw', ea, size);
  }
  private guard(name: 'guard_r' | 'guard_w' | 'guard_rw', ea: TempId, size: number): TempId {
    const host = this.e(name, [ea], [size]);
    if (this.options.noteAccesses === true)
      this.call('note_access', [ea, this.i32(size), this.i32(name === 'guard_r' ? 0 : 1)]);
    return host;
  }

  /** What must be a multiple of `align` is #GP when it is not; else it is #AC, with the alignment check flag set, when it is no multiple of `natural`. */
  checkAligned(ea: TempId, align: number, natural: number): void {
    if (align > 1) this.b.emit('align_check', [ea], [align]);
    else if (this.options.alignCheck === true && natural > 1) this.call('check_aligned', [ea, this.i32(natural)]);
  }

  /** Guest memory at a guarded address, zero-extended to i64. */
  ld(host: TempId, size: Size, offset = 0): TempId {
    return this.e(size === 8 ? 'gld_i64' : `gld${bits(size)}u_i64`, [host], [offset]);
  }
  /** Stores the low `size` bytes of an i64 at a guarded address. */
  st(host: TempId, value: TempId, size: Size, offset = 0): void {
    this.b.emit(size === 8 ? 'gst_i64' : `gst${bits(size)}_i64`, [host, value], [offset]);
  }

  /** Size of operand `i` as a general width. */
  size(i: number): Size {
    const o = this.op(i);
    const size = 'size' in o ? o.size : 0;
    if (size !== 1 && size !== 2 && size !== 4 && size !== 8)
      throw new InternalError(`operand ${i} of ${this.insn.row.mnemonic} has ${size} bytes`);
    return size;
  }

  /**
   * Value of a general operand (register, memory, immediate) as i64. What stands above its size is unspecified: zero for memory, sign for immediates,
   * the rest of the register for registers. A 64-bit register is its global itself: copy it when it may be written before the last use.
   */
  load(i: number): TempId {
    const o = this.op(i);
    switch (o.kind) {
      case 'gpr':
        return regPlace(this, o).load();
      case 'imm':
        return this.i64(o.value);
      case 'mem':
        return this.ld(this.guardRead(this.ea(o), o.size), wide(o.size));
      default:
        throw new InternalError(`${this.insn.row.mnemonic}: operand ${i} is no general operand`);
    }
  }
  /** As load, zero-extended. */
  loadZ(i: number): TempId {
    const o = this.op(i);
    if (o.kind === 'imm') return this.i64(BigInt.asUintN(8 * o.size, o.value));
    return o.kind === 'mem' ? this.load(i) : this.zext(this.load(i), this.size(i));
  }
  /** As load, sign-extended. */
  loadS(i: number): TempId {
    const o = this.op(i);
    return o.kind === 'imm' ? this.i64(o.value) : this.sext(this.load(i), this.size(i));
  }

  /** A place to write: its guard, if any, stands here. */
  dest(i: number): Place {
    const o = this.op(i);
    if (o.kind === 'gpr') return regPlace(this, o);
    if (o.kind === 'mem') return memPlace(this, this.guardWrite(this.ea(o), o.size), wide(o.size));
    throw new InternalError(`${this.insn.row.mnemonic}: operand ${i} can't be written`);
  }
  /** A place to read and write. */
  rmw(i: number): Place {
    const o = this.op(i);
    return o.kind === 'mem' ? memPlace(this, this.guardRW(this.ea(o), o.size), wide(o.size)) : this.dest(i);
  }
  /** Register `n` at a width, without high-byte forms. */
  reg(n: number, size: Size): Place {
    return regPlace(this, { reg: n, size, high8: false });
  }

  // ---------------------------------------------------------------- leaving the TB

  /** Jump to a known guest address (64 bits, unsigned) through jump slot 0. */
  jump(target: number | bigint): void {
    this.flags.sync();
    this.gotoOrFault(0, BigInt(target));
    this.ended = true;
  }

  /** Conditional jump on flags: slot 0 falls through, slot 1 is taken. */
  condJump(cc: number, target: bigint): void {
    const { cond, a, b } = this.flags.condition(cc);
    this.branch(cond, a, b, target);
  }

  /** Conditional jump on values: slot 0 falls through, slot 1 is taken. */
  branch(cond: Cond, a: TempId, b: TempId, target: bigint): void {
    this.flags.sync();
    const taken = this.label();
    this.brcond(cond, a, b, taken);
    this.gotoTb(0, this.next);
    this.setLabel(taken);
    this.gotoOrFault(1, target);
    this.ended = true;
  }

  /**
   * Jump to the guest address in `target` (i64). `update` emits what else the instruction does: its writes, and guards that come after the check of the target.
   * A target that is not canonical faults at this instruction, with nothing of it done; one in the kernel's half faults there, when all of it is done.
   */
  jumpIndirect(target: TempId, update?: () => void): void {
    this.flags.sync();
    // Side exits set rip to the instruction's own address: it may be written first.
    this.mov(G.rip, target);
    const wild = this.label();
    this.brcond('gtu', G.rip, this.i64(LAST_USER_ADDRESS), wild);
    update?.();
    this.b.emit('lookup_and_goto_ptr', []);
    this.setLabel(wild);
    if (update !== undefined) {
      this.call('check_canonical', [G.rip]);
      update();
    }
    this.wildJump(G.rip);
    this.ended = true;
  }

  /** True for an address that no jump can go to: wildJump says what happens instead. */
  isWild(target: bigint): boolean {
    return target > LAST_USER_ADDRESS;
  }

  /** Ends the TB with what a jump to `target` beyond the user half raises: #GP when it is not canonical, else a page fault, which the execute loop reports at the target. */
  wildJump(target: TempId): void {
    this.call('wild_jump', [target]);
    this.b.emit('exit', [], [EXIT.EXCEPTION, EXC.GP, this.insn.addr]);
    this.ended = true;
  }

  private gotoOrFault(slot: 0 | 1, target: bigint): void {
    if (this.isWild(target)) this.wildJump(this.i64(target));
    else this.gotoTb(slot, Number(target));
  }

  gotoTb(slot: 0 | 1, pc: number): void {
    this.b.emit('goto_tb', [], [slot, pc]);
    this.b.emit('exit_tb', [], [slot]);
  }

  /** Leaves with an exit reason; rip becomes `pc`. */
  exit(reason: number, argument: number, pc: number): void {
    this.flags.sync();
    this.b.emit('exit', [], [reason, argument, pc]);
    this.ended = true;
  }

  /** A CPU exception at this instruction (or at `pc`, for traps). */
  exception(vector: number, pc = this.insn.addr, error = 0): void {
    this.exit(EXIT.EXCEPTION, vector | (error << 8), pc);
  }

  /** In a conditional path: a CPU exception at this instruction; the TB goes on after it. The flags must be in step on the other path: no flags are written before. */
  raiseIf(cond: Cond, a: TempId, b: TempId, vector: number): void {
    this.flags.sync();
    const fine = this.label();
    this.b.emit('brcond_i64', [a, b], [NEGATED[cond], fine]);
    this.b.emit('exit', [], [EXIT.EXCEPTION, vector, this.insn.addr]);
    this.setLabel(fine);
  }

  /** #UD. */
  undefinedOpcode(): void {
    this.exception(EXC.UD);
  }

  /** CPU state field outside of the globals. */
  env(offset: number): TempId {
    return this.e('ld_i32', [], [offset]);
  }
  setEnv(offset: number, value: TempId): void {
    this.b.emit('st_i32', [value], [offset]);
  }
}
