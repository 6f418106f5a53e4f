/**
 * What an address space needs to share pages with others: the lock of sharing, who maps what, the tables of the others, time. The engine gives it to the address space of each guest thread. Out: types.
 * Order: lock of sharing, stop the world, PCB.MM_LOCK. Whoever waits for the lock of sharing is parked in its own memory, so the holder can stop any world.
 */
import type { SharedObjects } from './shared-objects.js';
import type { SpaceCore } from './space-core.js';

export interface Sharing {
  /** Index of this address space. */
  readonly mm: number;
  readonly objects: SharedObjects;
  /** Runs `fn` with the lock of sharing held, as a RUNNING thread; may be nested. The thread may have been parked before. */
  locked<T>(fn: () => T): T;
  /** True in a nested call of `locked`: the lock stays held when it returns. */
  readonly nested: boolean;
  /** The tables of another address space, whose world they stop from outside. With the lock of sharing held. */
  space(mm: number): SpaceCore;
  /** Notes that this address space has just got a page from another. */
  granted(): void;
  /** Microseconds for which `mm` is still to keep what it got last. */
  tenure(mm: number): number;
  /** Lets `us` microseconds pass, parked. Without the lock. */
  pause(us: number): void;
}
