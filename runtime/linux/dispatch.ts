/**
 * From SYSCALL to the handler and back. In: a thread whose rip stands after the instruction, its registers. Out: rax, rcx and r11 as SYSCALL and SYSRET leave them; signals
 * taken; t.exiting when the thread is to end. Source: System V ABI AMD64 A.2.1; Intel SDM volume 2, SYSCALL.
 */
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import { deliverPending, forceSignal, interruptedCall, pendingSignals } from '../process/signal-deliver.js';
import { callEntryStop, callExitStop, clearStep } from '../process/trace-stop.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from './context.js';
import { ENOSYS } from './errno.js';
import { Int80Args, int80Row } from './int80.js';
import { SIGTRAP, TRAP_BRKPT } from './signals.js';
import { straceEntry, straceResult } from './strace.js';
import { filtered } from './seccomp.js';
import { rowOf } from './table.js';
import type { CpuView, Thread } from './thread.js';
import { unsupported } from './unsupported.js';

const lowWord = (reg: number): number => CPU.REGS + 8 * reg;
const RAX = lowWord(GPR.RAX);
const RCX = lowWord(GPR.RCX);
const R11 = lowWord(GPR.R11);
const ARG_REGS = [GPR.RDI, GPR.RSI, GPR.RDX, GPR.R10, GPR.R8, GPR.R9];

/** The arguments straight from the registers: no handler changes them before it has read them. */
class RegisterArgs implements SyscallArgs {
  constructor(readonly cpu: CpuView) {}

  i32(i: number): number {
    return this.cpu.i32(offset(i));
  }

  u32(i: number): number {
    return this.cpu.i32(offset(i)) >>> 0;
  }

  ptr(i: number): number {
    const at = offset(i);
    return (this.cpu.i32(at + 4) >>> 0) * 0x1_0000_0000 + (this.cpu.i32(at) >>> 0);
  }

  i64(i: number): bigint {
    return BigInt.asIntN(64, this.cpu.reg(ARG_REGS[i] ?? 0));
  }

  u64(i: number): bigint {
    return BigInt.asUintN(64, this.cpu.reg(ARG_REGS[i] ?? 0));
  }
}

function offset(i: number): number {
  return lowWord(ARG_REGS[i] ?? 0);
}

/** Those of the thread that this worker runs. */
let registers: RegisterArgs | undefined;

/**
 * Runs the system call of the thread. On return the registers are those with which the guest goes on (of a signal handler, maybe), unless t.exiting is set.
 */
export function dispatchSyscall(t: Thread): void {
  const { cpu, task } = t;
  const nr = cpu.i32(RAX);
  cpu.setI32(RCX, cpu.i32(CPU.RIP));
  cpu.setI32(RCX + 4, cpu.i32(CPU.RIP + 4));
  cpu.setI32(R11, cpu.eflags);
  cpu.setI32(R11 + 4, 0);
  const row = rowOf(nr);
  task.syscall = nr;
  if (registers?.cpu !== cpu) registers = new RegisterArgs(cpu);
  serve(t, nr, row, registers, false);
}

/** As dispatchSyscall, for INT 0x80: i386's table; rcx and r11 stay. */
export function dispatchInt80(t: Thread): void {
  const nr = t.cpu.i32(RAX);
  const row = int80Row(nr);
  t.task.syscall = nr;
  if (row === undefined) {
    unsupported(t, `system call ${nr} of i386 (INT 0x80)`);
    setResult(t.cpu, -ENOSYS);
    t.task.syscall = -1;
    return;
  }
  serve(t, nr, row, new Int80Args(t.cpu), true);
}

function serve(t: Thread, nr: number, row: SyscallRow | undefined, args: SyscallArgs, i386: boolean): void {
  if (t.task.traced === 0) pass(t, nr, row, args, i386);
  else passTraced(t, nr, args, i386);
  // A call that was interrupted is restarted, also where another thread has taken the signal by now.
  if (t.exiting === undefined && (pendingSignals(t) || interruptedCall(t) !== 0)) deliverPending(t);
  t.task.syscall = -1;
}

/** The call, if seccomp lets it pass. */
function pass(t: Thread, nr: number, row: SyscallRow | undefined, args: SyscallArgs, i386: boolean): void {
  const refused = t.task.seccomp === 0 ? undefined : filtered(t, nr, i386, args);
  if (refused !== undefined) {
    setRefused(t, refused);
    return;
  }
  // Where seccomp has asked a tracer, it may be another one.
  const now = t.task.syscall;
  const served = now === nr ? row : rowFor(now, i386);
  if (t.engine.strace) logged(t, now, served, args);
  else setResult(t.cpu, call(t, now, served, args));
}

const rowFor = (nr: number, i386: boolean): SyscallRow | undefined => (i386 ? int80Row(nr) : rowOf(nr));

/** As pass, with the tracer told before and after; it may change the call. */
function passTraced(t: Thread, nr: number, args: SyscallArgs, i386: boolean): void {
  const { task } = t;
  clearStep(t);
  setResult(t.cpu, -ENOSYS);
  task.syscall = nr;
  const goesOn = callEntryStop(t);
  const number = task.syscall;
  clearStep(t);
  if (goesOn && number !== -1) pass(t, number, rowFor(number, i386), args, i386);
  if (t.exiting !== undefined) return;
  // A step over a system call ends behind it.
  if (task.stepping)
    forceSignal(t, { kind: 'fault', signal: SIGTRAP, code: TRAP_BRKPT, addr: BigInt.asUintN(64, t.cpu.rip) });
  else callExitStop(t);
}

/** Seccomp has kept the call from being served: its result, and the signal that may come with it. */
function setRefused(t: Thread, result: SyscallResult): void {
  const { task } = t;
  setResult(t.cpu, result);
  const { trap } = task;
  task.trap = undefined;
  // A handler's frame shows the number of the call.
  task.syscall = -1;
  trap?.();
}

function call(t: Thread, nr: number, row: SyscallRow | undefined, args: SyscallArgs): SyscallResult {
  if (row?.handler !== undefined) return row.handler(t, args);
  if (row?.quiet !== true || t.engine.logUnimplemented)
    unsupported(t, `syscall ${nr}${row === undefined ? '' : ` (${row.name})`}`);
  return -(row?.refuse ?? ENOSYS);
}

function logged(t: Thread, nr: number, row: SyscallRow | undefined, args: SyscallArgs): void {
  const shown = row ?? { nr, name: `syscall_${nr}`, args: 'x,x,x,x,x,x', support: 'no' as const };
  const entry = straceEntry(t.task.tid, shown, args, t.mem);
  if (shown.ret === 'none') {
    t.engine.log(`${entry}\n`);
    setResult(t.cpu, call(t, nr, row, args));
    return;
  }
  const result = call(t, nr, row, args);
  setResult(t.cpu, result);
  t.engine.log(entry + straceResult(shown, result));
}

function setResult(cpu: CpuView, result: SyscallResult): void {
  if (typeof result === 'bigint') {
    cpu.setReg(GPR.RAX, BigInt.asIntN(64, result));
    return;
  }
  cpu.setI32(RAX, result | 0);
  cpu.setI32(RAX + 4, Math.floor(result / 0x1_0000_0000) | 0);
}
