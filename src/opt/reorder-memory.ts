/**
 * A pass that is wrong on purpose: it lets each two neighbouring guest loads, and each two neighbouring stores, trade places, which the memory model forbids
 * (DESIGN.md section 6). Only the switch `reorder-memory` of the tests adds it, so that they see the litmus tests fail. What one thread alone computes stays the
 * same: stores trade places only when they stand at different displacements from one register.
 *
 *     before:  gst_i64 t0, t1, 0          after:  guard_w t2, t5, 8
 *              add_i64 t5, rsi, $0x40             gst_i64 t2, t3, 0
 *              guard_w t2, t5, 8                  gst_i64 t0, t1, 0      (t0: the guard of rsi)
 *              gst_i64 t2, t3, 0
 */
import type { TempId } from '../base/ids.js';
import { opInfo } from '../ir/op-info.js';
import type { Op, Tb } from '../ir/types.js';

/** A guest address: a displacement from the value that a temp had when it was written for the `version`th time. */
interface Place {
  readonly base: TempId;
  readonly version: number;
  readonly displacement: bigint;
}

export function reorderMemory(tb: Tb): Tb {
  const places = placesOf(tb);
  const ops = [...tb.ops];
  let i = 0;
  while (i < ops.length) {
    const op = ops[i] as Op;
    let next = i + 1;
    if (isAccess(op)) {
      while (next < ops.length && canPass(op, ops[next] as Op) && !isAccess(ops[next] as Op)) next++;
      const other = ops[next];
      if (other !== undefined && canPass(op, other) && commute(op, other, places)) {
        // The pair is done with: were the second one to trade places with the third, the first two could end up in order again.
        ops.splice(i, 1);
        ops.splice(next, 0, op);
        i = next + 1;
        continue;
      }
    }
    i++;
  }
  return { ...tb, ops };
}

const isLoad = (op: Op): boolean => op.name.startsWith('gld');
const isStore = (op: Op): boolean => op.name.startsWith('gst');
const isAccess = (op: Op): boolean => isLoad(op) || isStore(op);

/** Where the stores of the TB go, by op. */
function placesOf(tb: Tb): ReadonlyMap<Op, Place> {
  const versions = new Map<TempId, number>();
  const addresses = new Map<TempId, Place>();
  const found = new Map<Op, Place>();
  const at = (id: TempId): Place => addresses.get(id) ?? { base: id, version: versions.get(id) ?? 0, displacement: 0n };
  for (const op of tb.ops) {
    const [first, second, third] = op.args;
    const added = third === undefined ? undefined : tb.temps[third]?.value;
    let place: Place | undefined;
    if (isStore(op) && first !== undefined) found.set(op, at(first));
    else if (op.name.startsWith('guard_') && second !== undefined) place = at(second);
    else if (op.name === 'add_i64' && second !== undefined && added !== undefined) {
      const from = at(second);
      place = { ...from, displacement: from.displacement + BigInt.asIntN(64, added) };
    }
    for (const id of op.args.slice(0, opInfo(op).outs)) {
      versions.set(id, (versions.get(id) ?? 0) + 1);
      addresses.delete(id);
    }
    if (place !== undefined && first !== undefined) addresses.set(first, place);
  }
  return found;
}

/** Widest access, bytes. */
const MOST_BYTES = 16n;

/** True when a thread by itself can't tell the order of the two. */
function commute(a: Op, b: Op, places: ReadonlyMap<Op, Place>): boolean {
  if (isLoad(a) && isLoad(b)) return true;
  const p = places.get(a);
  const q = places.get(b);
  if (p === undefined || q?.base !== p.base || q.version !== p.version) return false;
  const distance = p.displacement - q.displacement;
  return distance >= MOST_BYTES || -distance >= MOST_BYTES;
}

/** Data dependences stop an access, and what is neither pure, a guard nor a plain access; memory order does not. */
function canPass(op: Op, other: Op): boolean {
  const passable =
    isAccess(other) || other.name.startsWith('guard_') || opInfo(other).effects.has('marker') || opInfo(other).pure;
  if (!passable) return false;
  const written = op.args.slice(0, opInfo(op).outs);
  const writes = other.args.slice(0, opInfo(other).outs);
  return !other.args.some((id) => written.includes(id)) && !writes.some((id) => op.args.includes(id));
}
