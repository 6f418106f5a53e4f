/**
 * CPU exceptions as Linux signals. In: vector and error code of an exit. Out: signal, si_code, si_addr, trapno and err of the signal frame.
 * Source: Intel SDM volume 3, table 6-1; Linux arch/x86 behaviour as man 2 sigaction describes it (si_code values).
 */
import { EXC, PF } from '../guest/cpu-state.js';

export interface FaultSignal {
  readonly signal: number;
  readonly code: number;
  readonly address: bigint;
  readonly trapno: number;
  readonly error: number;
}

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGFPE = 8;
const SIGSEGV = 11;
const SI_KERNEL = 0x80;
const ILL_ILLOPN = 2;
const TRAP_BRKPT = 1;
const TRAP_TRACE = 2;
const TRAP_HWBKPT = 4;
const FPE_INTDIV = 1;
const BUS_ADRALN = 1;
const BUS_ADRERR = 2;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;

/** False for the traps, whose rip is that of the next instruction. */
export function isFault(trapno: number): boolean {
  return trapno !== EXC.DB && trapno !== EXC.BP && trapno !== EXC.OF;
}

/** Why an address faulted, as the address space tells. */
export type FaultKind = 'maperr' | 'accerr' | 'bus';

/** The signal of exception `vector` at `rip`. `fpeCode` is the si_code of a floating-point exception (from x87 status or MXCSR). */
export function exceptionSignal(vector: number, error: number, rip: bigint, fpeCode: number): FaultSignal {
  const trap = { trapno: vector, error };
  switch (vector) {
    case EXC.DE:
      return { ...trap, signal: SIGFPE, code: FPE_INTDIV, address: rip };
    case EXC.DB:
      return { ...trap, signal: SIGTRAP, code: TRAP_TRACE, address: rip };
    case EXC.INT1:
      return { trapno: EXC.DB, error, signal: SIGTRAP, code: TRAP_BRKPT, address: rip };
    case EXC.DR:
      return { trapno: EXC.DB, error, signal: SIGTRAP, code: TRAP_HWBKPT, address: rip };
    case EXC.BP:
      return { ...trap, signal: SIGTRAP, code: SI_KERNEL, address: 0n };
    case EXC.UD:
      return { ...trap, signal: SIGILL, code: ILL_ILLOPN, address: rip };
    case EXC.MF:
    case EXC.XM:
      return { ...trap, signal: SIGFPE, code: fpeCode, address: rip };
    case EXC.SS:
      return { ...trap, signal: SIGBUS, code: SI_KERNEL, address: 0n };
    case EXC.AC:
      return { ...trap, signal: SIGBUS, code: BUS_ADRALN, address: 0n };
    default:
      // #GP, #NP, #OF, #DF: the kernel names no address.
      return { ...trap, signal: SIGSEGV, code: SI_KERNEL, address: 0n };
  }
}

/** The signal of a page fault at `address`. */
export function pageFaultSignal(address: bigint, error: number, kind: FaultKind): FaultSignal {
  const present = kind === 'accerr' ? PF.PRESENT : 0;
  const trap = { trapno: EXC.PF, error: (error & ~PF.PRESENT) | present | PF.USER, address };
  switch (kind) {
    case 'bus':
      return { ...trap, signal: SIGBUS, code: BUS_ADRERR };
    case 'accerr':
      return { ...trap, signal: SIGSEGV, code: SEGV_ACCERR };
    case 'maperr':
      return { ...trap, signal: SIGSEGV, code: SEGV_MAPERR };
  }
}

/** si_code of an unmasked x87 or SSE exception: `flags` are status bits IE DE ZE OE UE PE (bits 0..5) of unmasked exceptions. */
export function fpeCode(flags: number): number {
  if ((flags & 1) !== 0) return 7; // FPE_FLTINV
  if ((flags & 4) !== 0) return 3; // FPE_FLTDIV
  if ((flags & 8) !== 0) return 4; // FPE_FLTOVF
  if ((flags & (2 | 16)) !== 0) return 5; // FPE_FLTUND
  if ((flags & 32) !== 0) return 6; // FPE_FLTRES
  return 0;
}
