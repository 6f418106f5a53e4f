/**
 * What the compiler compiles. In: nothing. Out: types. src/engine/region.ts forms regions.
 */
import type { Tb } from '../../src/ir/types.js';

/**
 * TBs that become one Wasm function, entered at `head` alone. A goto_tb to a pc among `tbs` is a branch inside of the function,
 * any other leaves it through the function table.
 */
export interface Region {
  /** Guest pc of the TB that the function starts with. */
  readonly head: number;
  /** By guest pc. */
  readonly tbs: ReadonlyMap<number, Tb>;
}
