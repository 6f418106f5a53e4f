/** The wait queue of a process: for signalfds and pidfds. In: its index in the kernel's table. Out: the queue's word; the kernel told to wake it. */
import type { Kernel } from '../process/kernel.js';
import { AREA, QUEUE } from './layout.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

export const processQueue = (process: number): number => AREA.PROCESS_QUEUES + process * QUEUE.SIZE;

/** What happens to a process wakes its queue. */
export function tellQueues(kernel: Kernel, s: VfsState): VfsState {
  kernel.processChanged = (process) => {
    wakeAll(s, processQueue(process));
  };
  return s;
}
