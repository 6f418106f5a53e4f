/**
 * How many low bits of each integer temp and global may be set: what 32-bit code needs no second zero extension for. Forward over an ebb. In: ops, one after another. Out: widths.
 * Requirement of any rule here: no bit at or above the width is ever set, whatever the inputs of unknown width hold.
 */
import type { TempId } from '../base/ids.js';
import { opDef } from '../ir/ops.js';
import type { Op, Temp } from '../ir/types.js';
import { outCount } from './rewrite.js';

/** Of results that do not depend on the inputs' widths, by op without its type. */
const FIXED: Readonly<Record<string, number>> = {
  setcond: 1,
  popcnt: 7,
  clz: 7,
  ctz: 7,
  ext8u: 8,
  ext16u: 16,
  ext32u: 32,
  gld8u: 8,
  gld16u: 16,
  gld32u: 32,
  ld8u: 8,
  ld16u: 16,
  extu_i32: 32,
};

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

export class KnownWidths {
  private readonly widths = new Map<TempId, number>();

  /** @param temps of the TB under rewriting: constants may be added to it */
  constructor(private readonly temps: readonly Temp[]) {}

  /** Bits of `id` that may be set, from bit 0 on. */
  of(id: TempId | undefined): number {
    const t = this.temps[id ?? 0];
    if (id === undefined || t === undefined) return 64;
    if (t.value !== undefined) return bitLength(t.value);
    return this.widths.get(id) ?? (t.type === 'i32' ? 32 : 64);
  }

  clear(): void {
    this.widths.clear();
  }

  forget(id: TempId): void {
    this.widths.delete(id);
  }

  /** Width of the first output of `op`, which is about to be done; undefined: nothing is known. */
  result(op: Op): number | undefined {
    const m = /^(\w+)_(i32|i64)$/.exec(op.name);
    if (m === null || opDef(op.name).outs.length !== 1) return undefined;
    const [a, b, c, d] = op.args.slice(outCount(op)).map((id) => this.of(id));
    if (a === undefined) return FIXED[m[1] ?? ''];
    const count = this.temps[op.args[2] ?? 0]?.value;
    switch (m[1]) {
      case 'mov':
      case 'divu':
      case 'extrl_i64':
        return a;
      case 'and':
        return Math.min(a, b ?? a);
      case 'or':
      case 'xor':
        return Math.max(a, b ?? 64);
      case 'remu':
        return Math.min(a, b ?? a);
      case 'andc':
        return a;
      case 'shr':
        return count === undefined ? a : Math.max(0, a - Number(count));
      case 'shl':
        return count === undefined ? undefined : a + Number(count);
      case 'add':
        return Math.max(a, b ?? 64) + 1;
      case 'mul':
        return a + (b ?? 64);
      case 'extract':
        return Number(op.imms[1]);
      case 'movcond':
        return Math.max(c ?? 64, d ?? 64);
      case 'deposit':
        return Math.max(a, Number(op.imms[0]) + Math.min(Number(op.imms[1]), b ?? 64));
      case 'ext8u':
      case 'ext16u':
      case 'ext32u':
      case 'extu_i32':
        return Math.min(a, FIXED[m[1]] ?? 64);
      default:
        return FIXED[m[1] ?? ''];
    }
  }

  /** The first output of an op has `width` from here on. */
  learn(id: TempId, width: number | undefined): void {
    if (width !== undefined && width < 64) this.widths.set(id, width);
  }
}
