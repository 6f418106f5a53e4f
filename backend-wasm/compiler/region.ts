/**
 * What the compiler compiles. In: nothing. Out: types. src/engine/region.ts forms regions.
 */
import type { Tb } from '../../src/ir/types.js';

/**
 * TBs that become one Wasm function, entered at `head` alone: `(cpu: i32, budget: i32) -> i64`. `budget`: bytes of the host's stack that calls may still take. The result is the
 * guest pc to go on at, or minus an EXIT reason with rip in CPU state; all other guest state is in CPU state either way.
 *
 * A goto_tb to a pc among `tbs`, and an indirect jump to one of `jumps`, is a branch inside of the function, any other leaves it through the function table. A guest call is a call of the target's function; where that
 * returns the call's return address, the function goes on, otherwise it returns the result to its own caller, and so on down to the dispatcher.
 */
export interface Region {
  /** Guest pc of the TB that the function starts with. */
  readonly head: number;
  /** By guest pc. */
  readonly tbs: ReadonlyMap<number, Tb>;
  /** Pcs in `tbs` that the indirect jump at the end of a TB often goes to, each once, by the TB's pc. */
  readonly jumps?: ReadonlyMap<number, readonly number[]>;
}
