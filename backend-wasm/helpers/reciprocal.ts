/**
 * RCPPS and RSQRTPS. In: v128 of f32. Out: v128 of f32, divided (and rooted) exactly, which is within the bound of 1.5 * 2**-12 that the SDM gives; processors differ in the digits below it.
 * Denormal operands count as zeros of their sign, and tiny results become such. Source: SDM 2B, RCPPS and RSQRTPS.
 */

/** Denormal lanes become zeros of their sign. */
// @ts-ignore: decorator
@inline
function flush(a: v128): v128 {
  const tiny = v128.eq<i32>(v128.and(a, v128.splat<i32>(0x7f800000)), v128.splat<i32>(0));
  return v128.andnot(a, v128.and(tiny, v128.splat<i32>(0x7fffffff)));
}

export function rcp_f32x4(a: v128): v128 {
  return flush(v128.div<f32>(v128.splat<f32>(1), flush(a)));
}

export function rsqrt_f32x4(a: v128): v128 {
  return v128.div<f32>(v128.splat<f32>(1), v128.sqrt<f32>(flush(a)));
}
