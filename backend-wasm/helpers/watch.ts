/**
 * Watchpoints of the debug registers. In: a guest address, bytes, whether it is a write; the places in CPU state. Out: the bits of those that are hit, in CPU state.
 * Source: SDM volume 3, 17.2.4 (DR7), 17.2.5 (which accesses match).
 */
import { CPU_WATCH_HITS, CPU_WATCH_PLACES } from '../interpreter/gen/constants';

const PLACES = 4;

export function note_access(cpu: i32, address: i64, size: i32, writes: i32): void {
  for (let n = 0; n < PLACES; n++) {
    const place = <usize>cpu + CPU_WATCH_PLACES + 16 * <usize>n;
    const length = load<u32>(place, 8);
    if (length == 0 || (writes == 0 && load<i32>(place, 12) == 0)) continue;
    const start = load<i64>(place);
    if (address >= start + <i64>length || start >= address + <i64>size) continue;
    store<i32>(<usize>cpu + CPU_WATCH_HITS, load<i32>(<usize>cpu + CPU_WATCH_HITS) | (1 << n));
  }
}
