/**
 * Helpers of precise floating point: rows of the helper table. In: nothing. Out: `floatHelpers`, joined in helpers.ts.
 * All of them round and mask by MXCSR and set its flags; `faults` is #XM, with nothing but the flags done. Operations are those of src/guest/float-ops.ts; scalar results have the rest from the first vector.
 */
import type { HelperDef } from './helpers.js';
import type { Type } from './types.js';

const FMA: readonly Type[] = ['i32', 'v128', 'v128', 'v128'];
const ARITH: readonly Type[] = ['i32', 'v128', 'v128'];

export const floatHelpers = [
  {
    name: 'sse_ps',
    file: 'sse-arith',
    params: ARITH,
    ret: 'v128',
    faults: true,
    prose: 'FLOAT_OP arg0 on f32 elements',
  },
  {
    name: 'sse_pd',
    file: 'sse-arith',
    params: ARITH,
    ret: 'v128',
    faults: true,
    prose: 'FLOAT_OP arg0 on f64 elements',
  },
  { name: 'sse_ss', file: 'sse-arith', params: ARITH, ret: 'v128', faults: true, prose: 'FLOAT_OP arg0, lowest f32' },
  { name: 'sse_sd', file: 'sse-arith', params: ARITH, ret: 'v128', faults: true, prose: 'FLOAT_OP arg0, lowest f64' },
  {
    name: 'sse_comi_ss',
    file: 'sse-arith',
    params: ARITH,
    ret: 'i64',
    faults: true,
    prose: 'COMISS: EFLAGS arithmetic flags; arg0: UCOMISS',
  },
  { name: 'sse_comi_sd', file: 'sse-arith', params: ARITH, ret: 'i64', faults: true, prose: 'COMISD, likewise' },
  {
    name: 'sse_convert',
    file: 'sse-convert',
    params: ARITH,
    ret: 'v128',
    faults: true,
    prose: 'FLOAT_CONVERT arg0, perhaps with FLOAT_TRUNCATE, of the second vector',
  },
  {
    name: 'sse_to_integer_ss',
    file: 'sse-convert',
    params: ['i32', 'i32', 'v128'],
    ret: 'i64',
    faults: true,
    prose: 'CVTSS2SI to 64 bits (arg1 1) or 32; arg0: FLOAT_TRUNCATE or 0',
  },
  {
    name: 'sse_to_integer_sd',
    file: 'sse-convert',
    params: ['i32', 'i32', 'v128'],
    ret: 'i64',
    faults: true,
    prose: 'CVTSD2SI, likewise',
  },
  {
    name: 'sse_from_integer_ss',
    file: 'sse-convert',
    params: ['v128', 'i64'],
    ret: 'v128',
    faults: true,
    prose: 'CVTSI2SS of a 64-bit integer',
  },
  {
    name: 'sse_from_integer_sd',
    file: 'sse-convert',
    params: ['v128', 'i64'],
    ret: 'v128',
    faults: true,
    prose: 'CVTSI2SD of a 64-bit integer',
  },
  {
    name: 'fma_pd',
    file: 'fma',
    params: FMA,
    ret: 'v128',
    pure: true,
    prose: 'f64 elements arg1 * arg2 + arg3, rounded once to nearest; arg0: FMA_NEGATE',
  },
  { name: 'fma_ps', file: 'fma', params: FMA, ret: 'v128', pure: true, prose: 'likewise, of f32' },
  {
    name: 'fma_low_pd',
    file: 'fma',
    params: FMA,
    ret: 'v128',
    pure: true,
    prose: 'likewise, of the lowest f64; the rest of the result is unspecified',
  },
  { name: 'fma_low_ps', file: 'fma', params: FMA, ret: 'v128', pure: true, prose: 'likewise, of the lowest f32' },
  { name: 'sse_fma_pd', file: 'fma', params: FMA, ret: 'v128', faults: true, prose: 'as fma_pd, by MXCSR' },
  { name: 'sse_fma_ps', file: 'fma', params: FMA, ret: 'v128', faults: true, prose: 'as fma_ps, by MXCSR' },
  { name: 'sse_fma_sd', file: 'fma', params: FMA, ret: 'v128', faults: true, prose: 'lowest f64, by MXCSR' },
  { name: 'sse_fma_ss', file: 'fma', params: FMA, ret: 'v128', faults: true, prose: 'lowest f32, by MXCSR' },
  {
    name: 'half_to_single',
    file: 'half',
    params: ['v128'],
    ret: 'v128',
    pure: true,
    prose: 'VCVTPH2PS of the four halves in the low half, no exceptions',
  },
  {
    name: 'single_to_half',
    file: 'half',
    params: ['i32', 'v128'],
    ret: 'v128',
    prose: 'VCVTPS2PH with immediate arg0 to the low half, the upper half zero; no exceptions',
  },
  {
    name: 'sse_half_to_single',
    file: 'half',
    params: ['i32', 'v128'],
    ret: 'v128',
    faults: true,
    prose: 'VCVTPH2PS with exceptions; arg0: FLOAT_OP.DEFER',
  },
  {
    name: 'sse_single_to_half',
    file: 'half',
    params: ['i32', 'v128'],
    ret: 'v128',
    faults: true,
    prose: 'VCVTPS2PH with exceptions; arg0: the immediate, FLOAT_OP.DEFER',
  },
] as const satisfies readonly HelperDef[];
