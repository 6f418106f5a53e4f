/**
 * Lift functions of the x87 families. In: a Lifter and the opcode's own numbers. Out: calls of the x87 helpers, which check for a pending exception first.
 * All guards stand before the helper. Source: SDM volume 1, 8.1.8 (instruction and data pointers), 8.6; volume 2A.
 */
import type { TempId } from '../../src/base/ids.js';
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { wide } from './operands.js';

/** Memory formats as the helpers number them. */
export const FORMAT = { F32: 0, F64: 1, I16: 2, I32: 3, I64: 4 } as const;

/** A register or memory operand's number of ST. */
function sti(l: Lifter, i: number): number {
  const o = l.op(i);
  if (o.kind !== 'st') throw new InternalError(`${l.insn.row.mnemonic}: operand ${i} is no x87 register`);
  return o.reg;
}

/** Records the pointers of a non-control instruction that has been done; `ea` is its memory operand. */
function pointers(l: Lifter, ea?: TempId): void {
  l.emit('st_i64', [l.i64(l.insn.addr)], [CPU.FPIP]);
  if (ea !== undefined) l.emit('st_i64', [ea], [CPU.FPDP]);
}

function calls(l: Lifter, name: string, args: readonly number[]): void {
  l.call(
    name,
    args.map((n) => l.i32(n)),
  );
}

/** A helper with fixed numbers. */
export function plain(name: string, ...args: readonly number[]): LiftFn {
  return (l) => {
    calls(l, name, args);
    pointers(l);
  };
}

/** A control instruction: no pointers. */
export function bare(name: string, ...args: readonly number[]): LiftFn {
  return (l) => {
    calls(l, name, args);
  };
}

function floatFormat(l: Lifter, i: number): number {
  return l.size(i) === 4 ? FORMAT.F32 : FORMAT.F64;
}
function integerFormat(l: Lifter, i: number): number {
  const size = l.size(i);
  return size === 2 ? FORMAT.I16 : size === 4 ? FORMAT.I32 : FORMAT.I64;
}

/** Memory operand 0 read: its address and value. */
function read(l: Lifter): { ea: TempId; value: TempId } {
  const m = l.mem(0);
  const ea = l.ea(m);
  return { ea, value: l.ld(l.guardRead(ea, m.size), wide(m.size)) };
}

/** FADD and its kin: `op` is the reg field; memory as floats or integers, or two registers. */
export function arith(op: number, integer = false): LiftFn {
  return (l) => {
    if (l.op(0).kind === 'st') {
      calls(l, 'x87_arith_st', [op, sti(l, 0), sti(l, 1), 0]);
      pointers(l);
      return;
    }
    const { ea, value } = read(l);
    l.call('x87_arith_mem', [l.i32(op), l.i32(integer ? integerFormat(l, 0) : floatFormat(l, 0)), value]);
    pointers(l, ea);
  };
}

/** FADDP and its kin. */
export function arithPop(op: number): LiftFn {
  return (l) => {
    calls(l, 'x87_arith_st', [op, sti(l, 0), sti(l, 1), 1]);
    pointers(l);
  };
}

/** FCOM, FCOMP, FICOM, FICOMP, FUCOM, FUCOMP. */
export function compare(quiet: 0 | 1, pops: number, integer = false): LiftFn {
  return (l) => {
    if (l.op(0).kind === 'st') {
      calls(l, 'x87_com_st', [quiet, sti(l, 1), pops]);
      pointers(l);
      return;
    }
    const { ea, value } = read(l);
    l.call('x87_com_mem', [l.i32(integer ? integerFormat(l, 0) : floatFormat(l, 0)), value, l.i32(pops)]);
    pointers(l, ea);
  };
}

/** FCOMI, FUCOMI and their popping forms. */
export function compareFlags(quiet: 0 | 1, pops: number): LiftFn {
  return (l) => {
    l.flags.setEflags(l.callFor('x87_comi', [l.i32(quiet), l.i32(sti(l, 1)), l.i32(pops)]));
    pointers(l);
  };
}

/** FLD. */
export function fld(l: Lifter): void {
  const o = l.op(0);
  if (o.kind === 'st') {
    calls(l, 'x87_fld_st', [o.reg]);
    pointers(l);
    return;
  }
  const m = l.mem(0);
  if (m.size !== 10) {
    const { ea, value } = read(l);
    l.call('x87_fld_mem', [l.i32(floatFormat(l, 0)), value]);
    pointers(l, ea);
    return;
  }
  const ea = l.ea(m);
  const host = l.guardRead(ea, 10);
  l.call('x87_fld_m80', [l.ld(host, 8), l.ld(host, 2, 8)]);
  pointers(l, ea);
}

export function fild(l: Lifter): void {
  const { ea, value } = read(l);
  l.call('x87_fld_mem', [l.i32(integerFormat(l, 0)), value]);
  pointers(l, ea);
}

/** FST, FSTP. */
export function fst(pops: 0 | 1): LiftFn {
  return (l) => {
    const o = l.op(0);
    if (o.kind === 'st') {
      calls(l, 'x87_fst_st', [o.reg, pops]);
      pointers(l);
      return;
    }
    const m = l.mem(0);
    const ea = l.ea(m);
    const host = l.guardWrite(ea, m.size);
    if (m.size === 10) l.call('x87_fst_m80', [host]);
    else l.call('x87_fst_mem', [l.i32(floatFormat(l, 0)), host, l.i32(pops)]);
    pointers(l, ea);
  };
}

export function fstpnce(l: Lifter): void {
  calls(l, 'x87_fstpnce', [sti(l, 0)]);
  pointers(l);
}

/** FIST, FISTP, FISTTP. */
export function fist(pops: 0 | 1, truncate: 0 | 1): LiftFn {
  return (l) => {
    const m = l.mem(0);
    const ea = l.ea(m);
    const host = l.guardWrite(ea, m.size);
    l.call('x87_fist', [l.i32(m.size), host, l.i32(pops), l.i32(truncate)]);
    pointers(l, ea);
  };
}

export function fxch(l: Lifter): void {
  calls(l, 'x87_fxch', [sti(l, 1)]);
  pointers(l);
}

/** FCMOVcc; `cc` as in Jcc. */
export function fcmov(cc: number): LiftFn {
  return (l) => {
    l.call('x87_fcmov', [l.i32(sti(l, 1)), l.flags.value(cc)]);
    pointers(l);
  };
}

/** FFREE, FFREEP. */
export function ffree(pops: 0 | 1): LiftFn {
  return (l) => {
    calls(l, 'x87_ffree', [sti(l, 0), pops]);
    pointers(l);
  };
}

/** FBLD, FBSTP. */
export function fbld(l: Lifter): void {
  const m = l.mem(0);
  const ea = l.ea(m);
  const host = l.guardRead(ea, 10);
  l.call('x87_fbld', [l.ld(host, 8), l.ld(host, 2, 8)]);
  pointers(l, ea);
}
export function fbstp(l: Lifter): void {
  const ea = l.ea(l.mem(0));
  l.call('x87_fbstp', [l.guardWrite(ea, 10)]);
  pointers(l, ea);
}

export function fldcw(l: Lifter): void {
  l.call('x87_fldcw', [l.load(0)]);
}
export function fnstcw(l: Lifter): void {
  l.dest(0).store(l.up(l.env(CPU.FPCW)));
}
export function fnstsw(l: Lifter): void {
  const d = l.dest(0);
  d.store(l.or(l.up(l.env(CPU.FPSW)), l.shl(l.up(l.env(CPU.FPTOP)), l.i64(11))));
}
/** FNCLEX: exception flags, SF, ES and B. */
export function fnclex(l: Lifter): void {
  l.setEnv(CPU.FPSW, l.e('and_i32', [l.env(CPU.FPSW), l.i32(0x7f00)]));
}

/** FNSTENV, FLDENV (14 or 28 bytes), FNSAVE, FRSTOR (94 or 108): by operand size. */
export function environment(name: string, writes: boolean, registers: boolean): LiftFn {
  return (l) => {
    const small = l.insn.opSize === 2;
    const size = (small ? 14 : 28) + (registers ? 80 : 0);
    const ea = l.ea(l.mem(0));
    const host = writes ? l.guardWrite(ea, size) : l.guardRead(ea, size);
    l.call(name, [host, l.i32(small ? 1 : 0)]);
  };
}

/** FXSAVE, FXRSTOR: 512 bytes, 16-byte aligned (#GP). */
export function fxState(name: string, writes: boolean, rexW: 0 | 1): LiftFn {
  return (l) => {
    const ea = l.ea(l.mem(0));
    const host = writes ? l.guardWrite(ea, 512, 16) : l.guardRead(ea, 512, 16);
    l.call(name, [host, l.i32(rexW)]);
  };
}

/** FENI, FDISI, FSETPM: nothing since the 80387. */
export function nop(): void {
  // No effect to lift.
}
