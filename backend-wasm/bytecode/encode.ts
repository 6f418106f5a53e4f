/**
 * IR to bytecode in the shared memory. In: a Tb (verified, optimised) and an allocator of arena bytes. Out: the address of its TB header (src/guest/tb-header.ts),
 * followed by the code and the instruction table.
 */
import { TB, TB_STATE } from '../../src/guest/tb-header.js';
import type { Tb } from '../../src/ir/types.js';
import { Encoder } from './encoder.js';

/** Bytes of an instruction table row: { i32 offset of its first op, i32 CC_OP or -1, i64 pc }. */
const INSN_ROW = 16;

const linkOffset = (inCode: number | undefined): number => (inCode === undefined ? 0 : TB.CODE + inCode);

/** All bytes of the memory that was written to last. */
let target: Uint8Array = new Uint8Array(0);

/** Writes `tb` into the memory behind `view`; gives the header's address. `heat`: entries before the TB counts as hot (TB.HEAT). Throws InternalError when its temps do not fit the frame. */
export function encodeTb(tb: Tb, view: DataView, allocate: (bytes: number) => number, heat: number): number {
  const e = new Encoder(tb);
  e.run();
  const { insns } = e;
  const rows = insns.length / 3;
  const total = TB.CODE + e.size + INSN_ROW * rows;
  const header = allocate(total);
  const code = header + TB.CODE;
  const table = code + e.size;
  const i32 = (offset: number, value: number): void => {
    view.setInt32(header + offset, value, true);
  };
  i32(TB.PC, tb.pc);
  i32(TB.PC + 4, Math.floor(tb.pc / 2 ** 32));
  i32(TB.HASH_NEXT, 0);
  i32(TB.STATE, TB_STATE.VALID);
  i32(TB.HEAT, heat);
  i32(TB.SLOT, 0);
  i32(TB.SIZE, tb.size);
  i32(TB.ID, 0);
  i32(TB.INSNS, rows);
  i32(TB.INSN_TABLE, table);
  i32(TB.FLAGS, 0);
  i32(TB.ARENA_SIZE, total);
  i32(TB.LINK0, linkOffset(e.links[0]));
  i32(TB.LINK1, linkOffset(e.links[1]));
  for (let offset: number = TB.TARGETS; offset < TB.CODE; offset += 4) i32(offset, 0);
  for (let n = 0; n < rows; n++) {
    const row = table + INSN_ROW * n;
    const pc = insns[3 * n + 2] ?? 0;
    view.setInt32(row, insns[3 * n] ?? 0, true);
    view.setInt32(row + 4, insns[3 * n + 1] ?? 0, true);
    view.setInt32(row + 8, pc, true);
    view.setInt32(row + 12, Math.floor(pc / 2 ** 32), true);
  }
  if (target.buffer !== view.buffer) target = new Uint8Array(view.buffer);
  target.set(e.bytes.subarray(0, e.size), code);
  return header;
}
