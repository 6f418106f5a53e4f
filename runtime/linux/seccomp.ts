/**
 * What seccomp does to a system call. In: the thread, the call. Out: undefined, and it goes on; or its result, with the signals that it brings.
 * Source: man 2 seccomp.
 */
import { GPR } from '../../src/guest/cpu-state.js';
import { exitGroupLocked } from '../process/signal-send.js';
import { exitThread } from '../process/exit.js';
import { ACTION, ARCH, judge, STRICT } from '../process/seccomp.js';
import { SIG_DFL } from '../process/sighand.js';
import { forceSignal } from '../process/signal-deliver.js';
import { EVENT, OPTION } from '../process/trace-link.js';
import { eventStop } from '../process/trace-stop.js';
import type { SyscallArgs, SyscallResult } from './context.js';
import { ENOSYS } from './errno.js';
import { SIGKILL, SIGSYS } from './signals.js';
import type { Thread } from './thread.js';

const SYS_SECCOMP = 1;
const MAX_ERRNO = 4095;
/** Calls of strict mode: read, write, exit, rt_sigreturn; of i386: and sigreturn. */
const STRICT_CALLS: ReadonlySet<number> = new Set([0, 1, 60, 15]);
const STRICT_CALLS_I386: ReadonlySet<number> = new Set([3, 4, 1, 119]);

/** @param told the tracer has been told of the call, and has let it pass */
export function filtered(
  t: Thread,
  nr: number,
  i386: boolean,
  a: SyscallArgs,
  told = false,
): SyscallResult | undefined {
  const { kernel, task } = t;
  const { seccomp } = task;
  if (seccomp === STRICT) {
    if ((i386 ? STRICT_CALLS_I386 : STRICT_CALLS).has(nr)) return undefined;
    kernel.lock(() => {
      exitGroupLocked(kernel, task.group, SIGKILL);
    });
    return nr;
  }
  const arch = i386 ? ARCH.I386 : ARCH.X86_64;
  const verdict = judge(kernel, seccomp, nr, arch, BigInt.asUintN(64, t.cpu.rip), a);
  const value = verdict & 0xffff;
  const sendTrap = (): void => {
    forceSignal(t, { kind: 'raw', signal: SIGSYS, code: SYS_SECCOMP, bytes: trapInfo(t, nr, arch, value) });
  };
  switch ((verdict & 0xffff_0000) >>> 0) {
    case ACTION.ALLOW:
    case ACTION.LOG:
      return undefined;
    case ACTION.ERRNO:
      return -Math.min(value, MAX_ERRNO);
    case ACTION.TRACE:
      return told ? undefined : askTracer(t, nr, value, i386, a);
    case ACTION.USER_NOTIF:
      // Nobody listens.
      return -ENOSYS;
    case ACTION.TRAP:
      task.trap = sendTrap;
      return nr;
    case ACTION.KILL_THREAD:
      if (task.group.threads > 1) {
        exitThread(t, 0);
        return nr;
      }
      break;
    default:
      break;
  }
  task.trap = () => {
    kernel.lock(() => {
      task.sighand.setAction(SIGSYS, { handler: SIG_DFL, flags: 0n, restorer: 0n, mask: 0n });
    });
    sendTrap();
  };
  return nr;
}

/** The tracer may change the call, which is looked at anew then, or leave it out: its result is what the tracer has put into rax. Without a tracer it is refused. */
function askTracer(t: Thread, nr: number, value: number, i386: boolean, a: SyscallArgs): SyscallResult | undefined {
  const { task, cpu } = t;
  if (!eventStop(t, EVENT.SECCOMP, OPTION.TRACESECCOMP, value)) return -ENOSYS;
  const now = task.syscall;
  if (now < 0 || task.mustLeave) return cpu.reg(GPR.RAX);
  return now === nr ? undefined : filtered(t, now, i386, a, true);
}

/** siginfo_t with the members of SIGSYS. */
function trapInfo(t: Thread, nr: number, arch: number, value: number): Uint8Array {
  const bytes = new Uint8Array(128);
  const v = new DataView(bytes.buffer);
  v.setInt32(4, value, true);
  v.setBigUint64(16, BigInt.asUintN(64, t.cpu.rip), true);
  v.setInt32(24, nr, true);
  v.setUint32(28, arch, true);
  return bytes;
}
