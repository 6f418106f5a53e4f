/**
 * A record of a kernel table: field access by word offset. In: the kernel and the record's byte offset. Out: the base class of Task, Group, SigHand, Mm and IpcRecord.
 * 32-bit fields are read and written atomically; 64-bit fields are only consistent under the kernel mutex or when one thread alone writes them.
 */
import type { Kernel } from './kernel.js';

export abstract class KernelRecord {
  /** First word of the record. */
  protected readonly word: number;
  private readonly words: Int32Array<SharedArrayBuffer>;
  private readonly longs: BigInt64Array<SharedArrayBuffer>;

  constructor(
    readonly kernel: Kernel,
    readonly index: number,
    byteOffset: number,
  ) {
    this.word = byteOffset / 4;
    this.words = kernel.i32;
    this.longs = kernel.i64;
  }

  protected get(field: number): number {
    return Atomics.load(this.words, this.word + field);
  }

  /** As get, for what runs at every system call: a plain load (Atomics.load is a call in V8: 13 ns against 2). What other threads store is seen a little later, on hosts that are not x86. */
  protected peek(field: number): number {
    return this.words[this.word + field] ?? 0;
  }

  protected set(field: number, value: number): void {
    Atomics.store(this.words, this.word + field, value);
  }

  protected or(field: number, bits: number): number {
    return Atomics.or(this.words, this.word + field, bits);
  }

  protected and(field: number, bits: number): number {
    return Atomics.and(this.words, this.word + field, bits);
  }

  protected add(field: number, value: number): number {
    return Atomics.add(this.words, this.word + field, value);
  }

  protected getI64(field: number): bigint {
    return this.longs[(this.word + field) / 2] ?? 0n;
  }

  protected setI64(field: number, value: bigint): void {
    this.longs[(this.word + field) / 2] = value;
  }

  protected getU64(field: number): bigint {
    return BigInt.asUintN(64, this.getI64(field));
  }

  /** The i64 at `field` as a number: exact to 2**53. */
  protected getNumber(field: number): number {
    return Number(this.getI64(field));
  }

  protected setNumber(field: number, value: number): void {
    this.setI64(field, BigInt(Math.trunc(value)));
  }
}
