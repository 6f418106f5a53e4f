/**
 * System calls: signals. In: thread and arguments. Out: results. Source: man 2 rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigsuspend, rt_sigtimedwait,
 * rt_sigqueueinfo, rt_sigreturn, sigaltstack, kill, tkill, tgkill, pause, restart_syscall.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import type { Group } from '../../process/group.js';
import { SIGINFO_BYTES } from '../../process/layout.js';
import { forceSignal, withTemporaryMask } from '../../process/signal-deliver.js';
import {
  altStackFlags,
  popSignalFrame,
  setAltStack,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
} from '../../process/signal-frame.js';
import {
  flushIgnoredLocked,
  sendToGroupLocked,
  sendToTaskLocked,
  setBlocked,
  setBlockedWords,
} from '../../process/signal-send.js';
import { SIG_DFL, SIG_IGN, type SigAction } from '../../process/sighand.js';
import { type SigInfo, takePending } from '../../process/siginfo.js';
import { park } from '../../threads/park.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ERESTARTNOHAND, ESRCH } from '../errno.js';
import { defaultAction, SIGKILL, SIGSEGV, SIGSTOP, SI_KERNEL, SI_TKILL, SI_USER, UNBLOCKABLE } from '../signals.js';
import { readTimePair, timespecNs } from '../structs.js';
import type { Thread } from '../thread.js';

const NSIG = 64;
const SIGSET_BYTES = 8;
/** struct kernel_sigaction: handler, flags, restorer, mask. */
const SIGACTION_BYTES = 32;

/** SIGKILL and SIGSTOP are below 32. */
const UNBLOCKABLE_LOW = Number(UNBLOCKABLE);

const validSignal = (signal: number): boolean => signal >= 1 && signal <= NSIG;

function rtSigaction(t: Thread, a: SyscallArgs): SyscallResult {
  const signal = a.i32(0);
  const next = a.ptr(1);
  const old = a.ptr(2);
  if (a.ptr(3) !== SIGSET_BYTES || !validSignal(signal)) return -EINVAL;
  let action: SigAction | undefined;
  if (next !== 0) {
    const bytes = t.mem.read(next, SIGACTION_BYTES);
    if (bytes === undefined) return -EFAULT;
    if (signal === SIGKILL || signal === SIGSTOP) return -EINVAL;
    const v = new DataView(bytes.buffer, bytes.byteOffset, SIGACTION_BYTES);
    action = {
      handler: v.getBigUint64(0, true),
      flags: v.getBigUint64(8, true),
      restorer: v.getBigUint64(16, true),
      mask: v.getBigUint64(24, true) & ~UNBLOCKABLE,
    };
  }
  const { kernel, task } = t;
  const before = kernel.lock(() => {
    const was = task.sighand.action(signal);
    if (action !== undefined) {
      task.sighand.setAction(signal, action);
      const ignores = action.handler === SIG_IGN || (action.handler === SIG_DFL && defaultAction(signal) === 'ignore');
      if (ignores) flushIgnoredLocked(kernel, task.group, signal);
    }
    return was;
  });
  if (old === 0) return 0;
  const out = new Uint8Array(SIGACTION_BYTES);
  const v = new DataView(out.buffer);
  v.setBigUint64(0, before.handler, true);
  v.setBigUint64(8, before.flags, true);
  v.setBigUint64(16, before.restorer, true);
  v.setBigUint64(24, before.mask, true);
  return t.mem.write(old, out) ? 0 : -EFAULT;
}

function rtSigprocmask(t: Thread, a: SyscallArgs): SyscallResult {
  const set = a.ptr(1);
  const old = a.ptr(2);
  if (a.ptr(3) !== SIGSET_BYTES) return -EINVAL;
  const { task } = t;
  // In halves, without BigInts: C libraries call it twice a signal and more.
  const low = task.blockedLow;
  const high = task.blockedHigh;
  if (set !== 0) {
    const setLow = t.mem.readI32(set);
    const setHigh = t.mem.readI32(set + 4);
    if (setLow === undefined || setHigh === undefined) return -EFAULT;
    const wanted = setLow & ~UNBLOCKABLE_LOW;
    switch (a.i32(0)) {
      case 0:
        setBlockedWords(t.kernel, task, low | wanted, high | setHigh);
        break;
      case 1:
        setBlockedWords(t.kernel, task, low & ~wanted, high & ~setHigh);
        break;
      case 2:
        setBlockedWords(t.kernel, task, wanted, setHigh);
        break;
      default:
        return -EINVAL;
    }
  }
  if (old === 0) return 0;
  if (!t.mem.canWrite(old, SIGSET_BYTES)) return -EFAULT;
  return t.mem.writeU32(old, low >>> 0) && t.mem.writeU32(old + 4, high >>> 0) ? 0 : -EFAULT;
}

function rtSigpending(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(1) > SIGSET_BYTES) return -EINVAL;
  const { task } = t;
  const bytes = new Uint8Array(SIGSET_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, (task.pending | task.group.pending) & task.blocked, true);
  return t.mem.write(a.ptr(0), bytes.subarray(0, a.ptr(1))) ? 0 : -EFAULT;
}

function rtSigsuspend(t: Thread, a: SyscallArgs): SyscallResult {
  if (a.ptr(1) !== SIGSET_BYTES) return -EINVAL;
  const mask = t.mem.readU64(a.ptr(0));
  if (mask === undefined) return -EFAULT;
  return withTemporaryMask(t, mask & ~UNBLOCKABLE, () => {
    park(t, () => undefined);
    return -ERESTARTNOHAND;
  });
}

function pause(t: Thread): SyscallResult {
  park(t, () => undefined);
  return -ERESTARTNOHAND;
}

function rtSigtimedwait(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel, task, mem } = t;
  const infoAddr = a.ptr(1);
  const timeout = a.ptr(2);
  if (a.ptr(3) !== SIGSET_BYTES) return -EINVAL;
  const set = mem.readU64(a.ptr(0));
  if (set === undefined) return -EFAULT;
  const wanted = set & ~UNBLOCKABLE;
  let deadlineNs = Infinity;
  if (timeout !== 0) {
    const ts = readTimePair(mem, timeout);
    if (ts === undefined) return -EFAULT;
    const ns = timespecNs(ts);
    if (ns === undefined) return -EINVAL;
    deadlineNs = kernel.now() + ns;
  }
  const info = new Uint8Array(SIGINFO_BYTES);
  const take = (): number | undefined => kernel.lock(() => takePending(kernel, task, wanted, info) || undefined);
  let got: number | 'timeout' | 'interrupted' | undefined = take();
  if (got === undefined && deadlineNs > kernel.now()) {
    // While it waits the thread takes these signals, so that senders wake it; they are not dropped as ignored either.
    task.realBlocked = task.blocked;
    task.blocked &= ~wanted;
    got = park(t, take, { deadlineNs });
    setBlocked(kernel, task, task.realBlocked);
    task.realBlocked = 0n;
  }
  if (got === 'interrupted') return -EINTR;
  if (got === 'timeout' || got === undefined) return -EAGAIN;
  return infoAddr === 0 || mem.write(infoAddr, info) ? got : -EFAULT;
}

function rtSigreturn(t: Thread): SyscallResult {
  t.task.syscall = -1;
  if (!popSignalFrame(t)) {
    forceSignal(t, { kind: 'plain', signal: SIGSEGV, code: SI_KERNEL });
  }
  return t.cpu.reg(GPR.RAX);
}

function sigaltstack(t: Thread, a: SyscallArgs): SyscallResult {
  const { task, mem, cpu } = t;
  const sp = BigInt.asUintN(64, cpu.reg(GPR.RSP));
  const next = a.ptr(0);
  const old = a.ptr(1);
  const before = task.altStack;
  const beforeFlags = altStackFlags(task, sp);
  if (next !== 0) {
    const bytes = mem.read(next, 24);
    if (bytes === undefined) return -EFAULT;
    const v = new DataView(bytes.buffer, bytes.byteOffset, 24);
    const flags = v.getInt32(8, true);
    const mode = flags & ~SS_AUTODISARM;
    if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return -EINVAL;
    const result = setAltStack(task, v.getBigUint64(0, true), v.getBigUint64(16, true), flags, sp);
    if (result !== 0) return result;
  }
  if (old === 0) return 0;
  const out = new Uint8Array(24);
  const v = new DataView(out.buffer);
  v.setBigUint64(0, before.sp, true);
  v.setInt32(8, beforeFlags, true);
  v.setBigUint64(16, before.size, true);
  return mem.write(old, out) ? 0 : -EFAULT;
}

function kill(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel, task } = t;
  const pid = a.i32(0);
  const signal = a.i32(1);
  if (signal !== 0 && !validSignal(signal)) return -EINVAL;
  const own = task.group;
  const info: SigInfo = { kind: 'kill', signal, code: SI_USER, pid: own.tgid, uid: own.ids.uid };
  return kernel.lock(() => {
    const targets = [...kernel.allGroups()].filter((g) => isTarget(g, own, pid));
    if (targets.length === 0) return -ESRCH;
    if (signal === 0) return 0;
    for (const g of targets) sendToGroupLocked(kernel, g, info);
    return 0;
  });
}

/** kill(2)'s pid; -1 means all others. Processes outside of lift64 are never meant. */
function isTarget(group: Group, own: Group, pid: number): boolean {
  if (pid > 0) return group.tgid === pid;
  if (pid === -1) return group.index !== own.index;
  return group.pgid === (pid === 0 ? own.pgid : -pid);
}

function tgkill(t: Thread, tgid: number | undefined, tid: number, signal: number): SyscallResult {
  const { kernel, task } = t;
  if (tid <= 0 || (tgid !== undefined && tgid <= 0) || (signal !== 0 && !validSignal(signal))) return -EINVAL;
  const own = task.group;
  return kernel.lock(() => {
    const target = kernel.findTask(tid);
    if (target === undefined || (tgid !== undefined && target.tgid !== tgid)) return -ESRCH;
    if (signal !== 0)
      sendToTaskLocked(kernel, target, { kind: 'kill', signal, code: SI_TKILL, pid: own.tgid, uid: own.ids.uid });
    return 0;
  });
}

/** rt_sigqueueinfo and rt_tgsigqueueinfo. */
function queueInfo(t: Thread, tgid: number | undefined, id: number, signal: number, addr: number): SyscallResult {
  const { kernel, task, mem } = t;
  const bytes = mem.read(addr, SIGINFO_BYTES);
  if (bytes === undefined) return -EFAULT;
  if (signal < 0 || signal > NSIG || (tgid !== undefined && (tgid <= 0 || id <= 0))) return -EINVAL;
  const code = new DataView(bytes.buffer, bytes.byteOffset).getInt32(8, true);
  return kernel.lock(() => {
    const target = kernel.findTask(id);
    if (target === undefined || (tgid !== undefined && target.tgid !== tgid)) return -ESRCH;
    // What the kernel alone says (SI_USER, SI_TKILL and positive codes) can't be said to others.
    if ((code >= 0 || code === SI_TKILL) && target.tgid !== task.tgid) return -EPERM;
    if (signal === 0) return 0;
    const info: SigInfo = { kind: 'raw', signal, code, bytes };
    const queued =
      tgid === undefined ? sendToGroupLocked(kernel, target.group, info) : sendToTaskLocked(kernel, target, info);
    return queued ? 0 : -EAGAIN;
  });
}

function restartSyscall(t: Thread): SyscallResult {
  const block = t.task.restart;
  t.task.restart = undefined;
  return block === undefined ? -EINTR : block();
}

export const signalRows = [
  { nr: 13, name: 'rt_sigaction', args: 'S,p,p', support: 'yes', handler: rtSigaction },
  { nr: 14, name: 'rt_sigprocmask', args: 'sh,p,p', support: 'yes', handler: rtSigprocmask },
  { nr: 15, name: 'rt_sigreturn', args: '', ret: 'none', support: 'yes', handler: rtSigreturn },
  { nr: 34, name: 'pause', args: '', support: 'yes', handler: pause },
  {
    nr: 62,
    name: 'kill',
    args: 'd,S',
    support: 'partly',
    note: 'reaches processes within lift64 only',
    handler: kill,
  },
  { nr: 127, name: 'rt_sigpending', args: 'p,lu', support: 'yes', handler: rtSigpending },
  { nr: 128, name: 'rt_sigtimedwait', args: 'p,p,ts,lu', support: 'yes', handler: rtSigtimedwait },
  {
    nr: 129,
    name: 'rt_sigqueueinfo',
    args: 'd,S,p',
    support: 'yes',
    handler: (t, a) => queueInfo(t, undefined, a.i32(0), a.i32(1), a.ptr(2)),
  },
  { nr: 130, name: 'rt_sigsuspend', args: 'p,lu', support: 'yes', handler: rtSigsuspend },
  { nr: 131, name: 'sigaltstack', args: 'p,p', support: 'yes', handler: sigaltstack },
  { nr: 200, name: 'tkill', args: 'd,S', support: 'yes', handler: (t, a) => tgkill(t, undefined, a.i32(0), a.i32(1)) },
  { nr: 219, name: 'restart_syscall', args: '', support: 'yes', handler: restartSyscall },
  {
    nr: 234,
    name: 'tgkill',
    args: 'd,d,S',
    support: 'yes',
    handler: (t, a) => tgkill(t, a.i32(0), a.i32(1), a.i32(2)),
  },
  {
    nr: 297,
    name: 'rt_tgsigqueueinfo',
    args: 'd,d,S,p',
    support: 'yes',
    handler: (t, a) => queueInfo(t, a.i32(0), a.i32(1), a.i32(2), a.ptr(3)),
  },
] as const satisfies readonly SyscallRow[];
