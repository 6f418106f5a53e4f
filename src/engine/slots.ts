/**
 * Function-table slots of compiled regions: one slot a guest pc, the same number in every thread's table, never reused for another pc.
 * In: the shared memory. Out: slot numbers. A slot whose region is not built (or was invalidated) holds the core's stub, which goes back to the dispatcher.
 */
import { PCB, PCB_BASE, SLOT_HASH_BITS, SLOT_HASH_SIZE, SLOT_TABLE } from '../guest/memory-map.js';
import { pcHash } from '../guest/tb-header.js';
import type { MemoryViews } from './memory-views.js';

/** Slots that a process can hand out: entries of the functions' table. Past it, slotOf answers 0 and the exit goes through the dispatcher. */
export const MAX_SLOTS = 60_000;

/** A slot, and the pc that it stands for. */
export type BoundSlot = readonly [pc: number, slot: number];

/** The slot of `pc`, allocating one; 0 when all are taken. The caller holds PCB.TRANSLATE_LOCK. */
export function slotOf(views: MemoryViews, pc: number): number {
  const { entry, slot } = find(views, pc);
  if (slot !== 0) return slot;
  const next = (views.i32[(PCB_BASE + PCB.SLOT_COUNT) / 4] ?? 0) + 1;
  if (next > MAX_SLOTS) return 0;
  bind(views, entry, pc, next);
  return next;
}

/** The pcs of all slots that are bound. The caller holds PCB.TRANSLATE_LOCK. */
export function slotOwners({ i32, i64 }: MemoryViews): Map<number, number> {
  const owners = new Map<number, number>();
  if (i32[(PCB_BASE + PCB.SLOT_COUNT) / 4] === 0) return owners;
  for (let entry = SLOT_TABLE; entry < SLOT_TABLE + 16 * SLOT_HASH_SIZE; entry += 16) {
    const slot = i32[(entry + 8) / 4] ?? 0;
    if (slot !== 0) owners.set(slot, Number(i64[entry / 8]));
  }
  return owners;
}

/**
 * Binds slots as they were in an earlier run. False, with nothing done, when one of the slots or pcs is bound otherwise.
 * `owners`: slotOwners, kept up to date. The caller holds PCB.TRANSLATE_LOCK.
 */
export function bindSlots(views: MemoryViews, owners: Map<number, number>, pairs: readonly BoundSlot[]): boolean {
  const fits = pairs.every(([pc, slot]) => {
    const owner = owners.get(slot);
    return slot > 0 && slot <= MAX_SLOTS && (owner === undefined ? find(views, pc).slot === 0 : owner === pc);
  });
  if (!fits) return false;
  for (const [pc, slot] of pairs) {
    if (owners.has(slot)) continue;
    owners.set(slot, pc);
    bind(views, find(views, pc).entry, pc, slot);
  }
  return true;
}

/** The table's entry for `pc`, and its slot; 0 when the entry is free. There are always free entries: MAX_SLOTS is below SLOT_HASH_SIZE. */
function find({ i32, i64 }: MemoryViews, pc: number): { readonly entry: number; readonly slot: number } {
  const want = BigInt(pc);
  for (let h = pcHash(pc, SLOT_HASH_BITS); ; h = (h + 1) & (SLOT_HASH_SIZE - 1)) {
    const entry = SLOT_TABLE + 16 * h;
    const slot = Atomics.load(i32, (entry + 8) / 4);
    if (slot === 0 || i64[entry / 8] === want) return { entry, slot };
  }
}

function bind({ i32, i64 }: MemoryViews, entry: number, pc: number, slot: number): void {
  const count = (PCB_BASE + PCB.SLOT_COUNT) / 4;
  i32[count] = Math.max(i32[count] ?? 0, slot);
  i64[entry / 8] = BigInt(pc);
  Atomics.store(i32, (entry + 8) / 4, slot);
}
