/**
 * MXCSR during a precise floating-point instruction. In: `cpu`. Out: rounding, denormals and masks as module variables (one set a thread), the exceptions found, #XM.
 * `pre` collects IE, DE, ZE, found before any result; `post` OE, UE, PE. Source: SDM volume 1, 10.2.3 (MXCSR), 11.5 (SIMD exceptions; 11.5.2.2: priority; 11.5.4: packed operands).
 */
import { CPU_FLOAT_PENDING, CPU_MXCSR, EXC_XM, FLOAT_OP_DEFER } from '../interpreter/gen/constants';
import { exception } from './guard';

// MXCSR has its flags where the x87 status word has them.
export { DE, IE, OE, PE, UE, ZE } from './x87-state';

const FLAGS: i32 = 0x3f;
const MASK_SHIFT: i32 = 7;
const DAZ: i32 = 0x40;
const OVERFLOW_MASK: i32 = 0x400;
const UNDERFLOW_MASK: i32 = 0x800;
const FTZ: i32 = 0x8000;
const MXCSR_START: i32 = 0x1f80;

/** MXCSR.RC. */
export const NEAREST: i32 = 0;
export const DOWN: i32 = 1;
export const UP: i32 = 2;

/** PE already set and masked, rounding to nearest: an inexact result changes nothing. */
const INEXACT_IS_KNOWN: i32 = 0x1020;
const INEXACT_BITS: i32 = 0x7020;

let mxcsr: i32 = 0;
export let rc: i32 = 0;
export let denormalsAreZero: bool = false;
export let flushToZero: bool = false;
export let overflowIsMasked: bool = true;
export let underflowIsMasked: bool = true;
export let pre: i32 = 0;
export let post: i32 = 0;

/** True when only special values can change MXCSR: usual operands with a usual result need no more than the host's operation. */
// @ts-ignore: decorator
@inline
export function isQuick(c: usize): bool {
  return (load<i32>(c + CPU_MXCSR) & INEXACT_BITS) == INEXACT_IS_KNOWN && nothingWaits(c);
}

/** True when no first half of this instruction has left exceptions. */
// @ts-ignore: decorator
@inline
export function nothingWaits(c: usize): bool {
  return load<i32>(c + CPU_FLOAT_PENDING) == 0;
}

/** Before the elements of an operation. */
export function begin(c: usize): void {
  mxcsr = load<i32>(c + CPU_MXCSR);
  rc = (mxcsr >> 13) & 3;
  denormalsAreZero = (mxcsr & DAZ) != 0;
  overflowIsMasked = (mxcsr & OVERFLOW_MASK) != 0;
  underflowIsMasked = (mxcsr & UNDERFLOW_MASK) != 0;
  flushToZero = (mxcsr & FTZ) != 0 && underflowIsMasked;
  pre = 0;
  post = 0;
}

/** Before an operation that rounds to nearest and sets no flags, whatever MXCSR says: that of a guest that has never loaded it. */
export function beginPlain(): void {
  mxcsr = MXCSR_START;
  rc = NEAREST;
  denormalsAreZero = false;
  overflowIsMasked = true;
  underflowIsMasked = true;
  flushToZero = false;
}

/** Rounding of the instruction itself instead of MXCSR's. */
export function roundBy(control: i32): void {
  rc = control;
}

// @ts-ignore: decorator
@inline
export function raisePre(bits: i32): void {
  pre |= bits;
}
// @ts-ignore: decorator
@inline
export function raisePost(bits: i32): void {
  post |= bits;
}

/** After the elements: the exceptions into MXCSR, #XM when one is unmasked. Those found before the results keep those of the results from happening. */
export function finish(c: usize, op: i32): void {
  const waiting = load<i32>(c + CPU_FLOAT_PENDING);
  if (op & FLOAT_OP_DEFER) {
    store<i32>(c + CPU_FLOAT_PENDING, waiting | pre | (post << 8));
    return;
  }
  if (waiting != 0) {
    pre |= waiting & FLAGS;
    post |= waiting >> 8;
    store<i32>(c + CPU_FLOAT_PENDING, 0);
  }
  const unmasked = ~(mxcsr >> MASK_SHIFT) & FLAGS;
  const found = (pre & unmasked) != 0 ? pre : pre | post;
  store<i32>(c + CPU_MXCSR, mxcsr | found);
  if ((found & unmasked) != 0) exception(c, EXC_XM);
}
