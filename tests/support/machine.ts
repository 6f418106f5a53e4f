/**
 * What "guest programs" in JS run on: system calls with their interruptions, restarts and signal handlers, polls, clone. In: a FakeThread. Out: Machine.
 */
import { CONTROL, CPU, GPR } from '../../src/guest/cpu-state.js';
import { dispatchSyscall } from '../../runtime/linux/dispatch.js';
import { deliverPending, pendingSignals } from '../../runtime/process/signal-deliver.js';
import type { FakeThread } from './fake-thread.js';

const PC = 0x40_1002n;
export const HANDLER = 0x40_5000n;

/** Thrown out of a program when its thread is to end. */
export class Leave extends Error {}

/** What programs run on. */
export class Machine {
  /** Signals whose handler has run. */
  readonly handled: number[] = [];
  readonly words: Int32Array<SharedArrayBuffer>;
  /** @param names programs by number */
  constructor(
    readonly t: FakeThread,
    private readonly names: readonly string[],
  ) {
    this.words = new Int32Array(t.mem.bytes.buffer as SharedArrayBuffer);
  }

  /** A system call, its interruption and restart included; handlers run and return. */
  sys(nr: number, ...args: (number | bigint)[]): number {
    const { cpu } = this.t;
    const regs = [GPR.RDI, GPR.RSI, GPR.RDX, GPR.R10, GPR.R8, GPR.R9];
    cpu.setReg(GPR.RAX, BigInt(nr));
    args.forEach((arg, i) => {
      cpu.setReg(regs[i] ?? 0, BigInt.asIntN(64, BigInt(arg)));
    });
    cpu.rip = PC;
    for (;;) {
      dispatchSyscall(this.t);
      this.runHandlers();
      if (cpu.rip === PC) return Number(cpu.reg(GPR.RAX));
      cpu.rip = PC;
    }
  }

  /** What translated code does at a back-edge. */
  poll(): void {
    const control = Atomics.load(this.words, (this.t.cpu.base + CPU.CONTROL) / 4);
    if (control === 0) return;
    if ((control & CONTROL.STOP) !== 0) this.t.quiesce.safepoint();
    this.t.cpu.rip = PC;
    if (pendingSignals(this.t)) deliverPending(this.t);
    this.runHandlers();
  }

  /** Runs the handlers that the registers point to: also before a program begins, whose thread may have been signalled before it had a worker. */
  runHandlers(): void {
    const { cpu } = this.t;
    this.leaveIfExiting();
    while (cpu.rip === HANDLER) {
      this.handled.push(Number(cpu.reg(GPR.RDI)));
      cpu.setReg(GPR.RSP, cpu.reg(GPR.RSP) + 8n);
      cpu.setReg(GPR.RAX, 15n);
      dispatchSyscall(this.t);
      this.leaveIfExiting();
    }
  }

  private leaveIfExiting(): void {
    if (this.t.exiting !== undefined) throw new Leave();
  }

  /** clone(2) whose child runs `program` with r14 = arg, on a stack of its own below `stack`. */
  clone(program: string, arg: number, flags: number, stack: number, ptid = 0, ctid = 0, tls = 0): number {
    const { cpu } = this.t;
    const own = [cpu.reg(15), cpu.reg(14)] as const;
    cpu.setReg(15, BigInt(this.names.indexOf(program)));
    cpu.setReg(14, BigInt(arg));
    const tid = this.sys(56, flags, stack, ptid, ctid, tls);
    cpu.setReg(15, own[0]);
    cpu.setReg(14, own[1]);
    return tid;
  }

  get arg(): number {
    return Number(this.t.cpu.reg(14));
  }
}
