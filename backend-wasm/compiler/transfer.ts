/**
 * What a TB's last instruction does with the control flow, seen from its IR. In: a Tb. Out: whether it is a call, a return or a system call, and where it goes on directly.
 * A wrong guess costs time and nothing else: a return may be taken for a jump, and the other way round.
 */
import { EXIT } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import { opDef } from '../../src/ir/ops.js';
import type { Op, Tb } from '../../src/ir/types.js';

export type Transfer =
  | { readonly kind: 'jump' }
  /** Direct or indirect; `back`: the pc behind it. */
  | { readonly kind: 'call'; readonly back: number }
  /** `back`: the pc behind it, where the guest goes on unless the call leads it elsewhere. */
  | { readonly kind: 'syscall'; readonly back: number }
  | { readonly kind: 'return' };

export function transferOf(tb: Tb): Transfer {
  const start = tb.ops.findLastIndex((op) => op.name === 'insn_start');
  const last = tb.ops.slice(start);
  const targets = directTargets(tb);
  const indirect = isIndirect(tb);
  const back = tb.pc + tb.size;
  if (last.some((op) => isSyscall(op, back))) return { kind: 'syscall', back };
  if (last.some((op) => storesConstant(tb, op, BigInt(back)))) {
    // A jump to the next instruction that stores its address is no call, nor is a call of the next instruction, which reads its own address.
    if (indirect || (targets.length === 1 && targets[0] !== back)) return { kind: 'call', back };
  } else if (indirect && last.some((op) => popsStack(tb, op))) return { kind: 'return' };
  return { kind: 'jump' };
}

function storesConstant(tb: Tb, op: Op, value: bigint): boolean {
  const stored = op.name === 'gst_i64' ? op.args[opDef(op.name).outs.length + 1] : undefined;
  return stored !== undefined && tb.temps[stored]?.value === value;
}

/** Leaves for the system call that goes on at `back`. */
export function isSyscall(op: Op, back: number): boolean {
  return op.name === 'exit' && Number(op.imms[0]) === EXIT.SYSCALL && Number(op.imms[2]) === back;
}

/** rsp + a constant. */
function popsStack(tb: Tb, op: Op): boolean {
  return op.name === 'add_i64' && op.args[1] === G.reg(4) && tb.temps[op.args[2] ?? 0]?.kind === 'const';
}

export const isIndirect = (tb: Tb): boolean => tb.ops.some((op) => op.name === 'lookup_and_goto_ptr');

/** Pcs that `tb` jumps to directly, in the order of its goto_tb ops. */
export function directTargets(tb: Tb | undefined): number[] {
  return tb === undefined ? [] : tb.ops.filter((op) => op.name === 'goto_tb').map((op) => Number(op.imms[1]));
}

/** Pcs at which a function goes on behind `tb`: its direct targets, or what stands behind a call or a system call. */
export function nextPcs(tb: Tb): number[] {
  const transfer = transferOf(tb);
  return transfer.kind === 'call' || transfer.kind === 'syscall' ? [transfer.back] : directTargets(tb);
}
