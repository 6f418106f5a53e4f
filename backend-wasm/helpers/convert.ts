/** Float to integer as CVTT* does it: out of range and NaN give the integer indefinite. In: a float. Out: an integer. Source: SDM volume 1, 4.8.3.7 and table E-1. */

export function truncIndefinite_f32_i32(a: f32): i32 {
  return a >= -2147483648.0 && a < 2147483648.0 ? <i32>a : i32.MIN_VALUE;
}
export function truncIndefinite_f64_i32(a: f64): i32 {
  return a > -2147483649.0 && a < 2147483648.0 ? <i32>a : i32.MIN_VALUE;
}
export function truncIndefinite_f32_i64(a: f32): i64 {
  return a >= -9223372036854775808.0 && a < 9223372036854775808.0 ? <i64>a : i64.MIN_VALUE;
}
export function truncIndefinite_f64_i64(a: f64): i64 {
  return a >= -9223372036854775808.0 && a < 9223372036854775808.0 ? <i64>a : i64.MIN_VALUE;
}
