/**
 * A pass that is wrong on purpose: it moves guest accesses behind the next one, which the memory model forbids (DESIGN.md section 6). Only the switch
 * `reorder-memory` of the tests adds it, so that they see the litmus tests fail.
 *
 *     before:  gst_i64 t0, t1, 0          after:  guard_w t2, rsi, 8
 *              guard_w t2, rsi, 8                 gst_i64 t2, t3, 0
 *              gst_i64 t2, t3, 0                  gst_i64 t0, t1, 0
 */
import { opDef } from '../ir/ops.js';
import type { Op, Tb } from '../ir/types.js';
import { isPure, outCount } from './rewrite.js';

export function reorderMemory(tb: Tb): Tb {
  const ops = [...tb.ops];
  for (let i = ops.length - 2; i >= 0; i--) {
    const op = ops[i] as Op;
    if (!isAccess(op)) continue;
    let to = i;
    while (to + 1 < ops.length && canPass(op, ops[to + 1] as Op)) {
      to++;
      if (isAccess(ops[to] as Op)) break;
    }
    if (!isAccess(ops[to] as Op) || to === i) continue;
    ops.splice(i, 1);
    ops.splice(to, 0, op);
  }
  return { ...tb, ops };
}

const isAccess = (op: Op): boolean => op.name.startsWith('gld') || op.name.startsWith('gst');

/** Data dependences stop an access, and what is neither pure, a guard nor a plain access; memory order does not. */
function canPass(op: Op, other: Op): boolean {
  const passable =
    isAccess(other) || other.name.startsWith('guard_') || opDef(other.name).effects.includes('marker') || isPure(other);
  if (!passable) return false;
  const written = op.args.slice(0, outCount(op));
  const writes = other.args.slice(0, outCount(other));
  return !other.args.some((id) => written.includes(id)) && !writes.some((id) => op.args.includes(id));
}
