/**
 * The x87 state behind all x87 helpers: stack, tags, status word. In: `cpu`. Out: addresses of stack registers; exceptions recorded in the status word.
 * CPU_FPSW is the status word without TOP, B (bit 15) kept equal to ES (bit 7). Source: SDM volume 1, 8.1 (registers), 8.5 (exceptions), 8.6 (#MF at the next waiting instruction).
 */
import { CPU_FPCW, CPU_FPSW, CPU_FPTAG, CPU_FPTOP, CPU_ST, EXC_MF } from '../interpreter/gen/constants';
import { exception } from './guard';

export const IE: i32 = 0x01;
export const DE: i32 = 0x02;
export const ZE: i32 = 0x04;
export const OE: i32 = 0x08;
export const UE: i32 = 0x10;
export const PE: i32 = 0x20;
export const SF: i32 = 0x40;
export const C0: i32 = 0x0100;
export const C1: i32 = 0x0200;
export const C2: i32 = 0x0400;
export const C3: i32 = 0x4000;
/** Error summary and busy. */
const SUMMARY: i32 = 0x8080;

/** The default NaN ("real indefinite"). */
export const INDEFINITE_SE: u32 = 0xffff;
export const INDEFINITE_SIG: u64 = 0xc000000000000000;

// @ts-ignore: decorator
@inline
export function control(cpu: usize): i32 {
  return load<i32>(cpu + CPU_FPCW);
}

/** Physical number of ST(i). */
// @ts-ignore: decorator
@inline
export function physical(cpu: usize, i: i32): i32 {
  return (load<i32>(cpu + CPU_FPTOP) + i) & 7;
}

/** Address of ST(i): u64 significand, u16 sign and exponent. */
// @ts-ignore: decorator
@inline
export function st(cpu: usize, i: i32): usize {
  return cpu + CPU_ST + ((<usize>physical(cpu, i)) << 4);
}

// @ts-ignore: decorator
@inline
export function empty(cpu: usize, i: i32): bool {
  return ((load<i32>(cpu + CPU_FPTAG) >> physical(cpu, i)) & 1) != 0;
}

export function setEmpty(cpu: usize, i: i32): void {
  store<i32>(cpu + CPU_FPTAG, load<i32>(cpu + CPU_FPTAG) | (1 << physical(cpu, i)));
}

export function pop(cpu: usize): void {
  setEmpty(cpu, 0);
  store<i32>(cpu + CPU_FPTOP, (load<i32>(cpu + CPU_FPTOP) + 1) & 7);
}

/** Writes ST(i) and makes it valid. */
export function put(cpu: usize, i: i32, se: u32, sig: u64): void {
  const p = physical(cpu, i);
  const at = cpu + CPU_ST + ((<usize>p) << 4);
  store<u64>(at, sig);
  store<u16>(at + 8, <u16>se);
  store<i32>(cpu + CPU_FPTAG, load<i32>(cpu + CPU_FPTAG) & ~(1 << p));
}

/** Makes room for a push: TOP is decremented; the caller writes ST(0). */
export function grow(cpu: usize): void {
  store<i32>(cpu + CPU_FPTOP, (load<i32>(cpu + CPU_FPTOP) - 1) & 7);
}

/** True, with #MF recorded, when an unmasked exception waits: every waiting instruction begins with it. */
// @ts-ignore: decorator
@inline
export function pending(cpu: usize): bool {
  if ((load<i32>(cpu + CPU_FPSW) & 0x80) == 0) return false;
  exception(cpu, EXC_MF);
  return true;
}

/** Records exceptions (with SF and C1 as given); true when one of them is unmasked. C1 is cleared first. */
export function raise(cpu: usize, bits: i32): bool {
  let sw = (load<i32>(cpu + CPU_FPSW) & ~C1) | bits;
  const unmasked = (bits & ~control(cpu) & 0x3f) != 0;
  if (unmasked) sw |= SUMMARY;
  store<i32>(cpu + CPU_FPSW, sw);
  return unmasked;
}

/** Sets ES and B as the control word asks: after FLDCW, FLDENV, FXRSTOR. */
export function summarise(cpu: usize): void {
  const sw = load<i32>(cpu + CPU_FPSW);
  const waiting = (sw & ~control(cpu) & 0x3f) != 0;
  store<i32>(cpu + CPU_FPSW, waiting ? sw | SUMMARY : sw & ~SUMMARY);
}

/** C1 cleared; for instructions that raise nothing. */
// @ts-ignore: decorator
@inline
export function clearC1(cpu: usize): void {
  store<i32>(cpu + CPU_FPSW, load<i32>(cpu + CPU_FPSW) & ~C1);
}

/** Condition codes C0 to C3 replaced by `codes`. */
export function setCodes(cpu: usize, codes: i32): void {
  store<i32>(cpu + CPU_FPSW, (load<i32>(cpu + CPU_FPSW) & ~(C0 | C1 | C2 | C3)) | codes);
}

/** Stack underflow while reading: true when the exception is unmasked. */
export function underflow(cpu: usize): bool {
  return raise(cpu, IE | SF);
}
/** Stack overflow of a push: true when the exception is unmasked. */
export function overflow(cpu: usize): bool {
  return raise(cpu, IE | SF | C1);
}

/** Pushes a value. Overflow pushes the default NaN, or nothing when unmasked. */
export function push(cpu: usize, se: u32, sig: u64): void {
  if (!empty(cpu, 7)) {
    if (overflow(cpu)) return;
    grow(cpu);
    put(cpu, 0, INDEFINITE_SE, INDEFINITE_SIG);
    return;
  }
  grow(cpu);
  put(cpu, 0, se, sig);
}
