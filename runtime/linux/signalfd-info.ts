/** struct signalfd_siginfo. In: siginfo_t of x86-64. Out: its 128 bytes. Source: man 2 signalfd; man 2 sigaction for which members a signal has. */
import { SI_KERNEL, SI_TIMER, SI_USER, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGPOLL, SIGSEGV, SIGTRAP } from './signals.js';

export const SIGNALFD_BYTES = 128;
const SI_SIGIO = -5;
const FAULTS: ReadonlySet<number> = new Set([SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP]);

type Members = 'kill' | 'timer' | 'poll' | 'fault' | 'child' | 'queued';

function membersOf(signal: number, code: number): Members {
  if (code > SI_USER && code < SI_KERNEL) {
    if (signal === SIGCHLD) return 'child';
    if (signal === SIGPOLL) return 'poll';
    return FAULTS.has(signal) ? 'fault' : 'kill';
  }
  if (code === SI_TIMER) return 'timer';
  if (code === SI_SIGIO) return 'poll';
  return code < 0 ? 'queued' : 'kill';
}

export function encodeSignalfd(info: Uint8Array, out: Uint8Array): void {
  const from = new DataView(info.buffer, info.byteOffset, info.length);
  const to = new DataView(out.buffer, out.byteOffset, SIGNALFD_BYTES);
  const i32 = (source: number, target: number): void => {
    to.setInt32(target, from.getInt32(source, true), true);
  };
  const i64 = (source: number, target: number): void => {
    to.setBigInt64(target, from.getBigInt64(source, true), true);
  };
  out.fill(0);
  i32(0, 0);
  i32(4, 4);
  i32(8, 8);
  switch (membersOf(from.getInt32(0, true), from.getInt32(8, true))) {
    case 'kill':
      i32(16, 12);
      i32(20, 16);
      break;
    case 'queued':
      i32(16, 12);
      i32(20, 16);
      i32(24, 44);
      i64(24, 48);
      break;
    case 'timer':
      i32(16, 24);
      i32(20, 32);
      i32(24, 44);
      i64(24, 48);
      break;
    case 'poll':
      i32(16, 28);
      i32(24, 20);
      break;
    case 'fault':
      i64(16, 72);
      break;
    case 'child':
      i32(16, 12);
      i32(20, 16);
      i32(24, 40);
      i64(32, 56);
      i64(40, 64);
      break;
  }
}
