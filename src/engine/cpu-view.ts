/**
 * Registers of a guest thread through views over the shared memory. In: the views and the CPU block's address. Out: a CpuView.
 * Source: Intel SDM volume 1, 3.4.3 (EFLAGS).
 */
import { CPU } from '../guest/cpu-state.js';
import { CC, FLAG } from '../guest/flags.js';
import type { MemoryViews } from './memory-views.js';

/** EFLAGS of the CPU block at this address: the core's eflagsOf. */
export type EflagsOf = (cpu: number) => number;

export class CpuRegisters {
  readonly bytes: Uint8Array;
  private readonly i32s: Int32Array;
  private readonly i64s: BigInt64Array;

  /**
   * @param views the process's memory
   * @param base address of the CPU block
   * @param eflagsOf the core's
   */
  constructor(
    views: MemoryViews,
    readonly base: number,
    private readonly eflagsOf: EflagsOf,
  ) {
    this.bytes = views.u8.subarray(base, base + CPU.FRAME);
    this.i32s = views.i32.subarray(base / 4, (base + CPU.FRAME) / 4);
    this.i64s = views.i64.subarray(base / 8, (base + CPU.FRAME) / 8);
  }

  reg(n: number): bigint {
    return this.i64s[CPU.REGS / 8 + n] ?? 0n;
  }

  setReg(n: number, v: bigint): void {
    this.i64s[CPU.REGS / 8 + n] = v;
  }

  i64(offset: number): bigint {
    return this.i64s[offset / 8] ?? 0n;
  }

  setI64(offset: number, v: bigint): void {
    this.i64s[offset / 8] = v;
  }

  i32(offset: number): number {
    return this.i32s[offset / 4] ?? 0;
  }

  setI32(offset: number, v: number): void {
    this.i32s[offset / 4] = v;
  }

  get rip(): bigint {
    return BigInt.asUintN(64, this.i64(CPU.RIP));
  }

  set rip(v: bigint) {
    this.setI64(CPU.RIP, v);
  }

  /** rip as a number; values past 2**53 lose their low bits, which no mapped address reaches. */
  get pc(): number {
    return Number(this.rip);
  }

  get fsBase(): bigint {
    return BigInt.asUintN(64, this.i64(CPU.FS_BASE));
  }

  set fsBase(v: bigint) {
    this.setI64(CPU.FS_BASE, v);
  }

  get gsBase(): bigint {
    return BigInt.asUintN(64, this.i64(CPU.GS_BASE));
  }

  set gsBase(v: bigint) {
    this.setI64(CPU.GS_BASE, v);
  }

  get eflags(): number {
    return this.eflagsOf(this.base);
  }

  set eflags(v: number) {
    this.setI32(CPU.CC_OP, CC.EFLAGS);
    this.setI64(CPU.CC_SRC, BigInt(v & FLAG.ARITH));
    this.setI32(CPU.DF, (v & FLAG.DF) !== 0 ? -1 : 1);
    this.setI32(CPU.EFLAGS_REST, v & (FLAG.TF | FLAG.NT | FLAG.RF | FLAG.AC | FLAG.ID));
  }
}
