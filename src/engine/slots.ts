/**
 * Function-table slots of compiled regions: one slot a guest pc, the same number in every thread's table, never reused for another pc.
 * In: the shared memory. Out: slot numbers. A slot whose region is not built (or was invalidated) holds the core's stub, which goes back to the dispatcher.
 */
import { PCB, PCB_BASE, SLOT_HASH_BITS, SLOT_HASH_SIZE, SLOT_TABLE } from '../guest/memory-map.js';
import { pcHash } from '../guest/tb-header.js';
import type { MemoryViews } from './memory-views.js';

/** Slots that a process can hand out: entries of the functions' table. Past it, slotOf answers 0 and the exit goes through the dispatcher. */
export const MAX_SLOTS = 60_000;

/** The slot of `pc`, allocating one; 0 when all are taken. The caller holds PCB.TRANSLATE_LOCK. */
export function slotOf(views: MemoryViews, pc: number): number {
  const { i32, i64 } = views;
  const want = BigInt(pc);
  for (
    let h = pcHash(pc, SLOT_HASH_BITS), probes = 0;
    probes < SLOT_HASH_SIZE;
    h = (h + 1) & (SLOT_HASH_SIZE - 1), probes++
  ) {
    const entry = SLOT_TABLE + 16 * h;
    const slot = Atomics.load(i32, (entry + 8) / 4);
    if (slot === 0) {
      const next = (i32[(PCB_BASE + PCB.SLOT_COUNT) / 4] ?? 0) + 1;
      if (next > MAX_SLOTS) return 0;
      i32[(PCB_BASE + PCB.SLOT_COUNT) / 4] = next;
      i64[entry / 8] = want;
      Atomics.store(i32, (entry + 8) / 4, next);
      return next;
    }
    if (i64[entry / 8] === want) return slot;
  }
  return 0;
}
