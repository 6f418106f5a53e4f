/**
 * Homes of a TB's temps in the interpreter's frame. In: a Tb. Out: offsets from the CPU block by temp, and how temps are used.
 * Globals live at home in CPU state. An ebb temp's slot is free again after its last use; a tb temp keeps its slot (it may be read again after a backward branch).
 */
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { GLOBALS, NB_GLOBALS } from '../../src/ir/globals.js';
import type { Op, Tb, Temp } from '../../src/ir/types.js';
import { outCount, type Plan } from './plans.js';

export interface Slots {
  /** By temp: offset of its home from the CPU block; 0 for constants. */
  readonly slots: Int32Array;
  /** By temp: how often it is read. */
  readonly uses: Int32Array;
  /** By temp: index of the last op that reads or writes it, -1 none. */
  readonly lastUse: Int32Array;
  /** By op: number of outputs. */
  readonly outs: Uint8Array;
  /** First byte after the slots, a multiple of 16. */
  readonly end: number;
}

/** Bytes kept free after the slots, for the constants that one op needs in slots. */
const CONSTANT_ROOM = 16 * 8;
/** Homes of the globals, whose ids are the first in every TB. */
const GLOBAL_SLOTS = Int32Array.from(GLOBALS, (g) => g.offset ?? 0);

/** The arrays of the last TB, for the next one: an encoder is done with them before another begins. */
let pool = { slots: new Int32Array(0), uses: new Int32Array(0), lastUse: new Int32Array(0), freed: new Uint8Array(0) };
let outs = new Uint8Array(0);

/** Room for `temps` and `ops`, cleared. */
function clearPool(temps: number, ops: number): typeof pool {
  if (pool.slots.length < temps) {
    const n = 2 * temps;
    pool = { slots: new Int32Array(n), uses: new Int32Array(n), lastUse: new Int32Array(n), freed: new Uint8Array(n) };
  }
  if (outs.length < ops) outs = new Uint8Array(2 * ops);
  pool.slots.fill(0, NB_GLOBALS, temps);
  pool.slots.set(GLOBAL_SLOTS);
  pool.uses.fill(0, 0, temps);
  pool.lastUse.fill(-1, 0, temps);
  pool.freed.fill(0, 0, temps);
  return pool;
}

/** `plans` are those of the ops. The arrays are valid until the next call. Throws InternalError when the temps that live at one time do not fit the frame. */
export function assignSlots(tb: Tb, plans: readonly Plan[]): Slots {
  const { ops, temps } = tb;
  const { slots, uses, lastUse, freed } = clearPool(temps.length, ops.length);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    const { args } = op;
    const n = outCount(op, plans[i] as Plan);
    outs[i] = n;
    for (let k = 0; k < args.length; k++) {
      const id = args[k] as number;
      lastUse[id] = i;
      if (k >= n) uses[id] = (uses[id] as number) + 1;
    }
  }
  const frame = new Frame();
  for (let i = 0; i < ops.length; i++) {
    const { args } = ops[i] as Op;
    // Outputs get their slot while the inputs still hold theirs: an op may write its output before it has read everything.
    for (let k = 0, n = outs[i] as number; k < n; k++) {
      const id = args[k] as number;
      if (id >= NB_GLOBALS && slots[id] === 0) slots[id] = frame.take((temps[id] as Temp).type === 'v128');
    }
    for (let k = 0; k < args.length; k++) {
      const id = args[k] as number;
      // Constants have no slot.
      if (id < NB_GLOBALS || lastUse[id] !== i || slots[id] === 0 || freed[id] === 1) continue;
      const t = temps[id] as Temp;
      if (t.kind !== 'ebb') continue;
      frame.give(slots[id] as number, t.type === 'v128');
      freed[id] = 1;
    }
  }
  if (frame.end + CONSTANT_ROOM > CPU.FRAME_END)
    throw new InternalError(`a TB needs ${frame.end - CPU.FRAME} bytes of temps`, [`pc 0x${tb.pc.toString(16)}`]);
  return { slots, uses, lastUse, outs, end: frame.end };
}

/** Free slots of 16 bytes and of 8. */
class Frame {
  end: number = CPU.FRAME;
  private readonly wide: number[] = [];
  private readonly narrow: number[] = [];

  take(wide: boolean): number {
    const narrow = wide ? undefined : this.narrow.pop();
    if (narrow !== undefined) return narrow;
    let slot = this.wide.pop();
    if (slot === undefined) {
      slot = this.end;
      this.end += 16;
    }
    if (!wide) this.narrow.push(slot + 8);
    return slot;
  }

  give(slot: number, wide: boolean): void {
    (wide ? this.wide : this.narrow).push(slot);
  }
}
