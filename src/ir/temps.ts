/**
 * Makes temps, for the builder and for passes that add constants. In: types and values. Out: Temps, all of one shape.
 * Names, which only printers and reports read, are made when they are read: that and the numbers as keys of small constants were a sixth of the time of lifting.
 */
import type { TempId } from '../base/ids.js';
import type { Temp, TempKind, Type } from './types.js';

const WIDTH: Readonly<Record<Type, number>> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };
const TYPE_INDEX: Readonly<Record<Type, number>> = { i32: 0, i64: 1, f32: 2, f64: 3, v128: 4 };
const TYPES = 8;
/** Constants below have a number as their key. */
const SMALL_END = 2 ** 32;

export class TempData implements Temp {
  /** @param label a global's name, or the number in a temp's: t0 the first; constants have none */
  constructor(
    readonly id: TempId,
    readonly type: Type,
    readonly kind: TempKind,
    private readonly label: string | number,
    readonly value: bigint | undefined,
    readonly offset: number | undefined,
  ) {}

  get name(): string {
    if (this.value !== undefined) return `$0x${this.value.toString(16)}`;
    return typeof this.label === 'string' ? this.label : `t${this.label}`;
  }
}

/** The constants of a TB: one temp a type and value. */
export class ConstTemps {
  private readonly small = new Map<number, TempId>();
  /** By type, then by value; made when needed. */
  private large: Map<bigint, TempId>[] | undefined;

  /** Adds to `temps`, and knows the constants in it. */
  constructor(private readonly temps: Temp[]) {}

  /** Learns the constants that are in the list already. */
  learn(): void {
    for (const t of this.temps) if (t.kind === 'const' && t.value !== undefined) this.remember(t.type, t.value, t.id);
  }

  /** The temp of `type` and `value` (reduced to the type's width). */
  of(type: Type, value: bigint | number): TempId {
    const n = Number(value);
    if (n >= 0 && n < SMALL_END) return this.small.get(n * TYPES + TYPE_INDEX[type]) ?? this.add(type, BigInt(value));
    const reduced = BigInt.asUintN(WIDTH[type], BigInt(value));
    if (reduced < SMALL_END) return this.of(type, reduced);
    return this.large?.[TYPE_INDEX[type]]?.get(reduced) ?? this.add(type, reduced);
  }

  private add(type: Type, value: bigint): TempId {
    const id = this.temps.length as TempId;
    this.temps.push(new TempData(id, type, 'const', '', value, undefined));
    this.remember(type, value, id);
    return id;
  }

  private remember(type: Type, value: bigint, id: TempId): void {
    if (value < SMALL_END) {
      this.small.set(Number(value) * TYPES + TYPE_INDEX[type], id);
      return;
    }
    this.large ??= Array.from({ length: TYPES }, () => new Map<bigint, TempId>());
    this.large[TYPE_INDEX[type]]?.set(value, id);
  }
}
