/**
 * Lane operations that an x86 processor does in one instruction and plain Wasm SIMD in several; compiled code has them as the host's instruction where it has one (backend-wasm/compiler/host-forms.ts).
 * In: v128. Out: v128. Source: SDM 2A, CVTTPS2DQ, CVTTPD2DQ; 2B, PMADDUBSW, PMULHRSW.
 */

/** Unsigned bytes of a by signed bytes of b; the sums of neighbours saturate. A product fits into 16 bits. */
export function multiply_add_bytes(a: v128, b: v128): v128 {
  const even = v128.mul<i16>(v128.and(a, v128.splat<u16>(0xff)), v128.shr<i16>(v128.shl<i16>(b, 8), 8));
  const odd = v128.mul<i16>(v128.shr<u16>(a, 8), v128.shr<i16>(b, 8));
  return v128.add_sat<i16>(even, odd);
}

/** Where both are -32768 the product wraps to -32768, where Wasm's saturates. */
export function multiply_round(a: v128, b: v128): v128 {
  const least = v128.splat<u16>(0x8000);
  const wraps = v128.and(v128.eq<i16>(a, least), v128.eq<i16>(b, least));
  return v128.xor(v128.q15mulr_sat<i16>(a, b), wraps);
}

/** Wasm saturates and makes 0 of NaN: what is not below 2**31, NaN among it, becomes the integer indefinite; so is what it saturates to below the range. */
export function truncate_ps(a: v128): v128 {
  const fits = v128.lt<f32>(a, v128.splat<f32>(2147483648.0));
  return v128.bitselect(v128.trunc_sat<i32>(a), v128.splat<i32>(i32.MIN_VALUE), fits);
}

export function truncate_pd(a: v128): v128 {
  const fits = v128.lt<f64>(a, v128.splat<f64>(2147483648.0));
  const narrow = v128.shuffle<i32>(fits, fits, 0, 2, 0, 2);
  return v128.bitselect(v128.trunc_sat_zero<i32>(a), i32x4(i32.MIN_VALUE, i32.MIN_VALUE, 0, 0), narrow);
}
