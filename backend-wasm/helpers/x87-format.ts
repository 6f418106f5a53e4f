/**
 * Conversions between memory formats and double extended. In: bits of the format. Out: outSe, outSig, outEx of x87-float.ts, or integers with intEx.
 * Formats: FORMAT_F32, F64, I16, I32, I64 as the lifter numbers them. Source: SDM volume 1, 4.2, 4.8, 8.2; volume 2A, FLD, FST, FIST.
 */
import { classify, exponentOf, INFINITE, INTEGER_BIT, outEx, outSig, outSe, QNAN, roundTo, setOut, SNAN, UNSUPPORTED, ZERO } from './x87-float';
import { C1, DE, IE, PE } from './x87-state';

export const FORMAT_F32: i32 = 0;
export const FORMAT_F64: i32 = 1;
export const FORMAT_I16: i32 = 2;
export const FORMAT_I32: i32 = 3;
export const FORMAT_I64: i32 = 4;

/** Double extended of `bits`; SNaNs stay as they are (the operation that uses them quiets them). DE in outEx for denormals. */
export function fromMemory(format: i32, bits: i64): void {
  switch (format) {
    case FORMAT_F32:
      fromBinary(<u64>bits & 0xffffffff, 8, 23);
      return;
    case FORMAT_F64:
      fromBinary(<u64>bits, 11, 52);
      return;
    case FORMAT_I16:
      fromInteger(<i64>(<i16>bits));
      return;
    case FORMAT_I32:
      fromInteger(<i64>(<i32>bits));
      return;
    default:
      fromInteger(bits);
  }
}

function fromBinary(bits: u64, exponentBits: i32, fractionBits: i32): void {
  const sign: u32 = <u32>((bits >> (exponentBits + fractionBits)) & 1) << 15;
  const max = (1 << exponentBits) - 1;
  const exp = <i32>(bits >> fractionBits) & max;
  const fraction = bits << (64 - fractionBits);
  if (exp == max) {
    setOut(sign | 0x7fff, INTEGER_BIT | (fraction >> 1), 0);
    return;
  }
  const rebias = 16383 - (max >> 1);
  if (exp != 0) {
    setOut(sign | (exp + rebias), INTEGER_BIT | (fraction >> 1), 0);
    return;
  }
  if (fraction == 0) {
    setOut(sign, 0, 0);
    return;
  }
  const n = <i32>clz(fraction);
  setOut(sign | (rebias - n), fraction << n, DE);
}

export function fromInteger(value: i64): void {
  if (value == 0) {
    setOut(0, 0, 0);
    return;
  }
  const sign: u32 = value < 0 ? 0x8000 : 0;
  const m = value < 0 ? <u64>0 - <u64>value : <u64>value;
  const n = <i32>clz(m);
  setOut(sign | (16383 + 63 - n), m << n, 0);
}

/** Bits of f32 or f64; exceptions in outEx. With an unmasked IE, OE or UE the result is not to be stored. */
export function toBinary(cw: i32, format: i32, se: u32, sig: u64): u64 {
  const single = format == FORMAT_F32;
  const fractionBits = single ? 23 : 52;
  const limit = single ? 0xff : 0x7ff;
  const shift = 63 - fractionBits;
  const signShift = single ? 16 : 48;
  const sign: u64 = (<u64>se & 0x8000) << signShift;
  const top = (<u64>limit) << fractionBits;
  const c = classify(se, sig);
  switch (c) {
    case ZERO:
      setOut(0, 0, 0);
      return sign;
    case INFINITE:
      setOut(0, 0, 0);
      return sign | top;
    case UNSUPPORTED:
      setOut(0, 0, IE);
      return ((<u64>0x8000) << signShift) | top | ((<u64>1) << (fractionBits - 1));
    case QNAN:
    case SNAN:
      setOut(0, 0, c == SNAN ? IE : 0);
      return sign | top | ((<u64>1) << (fractionBits - 1)) | ((sig & ~INTEGER_BIT) >> shift);
    default: {
      const e = exponentOf(se, sig) - 16383 + (limit >> 1);
      roundTo(cw, se & 0x8000, e, sig << clz(sig), 0, shift, limit);
      // A denormal operand raises no DE when it is stored.
      const exp = <u64>(outSe & 0x7fff);
      if (exp == limit) return sign | top;
      return sign | (exp << fractionBits) | ((outSig & ~INTEGER_BIT) >> shift);
    }
  }
}

/** Exceptions of the last toInteger or roundToIntegral. */
export let intEx: i32 = 0;

/** Magnitude rounded to an integer by `rc`; exponent below 64. Exceptions (PE, C1) in intEx; 2^64 gives 0 with intCarry. */
export let intCarry: bool = false;
export function roundMagnitude(rc: i32, se: u32, sig: u64): u64 {
  const e = <i32>(se & 0x7fff) - 16383;
  const negative = (se & 0x8000) != 0;
  let whole: u64 = 0;
  let rest: u64 = 0;
  if (e >= 63) whole = sig;
  else if (e >= 0) {
    whole = sig >> (63 - e);
    rest = sig << (e + 1);
  } else if (e == -1) rest = sig;
  else rest = <u64>(sig != 0);
  intEx = 0;
  intCarry = false;
  if (rest == 0) return whole;
  let up = false;
  if (rc == 0) up = rest > INTEGER_BIT || (rest == INTEGER_BIT && (whole & 1) != 0);
  else if (rc == 1) up = negative;
  else if (rc == 2) up = !negative;
  intEx = up ? PE | C1 : PE;
  if (up) {
    whole++;
    intCarry = whole == 0;
  }
  return whole;
}

/** Signed integer of 2, 4 or 8 bytes rounded by `rc`; out of range, NaN and unsupported give the integer indefinite with IE. */
export function toInteger(rc: i32, bytes: i32, se: u32, sig: u64): i64 {
  const indefinite: u64 = INTEGER_BIT >> (64 - 8 * bytes);
  const c = classify(se, sig);
  if (c >= INFINITE || <i32>(se & 0x7fff) - 16383 > 63) {
    intEx = IE;
    return <i64>indefinite;
  }
  const m = roundMagnitude(rc, se, sig);
  const negative = (se & 0x8000) != 0;
  if (intCarry || m > (negative ? indefinite : indefinite - 1)) {
    intEx = IE;
    return <i64>indefinite;
  }
  return negative ? -(<i64>m) : <i64>m;
}
