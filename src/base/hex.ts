/** Number formatting shared by dumps and logs. In: numbers. Out: text. */

/** `value` as lower-case hex digits, zero-padded to `digits`; negative values wrap to 64 bits. */
export function hex(value: number | bigint, digits = 0): string {
  const v =
    typeof value === 'bigint' ? BigInt.asUintN(64, value) : value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
  return v.toString(16).padStart(digits, '0');
}

/** `0x` and 16 hex digits, as QEMU's logs write addresses. */
export function hex64(value: number | bigint): string {
  return '0x' + hex(value, 16);
}
