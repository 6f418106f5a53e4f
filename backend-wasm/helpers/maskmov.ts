/** MASKMOVDQU and MASKMOVQ. In: guest address, 16 bytes of data, one mask bit a byte. Out: the selected bytes in guest memory; a fault before any is written. Source: SDM 2B, MASKMOVDQU. */
import { guardWrite } from './guard';

export function maskmov(cpu: i32, address: i64, low: i64, high: i64, mask: i32): void {
  for (let i = 0; i < 16; i++) {
    if ((mask >> i) & 1 && guardWrite(<usize>cpu, <u64>address + i, 1) == 0) return;
  }
  for (let i = 0; i < 16; i++) {
    if (((mask >> i) & 1) == 0) continue;
    const data = i < 8 ? low : high;
    store<u8>(guardWrite(<usize>cpu, <u64>address + i, 1), <u8>(data >> (8 * (i & 7))));
  }
}
