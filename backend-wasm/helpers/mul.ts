/** High halves of 128-bit products. In: two i64. Out: bits 64 to 127. Source: schoolbook multiplication with 32-bit digits (Knuth, TAOCP volume 2, 4.3.1 M). */

export function mulhu(x: i64, y: i64): i64 {
  const a = <u64>x;
  const b = <u64>y;
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const mid = ah * bl + ((al * bl) >> 32);
  const low = al * bh + (mid & 0xffffffff);
  return <i64>(ah * bh + (mid >> 32) + (low >> 32));
}

export function mulhs(x: i64, y: i64): i64 {
  return mulhu(x, y) - (x < 0 ? y : 0) - (y < 0 ? x : 0);
}
