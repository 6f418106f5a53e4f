/** Rounding to integral values by the rounding in force (sse-state.ts). In: a double that is no NaN. Out: a double. Source: SDM volume 1, 4.8.4. */
import { DOWN, NEAREST, rc, UP } from './sse-state';

export function roundedDouble(x: f64): f64 {
  switch (rc) {
    case NEAREST:
      return nearest<f64>(x);
    case DOWN:
      return floor<f64>(x);
    case UP:
      return ceil<f64>(x);
    default:
      return trunc<f64>(x);
  }
}
