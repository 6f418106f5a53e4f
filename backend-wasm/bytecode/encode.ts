/**
 * IR to bytecode in the shared memory. In: a Tb (verified, optimised) and an allocator of arena bytes. Out: the address of its TB header (src/guest/tb-header.ts),
 * followed by the code and the instruction table.
 */
import { TB, TB_STATE } from '../../src/guest/tb-header.js';
import type { Tb } from '../../src/ir/types.js';
import { Encoder } from './encoder.js';
import { joinOps } from './join.js';

/** Bytes of an instruction table row: { i32 offset of its first op, i32 CC_OP or -1, i64 pc }. */
const INSN_ROW = 16;

/** What `writeTb` writes. */
export interface TbCode {
  readonly pc: number;
  /** Guest bytes. */
  readonly size: number;
  /** The bytecode: the first `codeSize` bytes, a multiple of 8. */
  readonly bytes: Uint8Array;
  readonly codeSize: number;
  /** Three numbers a guest instruction: offset of its first op, CC_OP, pc. */
  readonly rows: ArrayLike<number>;
  readonly insns: number;
  /** Offsets of the link cells in the bytecode, at most two. */
  readonly links: readonly number[];
}

/** The memory that was written to last: all bytes, and as the bytecode's fields. */
let target: Uint8Array = new Uint8Array(0);
let fields: Uint16Array = new Uint16Array(0);

/** Writes `tb` into the memory behind `i32`; gives the header's address. `heat`: entries before the TB counts as hot (TB.HEAT). Throws InternalError when its temps do not fit the frame. */
export function encodeTb(tb: Tb, i32: Int32Array, allocate: (bytes: number) => number, heat: number): number {
  const e = new Encoder(tb);
  e.run();
  const { bytes, size: codeSize, insns: rows, links } = e;
  return writeTb(
    { pc: tb.pc, size: tb.size, bytes, codeSize, rows, insns: rows.length / 3, links },
    i32,
    allocate,
    heat,
  );
}

/** Writes header, bytecode and instruction table. As encodeTb. */
export function writeTb(tb: TbCode, i32: Int32Array, allocate: (bytes: number) => number, heat: number): number {
  const { pc, codeSize, rows, insns, links } = tb;
  const total = TB.CODE + codeSize + INSN_ROW * insns;
  const header = allocate(total);
  const code = header + TB.CODE;
  const table = code + codeSize;
  const h = header / 4;
  i32[h + TB.PC / 4] = pc;
  i32[h + TB.PC / 4 + 1] = Math.floor(pc / 2 ** 32);
  i32[h + TB.HASH_NEXT / 4] = 0;
  i32[h + TB.STATE / 4] = TB_STATE.VALID;
  i32[h + TB.HEAT / 4] = heat;
  i32[h + TB.SLOT / 4] = 0;
  i32[h + TB.SIZE / 4] = tb.size;
  i32[h + TB.ID / 4] = 0;
  i32[h + TB.INSNS / 4] = insns;
  i32[h + TB.INSN_TABLE / 4] = table;
  i32[h + TB.FLAGS / 4] = 0;
  i32[h + TB.ARENA_SIZE / 4] = total;
  i32[h + TB.LINK0 / 4] = links.length > 0 ? TB.CODE + (links[0] as number) : 0;
  i32[h + TB.LINK1 / 4] = links.length > 1 ? TB.CODE + (links[1] as number) : 0;
  for (let k: number = TB.TARGETS; k < TB.CODE; k += 4) i32[h + k / 4] = 0;
  for (let n = 0, row = table / 4; n < insns; n++, row += INSN_ROW / 4) {
    const at = rows[3 * n + 2] as number;
    i32[row] = rows[3 * n] as number;
    i32[row + 1] = rows[3 * n + 1] as number;
    i32[row + 2] = at;
    i32[row + 3] = Math.floor(at / 2 ** 32);
  }
  if (target.buffer !== i32.buffer) {
    target = new Uint8Array(i32.buffer);
    fields = new Uint16Array(i32.buffer);
  }
  target.set(tb.bytes.subarray(0, codeSize), code);
  joinOps(fields, code / 2, table / 2);
  return header;
}
