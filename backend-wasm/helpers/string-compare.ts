/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. In: both operands, the lengths' registers (explicit forms), the immediate. Out: IntRes2 in bits 15:0, the index in 31:16, EFLAGS in 63:32.
 * Source: SDM 2B, section 4.1 (imm8: element, aggregation, polarity, index) and PCMPESTRI.
 */

/** Immediate: words instead of bytes; signed elements; the aggregation in bits 3:2; negative polarity, of the valid elements only; the most significant index. */
const WORDS = 1;
const SIGNED = 2;
const NEGATIVE = 0x10;
const MASKED = 0x20;
const LAST = 0x40;

const CF = 1;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

/** A bit for each lane of all ones. */
// @ts-ignore: decorator
@inline
function bitsOf(lanes: v128, words: bool): i32 {
  return words ? i16x8.bitmask(lanes) : i8x16.bitmask(lanes);
}

// @ts-ignore: decorator
@inline
function equal(a: v128, b: v128, words: bool): v128 {
  return words ? v128.eq<i16>(a, b) : v128.eq<i8>(a, b);
}

/** Lane `i` in every lane. */
// @ts-ignore: decorator
@inline
function spread(a: v128, i: i32, words: bool): v128 {
  return v128.swizzle(a, words ? v128.splat<i16>(<i16>(0x0100 + 0x0202 * i)) : v128.splat<i8>(<i8>i));
}

/** Lanes with low <= b <= high. */
function within(b: v128, low: v128, high: v128, imm: i32): i32 {
  switch (imm & (WORDS | SIGNED)) {
    case 0:
      return i8x16.bitmask(v128.and(v128.ge<u8>(b, low), v128.le<u8>(b, high)));
    case WORDS:
      return i16x8.bitmask(v128.and(v128.ge<u16>(b, low), v128.le<u16>(b, high)));
    case SIGNED:
      return i8x16.bitmask(v128.and(v128.ge<i8>(b, low), v128.le<i8>(b, high)));
    default:
      return i16x8.bitmask(v128.and(v128.ge<i16>(b, low), v128.le<i16>(b, high)));
  }
}

/** IntRes1 of the first `la` elements of `a` and the first `lb` of `b`. */
function aggregate(a: v128, b: v128, la: i32, lb: i32, imm: i32): i32 {
  const words = (imm & WORDS) != 0;
  const all = words ? 0xff : 0xffff;
  const inB = (1 << lb) - 1;
  let r = 0;
  switch ((imm >> 2) & 3) {
    case 0: {
      // Equal any: which elements of b are in the set a.
      for (let i = 0; i < la; i++) r |= bitsOf(equal(b, spread(a, i, words), words), words);
      return r & inB;
    }
    case 1: {
      // Ranges: which elements of b are in one of a's ranges, given by pairs.
      for (let i = 0; i + 1 < la; i += 2) r |= within(b, spread(a, i, words), spread(a, i + 1, words), imm);
      return r & inB;
    }
    case 2: {
      // Equal each: which elements are the same; beyond both ends is the same, beyond one is not.
      const inA = (1 << la) - 1;
      return ((bitsOf(equal(a, b, words), words) & inA & inB) | ~(inA | inB)) & all;
    }
    default: {
      // Equal ordered: where a, as far as the vector reaches, stands in b.
      r = all;
      for (let i = 0; i < la; i++) {
        const same = bitsOf(equal(b, spread(a, i, words), words), words) & inB;
        r &= (same >> i) | ~(all >> i);
      }
      return r & all;
    }
  }
}

function finish(a: v128, b: v128, la: i32, lb: i32, imm: i32): i64 {
  const count = (imm & WORDS) != 0 ? 8 : 16;
  let r = aggregate(a, b, la, lb, imm);
  if (imm & NEGATIVE) r ^= (1 << (imm & MASKED ? lb : count)) - 1;
  const index = r == 0 ? count : imm & LAST ? 31 - clz(r) : ctz(r);
  const flags = (r != 0 ? CF : 0) | (lb < count ? ZF : 0) | (la < count ? SF : 0) | (r & 1 ? OF : 0);
  return <i64>(<u64>r | (<u64>index << 16) | (<u64>flags << 32));
}

/** Number of elements before the first that is 0. */
// @ts-ignore: decorator
@inline
function length(a: v128, words: bool): i32 {
  return ctz(bitsOf(equal(a, v128.splat<i32>(0), words), words) | (words ? 0x100 : 0x10000));
}

/** A length's magnitude, at most `count`. */
// @ts-ignore: decorator
@inline
function limited(n: i64, count: i32): i32 {
  const magnitude = <u64>(n < 0 ? -n : n);
  return magnitude > <u64>count ? count : <i32>magnitude;
}

export function pcmpistr(a: v128, b: v128, imm: i32): i64 {
  const words = (imm & WORDS) != 0;
  return finish(a, b, length(a, words), length(b, words), imm);
}

export function pcmpestr(a: v128, b: v128, la: i64, lb: i64, imm: i32): i64 {
  const count = (imm & WORDS) != 0 ? 8 : 16;
  return finish(a, b, limited(la, count), limited(lb, count), imm);
}
