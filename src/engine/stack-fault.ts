/**
 * Tells #SS from #GP: an address that is not canonical raises #SS when the stack segment is meant, by rsp or rbp as base or by an instruction that uses the stack.
 * In: the instruction that faulted, its IR and its registers. Out: true for #SS. A misaligned operand is #GP before all else. Source: SDM volume 1, 3.7.4 (default segments); volume 3, 6.15 (#SS, #GP in 64-bit mode).
 */
import { GPR } from '../guest/cpu-state.js';
import type { Tb } from '../ir/types.js';
import type { Insn, MemOperand } from '../../frontend/x86-64/insn.js';

export interface FaultRegisters {
  reg(n: number): bigint;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
}

const isCanonical = (address: bigint): boolean =>
  BigInt.asIntN(64, address) === BigInt.asIntN(48, BigInt.asUintN(64, address));

/** Instructions whose stack access no operand shows. */
const USES_STACK = /^(push|pop|call|ret|iret|enter)/;

/** @param tb the instruction alone, as lifted: its alignment checks tell what the processor checks */
export function isStackFault(insn: Insn, tb: Tb, r: FaultRegisters): boolean {
  const alignment = BigInt(Number(tb.ops.find((op) => op.name === 'align_check')?.imms[0] ?? 1));
  for (const o of insn.operands) {
    if (o.kind !== 'mem' || o.size === 0) continue;
    const first = effectiveAddress(o, r);
    if (first % alignment !== 0n) return false;
    if (!isCanonical(first) || !isCanonical(first + BigInt(o.size - 1))) return o.seg === 'ss';
  }
  const { mnemonic } = insn.row;
  if (mnemonic === 'leave') return !isCanonical(r.reg(GPR.RBP));
  const sp = r.reg(GPR.RSP);
  return USES_STACK.test(mnemonic) && (!isCanonical(sp) || !isCanonical(sp - 8n));
}

function effectiveAddress(o: MemOperand, r: FaultRegisters): bigint {
  let sum = o.disp;
  if (o.base >= 0) sum += r.reg(o.base);
  if (o.index >= 0) sum += r.reg(o.index) * BigInt(o.scale);
  if (o.addrSize === 4) sum = BigInt.asUintN(32, sum);
  if (o.seg === 'fs') sum += r.fsBase;
  if (o.seg === 'gs') sum += r.gsBase;
  return BigInt.asUintN(64, sum);
}
