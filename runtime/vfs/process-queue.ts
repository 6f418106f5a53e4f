/** The wait queue of a process: for signalfds and pidfds. In: its index in the kernel's table. Out: the queue's word. */
import { AREA, QUEUE } from './layout.js';

export const processQueue = (process: number): number => AREA.PROCESS_QUEUES + process * QUEUE.SIZE;
