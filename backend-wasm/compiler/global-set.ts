/**
 * Sets of IR globals as two words of bits. In: TempIds below 64. Out: a mutable set that dataflow loops can afford.
 */
import { NB_GLOBALS } from '../../src/ir/globals.js';

if (NB_GLOBALS > 64) throw new RangeError(`GlobalSet holds 64 globals, there are ${NB_GLOBALS}`);

export class GlobalSet {
  constructor(
    private lo = 0,
    private hi = 0,
  ) {}

  static of(ids: Iterable<number>): GlobalSet {
    const set = new GlobalSet();
    for (const id of ids) set.add(id);
    return set;
  }

  clone(): GlobalSet {
    return new GlobalSet(this.lo, this.hi);
  }

  has(id: number): boolean {
    return ((id < 32 ? this.lo >>> id : this.hi >>> (id - 32)) & 1) !== 0;
  }

  add(id: number): void {
    if (id < 32) this.lo |= 1 << id;
    else this.hi |= 1 << (id - 32);
  }

  delete(id: number): void {
    if (id < 32) this.lo &= ~(1 << id);
    else this.hi &= ~(1 << (id - 32));
  }

  clear(): void {
    this.lo = this.hi = 0;
  }

  /** Adds all of `other`; true when something was new. */
  union(other: GlobalSet): boolean {
    const { lo, hi } = this;
    this.lo |= other.lo;
    this.hi |= other.hi;
    return this.lo !== lo || this.hi !== hi;
  }

  subtract(other: GlobalSet): void {
    this.lo &= ~other.lo;
    this.hi &= ~other.hi;
  }

  /** Adds what is in `other` and not in `without`. */
  unionWithout(other: GlobalSet, without: GlobalSet): void {
    this.lo |= other.lo & ~without.lo;
    this.hi |= other.hi & ~without.hi;
  }

  intersection(other: GlobalSet): GlobalSet {
    return new GlobalSet(this.lo & other.lo, this.hi & other.hi);
  }

  /** True when all of `other` is in this set. */
  includes(other: GlobalSet): boolean {
    return (other.lo & ~this.lo) === 0 && (other.hi & ~this.hi) === 0;
  }

  get empty(): boolean {
    return (this.lo | this.hi) === 0;
  }

  get size(): number {
    return this.ids().length;
  }

  /** Members in ascending order. */
  ids(): number[] {
    const ids: number[] = [];
    for (let bits = this.lo; bits !== 0; bits &= bits - 1) ids.push(31 - Math.clz32(bits & -bits));
    for (let bits = this.hi; bits !== 0; bits &= bits - 1) ids.push(63 - Math.clz32(bits & -bits));
    return ids;
  }

  /** Equal for equal sets. */
  get key(): string {
    return `${this.lo >>> 0}.${this.hi >>> 0}`;
  }
}
