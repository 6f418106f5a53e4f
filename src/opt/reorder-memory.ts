/**
 * A pass that is wrong on purpose: it moves guest loads over the accesses before them, which the memory model forbids (DESIGN.md section 6). Only the switch
 * `reorder-memory` of the tests adds it, so that they see the litmus tests fail.
 *
 *     before:  gst_i64 t0, t1, 0          after:  gld_i64 t3, t2, 0
 *              gld_i64 t3, t2, 0                  gst_i64 t0, t1, 0
 */
import { opDef } from '../ir/ops.js';
import type { Op, Tb } from '../ir/types.js';
import { outCount } from './rewrite.js';

export function reorderMemory(tb: Tb): Tb {
  const ops = [...tb.ops];
  for (let i = 1; i < ops.length; i++) {
    const load = ops[i] as Op;
    if (!load.name.startsWith('gld')) continue;
    let to = i;
    while (to > 0 && canPass(load, ops[to - 1] as Op)) to--;
    ops.splice(i, 1);
    ops.splice(to, 0, load);
  }
  return { ...tb, ops };
}

/** Data dependences stop the load, and what is neither pure nor a guest access; memory order does not. */
function canPass(load: Op, other: Op): boolean {
  const effects = opDef(other.name).effects;
  const plain = effects.every((e) => e === 'gread' || e === 'gwrite');
  const written = other.args.slice(0, outCount(other));
  return (
    plain &&
    other.name !== 'call' &&
    !written.some((id) => load.args.includes(id)) &&
    !other.args.some((id) => id === load.args[0])
  );
}
