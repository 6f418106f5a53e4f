/**
 * The registers of a stopped tracee as its tracer reads and writes them: the user area, register sets, floating point. In: the tracee, addresses of the tracer. Out: 0 or a negative errno.
 * Source: man 2 ptrace; sys/user.h (struct user); the notes NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE of core files.
 */
import { TASK_SIZE_MAX } from '../../src/base/ids.js';
import { canWatch } from '../process/debug-registers.js';
import { CHANGED } from '../process/trace.js';
import type { Task } from '../process/task.js';
import { asStored, mayBeStored, UREG, USER_REGS_BYTES } from '../process/user-regs.js';
import { storeTracedState, tracedStateBytes } from '../process/xstate.js';
import { FXSAVE_BYTES } from '../process/fxsave.js';
import { EFAULT, EINVAL, EIO } from './errno.js';
import type { Thread } from './thread.js';

/** struct user. */
const USER_BYTES = 912;
const DEBUG_REGS = 848;
const DR = { STATUS: 6, CONTROL: 7 } as const;
const WORD = 8;

const NT = { PRSTATUS: 1, PRFPREG: 2, X86_XSTATE: 0x202 } as const;

/** The word of struct user at `offset`. */
export function userWord(task: Task, offset: number): bigint | undefined {
  if (offset % WORD !== 0 || !(offset >= 0 && offset < USER_BYTES)) return undefined;
  if (offset < USER_REGS_BYTES) return task.kernel.view.getBigUint64(task.trace.regs.byteOffset + offset, true);
  const n = (offset - DEBUG_REGS) / WORD;
  return n >= 0 && n <= DR.CONTROL ? task.trace.debug(n) : 0n;
}

/** Debug register `n`. */
function setDebugRegister({ trace }: Task, n: number, value: bigint): number {
  if (n === 4 || n === 5) return -EIO;
  if (n < 4 && value >= TASK_SIZE_MAX) return -EINVAL;
  const after = (other: number): bigint => (other === n ? value : trace.debug(other));
  if (n !== DR.STATUS && !canWatch(Number(after(DR.CONTROL) & 0xffff_ffffn), after)) return -EINVAL;
  trace.setDebug(n, value);
  if (n !== DR.STATUS) trace.changed |= CHANGED.DEBUG;
  return 0;
}

export function setUserWord(task: Task, offset: number, value: bigint): number {
  const before = userWord(task, offset);
  if (before === undefined) return -EIO;
  const n = (offset - DEBUG_REGS) / WORD;
  if (n >= 0 && n <= DR.CONTROL) return setDebugRegister(task, n, value);
  if (offset >= USER_REGS_BYTES || !mayBeStored(offset, value)) return -EIO;
  const { trace } = task;
  task.kernel.view.setBigUint64(trace.regs.byteOffset + offset, asStored(offset, value, before), true);
  trace.changed |= CHANGED.REGS;
  return 0;
}

/** Stores members of user_regs_struct, from the first on. */
export function setUserRegs(task: Task, bytes: Uint8Array): number {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + WORD <= bytes.length; at += WORD) {
    const failure = setUserWord(task, at, v.getBigUint64(at, true));
    if (failure < 0) return failure;
  }
  return 0;
}

/** The FXSAVE image, or the whole area of the extended state. */
export function setState(task: Task, bytes: Uint8Array): number {
  const { trace, kernel } = task;
  if (!storeTracedState(trace.xstate, kernel.view, bytes)) return -EINVAL;
  trace.changed |= CHANGED.XSTATE;
  return 0;
}

/** The bytes of a register set (no copy); undefined where there is none such. */
function registerSet(t: Thread, { trace }: Task, type: number): Uint8Array | undefined {
  switch (type) {
    case NT.PRSTATUS:
      return trace.regs;
    case NT.PRFPREG:
      return trace.xstate.subarray(0, FXSAVE_BYTES);
    case NT.X86_XSTATE:
      return trace.xstate.subarray(0, tracedStateBytes(t.mem));
    default:
      return undefined;
  }
}

/** PTRACE_GETREGSET and PTRACE_SETREGSET: `iovec` is where the tracer's struct iovec is, which gets the length. */
export function transferSet(t: Thread, task: Task, type: number, iovec: number, write: boolean): number {
  const base = t.mem.readU64(iovec);
  const length = t.mem.readU64(iovec + WORD);
  if (base === undefined || length === undefined) return -EFAULT;
  const set = registerSet(t, task, type);
  if (set === undefined || length % BigInt(WORD) !== 0n) return -EINVAL;
  const size = Number(length) < set.length ? Number(length) : set.length;
  const failure = write
    ? setFrom(t, task, type, Number(base), size, set.length)
    : give(t, Number(base), set.slice(0, size));
  if (failure < 0) return failure;
  return t.mem.writeU64(iovec + WORD, BigInt(size)) ? 0 : -EFAULT;
}

/** Stores `bytes` in the tracer's memory. */
export function give(t: Thread, to: number, bytes: Uint8Array): number {
  return t.mem.write(to, bytes) ? 0 : -EFAULT;
}

function setFrom(t: Thread, task: Task, type: number, from: number, size: number, whole: number): number {
  const bytes = t.mem.read(from, size);
  if (bytes === undefined) return -EFAULT;
  if (type === NT.PRSTATUS) return setUserRegs(task, bytes);
  if (size !== whole) return type === NT.X86_XSTATE ? -EFAULT : -EINVAL;
  return setState(task, bytes);
}

const ARCH = { SET_GS: 0x1001, SET_FS: 0x1002, GET_FS: 0x1003, GET_GS: 0x1004 } as const;

/** PTRACE_ARCH_PRCTL. */
export function archPrctl(t: Thread, task: Task, code: number, addr: number): number {
  switch (code) {
    case ARCH.SET_FS:
      return setUserWord(task, UREG.FS_BASE, BigInt(addr));
    case ARCH.SET_GS:
      return setUserWord(task, UREG.GS_BASE, BigInt(addr));
    case ARCH.GET_FS:
    case ARCH.GET_GS:
      return t.mem.writeU64(addr, userWord(task, code === ARCH.GET_FS ? UREG.FS_BASE : UREG.GS_BASE) ?? 0n)
        ? 0
        : -EFAULT;
    default:
      return -EINVAL;
  }
}
