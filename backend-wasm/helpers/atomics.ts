/**
 * Atomic read-modify-writes on guarded guest memory, any alignment. In: a host address and values. Out: the old value, zero-extended.
 * Aligned: one Wasm atomic. Unaligned: under PCB.SPLIT_LOCK, which every such path takes; so they are atomic among themselves (DESIGN.md section 6). Source: SDM 3A, 9.1.
 */
import { PCB_BASE, PCB_SPLIT_LOCK } from '../interpreter/gen/constants';

const SPLIT: usize = PCB_BASE + PCB_SPLIT_LOCK;

export function lockSplit(): void {
  while (atomic.cmpxchg<i32>(SPLIT, 0, 1) != 0) {}
}

export function unlockSplit(): void {
  atomic.store<i32>(SPLIT, 0);
}

export function atomicRmw1_add(h: i32, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.add<u8>(p, <u8>v);
}

export function atomicRmw1_and(h: i32, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.and<u8>(p, <u8>v);
}

export function atomicRmw1_or(h: i32, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.or<u8>(p, <u8>v);
}

export function atomicRmw1_xor(h: i32, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.xor<u8>(p, <u8>v);
}

export function atomicRmw1_xchg(h: i32, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.xchg<u8>(p, <u8>v);
}

export function atomicCmpxchg1(h: i32, expected: i64, v: i64): i64 {
  const p = <usize>h;
  return <i64>atomic.cmpxchg<u8>(p, <u8>expected, <u8>v);
}

export function atomicRmw2_add(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.add<u16>(p, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  store<u16>(p, old + <u16>v);
  unlockSplit();
  return <i64>old;
}

export function atomicRmw2_and(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.and<u16>(p, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  store<u16>(p, old & (<u16>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw2_or(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.or<u16>(p, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  store<u16>(p, old | (<u16>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw2_xor(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.xor<u16>(p, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  store<u16>(p, old ^ (<u16>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw2_xchg(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.xchg<u16>(p, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  store<u16>(p, <u16>v);
  unlockSplit();
  return <i64>old;
}

export function atomicCmpxchg2(h: i32, expected: i64, v: i64): i64 {
  const p = <usize>h;
  if ((p & 1) == 0) return <i64>atomic.cmpxchg<u16>(p, <u16>expected, <u16>v);
  lockSplit();
  const old = load<u16>(p);
  if (old == <u16>expected) store<u16>(p, <u16>v);
  unlockSplit();
  return <i64>old;
}

export function atomicRmw4_add(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.add<u32>(p, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  store<u32>(p, old + <u32>v);
  unlockSplit();
  return <i64>old;
}

export function atomicRmw4_and(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.and<u32>(p, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  store<u32>(p, old & (<u32>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw4_or(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.or<u32>(p, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  store<u32>(p, old | (<u32>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw4_xor(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.xor<u32>(p, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  store<u32>(p, old ^ (<u32>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw4_xchg(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.xchg<u32>(p, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  store<u32>(p, <u32>v);
  unlockSplit();
  return <i64>old;
}

export function atomicCmpxchg4(h: i32, expected: i64, v: i64): i64 {
  const p = <usize>h;
  if ((p & 3) == 0) return <i64>atomic.cmpxchg<u32>(p, <u32>expected, <u32>v);
  lockSplit();
  const old = load<u32>(p);
  if (old == <u32>expected) store<u32>(p, <u32>v);
  unlockSplit();
  return <i64>old;
}

export function atomicRmw8_add(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.add<u64>(p, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  store<u64>(p, old + <u64>v);
  unlockSplit();
  return <i64>old;
}

export function atomicRmw8_and(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.and<u64>(p, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  store<u64>(p, old & (<u64>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw8_or(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.or<u64>(p, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  store<u64>(p, old | (<u64>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw8_xor(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.xor<u64>(p, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  store<u64>(p, old ^ (<u64>v));
  unlockSplit();
  return <i64>old;
}

export function atomicRmw8_xchg(h: i32, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.xchg<u64>(p, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  store<u64>(p, <u64>v);
  unlockSplit();
  return <i64>old;
}

export function atomicCmpxchg8(h: i32, expected: i64, v: i64): i64 {
  const p = <usize>h;
  if ((p & 7) == 0) return <i64>atomic.cmpxchg<u64>(p, <u64>expected, <u64>v);
  lockSplit();
  const old = load<u64>(p);
  if (old == <u64>expected) store<u64>(p, <u64>v);
  unlockSplit();
  return <i64>old;
}
