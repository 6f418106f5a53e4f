/** Values of any type between CPU state and temps, for tests of single ops: floats go by their bits, since there are no loads and stores of them. In: a builder. Out: ops. */
import type { TempId } from '../../src/base/ids.js';
import type { IrBuilder } from '../../src/ir/builder.js';
import type { Type } from '../../src/ir/types.js';

/** A temp of `type` from CPU state at `offset`. */
export function loadValue(b: IrBuilder, type: Type, offset: number): TempId {
  const t = b.temp(type);
  if (type === 'f32' || type === 'f64') {
    const int = type === 'f32' ? 'i32' : 'i64';
    const bits = b.temp(int);
    b.emit(`ld_${int}`, [bits], [offset]);
    b.emit(`frombits_${type}`, [t, bits]);
    b.free(bits);
  } else b.emit(`ld_${type}`, [t], [offset]);
  return t;
}

/** `t` of `type` to CPU state at `offset`. */
export function storeValue(b: IrBuilder, type: Type, t: TempId, offset: number): void {
  if (type === 'f32' || type === 'f64') {
    const int = type === 'f32' ? 'i32' : 'i64';
    const bits = b.temp(int);
    b.emit(`bits_${type}`, [bits, t]);
    b.emit(`st_${int}`, [bits], [offset]);
    b.free(bits);
  } else b.emit(`st_${type}`, [t], [offset]);
}
