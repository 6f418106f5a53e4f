/** Which code the interpreter has run, for --profile. In: the TBs of a process. Out: guest instructions by symbol. */
import { PAGE_SIZE, TB_HASH, TB_HASH_SIZE } from '../guest/memory-map.js';
import { TB, TB_STATE } from '../guest/tb-header.js';
import { hex } from '../base/hex.js';
import { entriesSoFar } from './heat.js';
import type { MemoryViews } from './memory-views.js';

/** TBs that were entered less often are not looked up. */
const LEAST_ENTRIES = 10;

/** @param symbol name of a guest address; empty: its page stands for it */
export function interpretedBySymbol(views: MemoryViews, symbol: (pc: number) => string): Record<string, number> {
  const { i32, i64 } = views;
  const found: Record<string, number> = {};
  for (let bucket = 0; bucket < TB_HASH_SIZE; bucket++) {
    let header = (i32[TB_HASH / 4 + bucket] ?? 0) >>> 0;
    for (; header !== 0; header = (i32[(header + TB.HASH_NEXT) / 4] ?? 0) >>> 0) {
      const entries = entriesSoFar(views, header);
      if (entries < LEAST_ENTRIES || i32[(header + TB.STATE) / 4] !== TB_STATE.VALID) continue;
      const pc = Number(i64[(header + TB.PC) / 8]);
      const name = symbol(pc) || `0x${hex(pc - (pc % PAGE_SIZE))}, page`;
      found[name] = (found[name] ?? 0) + entries * (i32[(header + TB.INSNS) / 4] ?? 0);
    }
  }
  return found;
}
