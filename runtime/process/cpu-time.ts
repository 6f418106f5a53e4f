/**
 * CPU time of host threads and of lift64. In: the host. Out: nanoseconds. Source: Linux Documentation/scheduler/sched-stats (schedstat: run time in nanoseconds).
 */
import { readFileSync, readlinkSync } from 'node:fs';

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

/** Number of the calling host thread; 0 where the host does not tell. */
export function hostThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').replace(/^.*\//, ''));
  } catch {
    return 0;
  }
}

/** CPU time of another host thread of lift64, nanoseconds; 0 where the host does not tell. */
export function otherThreadCpuNs(tid: number): number {
  try {
    const text = readFileSync(`/proc/self/task/${String(tid)}/schedstat`, 'latin1');
    return Number(text.slice(0, text.indexOf(' ')));
  } catch {
    return 0;
  }
}
