/**
 * Taking signals: what a thread does with its pending signals at a safepoint or on the way out of a system call, and faults of its own instructions.
 * In: the thread, its registers at an instruction boundary. Out: registers of a handler, or t.exiting, or a stop that has passed.
 * Source: man 7 signal ("Interruption of system calls and library functions by signal handlers"), man 2 restart_syscall.
 */
import { CONTROL, CPU, GPR } from '../../src/guest/cpu-state.js';
import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from '../linux/errno.js';
import { defaultAction, SI_KERNEL, sigBit, SIGKILL, SIGSEGV, SIGSTOP } from '../linux/signals.js';
import { straceSignal } from '../linux/strace.js';
import type { Thread } from '../linux/thread.js';
import { park } from '../threads/park.js';
import { isOrphanedLocked } from './job-control.js';
import { GROUP_FLAG, SIGINFO_BYTES, TRACED } from './layout.js';
import { SA, SIG_DFL, SIG_IGN, type SigAction } from './sighand.js';
import { dequeueSignal, encodeSiginfo, firstSignal, type SigInfo } from './siginfo.js';
import { pushSignalFrame } from './signal-frame.js';
import { exitGroupLocked, setBlocked, stopGroupLocked } from './signal-send.js';
import { clearStep, handlerStop, jobStop, signalStop } from './trace-stop.js';

/** Bytes of SYSCALL and of INT 0x80: a restarted call begins that much before rip. */
const SYSCALL_BYTES = 2n;
const NR_RESTART_SYSCALL = 219n;

const DEFAULT_ACTION: SigAction = { handler: SIG_DFL, flags: 0n, restorer: 0n, mask: 0n };

const info = new Uint8Array(SIGINFO_BYTES);
const infoView = new DataView(info.buffer);

/**
 * True when deliverPending has something to do: a signal that is not blocked, a stop, exit_group, a mask to put back. Cheap; needs no lock.
 * For the way out of a system call. A poll that has seen CONTROL.SIGNAL calls deliverPending whatever this says, since that clears the bit.
 */
export function pendingSignals(t: Thread): boolean {
  const { task } = t;
  return task.hasSignalWork() || task.savedMask !== undefined || t.kernel.shuttingDown;
}

/**
 * Takes all pending signals. Afterwards the registers are those of the first handler to run (several nest), or as they were, with an
 * interrupted system call set up to be restarted or to give EINTR. When the thread is to end, t.exiting is set.
 */
export function deliverPending(t: Thread): void {
  const { task, kernel, cpu } = t;
  const words = kernel.memory(task.mm);
  if (words !== undefined) Atomics.and(words, (cpu.base + CPU.CONTROL) / 4, ~CONTROL.SIGNAL);
  while (t.exiting === undefined) {
    const { group } = task;
    if (task.mustLeave || kernel.shuttingDown) {
      leave(t);
      return;
    }
    const { traced } = task;
    if ((traced & (TRACED.TRAP_STOP | TRACED.TRAP_NOTIFY)) !== 0) {
      jobStop(t);
      continue;
    }
    if (traced === 0 && group.has(GROUP_FLAG.STOPPED)) {
      park(t, () => (group.has(GROUP_FLAG.STOPPED) && task.traced === 0 ? undefined : true), { killOnly: true });
      continue;
    }
    let signal = 0;
    const action = kernel.lock(() => {
      const own = task.pending & ~task.blocked;
      const shared = group.pending & ~task.blocked;
      signal = firstSignal(own) || firstSignal(shared);
      if (signal === 0) return undefined;
      dequeueSignal(kernel, (own & sigBit(signal)) !== 0n ? task : group, signal, info);
      return traced === 0 ? takeAction(t, signal) : DEFAULT_ACTION;
    });
    if (action === undefined) break;
    if (traced === 0) take(t, signal, action);
    else takeTraced(t, signal);
  }
  if (t.exiting !== undefined) return;
  restartWithoutHandler(t);
  if (task.savedMask !== undefined) {
    const mask = task.savedMask;
    task.savedMask = undefined;
    setBlocked(kernel, task, mask);
    // What the old mask lets through is taken at once.
    if (task.hasSignalWork()) deliverPending(t);
  }
}

/** One dequeued signal of a tracee, its siginfo in `info`: its tracer decides. */
function takeTraced(t: Thread, signal: number): void {
  const given = signalStop(t, signal, info);
  if (given === 0 || t.task.mustLeave) return;
  take(
    t,
    given,
    t.kernel.lock(() => takeAction(t, given)),
  );
}

/** One dequeued signal, its siginfo in `info`. */
function take(t: Thread, signal: number, action: SigAction): void {
  const { task, kernel } = t;
  if (t.engine.strace || t.engine.logSignals) t.engine.log(straceSignal(infoView));
  if (action.handler === SIG_IGN) return;
  if (action.handler !== SIG_DFL) {
    handle(t, signal, action);
    return;
  }
  switch (defaultAction(signal)) {
    case 'ignore':
    case 'continue':
      return;
    case 'stop':
      // POSIX: the terminal's stop signals do nothing in an orphaned process group, since nobody could continue it.
      kernel.lock(() => {
        if (signal === SIGSTOP || !isOrphanedLocked(kernel, task.group.pgid))
          stopGroupLocked(kernel, task.group, signal);
      });
      return;
    case 'terminate':
    case 'core':
      die(t, signal);
      return;
  }
}

/** The action of a signal that is being delivered; SA_RESETHAND takes effect. The caller holds the mutex. */
function takeAction(t: Thread, signal: number): SigAction {
  const { sighand } = t.task;
  const action = sighand.action(signal);
  const caught = action.handler !== SIG_DFL && action.handler !== SIG_IGN;
  if (caught && (action.flags & BigInt(SA.RESETHAND)) !== 0n)
    sighand.setAction(signal, { ...action, handler: SIG_DFL });
  return action;
}

/** Sends the thread to its handler; the siginfo is in `info`. */
function handle(t: Thread, signal: number, action: SigAction): void {
  restartForHandler(t, action);
  clearStep(t);
  if (pushSignalFrame(t, signal, action, info)) {
    handlerStop(t);
    return;
  }
  // The frame can't be written. For SIGSEGV itself there is no second try.
  if (signal === SIGSEGV) {
    t.kernel.lock(() => {
      t.task.sighand.setAction(SIGSEGV, DEFAULT_ACTION);
    });
  }
  forceSignal(t, { kind: 'plain', signal: SIGSEGV, code: SI_KERNEL });
}

/**
 * A fault of the instruction at rip (nothing of it done), or a trap after one. Sends the thread to the handler of `signal`, or sets t.exiting when there
 * is none, or when it is blocked or ignored.
 * @param code si_code
 * @param addr si_addr, and sigcontext.cr2 when `isPageFault`
 * @param trapno vector (EXC); err error code, as in sigcontext
 */
export function deliverFault(
  t: Thread,
  signal: number,
  code: number,
  addr: number | bigint,
  trapno: number,
  err: number,
  isPageFault = trapno === 14,
): void {
  const at = BigInt(addr);
  t.task.fault = { trapno, err, cr2: isPageFault ? at : t.task.fault.cr2 };
  forceSignal(t, { kind: 'fault', signal, code, addr: at });
  // Others may be pending too: they nest on top, as they would natively.
  if (t.exiting === undefined && t.task.hasSignalWork()) deliverPending(t);
}

/** Delivers a signal that can't wait, to this thread; a blocked or ignored one kills. */
export function forceSignal(t: Thread, what: SigInfo): void {
  const { task, kernel } = t;
  if (task.mustLeave || kernel.shuttingDown) {
    leave(t);
    return;
  }
  const { signal } = what;
  const bit = sigBit(signal);
  const { traced } = task;
  const action = kernel.lock(() => {
    if ((task.blocked & bit) !== 0n || task.sighand.handler(signal) === SIG_IGN) {
      task.sighand.setAction(signal, DEFAULT_ACTION);
      task.blocked &= ~bit;
    }
    return traced === 0 ? takeAction(t, signal) : DEFAULT_ACTION;
  });
  encodeSiginfo(infoView, 0, what);
  if (traced !== 0) {
    takeTraced(t, signal);
    return;
  }
  if (t.engine.strace || t.engine.logSignals) t.engine.log(straceSignal(infoView));
  if (action.handler === SIG_DFL) die(t, signal);
  else handle(t, signal, action);
}

/** The process ends by `signal`. */
function die(t: Thread, signal: number): void {
  const { task, kernel } = t;
  const first = kernel.lock(() => {
    const begins = !task.group.exiting;
    exitGroupLocked(kernel, task.group, signal);
    return begins;
  });
  if (first && signal !== SIGKILL) t.engine.uncaughtSignal(t, signal);
  leave(t);
}

/** The group is exiting: so does this thread. */
function leave(t: Thread): void {
  const status = t.task.group.exiting ? t.task.group.exitStatus : SIGKILL;
  t.exiting = { code: (status >> 8) & 0xff, signal: status & 0x7f };
}

/** Ends the system call that was interrupted, now that a handler runs. */
function restartForHandler(t: Thread, action: SigAction): void {
  const code = interruptedCall(t);
  if (code === 0) return;
  const restarts = code === ERESTARTNOINTR || (code === ERESTARTSYS && (action.flags & BigInt(SA.RESTART)) !== 0n);
  if (restarts) again(t, BigInt(t.task.syscall));
  else t.cpu.setReg(GPR.RAX, BigInt(-EINTR));
  t.task.syscall = -1;
}

/** No handler ran: the interrupted call goes on. */
function restartWithoutHandler(t: Thread): void {
  const code = interruptedCall(t);
  if (code === 0) return;
  again(t, code === ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : BigInt(t.task.syscall));
  t.task.syscall = -1;
}

/** Restart code that the system call under way has given, 0 none. */
export function interruptedCall(t: Thread): number {
  if (t.task.syscall < 0) return 0;
  const { cpu } = t;
  // The low word first: this is asked after each system call.
  const low = cpu.i32(CPU.REGS + 8 * GPR.RAX);
  if (low > -ERESTARTSYS || low < -ERESTART_RESTARTBLOCK) return 0;
  const code = Number(-cpu.reg(GPR.RAX));
  return code === ERESTARTSYS || code === ERESTARTNOINTR || code === ERESTARTNOHAND || code === ERESTART_RESTARTBLOCK
    ? code
    : 0;
}

function again(t: Thread, rax: bigint): void {
  t.cpu.setReg(GPR.RAX, rax);
  t.cpu.rip = BigInt.asUintN(64, t.cpu.rip - SYSCALL_BYTES);
}

/**
 * Runs `wait` with the thread's mask replaced (rt_sigsuspend, ppoll, pselect, epoll_pwait). When it was interrupted, the old mask comes back only after
 * the handlers; else at once.
 */
export function withTemporaryMask<T extends number | bigint>(t: Thread, mask: bigint, wait: () => T): T {
  const { task, kernel } = t;
  const old = task.blocked;
  setBlocked(kernel, task, mask);
  let result: T | undefined;
  try {
    result = wait();
    return result;
  } finally {
    const code = result === undefined ? 0 : -Number(result);
    const hit = code === EINTR || code === ERESTARTNOHAND || code === ERESTARTSYS || code === ERESTART_RESTARTBLOCK;
    if (hit) task.savedMask = old;
    else setBlocked(kernel, task, old);
  }
}
