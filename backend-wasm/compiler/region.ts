/**
 * What the compiler compiles. In: nothing. Out: types. src/engine/region.ts forms regions.
 */
import type { Tb } from '../../src/ir/types.js';

/** TBs of one function of the guest's, or of a part of one. */
export interface Body {
  /** Guest pc of the TB that it starts with. */
  readonly head: number;
  /** By guest pc. */
  readonly tbs: ReadonlyMap<number, Tb>;
  /** Pcs in `tbs` that the indirect jump at the end of a TB often goes to by a table, each once, by the TB's pc. */
  readonly jumps?: ReadonlyMap<number, readonly number[]>;
  /** Pcs that the indirect call or jump at the end of a TB mostly goes to, by the TB's pc, in the order to be compared with. */
  readonly guesses?: ReadonlyMap<number, readonly number[]>;
  /**
   * Functions whose code stands in the place of a call, or of an indirect jump to a function that returns in the place of its own, by the TB's pc and the function's. What a call returns
   * to is among `tbs`.
   */
  readonly callees?: ReadonlyMap<number, ReadonlyMap<number, Body>>;
}

/**
 * TBs that become one Wasm function, entered at `head` alone: `(cpu: i32, budget: i32) -> i64`. `budget`: bytes of the host's stack that calls may still take. The result is the
 * guest pc to go on at, or minus an EXIT reason with rip in CPU state; all other guest state is in CPU state either way.
 *
 * A goto_tb to a pc among `tbs`, and an indirect jump to one of `jumps`, is a branch inside of the function, any other leaves it through the function table. A guest call is a call of the target's function; where that
 * returns the call's return address, the function goes on, otherwise it returns the result to its own caller, and so on down to the dispatcher. A call of one of `callees` is a branch, too: what is
 * called goes on behind the call when it returns there.
 */
export type Region = Body;

/** `body` and all that is inlined in it. */
export function bodiesOf(body: Body): Body[] {
  const bodies = [body];
  for (const { callees } of bodies)
    for (const byPc of callees?.values() ?? []) for (const callee of byPc.values()) bodies.push(callee);
  return bodies;
}

/** All TBs of a region, inlined ones as often as they are. */
export function tbsOf(region: Region): Tb[] {
  const all: Tb[] = [];
  for (const { tbs } of bodiesOf(region)) for (const tb of tbs.values()) all.push(tb);
  return all;
}
