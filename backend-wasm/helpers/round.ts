/** Lanes rounded to integral values as MXCSR.RC says, for CVTPS2DQ and relatives. In: v128 of f32 or f64. Out: the same shape. Source: SDM volume 1, 4.8.4 (rounding), 10.2.3 (MXCSR). */
import { CPU_MXCSR } from '../interpreter/gen/constants';

// @ts-ignore: decorator
@inline
function mode(cpu: i32): i32 {
  return (load<i32>(<usize>cpu + CPU_MXCSR) >> 13) & 3;
}

export function round_f32x4(cpu: i32, a: v128): v128 {
  switch (mode(cpu)) {
    case 0:
      return v128.nearest<f32>(a);
    case 1:
      return v128.floor<f32>(a);
    case 2:
      return v128.ceil<f32>(a);
    default:
      return v128.trunc<f32>(a);
  }
}

export function round_f64x2(cpu: i32, a: v128): v128 {
  switch (mode(cpu)) {
    case 0:
      return v128.nearest<f64>(a);
    case 1:
      return v128.floor<f64>(a);
    case 2:
      return v128.ceil<f64>(a);
    default:
      return v128.trunc<f64>(a);
  }
}
