/**
 * Drops permission checks that an earlier one in the same ebb has made: same address temp, at least its size, at least its access.
 *
 *     before:  guard_rw t0, t5, 8         after:  guard_rw t0, t5, 8
 *              gld_i64 t1, t0, 0                  gld_i64 t1, t0, 0
 *              guard_r t2, t5, 4                  mov_i32 t2, t0
 *              gld32u_i64 t3, t2, 0               gld32u_i64 t3, t0, 0   (after fold)
 *
 * Within the rule of DESIGN.md section 6: no check is carried over a label, a call or an atomic; polls are at TB ends.
 */
import type { TempId } from '../base/ids.js';
import type { Tb } from '../ir/types.js';
import { globalsOf, helperOf, outCount, Rewrite } from './rewrite.js';

interface Known {
  readonly host: TempId;
  readonly size: number;
  readonly read: boolean;
  readonly write: boolean;
}

export function mergeGuards(tb: Tb): Tb {
  const r = new Rewrite(tb);
  const known = new Map<TempId, Known>();
  const forget = (id: TempId): void => {
    known.delete(id);
    for (const [address, k] of known) if (k.host === id) known.delete(address);
  };
  for (const op of tb.ops) {
    if (
      op.name === 'set_label' ||
      op.name.startsWith('atomic_') ||
      op.name === 'fence' ||
      (op.name === 'call' && helperOf(op)?.pure !== true)
    )
      known.clear();
    const [host, address] = op.args;
    const size = Number(op.imms[0]);
    const read = op.name === 'guard_r' || op.name === 'guard_rw';
    const write = op.name === 'guard_w' || op.name === 'guard_rw';
    if ((!read && !write) || host === undefined || address === undefined) {
      r.ops.push(op);
      for (const id of [...op.args.slice(0, outCount(op)), ...globalsOf(helperOf(op)?.writes)]) forget(id);
      continue;
    }
    const k = known.get(address);
    if (k !== undefined && k.size >= size && (k.read || !read) && (k.write || !write)) {
      r.ops.push({ name: 'mov_i32', args: [host, k.host], imms: [] });
      forget(host);
    } else {
      r.ops.push(op);
      forget(host);
      known.set(address, { host, size, read, write });
    }
  }
  return r.finish();
}
