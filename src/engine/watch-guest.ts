/**
 * A guest that takes too long, or is asked what it does. In: the times of a run, SIGQUIT of the host. Out: the guest killed; dumps, on stderr.
 */
import { SI_USER, SIGKILL } from '../../runtime/linux/signals.js';
import type { Group } from '../../runtime/process/group.js';
import type { Kernel } from '../../runtime/process/kernel.js';
import { sendToGroupLocked } from '../../runtime/process/signal-send.js';
import type { DumpSource } from './hang-dump.js';
import { writeAll } from './log.js';
import type { RunOptions } from './options.js';

/** Two SIGQUITs within this time ask for a dump; each goes to the guest, too. */
const TWICE_MS = 1000;

export interface Watch {
  /** Whether the guest has been killed because its time was up. */
  timedOut(): boolean;
  stop(): void;
}

export function watchGuest(o: RunOptions, source: DumpSource, first: Group): Watch {
  const timers: NodeJS.Timeout[] = [];
  let late = false;
  let lastQuit = -Infinity;
  const after = (ms: number | undefined, run: (ms: number) => void): void => {
    if (ms !== undefined) timers.push(setTimeout(run, ms, ms));
  };
  const dump = (why: string): void => {
    void describeGuest(source, why).then((text) => {
      writeAll(2, text);
    });
  };
  after(o.dumpOnTimeoutMs, (ms) => {
    dump(`after ${String(ms / 1000)} s`);
  });
  after(o.timeoutMs, () => {
    late = true;
    signalProcess(source.kernel, first, SIGKILL);
  });
  const onQuit = (): void => {
    const now = performance.now();
    if (now - lastQuit < TWICE_MS) dump('SIGQUIT twice');
    lastQuit = now;
  };
  if (o.sharesSignals) process.on('SIGQUIT', onQuit);
  return {
    timedOut: () => late,
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      process.off('SIGQUIT', onQuit);
    },
  };
}

/** Text of the dump. Its module is loaded now: the names of all system calls come with it, which few runs want. */
export async function describeGuest(source: DumpSource, why: string): Promise<string> {
  return (await import('./hang-dump.js')).hangDump(source, why);
}

/** Sends `signal` to a guest process, as kill(2) of a process outside would. */
export function signalProcess(kernel: Kernel, group: Group, signal: number): void {
  kernel.lock(() => {
    sendToGroupLocked(kernel, group, { kind: 'kill', signal, code: SI_USER, pid: 0, uid: group.ids.uid });
  });
}
