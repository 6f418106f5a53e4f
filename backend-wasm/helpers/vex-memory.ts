/**
 * Masked loads and stores and gathers. In: guest addresses, masks whose elements count by their top bits, register numbers. Out: a vector, guest memory, or registers in CPU state.
 * What the mask leaves out is neither accessed nor can fault. A gather that faults leaves the elements done in the destination and their masks cleared, so that it goes on where it was.
 * Source: SDM 2C, VMASKMOV, VPMASKMOV, VGATHERDPS, VPGATHERQD.
 */
import { CPU_XMM, CPU_YMMH } from '../interpreter/gen/constants';
import { guardRead, guardWrite, mayRead } from './guard';

/** A bit for each element of `size` (4 or 8) bytes. */
// @ts-ignore: decorator
@inline
function bits(mask: v128, size: i32): i32 {
  return size == 8 ? i64x2.bitmask(mask) : i32x4.bitmask(mask);
}

export function masked_load(cpu: i32, address: i64, mask: v128, size: i32): v128 {
  const wanted = bits(mask, size);
  const all = size == 8 ? 3 : 15;
  let value = i64x2.splat(0);
  if (wanted == all) {
    const host = guardRead(<usize>cpu, <u64>address, 16);
    return host == 0 ? value : v128.load(host);
  }
  for (let i = 0; i < 16 / size; i++) {
    if (((wanted >> i) & 1) == 0) continue;
    const host = guardRead(<usize>cpu, <u64>address + i * size, size);
    if (host == 0) return value;
    if (size == 8) value = i == 0 ? i64x2.replace_lane(value, 0, load<i64>(host)) : i64x2.replace_lane(value, 1, load<i64>(host));
    else value = v128.or(value, shifted(load<u32>(host), i));
  }
  return value;
}

/** A dword in lane `i`. */
function shifted(value: u32, i: i32): v128 {
  switch (i) {
    case 0:
      return i32x4.replace_lane(i64x2.splat(0), 0, value);
    case 1:
      return i32x4.replace_lane(i64x2.splat(0), 1, value);
    case 2:
      return i32x4.replace_lane(i64x2.splat(0), 2, value);
    default:
      return i32x4.replace_lane(i64x2.splat(0), 3, value);
  }
}

/** Element `i` of a vector, zero-extended. */
function element(v: v128, i: i32, size: i32): i64 {
  if (size == 8) return i == 0 ? i64x2.extract_lane(v, 0) : i64x2.extract_lane(v, 1);
  const pair = i < 2 ? i64x2.extract_lane(v, 0) : i64x2.extract_lane(v, 1);
  return (pair >> (32 * (i & 1))) & 0xffffffff;
}

export function masked_store(cpu: i32, address: i64, lowMask: v128, highMask: v128, low: v128, high: v128, size: i32): void {
  const half = 16 / size;
  const wanted = bits(lowMask, size) | (bits(highMask, size) << half);
  for (let i = 0; i < 2 * half; i++) {
    if ((wanted >> i) & 1 && guardWrite(<usize>cpu, <u64>address + i * size, size) == 0) return;
  }
  for (let i = 0; i < 2 * half; i++) {
    if (((wanted >> i) & 1) == 0) continue;
    const host = guardWrite(<usize>cpu, <u64>address + i * size, size);
    const value = i < half ? element(low, i, size) : element(high, i - half, size);
    if (size == 8) store<i64>(host, value);
    else store<u32>(host, <u32>value);
  }
}

/** Home of the byte at `offset` (0..31) in vector register `n`. */
// @ts-ignore: decorator
@inline
function home(cpu: usize, n: i32, offset: i32): usize {
  return cpu + (offset < 16 ? CPU_XMM : CPU_YMMH) + 16 * <usize>n + (offset & 15);
}

/** Address of element `i` by its index of type I, when the fast path of the permission check allows the access; else beyond all memory. */
// @ts-ignore: decorator
@inline
function quickAddress<I>(low: usize, high: usize, i: i32, base: i64, scale: i32, segment: i64, addrMask: i64): u64 {
  const offset = i * sizeof<I>();
  const index = <i64>load<I>((offset < 16 ? low : high) + <usize>(offset & 15));
  const address = <u64>(((base + (index << scale)) & addrMask) + segment);
  return mayRead(address) ? address : NOWHERE;
}

const NOWHERE: u64 = 0xffffffffffffffff;

/**
 * A gather whose mask is set throughout and whose elements are all on the fast path of the permission check: the registers are written as wholes, which the loads behind do not wait for.
 * False: nothing done.
 */
// @ts-ignore: decorator
@inline
function quickGather<I>(c: usize, base: i64, segment: i64, to: i32, index: i32, scale: i32, count: i32, size: i32, addrMask: i64): bool {
  const indexLow = c + CPU_XMM + 16 * <usize>index;
  const indexHigh = c + CPU_YMMH + 16 * <usize>index;
  const a0 = quickAddress<I>(indexLow, indexHigh, 0, base, scale, segment, addrMask);
  const a1 = quickAddress<I>(indexLow, indexHigh, 1, base, scale, segment, addrMask);
  if ((a0 | a1) == NOWHERE) return false;
  let low: v128;
  let high = i64x2.splat(0);
  if (size == 8) {
    low = v128.load_lane<u64>(<usize>a1, v128.load_zero<u64>(<usize>a0), 1);
  } else low = v128.load_lane<u32>(<usize>a1, v128.load_zero<u32>(<usize>a0), 1);
  if (count > 2) {
    const a2 = quickAddress<I>(indexLow, indexHigh, 2, base, scale, segment, addrMask);
    const a3 = quickAddress<I>(indexLow, indexHigh, 3, base, scale, segment, addrMask);
    if ((a2 | a3) == NOWHERE) return false;
    if (size == 8) high = v128.load_lane<u64>(<usize>a3, v128.load_zero<u64>(<usize>a2), 1);
    else low = v128.load_lane<u32>(<usize>a3, v128.load_lane<u32>(<usize>a2, low, 2), 3);
  }
  if (sizeof<I>() == 4 && count > 4) {
    const a4 = quickAddress<I>(indexLow, indexHigh, 4, base, scale, segment, addrMask);
    const a5 = quickAddress<I>(indexLow, indexHigh, 5, base, scale, segment, addrMask);
    const a6 = quickAddress<I>(indexLow, indexHigh, 6, base, scale, segment, addrMask);
    const a7 = quickAddress<I>(indexLow, indexHigh, 7, base, scale, segment, addrMask);
    if ((a4 | a5 | a6 | a7) == NOWHERE) return false;
    high = v128.load_lane<u32>(<usize>a5, v128.load_zero<u32>(<usize>a4), 1);
    high = v128.load_lane<u32>(<usize>a7, v128.load_lane<u32>(<usize>a6, high, 2), 3);
  }
  v128.store(c + CPU_XMM + 16 * <usize>to, low);
  v128.store(c + CPU_YMMH + 16 * <usize>to, high);
  return true;
}

export function gather(cpu: i32, base: i64, segment: i64, registers: i32, scale: i32, count: i32, size: i32, indexSize: i32, addrSize: i32): void {
  const c = <usize>cpu;
  const to = registers & 15;
  const index = (registers >> 4) & 15;
  const mask = (registers >> 8) & 15;
  // An element's mask is cleared once the element is done; what a fault leaves to do is as it was.
  for (let i = 0; i < count; i++) {
    const selected = home(c, mask, i * size);
    if (load<i32>(selected + size - 4) >= 0) {
      if (size == 8) store<i64>(selected, 0);
      else store<i32>(selected, 0);
      continue;
    }
    const from = home(c, index, i * indexSize);
    const offset = indexSize == 8 ? load<i64>(from) : <i64>load<i32>(from);
    const sum = base + (offset << scale);
    const host = guardRead(c, <u64>((addrSize == 4 ? sum & 0xffffffff : sum) + segment), size);
    if (host == 0) return;
    const target = home(c, to, i * size);
    if (size == 8) {
      store<i64>(target, load<i64>(host));
      store<i64>(selected, 0);
    } else {
      store<i32>(target, load<i32>(host));
      store<i32>(selected, 0);
    }
  }
  for (let i = count * size; i < 32; i += size) {
    if (size == 8) {
      store<i64>(home(c, to, i), 0);
      store<i64>(home(c, mask, i), 0);
    } else {
      store<i32>(home(c, to, i), 0);
      store<i32>(home(c, mask, i), 0);
    }
  }
}
