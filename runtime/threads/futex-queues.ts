/**
 * Threads that wait on several futexes at once (futex_waitv): a table in the kernel's buffer beside the queues, looked through at each wake while there are any. In: keys. Out: entries, wakes.
 * The caller holds the kernel mutex. Source: man 2 futex_waitv (Linux 5.16).
 */
import { AREA, HEAD, MAX_WAITVS, WAITV } from '../process/layout.js';
import type { Kernel } from '../process/kernel.js';
import type { FutexKey } from './futex.js';

/** Most futexes of one wait. */
export const WAITV_MAX = WAITV.MOST;
const word = (entry: number): number => (AREA.WAITVS + entry * WAITV.BYTES) / 4;
const keyWord = (entry: number, i: number): number => word(entry) + WAITV.KEYS + i * WAITV.KEY_WORDS;

export function anyMultiWait(kernel: Kernel): boolean {
  return Atomics.or(kernel.i32, HEAD.WAITVS, 0) !== 0;
}

/** Enters a wait of task `task`; its number, -1 where the table is full. */
export function enterMultiWait(kernel: Kernel, task: number, keys: readonly FutexKey[]): number {
  const { i32 } = kernel;
  for (let entry = 0; entry < MAX_WAITVS; entry++) {
    if (i32[word(entry) + WAITV.TASK] !== 0) continue;
    i32[word(entry) + WAITV.WOKEN] = 0;
    i32[word(entry) + WAITV.COUNT] = keys.length;
    keys.forEach((key, i) => {
      i32.set([key.mm, key.addr | 0, Math.floor(key.addr / 2 ** 32)], keyWord(entry, i));
    });
    i32[word(entry) + WAITV.TASK] = task;
    Atomics.add(i32, HEAD.WAITVS, 1);
    return entry;
  }
  return -1;
}

/** Number + 1 of the futex that has been woken, 0 none. Needs no mutex. */
export const wokenOf = (kernel: Kernel, entry: number): number => Atomics.load(kernel.i32, word(entry) + WAITV.WOKEN);

export function leaveMultiWait(kernel: Kernel, entry: number): void {
  kernel.i32[word(entry) + WAITV.TASK] = 0;
  Atomics.sub(kernel.i32, HEAD.WAITVS, 1);
}

/** Wakes up to `count` waits that name the key; gives how many. */
export function wakeMultiWaits(kernel: Kernel, key: FutexKey, count: number): number {
  const { i32 } = kernel;
  let woken = 0;
  if (count <= 0 || !anyMultiWait(kernel)) return 0;
  for (let entry = 0; entry < MAX_WAITVS && woken < count; entry++) {
    const w = word(entry);
    const task = i32[w + WAITV.TASK] ?? 0;
    if (task === 0 || i32[w + WAITV.WOKEN] !== 0) continue;
    for (let i = 0, n = i32[w + WAITV.COUNT] ?? 0; i < n; i++) {
      const k = keyWord(entry, i);
      if (i32[k] !== key.mm || i32[k + 1] !== (key.addr | 0) || i32[k + 2] !== Math.floor(key.addr / 2 ** 32)) continue;
      Atomics.store(i32, w + WAITV.WOKEN, i + 1);
      kernel.wake(task);
      woken++;
      break;
    }
  }
  return woken;
}
