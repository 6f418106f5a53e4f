/**
 * Jumps out of the user half of the address space. In: the target. Out: a page fault in CPU state for an address of the kernel half; nothing for one that is not canonical, for which
 * the lifted code raises #GP. Source: SDM volume 1, 3.3.7.1; volume 3, 4.7 (error code).
 */
import { EXC_GP, PF_INSTR, PF_USER } from '../interpreter/gen/constants';
import { exception, pageFault } from './guard';

export function wild_jump(cpu: i32, target: i64): void {
  if ((target << 16) >> 16 == target) pageFault(<usize>cpu, <u64>target, PF_USER | PF_INSTR);
}

export function check_canonical(cpu: i32, target: i64): void {
  if ((target << 16) >> 16 != target) exception(<usize>cpu, EXC_GP);
}
