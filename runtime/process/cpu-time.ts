/**
 * CPU time of host threads and of lift64. In: the host. Out: nanoseconds. Source: Linux Documentation/scheduler/sched-stats (schedstat: run time in nanoseconds).
 */
import { readFileSync } from 'node:fs';

let schedstatMissing = false;

/** CPU time of the calling host thread, nanoseconds. Where the host does not tell it, the time since the thread's start. */
export function threadCpuNs(): number {
  if (!schedstatMissing) {
    try {
      const text = readFileSync('/proc/thread-self/schedstat', 'latin1');
      return Number(text.slice(0, text.indexOf(' ')));
    } catch {
      // Not a Linux host, or one without schedstat.
      schedstatMissing = true;
    }
  }
  return performance.now() * 1e6;
}

/** User and system time of lift64 as a whole, microseconds: what a guest process sees as its own. */
export function processCpu(): { user: number; system: number } {
  return process.cpuUsage();
}
