/**
 * LOCK-prefixed read-modify-writes on a memory place whose guard has been made. In: a place and an operation. Out: the old value. Source: SDM 2A, LOCK.
 */
import { InternalError } from '../../src/base/errors.js';
import type { TempId } from '../../src/base/ids.js';
import type { Lifter } from './lifter.js';
import { bits, type Place } from './operands.js';

/** With a LOCK prefix: does the operation atomically and gives the old value (zero-extended); without: undefined. */
export function lockedOld(
  l: Lifter,
  place: Place,
  op: 'add' | 'and' | 'or' | 'xor' | 'xchg',
  value: TempId,
): TempId | undefined {
  return l.insn.lock ? atomicOld(l, place, op, value) : undefined;
}

/** An atomic read-modify-write; gives the old value (zero-extended). */
export function atomicOld(l: Lifter, place: Place, op: 'add' | 'and' | 'or' | 'xor' | 'xchg', value: TempId): TempId {
  return l.e(`atomic_${op}${bits(place.size)}`, [hostOf(place), value]);
}

/** A compare and exchange on `place`; gives the old value (zero-extended). */
export function compareExchange(l: Lifter, place: Place, expected: TempId, value: TempId): TempId {
  return l.e(`atomic_cmpxchg${bits(place.size)}`, [hostOf(place), expected, value]);
}

/** An atomic update without an instruction of its own: a compare and exchange loop. Gives the old value, zero-extended, in a temp that lives through the TB. */
export function atomicUpdate(l: Lifter, place: Place, update: (old: TempId) => TempId): TempId {
  const host = l.temp('i32', 'tb');
  const old = l.temp('i64', 'tb');
  l.emit('mov_i32', [host, hostOf(place)]);
  const again = l.label();
  l.flags.sync();
  l.setLabel(again);
  const n = bits(place.size);
  l.emit(n === 64 ? 'gld_i64' : `gld${n}u_i64`, [old, host], [0]);
  const seen = l.e(`atomic_cmpxchg${n}`, [host, old, update(old)]);
  l.brcond('ne', seen, old, again);
  return old;
}

function hostOf(place: Place): TempId {
  if (place.host === undefined) throw new InternalError('an atomic operation on a register');
  return place.host;
}
