/**
 * Signals of x86-64 Linux: numbers, names, words, default actions, si_code values. In: nothing. Out: constants and lookups.
 * Source: man 7 signal, man 2 sigaction, strsignal(3).
 */

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGPOLL = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
/** First real-time signal of the kernel (the C library keeps 32 and 33 for itself) and the last. */
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;

export type DefaultAction = 'terminate' | 'core' | 'ignore' | 'stop' | 'continue';

/** Number, name, words of strsignal(3), default action. */
const SIGNALS: readonly (readonly [number, string, string, DefaultAction])[] = [
  [1, 'SIGHUP', 'Hangup', 'terminate'],
  [2, 'SIGINT', 'Interrupt', 'terminate'],
  [3, 'SIGQUIT', 'Quit', 'core'],
  [4, 'SIGILL', 'Illegal instruction', 'core'],
  [5, 'SIGTRAP', 'Trace/breakpoint trap', 'core'],
  [6, 'SIGABRT', 'Aborted', 'core'],
  [7, 'SIGBUS', 'Bus error', 'core'],
  [8, 'SIGFPE', 'Floating point exception', 'core'],
  [9, 'SIGKILL', 'Killed', 'terminate'],
  [10, 'SIGUSR1', 'User defined signal 1', 'terminate'],
  [11, 'SIGSEGV', 'Segmentation fault', 'core'],
  [12, 'SIGUSR2', 'User defined signal 2', 'terminate'],
  [13, 'SIGPIPE', 'Broken pipe', 'terminate'],
  [14, 'SIGALRM', 'Alarm clock', 'terminate'],
  [15, 'SIGTERM', 'Terminated', 'terminate'],
  [16, 'SIGSTKFLT', 'Stack fault', 'terminate'],
  [17, 'SIGCHLD', 'Child exited', 'ignore'],
  [18, 'SIGCONT', 'Continued', 'continue'],
  [19, 'SIGSTOP', 'Stopped (signal)', 'stop'],
  [20, 'SIGTSTP', 'Stopped', 'stop'],
  [21, 'SIGTTIN', 'Stopped (tty input)', 'stop'],
  [22, 'SIGTTOU', 'Stopped (tty output)', 'stop'],
  [23, 'SIGURG', 'Urgent I/O condition', 'ignore'],
  [24, 'SIGXCPU', 'CPU time limit exceeded', 'core'],
  [25, 'SIGXFSZ', 'File size limit exceeded', 'core'],
  [26, 'SIGVTALRM', 'Virtual timer expired', 'terminate'],
  [27, 'SIGPROF', 'Profiling timer expired', 'terminate'],
  [28, 'SIGWINCH', 'Window changed', 'ignore'],
  [29, 'SIGPOLL', 'I/O possible', 'terminate'],
  [30, 'SIGPWR', 'Power failure', 'terminate'],
  [31, 'SIGSYS', 'Bad system call', 'core'],
];

/** `SIGSEGV` for 11; `SIGRT_3` style for real-time signals. */
export function signalName(signal: number): string {
  return (
    SIGNALS[signal - 1]?.[1] ??
    (signal >= SIGRTMIN && signal <= SIGRTMAX ? `SIGRT_${signal - SIGRTMIN}` : String(signal))
  );
}

/** Number of a signal by its name, as 'SIGTERM'; undefined: there is none. */
export function signalNumber(name: string): number | undefined {
  return SIGNALS.find((row) => row[1] === name)?.[0];
}

/** What strsignal(3) says. */
export function signalText(signal: number): string {
  return (
    SIGNALS[signal - 1]?.[2] ??
    (signal >= SIGRTMIN && signal <= SIGRTMAX ? `Real-time signal ${signal - SIGRTMIN}` : `Unknown signal ${signal}`)
  );
}

/** What happens without a handler; real-time signals terminate. */
export function defaultAction(signal: number): DefaultAction {
  return SIGNALS[signal - 1]?.[3] ?? 'terminate';
}

/** Bit of a signal in a mask. */
export function sigBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

/** Signals that can be neither caught nor blocked. */
export const UNBLOCKABLE = sigBit(SIGKILL) | sigBit(SIGSTOP);
export const STOP_SIGNALS = sigBit(SIGSTOP) | sigBit(SIGTSTP) | sigBit(SIGTTIN) | sigBit(SIGTTOU);
/** Signals that an instruction of the thread itself raises; taken before all others. */
export const SYNCHRONOUS =
  sigBit(SIGSEGV) | sigBit(SIGBUS) | sigBit(SIGILL) | sigBit(SIGTRAP) | sigBit(SIGFPE) | sigBit(SIGSYS);

/** si_code. */
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_TKILL = -6;
export const CLD = { EXITED: 1, KILLED: 2, DUMPED: 3, TRAPPED: 4, STOPPED: 5, CONTINUED: 6 } as const;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const FPE_INTDIV = 1;
export const FPE_INTOVF = 2;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const ILL_ILLOPN = 2;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
