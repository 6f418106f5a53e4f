/**
 * Atomic read-modify-writes on guarded guest memory, any alignment. In: a host address and values. Out: the old value, zero-extended. Source: SDM 3A, 9.1.2 (LOCK on unaligned operands).
 * Aligned: one Wasm atomic. Within 8 aligned bytes: a compare-exchange of these. Across them: under PCB.SPLIT_LOCK, which every such access takes, so that they are atomic among
 * themselves (DESIGN.md section 6).
 */
import { PCB_BASE, PCB_SPLIT_LOCK } from '../interpreter/gen/constants';

/** Even: free. Odd: held. Every taking and every release counts it up. */
const SPLIT: usize = PCB_BASE + PCB_SPLIT_LOCK;
/** Tries before the thread sleeps, and the nanoseconds it then does. */
const SPINS = 64;
const NAP: i64 = 1000000;
/** Naps in which the holder has done nothing (its few instructions take no time): it has been terminated, and the lock is taken over. */
const DEAD_NAPS = 2000;

/** Section of a few instructions; no other lock is taken inside. A holder that was terminated loses it after two seconds. */
export function lockSplit(): void {
  let seen = atomic.load<i32>(SPLIT);
  let spins = 0;
  let naps = 0;
  while (true) {
    const held = (seen & 1) != 0;
    const now = held && naps < DEAD_NAPS ? atomic.load<i32>(SPLIT) : atomic.cmpxchg<i32>(SPLIT, seen, held ? seen + 2 : seen + 1);
    if (now != seen) {
      seen = now;
      naps = 0;
    } else if (!held || naps >= DEAD_NAPS) return;
    else if (++spins > SPINS) {
      atomic.wait<i32>(SPLIT, seen, NAP);
      naps++;
    }
  }
}

export function unlockSplit(): void {
  atomic.add<i32>(SPLIT, 1);
}

const ADD = 0;
const AND = 1;
const OR = 2;
const XOR = 3;
const XCHG = 4;
const CMPXCHG = 5;

// @ts-ignore: decorator
@inline
function result(op: i32, old: u64, v: u64, expected: u64): u64 {
  switch (op) {
    case ADD:
      return old + v;
    case AND:
      return old & v;
    case OR:
      return old | v;
    case XOR:
      return old ^ v;
    case XCHG:
      return v;
    default:
      return old == expected ? v : old;
  }
}

/** `size` 2, 4 or 8 bytes at `p`, which is no multiple of it. */
function unaligned(p: usize, size: u32, op: i32, operand: i64, compare: i64): i64 {
  const mask: u64 = 0xffffffffffffffff >> (64 - 8 * size);
  const v = <u64>operand & mask;
  const expected = <u64>compare & mask;
  const shift = <u64>(8 * (p & 7));
  if ((p & 7) + size <= 8) {
    const word = p & ~7;
    let all = atomic.load<u64>(word);
    while (true) {
      const old = (all >> shift) & mask;
      const value = (all & ~(mask << shift)) | ((result(op, old, v, expected) & mask) << shift);
      const now = atomic.cmpxchg<u64>(word, all, value);
      if (now == all) return <i64>old;
      all = now;
    }
  }
  lockSplit();
  const old: u64 = size == 8 ? load<u64>(p) : size == 4 ? load<u32>(p) : load<u16>(p);
  const value = result(op, old, v, expected);
  if (size == 8) store<u64>(p, value);
  else if (size == 4) store<u32>(p, <u32>value);
  else store<u16>(p, <u16>value);
  unlockSplit();
  return <i64>old;
}

// @ts-ignore: decorator
@inline
function rmw<T>(h: i32, op: i32, v: i64): i64 {
  const p = <usize>h;
  if (sizeof<T>() > 1 && (p & (sizeof<T>() - 1)) != 0) return unaligned(p, sizeof<T>(), op, v, 0);
  switch (op) {
    case ADD:
      return <i64>atomic.add<T>(p, <T>v);
    case AND:
      return <i64>atomic.and<T>(p, <T>v);
    case OR:
      return <i64>atomic.or<T>(p, <T>v);
    case XOR:
      return <i64>atomic.xor<T>(p, <T>v);
    default:
      return <i64>atomic.xchg<T>(p, <T>v);
  }
}

// @ts-ignore: decorator
@inline
function cmpxchg<T>(h: i32, expected: i64, v: i64): i64 {
  const p = <usize>h;
  if (sizeof<T>() > 1 && (p & (sizeof<T>() - 1)) != 0) return unaligned(p, sizeof<T>(), CMPXCHG, v, expected);
  return <i64>atomic.cmpxchg<T>(p, <T>expected, <T>v);
}

export function atomicRmw1_add(h: i32, v: i64): i64 { return rmw<u8>(h, ADD, v); }
export function atomicRmw1_and(h: i32, v: i64): i64 { return rmw<u8>(h, AND, v); }
export function atomicRmw1_or(h: i32, v: i64): i64 { return rmw<u8>(h, OR, v); }
export function atomicRmw1_xor(h: i32, v: i64): i64 { return rmw<u8>(h, XOR, v); }
export function atomicRmw1_xchg(h: i32, v: i64): i64 { return rmw<u8>(h, XCHG, v); }
export function atomicCmpxchg1(h: i32, expected: i64, v: i64): i64 { return cmpxchg<u8>(h, expected, v); }
export function atomicRmw2_add(h: i32, v: i64): i64 { return rmw<u16>(h, ADD, v); }
export function atomicRmw2_and(h: i32, v: i64): i64 { return rmw<u16>(h, AND, v); }
export function atomicRmw2_or(h: i32, v: i64): i64 { return rmw<u16>(h, OR, v); }
export function atomicRmw2_xor(h: i32, v: i64): i64 { return rmw<u16>(h, XOR, v); }
export function atomicRmw2_xchg(h: i32, v: i64): i64 { return rmw<u16>(h, XCHG, v); }
export function atomicCmpxchg2(h: i32, expected: i64, v: i64): i64 { return cmpxchg<u16>(h, expected, v); }
export function atomicRmw4_add(h: i32, v: i64): i64 { return rmw<u32>(h, ADD, v); }
export function atomicRmw4_and(h: i32, v: i64): i64 { return rmw<u32>(h, AND, v); }
export function atomicRmw4_or(h: i32, v: i64): i64 { return rmw<u32>(h, OR, v); }
export function atomicRmw4_xor(h: i32, v: i64): i64 { return rmw<u32>(h, XOR, v); }
export function atomicRmw4_xchg(h: i32, v: i64): i64 { return rmw<u32>(h, XCHG, v); }
export function atomicCmpxchg4(h: i32, expected: i64, v: i64): i64 { return cmpxchg<u32>(h, expected, v); }
export function atomicRmw8_add(h: i32, v: i64): i64 { return rmw<u64>(h, ADD, v); }
export function atomicRmw8_and(h: i32, v: i64): i64 { return rmw<u64>(h, AND, v); }
export function atomicRmw8_or(h: i32, v: i64): i64 { return rmw<u64>(h, OR, v); }
export function atomicRmw8_xor(h: i32, v: i64): i64 { return rmw<u64>(h, XOR, v); }
export function atomicRmw8_xchg(h: i32, v: i64): i64 { return rmw<u64>(h, XCHG, v); }
export function atomicCmpxchg8(h: i32, expected: i64, v: i64): i64 { return cmpxchg<u64>(h, expected, v); }
