/** Bytes of rings in the shared region, over their ends. In: first byte and size of a ring, a power of two; positions that count on modulo 2**32. Out: bytes copied. */
import type { VfsState } from './state.js';

/** Stores `src` from `position` on; it is not longer than the ring. */
export function putRound(s: VfsState, ring: number, capacity: number, position: number, src: Uint8Array): void {
  const from = position & (capacity - 1);
  const first = capacity - from;
  if (src.length <= first) {
    s.bytes.set(src, ring + from);
    return;
  }
  s.bytes.set(src.subarray(0, first), ring + from);
  s.bytes.set(src.subarray(first), ring);
}

/** Fills `dst` with what lies from `position` on; it is not longer than the ring. */
export function takeRound(s: VfsState, ring: number, capacity: number, position: number, dst: Uint8Array): void {
  const from = position & (capacity - 1);
  const first = Math.min(dst.length, capacity - from);
  dst.set(s.bytes.subarray(ring + from, ring + from + first));
  if (dst.length > first) dst.set(s.bytes.subarray(ring, ring + dst.length - first), first);
}
