/**
 * SHA1RNDS4, SHA256RNDS2, SHA256MSG1 and SHA256MSG2. In: v128 of 32-bit words, as the SDM places them. Out: the same.
 * Source: SDM 2B, SHA1RNDS4, SHA256RNDS2, SHA256MSG1, SHA256MSG2; FIPS 180-4, sections 4.1 (functions), 4.2 (constants).
 */

// @ts-ignore: decorator
@inline
function words(w3: u32, w2: u32, w1: u32, w0: u32): v128 {
  let r = v128.splat<u32>(w0);
  r = v128.replace_lane<u32>(r, 1, w1);
  r = v128.replace_lane<u32>(r, 2, w2);
  return v128.replace_lane<u32>(r, 3, w3);
}

// @ts-ignore: decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}
// @ts-ignore: decorator
@inline
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}

/** Bits 1:0 of `kind` choose function and constant: those of rounds 0 to 19, 20 to 39, and so on. */
export function sha1rnds4(state: v128, message: v128, kind: i32): v128 {
  let a = v128.extract_lane<u32>(state, 3);
  let b = v128.extract_lane<u32>(state, 2);
  let c = v128.extract_lane<u32>(state, 1);
  let d = v128.extract_lane<u32>(state, 0);
  let e: u32 = 0;
  for (let i = 0; i < 4; i++) {
    // The last word of the message is in the lowest lane; E is in the first one already (SHA1NEXTE).
    const w = v128.extract_lane<u32>(message, 3);
    message = v128.shuffle<i32>(message, message, 0, 0, 1, 2);
    let f: u32;
    switch (kind & 3) {
      case 0:
        f = choose(b, c, d) + 0x5a827999;
        break;
      case 1:
        f = (b ^ c ^ d) + 0x6ed9eba1;
        break;
      case 2:
        f = majority(b, c, d) + 0x8f1bbcdc;
        break;
      default:
        f = (b ^ c ^ d) + 0xca62c1d6;
    }
    const next = f + rotl<u32>(a, 5) + w + e;
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  return words(a, b, c, d);
}

/** `first` holds C, D, G, H and `second` A, B, E, F, highest lane first; `keyed` the words of two rounds with their constants added. */
export function sha256rnds2(first: v128, second: v128, keyed: v128): v128 {
  let a = v128.extract_lane<u32>(second, 3);
  let b = v128.extract_lane<u32>(second, 2);
  let c = v128.extract_lane<u32>(first, 3);
  let d = v128.extract_lane<u32>(first, 2);
  let e = v128.extract_lane<u32>(second, 1);
  let f = v128.extract_lane<u32>(second, 0);
  let g = v128.extract_lane<u32>(first, 1);
  let h = v128.extract_lane<u32>(first, 0);
  for (let i = 0; i < 2; i++) {
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t = choose(e, f, g) + sum1 + (i == 0 ? v128.extract_lane<u32>(keyed, 0) : v128.extract_lane<u32>(keyed, 1)) + h;
    h = g;
    g = f;
    f = e;
    e = t + d;
    d = c;
    const next = t + majority(a, b, c) + sum0;
    c = b;
    b = a;
    a = next;
  }
  return words(a, b, e, f);
}

// @ts-ignore: decorator
@inline
function rotateRight(a: v128, n: i32): v128 {
  return v128.or(v128.shr<u32>(a, n), v128.shl<i32>(a, 32 - n));
}

export function sha256msg1(a: v128, b: v128): v128 {
  const w = v128.shuffle<i32>(a, b, 1, 2, 3, 4);
  const sigma0 = v128.xor(v128.xor(rotateRight(w, 7), rotateRight(w, 18)), v128.shr<u32>(w, 3));
  return v128.add<i32>(a, sigma0);
}

// @ts-ignore: decorator
@inline
function sigma1(w: v128): v128 {
  return v128.xor(v128.xor(rotateRight(w, 17), rotateRight(w, 19)), v128.shr<u32>(w, 10));
}

/** Words 16 and 17 depend on 14 and 15 of `b`, 18 and 19 on those two. */
export function sha256msg2(a: v128, b: v128): v128 {
  const zero = i64x2(0, 0);
  const two = v128.add<i32>(a, sigma1(v128.shuffle<i64>(b, zero, 1, 2)));
  return v128.add<i32>(two, sigma1(v128.shuffle<i64>(two, zero, 2, 0)));
}
