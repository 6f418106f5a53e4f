/** Bits through a mask, one step a set bit of it. In: a source and a mask. Out: the bits. Source: SDM 2B, PDEP PEXT. */

/** The low bits of the source go to the mask's positions. */
export function pdep(source: i64, mask: i64): i64 {
  let result: i64 = 0;
  let rest = mask;
  for (let s = <u64>source; rest != 0; s >>= 1) {
    if (s & 1) result |= rest & -rest;
    rest &= rest - 1;
  }
  return result;
}

/** The bits at the mask's positions, packed at the low end. */
export function pext(source: i64, mask: i64): i64 {
  let result: i64 = 0;
  let to: i64 = 1;
  for (let rest = mask; rest != 0; rest &= rest - 1) {
    if (source & rest & -rest) result |= to;
    to <<= 1;
  }
  return result;
}
