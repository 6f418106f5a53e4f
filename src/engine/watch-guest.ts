/**
 * A guest that takes too long, or is asked what it does. In: --timeout, --dump-on-timeout, SIGQUIT of the host. Out: the guest killed, with an exit status of its own; dumps on stderr.
 * Source: man 1 timeout (the status 124).
 */
import { SI_USER, SIGKILL } from '../../runtime/linux/signals.js';
import type { Group } from '../../runtime/process/group.js';
import { sendToGroupLocked } from '../../runtime/process/signal-send.js';
import type { DumpSource } from './hang-dump.js';
import { writeAll } from './log.js';
import type { RunOptions } from './options.js';

const TIMED_OUT_STATUS = 124;
/** Two SIGQUITs within this time ask for a dump; each goes to the guest, too. */
const TWICE_MS = 1000;

export interface Watch {
  /** How lift64 is to end other than as the guest has. */
  status(): { readonly code: number; readonly signal: number } | undefined;
  stop(): void;
}

export function watchGuest(o: RunOptions, source: DumpSource, first: Group): Watch {
  const timers: NodeJS.Timeout[] = [];
  let late = false;
  let lastQuit = -Infinity;
  const after = (seconds: number | undefined, run: (seconds: number) => void): void => {
    if (seconds !== undefined) timers.push(setTimeout(run, seconds * 1000, seconds));
  };
  const dump = (why: string): void => {
    // Loaded now: the names of all system calls come with it, which few runs want.
    void import('./hang-dump.js').then(({ hangDump }) => {
      writeAll(2, hangDump(source, why));
    });
  };
  after(o.dumpOnTimeout, (seconds) => {
    dump(`after ${String(seconds)} s`);
  });
  after(o.timeout, (seconds) => {
    late = true;
    writeAll(2, `lift64: the guest was killed after ${String(seconds)} s (--timeout)\n`);
    const { kernel } = source;
    kernel.lock(() => {
      sendToGroupLocked(kernel, first, { kind: 'kill', signal: SIGKILL, code: SI_USER, pid: 0, uid: first.ids.uid });
    });
  });
  const onQuit = (): void => {
    const now = performance.now();
    if (now - lastQuit < TWICE_MS) dump('SIGQUIT twice');
    lastQuit = now;
  };
  process.on('SIGQUIT', onQuit);
  return {
    status: () => (late ? { code: TIMED_OUT_STATUS, signal: 0 } : undefined),
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      process.off('SIGQUIT', onQuit);
    },
  };
}
