/**
 * Homes of a TB's temps in the interpreter's frame. In: a Tb. Out: offsets from the CPU block by temp, and how temps are used.
 * Globals live at home in CPU state. An ebb temp's slot is free again after its last use; a tb temp keeps its slot (it may be read again after a backward branch).
 */
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { outCount } from './plans.js';

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

/** Throws InternalError when the temps that live at one time do not fit the frame. */
export function assignSlots(tb: Tb): Slots {
  const { ops, temps } = tb;
  const slots = new Int32Array(temps.length);
  const uses = new Int32Array(temps.length);
  const lastUse = new Int32Array(temps.length).fill(-1);
  const outs = new Uint8Array(ops.length);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    const n = outCount(op.name, op.imms);
    outs[i] = n;
    for (let k = 0; k < op.args.length; k++) {
      const id = op.args[k] ?? 0;
      lastUse[id] = i;
      if (k >= n) uses[id] = (uses[id] ?? 0) + 1;
    }
  }
  for (const t of temps) if (t.offset !== undefined) slots[t.id] = t.offset;
  const frame = new Frame();
  const freed = new Uint8Array(temps.length);
  for (let i = 0; i < ops.length; i++) {
    const { args } = ops[i] as Op;
    // Outputs get their slot while the inputs still hold theirs: an op may write its output before it has read everything.
    for (let k = 0, n = outs[i] ?? 0; k < n; k++) {
      const id = args[k] ?? 0;
      const t = temps[id];
      if (slots[id] === 0 && (t?.kind === 'ebb' || t?.kind === 'tb')) slots[id] = frame.take(t.type === 'v128');
    }
    for (const id of args) {
      const t = temps[id];
      if (t?.kind !== 'ebb' || lastUse[id] !== i || slots[id] === 0 || freed[id] === 1) continue;
      frame.give(slots[id] ?? 0, t.type === 'v128');
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
