/**
 * Homes of a TB's temps in the interpreter's frame. In: a Tb. Out: offsets from the CPU block by temp, and how often each temp is read.
 * Globals live at home in CPU state. An ebb temp's slot is free again after its last use; a tb temp keeps its slot (it may be read again after a backward branch).
 */
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { outCountOf } from './out-count.js';
import type { Tb } from '../../src/ir/types.js';

export interface Slots {
  readonly slots: Int32Array;
  readonly uses: Int32Array;
  /** First byte after the slots, a multiple of 16. */
  readonly end: number;
}

export function assignSlots(tb: Tb): Slots {
  const count = tb.temps.length;
  const slots = new Int32Array(count);
  const uses = new Int32Array(count);
  const lastUse = new Int32Array(count).fill(-1);
  tb.ops.forEach((op, i) => {
    const outs = outCountOf(op);
    op.args.forEach((id, k) => {
      lastUse[id] = i;
      if (k >= outs) uses[id] = (uses[id] ?? 0) + 1;
    });
  });
  for (const t of tb.temps) if (t.offset !== undefined) slots[t.id] = t.offset;
  let end: number = CPU.FRAME;
  const freeWide: number[] = [];
  const freeNarrow: number[] = [];
  const take = (wide: boolean): number => {
    if (wide) {
      const slot = freeWide.pop();
      if (slot !== undefined) return slot;
    } else {
      const slot = freeNarrow.pop();
      if (slot !== undefined) return slot;
      const pair = freeWide.pop();
      if (pair !== undefined) {
        freeNarrow.push(pair + 8);
        return pair;
      }
    }
    const slot = end;
    end += 16;
    if (!wide) freeNarrow.push(slot + 8);
    return slot;
  };
  tb.ops.forEach((op, i) => {
    const outs = outCountOf(op);
    // Outputs get their slot while the inputs still hold theirs: an op may write its output before it has read everything.
    for (const id of op.args.slice(0, outs)) {
      const t = tb.temps[id];
      if (t === undefined || (t.kind !== 'ebb' && t.kind !== 'tb') || slots[id] !== 0) continue;
      slots[id] = take(t.type === 'v128');
    }
    for (const id of op.args) {
      const t = tb.temps[id];
      if (t?.kind !== 'ebb' || lastUse[id] !== i || slots[id] === 0) continue;
      (t.type === 'v128' ? freeWide : freeNarrow).push(slots[id] ?? 0);
      lastUse[id] = -1;
    }
  });
  // Room for the constants of one op.
  if (end + 16 * 8 > CPU.FRAME_END)
    throw new InternalError(`a TB needs ${end - CPU.FRAME} bytes of temps`, [`pc 0x${tb.pc.toString(16)}`]);
  return { slots, uses, end };
}
