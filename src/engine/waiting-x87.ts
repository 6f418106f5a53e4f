/**
 * Which exception comes first: an x87 instruction that waits reports what an earlier one has left pending before it looks at its memory operand, whose address the lifter checks first.
 * In: the instruction that faulted, the x87 status word. Out: true for #MF. Source: SDM volume 1, 8.6 (#MF at the next waiting instruction), 8.3.11 and 8.3.12.
 */
import type { Insn } from '../../frontend/x86-64/insn.js';

/** Status word: an unmasked exception is pending. */
const EXCEPTION_SUMMARY = 0x80;
/** FNSTCW and its like do not wait. */
const NO_WAIT = /^fn/;

export function isMathFaultFirst(insn: Insn, fpsw: number): boolean {
  const { feature, mnemonic } = insn.row;
  // FISTTP came with SSE3.
  const isX87 = feature === 'x87' || mnemonic === 'fisttp';
  return isX87 && !NO_WAIT.test(mnemonic) && (fpsw & EXCEPTION_SUMMARY) !== 0;
}
