/** Which code the interpreter has run, for --profile. In: the TBs of a process. Out: guest instructions by symbol. */
import { PAGE_SIZE } from '../guest/memory-map.js';
import { TB, TB_STATE } from '../guest/tb-header.js';
import { hex } from '../base/hex.js';
import { entriesSoFar } from './heat.js';
import { eachTb, type MemoryViews, tbPc } from './memory-views.js';

/** TBs that were entered less often are not looked up. */
const LEAST_ENTRIES = 10;

/** @param symbol name of a guest address; empty: its page stands for it */
export function interpretedBySymbol(views: MemoryViews, symbol: (pc: number) => string): Record<string, number> {
  const { i32 } = views;
  const found: Record<string, number> = {};
  eachTb(views, (header) => {
    const entries = entriesSoFar(views, header);
    if (entries < LEAST_ENTRIES || i32[(header + TB.STATE) / 4] !== TB_STATE.VALID) return;
    const pc = tbPc(views, header);
    const name = symbol(pc) || `0x${hex(pc - (pc % PAGE_SIZE))}, page`;
    found[name] = (found[name] ?? 0) + entries * (i32[(header + TB.INSNS) / 4] ?? 0);
  });
  return found;
}
