/**
 * ptrace. In: the tracer and its request. Out: results; the tracee's record changed, its memory read and written. What a tracee does is in runtime/process/trace-stop.ts.
 * Source: man 2 ptrace; linux/ptrace.h.
 */
import { SIGINFO_BYTES, TASK_STATE, TRACE_STATE, TRACED } from '../../process/layout.js';
import { mayLookInto } from '../../process/look-into.js';
import { queuedSignals } from '../../process/siginfo.js';
import { exitGroupLocked, sendToTaskLocked } from '../../process/signal-send.js';
import type { Task } from '../../process/task.js';
import { RESUME, resumeLocked, trapLocked } from '../../process/trace.js';
import { CALL_MESSAGE, EVENT, linkLocked, OPTION, unlinkLocked } from '../../process/trace-link.js';
import { UREG } from '../../process/user-regs.js';
import { FXSAVE_BYTES } from '../../process/fxsave.js';
import { accessMemory } from '../../threads/other-memory.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EIO, EPERM, ESRCH } from '../errno.js';
import { archPrctl, give, setState, setUserRegs, setUserWord, transferSet, userWord } from '../ptrace-registers.js';
import { SIGKILL, SIGSTOP, SIGTRAP, SI_KERNEL, UNBLOCKABLE } from '../signals.js';
import type { Thread } from '../thread.js';
import { unsupported } from '../unsupported.js';

const REQUEST = { TRACEME: 0, KILL: 8, ATTACH: 16, SEIZE: 0x4206, INTERRUPT: 0x4207 } as const;
const OPTIONS = 0xff | OPTION.EXITKILL;
const SIGSET_BYTES = 8;
const AUDIT_ARCH_X86_64 = 0xc000_003e;
const MOST_SIGNALS = 64;

/** Requests of Linux that are refused. */
const MISSING: ReadonlyMap<number, string> = new Map([
  [0x420c, 'PTRACE_SECCOMP_GET_FILTER'],
  [0x420f, 'PTRACE_GET_RSEQ_CONFIGURATION'],
]);

/** A request to a stopped tracee. */
type Served = (t: Thread, task: Task, addr: number, data: bigint) => SyscallResult;

function peek(t: Thread, task: Task, addr: number, data: bigint): number {
  const word = new Uint8Array(8);
  if (accessMemory(t, task, addr, word, false, true) < word.length) return -EIO;
  return give(t, Number(data), word);
}

function poke(t: Thread, task: Task, addr: number, data: bigint): number {
  const word = new Uint8Array(8);
  new DataView(word.buffer).setBigUint64(0, data, true);
  return accessMemory(t, task, addr, word, true, true) < word.length ? -EIO : 0;
}

function peekUser(t: Thread, task: Task, addr: number, data: bigint): number {
  const value = userWord(task, addr);
  if (value === undefined) return -EIO;
  return t.mem.writeU64(Number(data), value) ? 0 : -EFAULT;
}

/** Goes on as `how` says. */
function resume(how: number): Served {
  return (t, task, _addr, data) => {
    if (data > BigInt(MOST_SIGNALS)) return -EIO;
    t.kernel.lock(() => {
      if (Number(data) === SIGKILL) exitGroupLocked(t.kernel, task.group, SIGKILL);
      resumeLocked(task, how, Number(data));
    });
    return 0;
  };
}

function detach(t: Thread, task: Task, _addr: number, data: bigint): number {
  if (data > BigInt(MOST_SIGNALS)) return -EIO;
  t.kernel.lock(() => {
    unlinkLocked(task, Number(data));
  });
  return 0;
}

function setOptions(_t: Thread, task: Task, _addr: number, data: bigint): number {
  if ((data & ~BigInt(OPTIONS)) !== 0n) return -EINVAL;
  task.trace.options = Number(data);
  return 0;
}

function getSigInfo(t: Thread, task: Task, _addr: number, data: bigint): number {
  const { info } = task.trace;
  return info === undefined ? -EINVAL : give(t, Number(data), info.slice());
}

function setSigInfo(t: Thread, task: Task, _addr: number, data: bigint): number {
  const bytes = t.mem.read(Number(data), SIGINFO_BYTES);
  if (bytes === undefined) return -EFAULT;
  if (task.trace.info === undefined) return -EINVAL;
  task.trace.info = bytes;
  return 0;
}

const PEEK_SHARED = 1;

/** PTRACE_PEEKSIGINFO: `args` is where a struct ptrace_peeksiginfo_args is. */
function peekSigInfo(t: Thread, task: Task, args: number, data: bigint): number {
  const bytes = t.mem.read(args, 16);
  if (bytes === undefined) return -EFAULT;
  const v = new DataView(bytes.buffer, bytes.byteOffset);
  const first = v.getBigUint64(0, true);
  const flags = v.getUint32(8, true);
  const most = v.getInt32(12, true);
  if ((flags & ~PEEK_SHARED) !== 0 || most < 0) return -EINVAL;
  const holder = (flags & PEEK_SHARED) !== 0 ? task.group : task;
  const queued = t.kernel.lock(() => queuedSignals(t.kernel, holder, Number(first), most));
  const stored = queued.findIndex((info, i) => !t.mem.write(Number(data) + i * SIGINFO_BYTES, info));
  return stored === 0 ? -EFAULT : stored < 0 ? queued.length : stored;
}

function setSigMask(t: Thread, task: Task, addr: number, data: bigint): number {
  if (addr !== SIGSET_BYTES) return -EINVAL;
  const mask = t.mem.readU64(Number(data));
  if (mask === undefined) return -EFAULT;
  task.blocked = mask & ~UNBLOCKABLE;
  return 0;
}

/** The si_code of the stop; 0 for one without siginfo. */
function stopCode({ trace: { info } }: Task): number {
  return info === undefined ? 0 : new DataView(info.buffer, info.byteOffset).getInt32(8, true);
}

/** Stays stopped, so that the end of its process's stop is reported. */
function listen(t: Thread, task: Task): number {
  if ((task.traced & TRACED.SEIZED) === 0) return -EIO;
  return t.kernel.lock(() => {
    const { trace } = task;
    if (stopCode(task) >> 8 !== EVENT.STOP) return -EIO;
    trace.state = TRACE_STATE.LISTENING;
    trace.code = 0;
    // Something has happened meanwhile.
    if ((task.traced & TRACED.TRAP_NOTIFY) !== 0) resumeLocked(task, trace.resume, 0);
    return 0;
  });
}

/** struct ptrace_syscall_info. */
function syscallInfo(t: Thread, task: Task, size: number, data: bigint): number {
  const { trace, kernel } = task;
  const { message } = trace;
  const code = stopCode(task);
  const isCall = code === (SIGTRAP | 0x80);
  const isSeccomp = code === (SIGTRAP | (EVENT.SECCOMP << 8));
  const member = (at: number): bigint => kernel.view.getBigUint64(trace.regs.byteOffset + at, true);
  const bytes = new Uint8Array(88);
  const v = new DataView(bytes.buffer);
  const op = isSeccomp ? 3 : isCall ? message : 0;
  v.setUint8(0, op);
  v.setUint32(4, AUDIT_ARCH_X86_64, true);
  v.setBigUint64(8, member(UREG.RIP), true);
  v.setBigUint64(16, member(UREG.RSP), true);
  let length = 24;
  if (op === CALL_MESSAGE.ENTRY || isSeccomp) {
    v.setBigUint64(24, member(UREG.ORIG_RAX), true);
    [UREG.RDI, UREG.RSI, UREG.RDX, UREG.R10, UREG.R8, UREG.R9].forEach((at, i) => {
      v.setBigUint64(32 + i * 8, member(at), true);
    });
    length = 80;
    if (isSeccomp) {
      v.setUint32(80, message, true);
      length = 84;
    }
  } else if (op === CALL_MESSAGE.EXIT) {
    const result = BigInt.asIntN(64, member(UREG.RAX));
    v.setBigInt64(24, result, true);
    v.setUint8(32, result < 0n && result >= -4095n ? 1 : 0);
    length = 33;
  }
  const failure = give(t, Number(data), bytes.subarray(0, Math.min(size, length)));
  return failure < 0 ? failure : length;
}

/** Requests that the tracee must have stopped for, by number. */
const SERVED: ReadonlyMap<number, Served> = new Map<number, Served>([
  // PEEKTEXT, PEEKDATA, PEEKUSER, POKETEXT, POKEDATA, POKEUSER.
  [1, peek],
  [2, peek],
  [3, peekUser],
  [4, poke],
  [5, poke],
  [6, (_t, task, addr, data) => setUserWord(task, addr, data)],
  // CONT, SINGLESTEP.
  [7, resume(RESUME.CONT)],
  [9, resume(RESUME.STEP)],
  // GETREGS, SETREGS, GETFPREGS, SETFPREGS.
  [12, (t, task, _addr, data) => give(t, Number(data), task.trace.regs.slice())],
  [13, (t, task, _addr, data) => from(t, data, task.trace.regs.length, (bytes) => setUserRegs(task, bytes))],
  [14, (t, task, _addr, data) => give(t, Number(data), task.trace.xstate.slice(0, FXSAVE_BYTES))],
  [15, (t, task, _addr, data) => from(t, data, FXSAVE_BYTES, (bytes) => setState(task, bytes))],
  // DETACH, SYSCALL, ARCH_PRCTL, SYSEMU, SYSEMU_SINGLESTEP.
  [17, detach],
  [24, resume(RESUME.SYSCALL)],
  [30, (t, task, addr, data) => archPrctl(t, task, Number(data), addr)],
  [31, resume(RESUME.SYSEMU)],
  [32, resume(RESUME.SYSEMU_STEP)],
  // SETOPTIONS, GETEVENTMSG, GETSIGINFO, SETSIGINFO.
  [0x4200, setOptions],
  [0x4201, (t, task, _addr, data) => (t.mem.writeU64(Number(data), BigInt(task.trace.message)) ? 0 : -EFAULT)],
  [0x4202, getSigInfo],
  [0x4203, setSigInfo],
  // GETREGSET, SETREGSET, LISTEN, PEEKSIGINFO, GETSIGMASK, SETSIGMASK, GET_SYSCALL_INFO.
  [0x4204, (t, task, addr, data) => transferSet(t, task, addr, Number(data), false)],
  [0x4205, (t, task, addr, data) => transferSet(t, task, addr, Number(data), true)],
  [0x4208, listen],
  [0x4209, peekSigInfo],
  [
    0x420a,
    (t, task, addr, data) =>
      addr !== SIGSET_BYTES ? -EINVAL : t.mem.writeU64(Number(data), task.blocked) ? 0 : -EFAULT,
  ],
  [0x420b, setSigMask],
  [0x420e, syscallInfo],
]);

function from(t: Thread, data: bigint, size: number, fn: (bytes: Uint8Array) => number): number {
  const bytes = t.mem.read(Number(data), size);
  return bytes === undefined ? -EFAULT : fn(bytes);
}

function traceMe(t: Thread): number {
  const { kernel, task } = t;
  return kernel.lock(() => {
    const { group } = task;
    if (task.traced !== 0) return -EPERM;
    // The parent of the first process is outside of lift64.
    if (group.parentIndex === 0) return -EPERM;
    linkLocked(task, group.maker, false, 0);
    return 0;
  });
}

function attach(t: Thread, pid: number, seize: boolean, addr: number, data: bigint): number {
  if (seize && (addr !== 0 || (data & ~BigInt(OPTIONS)) !== 0n)) return -EIO;
  const { kernel } = t;
  return kernel.lock(() => {
    const task = kernel.findTask(pid);
    if (task === undefined) return -ESRCH;
    if (task.groupIndex === t.task.groupIndex || !mayLookInto(t.task, task.group)) return -EPERM;
    if (task.state === TASK_STATE.DEAD || task.traced !== 0) return -EPERM;
    linkLocked(task, t.task, seize, seize ? Number(data) : 0);
    if (!seize) sendToTaskLocked(kernel, task, { kind: 'plain', signal: SIGSTOP, code: SI_KERNEL });
    if (task.group.stopped) trapLocked(task, TRACED.TRAP_STOP);
    return 0;
  });
}

function ptrace(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel } = t;
  const request = a.ptr(0);
  if (request === REQUEST.TRACEME) return traceMe(t);
  const pid = a.i32(1);
  const [addr, data] = [a.ptr(2), a.u64(3)];
  if (request === REQUEST.ATTACH || request === REQUEST.SEIZE)
    return attach(t, pid, request === REQUEST.SEIZE, addr, data);
  const task = kernel.findTask(pid);
  if (task === undefined || task.traced === 0 || task.trace.tracer.index !== t.task.index) return -ESRCH;
  if (request === REQUEST.KILL) {
    kernel.lock(() => {
      if (task.alive) exitGroupLocked(kernel, task.group, SIGKILL);
    });
    return 0;
  }
  if (!task.alive) return -ESRCH;
  if (request === REQUEST.INTERRUPT) {
    if ((task.traced & TRACED.SEIZED) === 0) return -EIO;
    kernel.lock(() => {
      trapLocked(task, TRACED.TRAP_STOP);
    });
    return 0;
  }
  if (task.trace.state !== TRACE_STATE.STOPPED) return -ESRCH;
  const served = SERVED.get(request);
  if (served !== undefined) return served(t, task, addr, data);
  const missing = MISSING.get(request);
  if (missing !== undefined) unsupported(t, missing);
  return -EIO;
}

export const ptraceRows = [
  {
    nr: 101,
    name: 'ptrace',
    args: 'lx,d,lx,lx',
    support: 'partly',
    note: 'no PTRACE_SECCOMP_GET_FILTER',
    handler: ptrace,
  },
] as const satisfies readonly SyscallRow[];
