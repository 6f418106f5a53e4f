/**
 * What a TB's last instruction does with the control flow, seen from its IR. In: a Tb. Out: whether it is a call, a return or a system call, and where it goes on directly.
 * A wrong guess costs time and nothing else: a return may be taken for a jump, and the other way round.
 */
import { EXIT } from '../../src/guest/cpu-state.js';
import { G } from '../../src/ir/globals.js';
import { opInfo } from '../../src/ir/op-info.js';
import type { Op, Tb } from '../../src/ir/types.js';

export type Transfer =
  | { readonly kind: 'jump' }
  /** Direct or indirect; `back`: the pc behind it. */
  | { readonly kind: 'call'; readonly back: number }
  /** `back`: the pc behind it, where the guest goes on unless the call leads it elsewhere. */
  | { readonly kind: 'syscall'; readonly back: number }
  | { readonly kind: 'return' };

/** What is known of the end of a TB. */
interface End {
  readonly transfer: Transfer;
  readonly indirect: boolean;
  readonly targets: readonly number[];
  readonly next: readonly number[];
}

/** Found out once a TB: forming regions and their graphs ask again and again. */
const ends = new WeakMap<Tb, End>();

function endOf(tb: Tb): End {
  let end = ends.get(tb);
  if (end === undefined) ends.set(tb, (end = findEnd(tb)));
  return end;
}

function findEnd(tb: Tb): End {
  const targets: number[] = [];
  let indirect = false;
  let last = 0;
  for (let i = 0; i < tb.ops.length; i++) {
    const { name, imms } = tb.ops[i] as Op;
    if (name === 'insn_start') last = i;
    else if (name === 'goto_tb') targets.push(Number(imms[1]));
    else if (name === 'lookup_and_goto_ptr') indirect = true;
  }
  const transfer = findTransfer(tb, last, targets, indirect);
  const next = transfer.kind === 'call' || transfer.kind === 'syscall' ? [transfer.back] : targets;
  return { transfer, indirect, targets, next };
}

/** @param last position of the last insn_start */
function findTransfer(tb: Tb, last: number, targets: readonly number[], indirect: boolean): Transfer {
  const back = tb.pc + tb.size;
  let stores = false;
  let pops = false;
  for (let i = last; i < tb.ops.length; i++) {
    const op = tb.ops[i] as Op;
    if (isSyscall(op, back)) return { kind: 'syscall', back };
    stores ||= storesConstant(tb, op, BigInt(back));
    pops ||= popsStack(tb, op);
  }
  // A jump to the next instruction that stores its address is no call, nor is a call of the next instruction, which reads its own address.
  if (stores)
    return indirect || (targets.length === 1 && targets[0] !== back) ? { kind: 'call', back } : { kind: 'jump' };
  return { kind: indirect && pops ? 'return' : 'jump' };
}

export const transferOf = (tb: Tb): Transfer => endOf(tb).transfer;

function storesConstant(tb: Tb, op: Op, value: bigint): boolean {
  const stored = op.name === 'gst_i64' ? op.args[opInfo(op).outs + 1] : undefined;
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

export const isIndirect = (tb: Tb): boolean => endOf(tb).indirect;

/** Pcs that `tb` jumps to directly, in the order of its goto_tb ops. */
export const directTargets = (tb: Tb): readonly number[] => endOf(tb).targets;

/** Pcs at which a function goes on behind `tb`: its direct targets, or what stands behind a call or a system call. */
export const nextPcs = (tb: Tb): readonly number[] => endOf(tb).next;
