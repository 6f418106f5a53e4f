/** Number of outputs of an op. In: an op. Out: 0 or 1. */
import { helperDef } from '../../src/ir/helpers.js';
import { opDef } from '../../src/ir/ops.js';
import type { Op } from '../../src/ir/types.js';

export function outCountOf(op: Op): number {
  if (op.name === 'call') return helperDef(String(op.imms[0])).ret === undefined ? 0 : 1;
  return opDef(op.name).outs.length;
}
