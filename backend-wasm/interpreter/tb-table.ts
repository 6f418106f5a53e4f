/**
 * The hash table of TBs (src/guest/memory-map.ts, TB_HASH). In: a guest pc. Out: its bucket; its TB.
 */
import {
  HASH_MULTIPLIER,
  TB_HASH,
  TB_HASH_BITS,
  TB_HASH_NEXT,
  TB_PC,
  TB_STATE,
  TB_STATE_VALID,
} from './gen/constants';

/** Address of the head of the list that `pc` is in (src/guest/tb-header.ts, pcHash). */
// @ts-ignore: decorator
@inline
export function bucketOf(pc: u64): usize {
  return TB_HASH + 4 * <usize>((((<u32>pc) ^ (<u32>(pc >> 32))) * HASH_MULTIPLIER) >> (32 - TB_HASH_BITS));
}

/** The valid TB at `pc`; 0 none. */
export function tbAt(pc: u64): usize {
  for (let tb = <usize>atomic.load<u32>(bucketOf(pc)); tb != 0; tb = <usize>load<u32>(tb + TB_HASH_NEXT)) {
    if (load<u64>(tb + TB_PC) == pc && load<i32>(tb + TB_STATE) == TB_STATE_VALID) return tb;
  }
  return 0;
}
