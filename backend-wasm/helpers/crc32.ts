/**
 * CRC32 of SSE4.2: the polynomial 0x11EDC6F41 (Castagnoli), bits reflected. In: accumulator, data, bytes. Out: accumulator, 32 bits.
 * A table for each byte of the data (scripts/gen/crc-tables.js), so that none waits for another. Source: SDM 2A, CRC32.
 */
import { CRC_TABLES } from '../interpreter/gen/crc-tables';

/** Byte `n` of `x`, as the remainder that it leaves with `zeros` bytes behind it. */
// @ts-ignore: decorator
@inline
function part(x: u64, n: i32, zeros: i32): u32 {
  return load<u32>(CRC_TABLES + 1024 * <usize>zeros + 4 * <usize>((x >> (8 * n)) & 0xff));
}

export function crc32c(accumulator: i64, data: i64, size: i32): i64 {
  const crc = <u32>accumulator;
  const x = <u64>data ^ <u64>crc;
  switch (size) {
    case 8: {
      const low = part(x, 0, 7) ^ part(x, 1, 6) ^ (part(x, 2, 5) ^ part(x, 3, 4));
      return <i64>(low ^ (part(x, 4, 3) ^ part(x, 5, 2) ^ (part(x, 6, 1) ^ part(x, 7, 0))));
    }
    case 4:
      return <i64>(part(x, 0, 3) ^ part(x, 1, 2) ^ (part(x, 2, 1) ^ part(x, 3, 0)));
    case 2:
      return <i64>(part(x, 0, 1) ^ part(x, 1, 0) ^ (crc >> 16));
    default:
      return <i64>(part(x, 0, 0) ^ (crc >> 8));
  }
}
