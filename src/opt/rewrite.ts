/** What the passes share. In: a Tb and what becomes of its ops. Out: a Tb. */
import type { Op, Tb, Temp } from '../ir/types.js';

/** `tb` with other ops; `temps`: its own, perhaps with constants behind them. All Tbs have their fields in one order, so that V8 sees one shape. */
export function withOps(tb: Tb, ops: readonly Op[], temps: readonly Temp[] = tb.temps): Tb {
  return { pc: tb.pc, size: tb.size, insns: tb.insns, temps, ops, labels: tb.labels };
}
