/**
 * Masked moves and gathers: elements whose mask has its top bit clear are neither accessed nor can fault. In: a Lifter. Out: calls of helpers (backend-wasm/helpers/vex-memory.ts).
 * Source: SDM 2C, VMASKMOV, VPMASKMOV, VGATHERDPS and relatives.
 */
import { InternalError } from '../../src/base/errors.js';
import { G } from '../../src/ir/globals.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { half, halves, setHalves } from './vex-lift.js';

/** dst = elements of memory operand 2 by the mask in operand 1, 0 elsewhere. */
export function maskedLoad(size: 4 | 8): LiftFn {
  return (l) => {
    const m = l.mem(2);
    const ea = l.ea(m);
    const mask = halves(l, 1);
    const low = l.callFor('masked_load', [ea, mask[0], l.i32(size)]);
    if (m.size === 16) setHalves(l, 0, [low]);
    else setHalves(l, 0, [low, l.callFor('masked_load', [l.add(ea, l.i64(16)), half(mask, 1), l.i32(size)])]);
  };
}

/** Elements of operand 2 to memory operand 0, by the mask in operand 1. */
export function maskedStore(size: 4 | 8): LiftFn {
  return (l) => {
    const ea = l.ea(l.mem(0));
    const [mask, data] = [halves(l, 1), halves(l, 2)];
    const none = l.v128(0n);
    l.call('masked_store', [ea, mask[0], mask[1] ?? none, data[0], data[1] ?? none, l.i32(size)]);
  };
}

/** VGATHER*, VPGATHER*: operands are the destination, VSIB memory, the mask. */
export function gather(l: Lifter): void {
  const [to, from, mask] = [l.op(0), l.op(1), l.op(2)];
  if (to.kind !== 'xmm' || from.kind !== 'vsib' || mask.kind !== 'xmm')
    throw new InternalError(`${l.insn.row.mnemonic}: no operands of a gather`);
  const count = Math.min(to.size / from.size, from.indexSize / (from.indexBits / 8));
  const base = from.base < 0 ? l.i64(from.disp) : l.add(G.reg(from.base), l.i64(from.disp));
  const segment = from.seg === 'fs' ? G.fsBase : from.seg === 'gs' ? G.gsBase : l.i64(0);
  const registers = to.reg | (from.index << 4) | (mask.reg << 8);
  const numbers = [registers, Math.log2(from.scale), count, from.size, from.indexBits / 8, from.addrSize];
  l.call('gather', [base, segment, ...numbers.map((n) => l.i32(n))]);
}
