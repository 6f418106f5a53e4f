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
import { opInfo } from '../ir/op-info.js';
import type { Op, Tb } from '../ir/types.js';
import { withOps } from './rewrite.js';

interface Known {
  readonly host: TempId;
  readonly size: number;
  readonly read: boolean;
  readonly write: boolean;
}

export function mergeGuards(tb: Tb): Tb {
  return hasSeveralGuards(tb) ? withOps(tb, new Merger().merge(tb)) : tb;
}

function hasSeveralGuards({ ops }: Tb): boolean {
  let guards = 0;
  for (const op of ops) if (opInfo(op).guard !== undefined) guards++;
  return guards > 1;
}

class Merger {
  /** By address. */
  private readonly known = new Map<TempId, Known>();

  merge({ ops }: Tb): Op[] {
    return ops.map((op) => {
      const { guard, separates, outs, writes } = opInfo(op);
      if (separates || op.name === 'set_label') this.known.clear();
      if (guard !== undefined) return this.guard(op, guard !== 'w', guard !== 'r');
      for (let i = 0; i < outs; i++) this.forget(op.args[i] as TempId);
      for (const id of writes) this.forget(id);
      return op;
    });
  }

  private guard(op: Op, read: boolean, write: boolean): Op {
    const [host, address] = op.args as readonly [TempId, TempId];
    const size = Number(op.imms[0]);
    const k = this.known.get(address);
    const covered = k !== undefined && k.size >= size && (k.read || !read) && (k.write || !write);
    this.forget(host);
    if (covered) return { name: 'mov_i32', args: [host, k.host], imms: [] };
    this.known.set(address, { host, size, read, write });
    return op;
  }

  private forget(id: TempId): void {
    if (this.known.size === 0) return;
    this.known.delete(id);
    for (const [address, k] of this.known) if (k.host === id) this.known.delete(address);
  }
}
