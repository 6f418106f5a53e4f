/** What faults of a guest thread's instructions become: pages that are made at their first touch, or signals. In: page faults and exceptions at rip. Out: the thread ready to go on. */
import { TASK_SIZE_MAX } from '../base/ids.js';
import { hex } from '../base/hex.js';
import { CPU, EXC, PF } from '../guest/cpu-state.js';
import { FLAG } from '../guest/flags.js';
import { type Decode, isInsn } from '../../frontend/x86-64/decoder.js';
import type { Insn } from '../../frontend/x86-64/insn.js';
import type { Thread } from '../../runtime/linux/thread.js';
import { deliverFault } from '../../runtime/process/signal-deliver.js';
import type { GuestCodeReader } from './code-reader.js';
import type { CpuRegisters } from './cpu-view.js';
import { exceptionSignal, fpeCode, isFault, pageFaultSignal } from './faults.js';
import type { GuestLifter } from './guest-lifter.js';
import type { Log } from './log.js';
import { isStackFault } from './stack-fault.js';
import { callVsyscall } from './vsyscall.js';
import { isMathFaultFirst } from './waiting-x87.js';

export interface FaultParts {
  readonly thread: Thread;
  readonly cpu: CpuRegisters;
  readonly reader: GuestCodeReader;
  readonly decode: Decode;
  readonly lifter: GuestLifter;
  readonly logger: Log;
  /** Does the system call that the registers name. */
  readonly syscall: () => void;
}

export class GuestFaults {
  constructor(private readonly parts: FaultParts) {}

  /** @param error bits PF */
  pageFault(address: bigint, error: number): void {
    const { thread, cpu, syscall } = this.parts;
    const { mm } = thread;
    const at = BigInt.asUintN(64, address);
    if ((error & PF.INSTR) !== 0 && callVsyscall(thread, cpu, at, syscall)) return;
    const kind = mm.fault(at, error);
    if (kind === 'retry') return;
    if ((error & PF.INSTR) === 0 && this.isMathFaultFirst()) {
      this.exception(EXC.MF, 0);
      return;
    }
    const s = pageFaultSignal(at, error, kind);
    // Linux reports those as present, so that nobody learns where the kernel is.
    const present = at >= TASK_SIZE_MAX || mm.isPresent(Number(at));
    this.raise(s.signal, s.code, s.address, s.trapno, (s.error & ~1) | (present ? 1 : 0));
  }

  /** @param cause vector (EXC) */
  exception(cause: number, error: number): void {
    const { cpu } = this.parts;
    const vector = cause === EXC.GP && error === 0 ? this.vectorOfAddress() : cause;
    const status =
      vector === EXC.MF ? cpu.i32(CPU.FPSW) & ~cpu.i32(CPU.FPCW) : cpu.i32(CPU.MXCSR) & ~(cpu.i32(CPU.MXCSR) >> 7);
    const s = exceptionSignal(vector, error, cpu.rip, fpeCode(status & 0x3f));
    this.raise(s.signal, s.code, s.address, s.trapno, s.error);
  }

  /** A #GP for an address that is not canonical is #SS on the stack. */
  private vectorOfAddress(): number {
    const { cpu, lifter } = this.parts;
    const insn = this.faultingInsn();
    if (insn === undefined) return EXC.GP;
    if (isMathFaultFirst(insn, cpu.i32(CPU.FPSW))) return EXC.MF;
    return isStackFault(insn, lifter.lift(cpu.pc, 1), cpu) ? EXC.SS : EXC.GP;
  }

  private isMathFaultFirst(): boolean {
    const insn = this.faultingInsn();
    return insn !== undefined && isMathFaultFirst(insn, this.parts.cpu.i32(CPU.FPSW));
  }

  /** The instruction at rip; undefined where none can be fetched. */
  private faultingInsn(): Insn | undefined {
    const { cpu, reader, decode } = this.parts;
    const { pc } = cpu;
    if (reader.readable(pc) === 0) return undefined;
    const insn = decode(reader, pc);
    return isInsn(insn) ? insn : undefined;
  }

  private raise(signal: number, code: number, address: bigint, trapno: number, error: number): void {
    const { thread, cpu, logger } = this.parts;
    if (logger.has('int'))
      logger.write(
        `${thread.task.tid} exception ${trapno} at 0x${hex(cpu.rip, 16)}: signal ${signal} code ${code} address 0x${hex(address, 16)}\n`,
      );
    // Processors set RF in the flags that a fault saves (SDM volume 3, 6.8.3); a handler starts without it.
    if (isFault(trapno)) cpu.setI32(CPU.EFLAGS_REST, cpu.i32(CPU.EFLAGS_REST) | FLAG.RF);
    deliverFault(thread, signal, code, address, trapno, error);
  }
}
