/**
 * A TB cut where control may come in or go out. In: a Tb. Out: runs of ops without a label or a transfer inside.
 */
import { opInfo } from '../../src/ir/op-info.js';
import type { Tb } from '../../src/ir/types.js';

/** Ops [start, end) of a TB. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Guest pc and CC_OP (-1: in the global) of the insn_start that holds at the start. */
  readonly pc: number;
  readonly ccOp: number;
  /** The label that it starts with. */
  readonly label: number | undefined;
}

/** Cut once a TB, which several regions hold. */
const cut = new WeakMap<Tb, readonly Piece[]>();

/** Code that no path reaches (between an unconditional transfer and the next label) is left out. */
export function cutTb(tb: Tb): readonly Piece[] {
  let pieces = cut.get(tb);
  if (pieces === undefined) cut.set(tb, (pieces = piecesOf(tb)));
  return pieces;
}

function piecesOf(tb: Tb): readonly Piece[] {
  const pieces: Piece[] = [];
  let pc = tb.pc;
  let ccOp = -1;
  let open: { start: number; pc: number; ccOp: number; label: number | undefined } | undefined = {
    start: 0,
    pc,
    ccOp,
    label: undefined,
  };
  tb.ops.forEach((op, i) => {
    if (op.name === 'insn_start') {
      pc = Number(op.imms[0]);
      ccOp = Number(op.imms[1]);
    }
    if (op.name === 'set_label') {
      if (open !== undefined) pieces.push({ ...open, end: i });
      open = { start: i + 1, pc, ccOp, label: Number(op.imms[0]) };
      return;
    }
    const info = opInfo(op);
    if (open !== undefined && (info.ends || info.branches || op.name === 'goto_tb')) {
      pieces.push({ ...open, end: i });
      open = info.ends || op.name === 'goto_tb' ? undefined : { start: i + 1, pc, ccOp, label: undefined };
    }
  });
  return pieces;
}
