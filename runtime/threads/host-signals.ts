/**
 * Signals of the host to lift64 become the guest's; and the end by a signal. In: the host's process. Out: signals in the kernel; the end of the host process.
 * Source: man 7 signal; Node's process 'Signal events'.
 */
import { writeSync } from 'node:fs';
import { SI_USER, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2 } from '../linux/signals.js';
import type { Kernel } from '../process/kernel.js';
import { sendToGroupLocked } from '../process/signal-send.js';

/** Signals that a terminal sends to its whole foreground process group. */
const TERMINAL: readonly [NodeJS.Signals, number][] = [
  ['SIGINT', SIGINT],
  ['SIGQUIT', SIGQUIT],
  ['SIGTSTP', SIGTSTP],
  ['SIGCONT', SIGCONT],
];
const OTHERS: readonly [NodeJS.Signals, number][] = [
  ['SIGTERM', SIGTERM],
  ['SIGUSR1', SIGUSR1],
  ['SIGUSR2', SIGUSR2],
];

/**
 * Passes signals on until the function that it gives is called. Signals of the terminal go to every guest process of `processGroup()`, SIGHUP to those of the first process's group, too: a
 * shell sends it to its jobs, and the kernel to the foreground. Others go to the first process.
 */
export function forwardHostSignals(kernel: Kernel, processGroup: () => number): () => void {
  const installed: [NodeJS.Signals, () => void][] = [];
  const install = (name: NodeJS.Signals, signal: number, to: 'foreground' | 'first' | 'hangup'): void => {
    const listener = (): void => {
      kernel.lock(() => {
        const first = kernel.initGroup;
        const pgid = processGroup();
        for (const g of kernel.allGroups()) {
          const stoppedWith = signal === SIGCONT && g.index === first.index && first.stopped;
          const meant =
            to === 'first' ? g.index === first.index : g.pgid === pgid || (to === 'hangup' && g.pgid === first.pgid);
          if (!stoppedWith && !meant) continue;
          sendToGroupLocked(kernel, g, { kind: 'kill', signal, code: SI_USER, pid: 0, uid: first.ids.uid });
        }
      });
    };
    try {
      process.on(name, listener);
      installed.push([name, listener]);
    } catch {
      // A host without this signal (Windows has no SIGQUIT): nobody can send it either.
    }
  };
  for (const [name, signal] of TERMINAL) install(name, signal, 'foreground');
  install('SIGHUP', SIGHUP, 'hangup');
  for (const [name, signal] of OTHERS) install(name, signal, 'first');
  return () => {
    for (const [name, listener] of installed) process.off(name, listener);
  };
}

/** The first process has been stopped: lift64 stops too, whole, until the host continues it; SIGCONT then goes on to the guest (forwardHostSignals). */
export function stopLikeGuest(): void {
  if (process.platform !== 'win32') process.kill(process.pid, 'SIGSTOP');
}

/** How long a signal to oneself may take to arrive. */
const ARRIVAL_MS = 1000;

/**
 * Ends lift64 as its guest has ended: by the same signal, or with 128 + n where that can't be raised. Does not return. Nothing may be left that wants to be flushed.
 */
export function exitLike(status: { readonly code: number; readonly signal: number; readonly stuck?: boolean }): never {
  const { code, signal } = status;
  if (signal !== 0 && process.platform !== 'win32') {
    const name = signalNameOf(signal);
    // Node sees to SIGILL, SIGBUS, SIGFPE, SIGSEGV itself (no listeners), and the host to SIGKILL.
    if (name !== undefined && !FIXED.has(name)) {
      // A listener that comes and goes leaves the default action behind, also where Node had set another (SIGPIPE is ignored).
      const nothing = (): void => undefined;
      process.on(name, nothing);
      process.removeAllListeners(name);
    }
    process.kill(process.pid, name ?? signal);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ARRIVAL_MS);
  }
  if (status.stuck === true) {
    // process.exit would wait for the worker, maybe for ever.
    writeSync(2, `lift64: a worker hangs in a host call; exit status ${code} is lost\n`);
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(signal === 0 ? code : 128 + signal);
}

function signalNameOf(signal: number): NodeJS.Signals | undefined {
  return SIGNAL_NAMES.find(([n]) => n === signal)?.[1];
}

const FIXED: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGSEGV']);

/** Numbers of x86-64 Linux and the names by which the host knows them. */
const SIGNAL_NAMES: readonly (readonly [number, NodeJS.Signals])[] = [
  [1, 'SIGHUP'],
  [2, 'SIGINT'],
  [3, 'SIGQUIT'],
  [4, 'SIGILL'],
  [5, 'SIGTRAP'],
  [6, 'SIGABRT'],
  [7, 'SIGBUS'],
  [8, 'SIGFPE'],
  [9, 'SIGKILL'],
  [10, 'SIGUSR1'],
  [11, 'SIGSEGV'],
  [12, 'SIGUSR2'],
  [13, 'SIGPIPE'],
  [14, 'SIGALRM'],
  [15, 'SIGTERM'],
  [24, 'SIGXCPU'],
  [25, 'SIGXFSZ'],
  [26, 'SIGVTALRM'],
  [27, 'SIGPROF'],
  [29, 'SIGIO'],
  [31, 'SIGSYS'],
];
