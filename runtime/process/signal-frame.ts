/**
 * The rt_sigframe that Linux puts on a thread's stack for a signal handler, and rt_sigreturn. In: the thread, the action, siginfo. Out: the frame in guest memory
 * and the registers of the handler's first instruction; or the registers that the frame holds.
 * Source: man 2 sigreturn, System V ABI AMD64 3.4.1 and 7.1, struct rt_sigframe, ucontext and sigcontext of x86-64 (uapi/asm/sigcontext.h, asm-generic/ucontext.h).
 *
 * From the frame's address (rsp at the handler's entry, 16-byte aligned minus 8):
 *   0 return address (the restorer) | 8 uc_flags | 16 uc_link | 24 uc_stack (24 bytes) | 48 sigcontext (256 bytes) | 304 uc_sigmask | 312 siginfo (128 bytes) | 440 end
 * Above it, 64-byte aligned, the extended state that sigcontext.fpstate points to (xstate.ts); above that the red zone of 128 bytes.
 */
import { CPU, GPR, USER_CS, USER_SS } from '../../src/guest/cpu-state.js';
import { FLAG, USER_FLAGS } from '../../src/guest/flags.js';
import { ENOMEM, EPERM } from '../linux/errno.js';
import { UNBLOCKABLE } from '../linux/signals.js';
import type { Thread } from '../linux/thread.js';
import { initFpu } from './fxsave.js';
import { SIGINFO_BYTES } from './layout.js';
import { SA, type SigAction } from './sighand.js';
import { setBlocked } from './signal-send.js';
import type { Task } from './task.js';
import { hasXstate, restoreState, saveState, stateBytes } from './xstate.js';

const UC = 8;
const UC_STACK = UC + 16;
const UC_MCONTEXT = UC + 40;
const UC_SIGMASK = UC_MCONTEXT + 256;
const INFO = UC_SIGMASK + 8;
const FRAME_BYTES = INFO + SIGINFO_BYTES;
const RED_ZONE = 128;
const FX_ALIGN = 64;
/** sigcontext: the registers in its order, then rip and eflags. */
const SC_REGS = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4];
const SC = {
  RIP: 128,
  EFLAGS: 136,
  CS: 144,
  GS: 146,
  FS: 148,
  SS: 150,
  ERR: 152,
  TRAPNO: 160,
  OLDMASK: 168,
  CR2: 176,
  FPSTATE: 184,
};
/** UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS; UC_FP_XSTATE when there is an XSAVE header behind the FXSAVE image. */
const UC_FLAGS = 6n;
const UC_FP_XSTATE = 1n;

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x8000_0000 | 0;
export const MINSIGSTKSZ = 2048n;

/** True when `sp` lies on the thread's alternate stack. */
export function onAltStack(task: Task, sp: bigint): boolean {
  const alt = task.altStack;
  if ((alt.flags & SS_AUTODISARM) !== 0) return false;
  return sp > alt.sp && sp - alt.sp <= alt.size;
}

/** What sigaltstack reports as ss_flags. */
export function altStackFlags(task: Task, sp: bigint): number {
  const alt = task.altStack;
  const state = alt.size === 0n ? SS_DISABLE : onAltStack(task, sp) ? SS_ONSTACK : 0;
  return state | (alt.flags & SS_AUTODISARM);
}

/** sigaltstack(2) with a new stack: 0 or a negative errno, -EINVAL for `flags` that don't exist is the caller's. */
export function setAltStack(task: Task, sp: bigint, size: bigint, flags: number, guestSp: bigint): number {
  if (onAltStack(task, guestSp)) return -EPERM;
  if ((flags & ~SS_AUTODISARM) === SS_DISABLE) {
    task.altStack = { sp: 0n, size: 0n, flags: flags & SS_AUTODISARM };
    return 0;
  }
  if (size < MINSIGSTKSZ) return -ENOMEM;
  task.altStack = { sp, size, flags: flags & SS_AUTODISARM };
  return 0;
}

const scratch = new Uint8Array(FRAME_BYTES);
const scratchView = new DataView(scratch.buffer);

/**
 * Builds the frame and sends the thread to the handler. `info` are 128 bytes. The mask of the handler is set too. False: the frame can't be written
 * (the caller raises SIGSEGV); registers and mask are then as before.
 */
export function pushSignalFrame(t: Thread, signal: number, action: SigAction, info: Uint8Array): boolean {
  const { cpu, task, mem } = t;
  if ((action.flags & BigInt(SA.RESTORER)) === 0n) return false;
  const guestSp = BigInt.asUintN(64, cpu.reg(GPR.RSP));
  let sp = Number(guestSp) - RED_ZONE;
  const wasOnAlt = onAltStack(task, guestSp);
  const alt = task.altStack;
  let onAlt = wasOnAlt;
  if ((action.flags & BigInt(SA.ONSTACK)) !== 0n && alt.size !== 0n && !wasOnAlt) {
    sp = Number(alt.sp + alt.size);
    onAlt = true;
  }
  const fx = Math.floor((sp - stateBytes(mem)) / FX_ALIGN) * FX_ALIGN;
  const frame = Math.floor((fx - FRAME_BYTES) / 16) * 16 - 8;
  if (frame < 0) return false;
  // An overflow of the alternate stack must not write below it.
  if (onAlt && (BigInt(frame) <= alt.sp || BigInt(frame) > alt.sp + alt.size)) return false;

  const mask = task.savedMask ?? task.blocked;
  const v = scratchView;
  scratch.fill(0);
  v.setBigUint64(0, action.restorer, true);
  v.setBigUint64(UC, UC_FLAGS | (hasXstate(mem) ? UC_FP_XSTATE : 0n), true);
  v.setBigUint64(UC_STACK, alt.sp, true);
  v.setInt32(UC_STACK + 8, altStackFlags(task, guestSp), true);
  v.setBigUint64(UC_STACK + 16, alt.size, true);
  for (let i = 0; i < SC_REGS.length; i++) {
    const [from, to] = [CPU.REGS + 8 * (SC_REGS[i] ?? 0), UC_MCONTEXT + i * 8];
    v.setInt32(to, cpu.i32(from), true);
    v.setInt32(to + 4, cpu.i32(from + 4), true);
  }
  v.setBigUint64(UC_MCONTEXT + SC.RIP, cpu.rip, true);
  v.setUint32(UC_MCONTEXT + SC.EFLAGS, cpu.eflags >>> 0, true);
  v.setUint16(UC_MCONTEXT + SC.CS, USER_CS, true);
  v.setUint16(UC_MCONTEXT + SC.SS, USER_SS, true);
  v.setUint32(UC_MCONTEXT + SC.ERR, task.fault.err, true);
  v.setUint32(UC_MCONTEXT + SC.TRAPNO, task.fault.trapno, true);
  v.setBigUint64(UC_MCONTEXT + SC.OLDMASK, mask, true);
  v.setBigUint64(UC_MCONTEXT + SC.CR2, BigInt.asUintN(64, task.fault.cr2), true);
  v.setBigUint64(UC_MCONTEXT + SC.FPSTATE, BigInt(fx), true);
  v.setBigUint64(UC_SIGMASK, mask, true);
  scratch.set(info, INFO);
  if (!mem.write(frame, scratch) || !saveState(cpu, mem, fx)) return false;

  if ((alt.flags & SS_AUTODISARM) !== 0) task.altStack = { sp: 0n, size: 0n, flags: SS_DISABLE };
  cpu.setReg(GPR.RDI, BigInt(signal));
  cpu.setReg(GPR.RSI, BigInt(frame + INFO));
  cpu.setReg(GPR.RDX, BigInt(frame + UC));
  cpu.setReg(GPR.RAX, 0n);
  cpu.setReg(GPR.RSP, BigInt(frame));
  cpu.rip = action.handler;
  cpu.eflags = cpu.eflags & ~(FLAG.DF | FLAG.RF | FLAG.TF);
  initFpu(cpu);
  const own = (action.flags & BigInt(SA.NODEFER)) !== 0n ? 0n : 1n << BigInt(signal - 1);
  task.savedMask = undefined;
  setBlocked(t.kernel, task, (task.blocked | action.mask | own) & ~UNBLOCKABLE);
  return true;
}

/** rt_sigreturn: everything back from the frame below rsp. False: it can't be read, or is not one (the caller raises SIGSEGV). */
export function popSignalFrame(t: Thread): boolean {
  const { cpu, task, mem } = t;
  const frame = Number(BigInt.asUintN(64, cpu.reg(GPR.RSP))) - 8;
  const there = frame < 0 ? undefined : mem.slice(frame, INFO, false);
  if (there === undefined) return false;
  // Another thread may change the frame: it is read once.
  scratch.set(there);
  const v = scratchView;
  const fx = Number(v.getBigUint64(UC_MCONTEXT + SC.FPSTATE, true));
  if (fx === 0) {
    initFpu(cpu);
  } else if (!restoreState(cpu, mem, fx)) {
    return false;
  }
  setBlocked(t.kernel, task, v.getBigUint64(UC_SIGMASK, true) & ~UNBLOCKABLE);
  for (let i = 0; i < SC_REGS.length; i++) {
    const [from, to] = [UC_MCONTEXT + i * 8, CPU.REGS + 8 * (SC_REGS[i] ?? 0)];
    cpu.setI32(to, v.getInt32(from, true));
    cpu.setI32(to + 4, v.getInt32(from + 4, true));
  }
  cpu.rip = v.getBigUint64(UC_MCONTEXT + SC.RIP, true);
  const eflags = v.getUint32(UC_MCONTEXT + SC.EFLAGS, true);
  // RF too, but it is gone after one instruction, and nothing here can see it.
  cpu.eflags = (cpu.eflags & ~USER_FLAGS) | (eflags & USER_FLAGS);
  const flags = v.getInt32(UC_STACK + 8, true);
  // As Linux: a stack that can't be set (the thread is on it) is left as it is.
  if ((flags & ~SS_AUTODISARM & ~(SS_ONSTACK | SS_DISABLE)) === 0) {
    setAltStack(task, v.getBigUint64(UC_STACK, true), v.getBigUint64(UC_STACK + 16, true), flags, cpu.reg(GPR.RSP));
  }
  return true;
}
