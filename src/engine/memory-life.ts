/**
 * A memory is one process's after another's (runtime/memory/fork-space.ts). Who writes to it without being a thread of the process, as the compile worker does, has to find it in the life that the work is for:
 * else a slot that was meant for a process that is gone would be one of its successor's, beside those that fork copies. In: a memory, a life of it. Out: sections within that life.
 */
import { PCB, PCB_BASE } from '../guest/memory-map.js';
import type { MemoryViews } from './memory-views.js';
import { withMutex } from './mutex.js';

/** The memory is another process's by now, and what was to be done for the one before is out of date. */
export class LifeOver extends Error {
  override readonly name = 'LifeOver';
}

/** The memory's present life. Asked for by a thread of the process, or with PCB.TRANSLATE_LOCK held, it is still that afterwards. */
export const lifeOf = ({ i32 }: MemoryViews): number => Atomics.load(i32, (PCB_BASE + PCB.LIFE) / 4);

/** Runs `fn` with PCB.TRANSLATE_LOCK held, in that life of the memory; throws LifeOver, with nothing done, when it is over. */
export function withinLife<T>(views: MemoryViews, life: number, fn: () => T): T {
  return withMutex(views.i32, (PCB_BASE + PCB.TRANSLATE_LOCK) / 4, () => {
    if (lifeOf(views) !== life) throw new LifeOver();
    return fn();
  });
}
