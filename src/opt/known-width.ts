/**
 * How many low bits of each integer temp and global may be set: what 32-bit code needs no second zero extension for. Forward over an ebb. In: ops, one after another. Out: widths.
 * Requirement of any rule here: no bit at or above the width is ever set, whatever the inputs of unknown width hold.
 */
import type { TempId } from '../base/ids.js';
import type { OpInfo } from '../ir/op-info.js';
import type { Op, Temp } from '../ir/types.js';

const bitLength = (value: bigint): number =>
  value < 0x1_0000_0000n ? 32 - Math.clz32(Number(value)) : value.toString(2).length;

const UNKNOWN = 255;

export class KnownWidths {
  private readonly widths: Uint8Array;

  /**
   * @param temps of the TB under rewriting: constants may be added to it
   * @param most number of temps, with those that are still to come
   */
  constructor(
    private readonly temps: readonly Temp[],
    most: number,
  ) {
    this.widths = new Uint8Array(most).fill(UNKNOWN);
  }

  /** Bits of `id` that may be set, from bit 0 on. */
  of(id: TempId | undefined): number {
    if (id === undefined) return 64;
    const { value, type } = this.temps[id] as Temp;
    if (value !== undefined) return bitLength(value);
    const width = this.widths[id] as number;
    return width !== UNKNOWN ? width : type === 'i32' ? 32 : 64;
  }

  clear(): void {
    this.widths.fill(UNKNOWN);
  }

  forget(id: TempId): void {
    this.widths[id] = UNKNOWN;
  }

  /** Width of the one output of `op`, which is about to be done; undefined: nothing is known. */
  result({ args, imms }: Op, { stem, type, width }: OpInfo): number | undefined {
    if (type === undefined) return undefined;
    if (args.length < 2) return width;
    const a = this.of(args[1]);
    switch (stem) {
      case 'mov':
      case 'divu':
      case 'extrl_i64':
      case 'andc':
        return a;
      case 'and':
      case 'remu':
        return Math.min(a, this.of(args[2]));
      case 'or':
      case 'xor':
        return Math.max(a, this.of(args[2]));
      case 'shr': {
        const count = this.count(args[2]);
        return count === undefined ? a : Math.max(0, a - count);
      }
      case 'shl': {
        const count = this.count(args[2]);
        return count === undefined ? undefined : a + count;
      }
      case 'add':
        return Math.max(a, this.of(args[2])) + 1;
      case 'mul':
        return a + this.of(args[2]);
      case 'extract':
        return Number(imms[1]);
      case 'movcond':
        return Math.max(this.of(args[3]), this.of(args[4]));
      case 'deposit':
        return Math.max(a, Number(imms[0]) + Math.min(Number(imms[1]), this.of(args[2])));
      case 'ext8u':
      case 'ext16u':
      case 'ext32u':
      case 'extu_i32':
        return Math.min(a, width ?? 64);
      default:
        return width;
    }
  }

  /** A constant count of a shift. */
  private count(id: TempId | undefined): number | undefined {
    const value = this.temps[id ?? 0]?.value;
    return value === undefined ? undefined : Number(value);
  }

  /** The first output of an op has `width` from here on. */
  learn(id: TempId, width: number | undefined): void {
    if (width !== undefined && width < 64) this.widths[id] = width;
  }
}
