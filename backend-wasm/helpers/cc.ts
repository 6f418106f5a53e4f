/**
 * Arithmetic flags from the lazy state. In: CC_OP, CC_DST, CC_SRC, CC_SRC2. Out: CF PF AF ZF SF OF at their EFLAGS positions; or CF alone. Source: src/guest/flags.ts; SDM volume 1, 3.4.3.1.
 */
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_CC_SRC2, CPU_DF, CPU_EFLAGS_REST, CC_ADC, CC_ADD, CC_COMI, CC_DEC, CC_INC, CC_LOGIC, CC_MUL, CC_SAR, CC_SBB, CC_SHL, CC_SUB, CC_ZERO } from '../interpreter/gen/constants';

/** PF, ZF, SF of `r`, whose width is `n` bits. */
// @ts-ignore: decorator
@inline
function szp(r: u64, n: u32): u64 {
  const s = r << (64 - n);
  const pf: u64 = (popcnt<u32>(<u32>r & 0xff) & 1) == 0 ? 4 : 0;
  const zf: u64 = s == 0 ? 0x40 : 0;
  return pf | zf | ((s >> 63) << 7);
}

/** ZF, PF, CF of COMISD. */
function comi(a: f64, b: f64): i64 {
  if (a > b) return 0;
  if (a < b) return 0x01;
  return a == b ? 0x40 : 0x45;
}

export function cc_compute_all(op: i32, dst: i64, src: i64, src2: i64): i64 {
  if (op < 4) return src & 0x8d5;
  const n: u32 = 8 << (op & 3);
  const mask: u64 = 0xffffffffffffffff >> (64 - n);
  const top: u64 = <u64>1 << (n - 1);
  const r = <u64>dst & mask;
  const b = <u64>src & mask;
  const flags = szp(r, n);
  let cf: u64 = 0;
  let af: u64 = 0;
  let overflow: u64 = 0;
  switch (op & ~3) {
    case CC_ADD: {
      const a = (r - b) & mask;
      cf = r < b ? 1 : 0;
      af = (a ^ b ^ r) & 0x10;
      overflow = (~(a ^ b) & (a ^ r) & top) != 0 ? 0x800 : 0;
      break;
    }
    case CC_ADC: {
      const c = <u64>src2 & 1;
      const a = (r - b - c) & mask;
      cf = c != 0 ? (r <= b ? 1 : 0) : r < b ? 1 : 0;
      af = (a ^ b ^ r) & 0x10;
      overflow = (~(a ^ b) & (a ^ r) & top) != 0 ? 0x800 : 0;
      break;
    }
    case CC_SUB: {
      const a = (r + b) & mask;
      cf = a < b ? 1 : 0;
      af = (a ^ b ^ r) & 0x10;
      overflow = ((a ^ b) & (a ^ r) & top) != 0 ? 0x800 : 0;
      break;
    }
    case CC_SBB: {
      const c = <u64>src2 & 1;
      const a = (r + b + c) & mask;
      cf = c != 0 ? (a <= b ? 1 : 0) : a < b ? 1 : 0;
      af = (a ^ b ^ r) & 0x10;
      overflow = ((a ^ b) & (a ^ r) & top) != 0 ? 0x800 : 0;
      break;
    }
    case CC_LOGIC:
      break;
    case CC_INC:
      cf = <u64>src & 1;
      af = (r & 0xf) == 0 ? 0x10 : 0;
      overflow = r == top ? 0x800 : 0;
      break;
    case CC_DEC:
      cf = <u64>src & 1;
      af = (r & 0xf) == 0xf ? 0x10 : 0;
      overflow = r == top - 1 ? 0x800 : 0;
      break;
    // AF of a shift is undefined in the SDM; the host processor (AMD, family 26) sets it.
    case CC_SHL:
      cf = (b >> (n - 1)) & 1;
      af = 0x10;
      overflow = (((b ^ r) >> (n - 1)) & 1) << 11;
      break;
    case CC_SAR:
      cf = b & 1;
      af = 0x10;
      overflow = (((b ^ r) >> (n - 1)) & 1) << 11;
      break;
    case CC_MUL:
      cf = src != 0 ? 1 : 0;
      overflow = cf << 11;
      break;
    case CC_ZERO:
      return r == 0 ? 0x40 : 0;
    case CC_COMI:
      return n == 32 ? comi(reinterpret<f32>(<u32>r), reinterpret<f32>(<u32>b)) : comi(reinterpret<f64>(r), reinterpret<f64>(b));
  }
  return <i64>(flags | cf | af | overflow);
}

/** CF alone: what ADC, SBB, RCL, RCR and the conditions b, ae, be, a ask for. */
export function cc_compute_c(op: i32, dst: i64, src: i64, src2: i64): i64 {
  if (op < 4) return src & 1;
  const n: u32 = 8 << (op & 3);
  const shift = <u64>(64 - n);
  // At the top of 64 bits, so that comparisons see the width alone.
  const r = <u64>dst << shift;
  const b = <u64>src << shift;
  const c = (<u64>src2 & 1) != 0;
  switch (op & ~3) {
    case CC_ADD:
      return i64(r < b);
    case CC_ADC:
      return i64(c ? r <= b : r < b);
    case CC_SUB:
      return i64(r + b < b);
    case CC_SBB:
      return i64(c ? r + b + (<u64>1 << shift) <= b : r + b < b);
    case CC_INC:
    case CC_DEC:
      return src & 1;
    case CC_SHL:
      return <i64>(b >> 63);
    case CC_SAR:
      return src & 1;
    case CC_MUL:
      return i64(src != 0);
    case CC_COMI:
      return cc_compute_all(op, dst, src, src2) & 1;
    default:
      return 0;
  }
}

/** EFLAGS of a CPU block, as PUSHF and SYSCALL store them. For JavaScript, to which 64-bit arguments are BigInts. */
export function eflagsOf(cpu: i32): i32 {
  const c = <usize>cpu;
  const arith = cc_compute_all(load<i32>(c + CPU_CC_OP), load<i64>(c + CPU_CC_DST), load<i64>(c + CPU_CC_SRC), load<i64>(c + CPU_CC_SRC2));
  const df: i32 = load<i32>(c + CPU_DF) < 0 ? 0x400 : 0;
  return (<i32>arith & 0x8d5) | df | load<i32>(c + CPU_EFLAGS_REST) | 0x202;
}
