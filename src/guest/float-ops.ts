/**
 * Operations of the precise floating-point helpers (backend-wasm/helpers/sse-*.ts), as numbers in IR. In: nothing. Out: constants; the AssemblyScript sources get them through scripts/gen.
 */

/** First argument of sse_ps, sse_pd, sse_ss, sse_sd. */
export const FLOAT_OP = {
  ADD: 0,
  SUB: 1,
  MUL: 2,
  DIV: 3,
  MIN: 4,
  MAX: 5,
  SQRT: 6,
  /** Even elements subtract, odd ones add. */
  ADDSUB: 7,
  /** Plus the predicate, 0 to 31. */
  CMP: 32,
  /** Plus the immediate of ROUNDPS, 0 to 15. */
  ROUND: 64,
  /** Bit: the exceptions are left to the next operation of the same instruction. */
  DEFER: 256,
} as const;

/** Bits of the first argument of the fma helpers, beside FLOAT_OP.DEFER: what is negated, the product or the addend of even and of odd elements. */
export const FMA_NEGATE = { PRODUCT: 1, EVEN: 2, ODD: 4 } as const;

/** Outcomes of a comparison, as bits. */
export const OUTCOME = { LESS: 1, EQUAL: 2, GREATER: 4, UNORDERED: 8 } as const;
const { LESS, EQUAL, GREATER, UNORDERED } = OUTCOME;
/** For which outcomes CMP predicates 0 to 15 hold (SDM 2A, CMPPD, table 3-1); 16 to 31 hold when those do, and differ in which NaNs are invalid. */
export const PREDICATE_HOLDS: readonly number[] = [
  EQUAL,
  LESS,
  LESS | EQUAL,
  UNORDERED,
  LESS | GREATER | UNORDERED,
  EQUAL | GREATER | UNORDERED,
  GREATER | UNORDERED,
  LESS | EQUAL | GREATER,
  EQUAL | UNORDERED,
  LESS | UNORDERED,
  LESS | EQUAL | UNORDERED,
  0,
  LESS | GREATER,
  EQUAL | GREATER,
  GREATER,
  LESS | EQUAL | GREATER | UNORDERED,
];

/** First argument of sse_convert: from what to what. */
export const FLOAT_CONVERT = {
  SS_SD: 0,
  SD_SS: 1,
  PS_PD: 2,
  PD_PS: 3,
  DQ_PS: 4,
  /** Two elements; the upper half of the first operand stays. */
  PI_PS: 5,
  PS_DQ: 6,
  PD_DQ: 7,
  /** Two elements; the upper half of the result is zero. */
  PS_PI: 8,
} as const;

/** Bits of the first argument of sse_convert, sse_to_integer. */
export const FLOAT_TRUNCATE = 64;
