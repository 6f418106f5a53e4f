/**
 * CPU time of host threads and of lift64. In: the host. Out: nanoseconds. Source: Linux Documentation/scheduler/sched-stats (schedstat: run time in nanoseconds).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Group } from './group.js';
import type { Task } from './task.js';

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

/** CPU time of a guest thread, nanoseconds; 0 where the host does not tell that of other threads. */
export function taskCpuNs(task: Task): number {
  return task.hostTid === 0 ? 0 : Math.max(0, otherThreadCpuNs(task.hostTid) - task.cpuAtStart);
}

/** CPU time of a process's threads, those that have exited too, nanoseconds. The process that lift64 was started for counts all of lift64's, as in groupCpu. */
export function groupCpuNs(group: Group): number {
  if (group.index === group.kernel.initGroup.index) {
    const { user, system } = processCpu();
    return (user + system) * 1e3;
  }
  let sum = group.deadCpu;
  for (const t of group.tasks()) sum += taskCpuNs(t);
  return sum;
}
