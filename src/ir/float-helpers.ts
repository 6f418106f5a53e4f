/**
 * Helpers of precise floating point: rows of the helper table. In: nothing. Out: `floatHelpers`, joined in helpers.ts.
 * All of them round and mask by MXCSR and set its flags; `faults` is #XM, with nothing but the flags done. Operations are those of src/guest/float-ops.ts; scalar results have the rest from the first vector.
 */
import type { HelperDef } from './helpers.js';
import type { Type } from './types.js';

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
] as const satisfies readonly HelperDef[];
