/**
 * Lazy arithmetic flags: CC_OP says how CF PF AF ZF SF OF follow from CC_DST, CC_SRC and CC_SRC2.
 * In: nothing. Out: the numbering, shared with the AssemblyScript helper `cc_compute_all` through scripts/gen. Source: Intel SDM volume 1, 3.4.3.1.
 *
 * For an operation of 8, 16, 32 or 64 bits only the low bits of each value count; what stands above them is unspecified.
 */

/** EFLAGS bits. */
export const FLAG = {
  CF: 0x001,
  PF: 0x004,
  AF: 0x010,
  ZF: 0x040,
  SF: 0x080,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x10000,
  AC: 0x40000,
  ID: 0x200000,
  /** The six arithmetic flags. */
  ARITH: 0x8d5,
} as const;

/** Flags that a return from a signal handler sets, as POPF would in a user program. */
export const USER_FLAGS = FLAG.AC | FLAG.OF | FLAG.DF | FLAG.TF | FLAG.SF | FLAG.ZF | FLAG.AF | FLAG.PF | FLAG.CF;

/**
 * Families. The CC_OP of a family at a width is `family + log2(bytes)`, except EFLAGS, which stands alone.
 */
export const CC = {
  /** CC_SRC holds the six flags at their EFLAGS positions. */
  EFLAGS: 0,
  /** dst = a + b, src = b (a is dst - src). */
  ADD: 4,
  /** dst = a + b + c, src = b, src2 = c (0 or 1). */
  ADC: 8,
  /** dst = a - b, src = b (a is dst + src). Also CMP, NEG (a = 0), CMPXCHG, SCAS, CMPS. */
  SUB: 12,
  /** dst = a - b - c, src = b, src2 = c (0 or 1). */
  SBB: 16,
  /** dst = result; CF = OF = 0; AF = 0 (undefined in the SDM; the host processor leaves 0). */
  LOGIC: 20,
  /** dst = a + 1, src = CF (0 or 1), which INC keeps. */
  INC: 24,
  /** dst = a - 1, src = CF (0 or 1). */
  DEC: 28,
  /** dst = a << n, src = a << (n - 1): CF is src's top bit, OF = CF xor the result's top bit; AF = 1 (undefined in the SDM; as the host processor leaves it). n is never 0. */
  SHL: 32,
  /** dst = a >> n, src = a >> (n - 1) (logical or arithmetic, both extended to the width): CF is src's bit 0, OF = top bit of src xor top bit of dst; AF = 1. n is never 0. */
  SAR: 36,
  /** dst = low half of the product, src = nonzero when CF and OF are to be set. */
  MUL: 40,
  /** dst = result of BSF/BSR/TZCNT/LZCNT source test and POPCNT: ZF alone from dst, the others 0. */
  ZERO: 44,
  /** COMISS, COMISD and UCOMI of floats: dst and src hold the bit patterns of the operands. CF = dst < src, ZF = equal, all of CF PF ZF when unordered; OF = SF = AF = 0. Widths 32 and 64. */
  COMI: 48,
} as const;
export type CcFamily = (typeof CC)[keyof typeof CC];
/** Number of CC_OP values. */
export const CC_OP_COUNT = 52;
