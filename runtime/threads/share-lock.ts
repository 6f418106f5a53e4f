/**
 * The lock of sharing, and what else an address space needs to get pages from others (runtime/memory/sharing.ts). In: a guest thread. Out: Sharing.
 * One lock of all processes, in the kernel's buffer: at most one thread moves pages between address spaces at a time. It is the outermost lock: a thread that waits for it is PARKED in its own
 * memory, so the holder can stop the world there as in any other memory. Sections read and write pages of files, and wait for worlds to stop: some ten microseconds.
 * A guest process that is killed ends at a safepoint, never within a section.
 */
import { InternalError } from '../../src/base/errors.js';
import type { Thread } from '../linux/thread.js';
import { SharedObjects } from '../memory/shared-objects.js';
import type { Sharing } from '../memory/sharing.js';
import { AddressSpace } from '../memory/address-space.js';
import { SpaceCore, type SpaceHooks } from '../memory/space-core.js';
import { HEAD } from '../process/layout.js';
import { Quiesce } from './quiesce.js';

/** How long a process keeps the pages that it has got from another, unless it sleeps. */
const TENURE_US = 40;
/** Shorter pauses are spent looking at the clock: a sleep takes longer. */
const SHORTEST_SLEEP_US = 60;
const SPINS = 100;

const microseconds = (ns: number): number => Math.floor(ns / 1e3) % 2 ** 32;

export class ThreadSharing implements Sharing {
  readonly objects: SharedObjects;
  private readonly spaces = new Map<number, SpaceCore>();
  private depth = 0;

  /** @param t has its kernel, task, gate and engine by the time of the calls */
  constructor(private readonly t: Thread) {
    this.objects = new SharedObjects(t.kernel.i32);
  }

  get mm(): number {
    return this.t.task.mm;
  }

  get nested(): boolean {
    return this.depth > 1;
  }

  locked<T>(fn: () => T): T {
    if (this.depth === 0) this.acquire();
    this.depth++;
    try {
      return fn();
    } finally {
      this.depth--;
      if (this.depth === 0) this.release();
    }
  }

  space(mm: number): SpaceCore {
    let space = this.spaces.get(mm);
    if (space === undefined) {
      const { buffer, hooks } = this.reach(mm);
      space = new SpaceCore(buffer, hooks);
      this.spaces.set(mm, space);
    }
    return space;
  }

  /** Another address space as a whole, for what is done in the name of its process. With the lock held. */
  addressSpace(mm: number): AddressSpace {
    const { buffer, hooks } = this.reach(mm);
    const { objects } = this;
    const sharing: Sharing = {
      mm,
      objects,
      nested: true,
      locked: (fn) => this.locked(fn),
      space: (other) => this.space(other),
      granted: () => {
        this.granted();
      },
      tenure: (other) => this.tenure(other),
      pause: (us) => {
        this.pause(us);
      },
    };
    return new AddressSpace(buffer, { ...hooks, sharing });
  }

  /** The memory of `mm`, and how its world is stopped: from outside, but for our own. */
  private reach(mm: number): { readonly buffer: SharedArrayBuffer; readonly hooks: SpaceHooks } {
    const { kernel, engine } = this.t;
    const memory = kernel.lookIntoMemory(this.t, mm);
    // The memory is created shared.
    const buffer = memory.buffer as SharedArrayBuffer;
    if (mm === this.mm) {
      const invalidate = (addr: number, size: number): void => {
        engine.invalidate(addr, size);
      };
      return { buffer, hooks: { stopWorld: (fn) => engine.stopWorld(fn), invalidate } };
    }
    const outside = new Quiesce(new Int32Array(buffer), undefined);
    return { buffer, hooks: { stopWorld: (fn) => outside.stopWorld(fn), invalidate: engine.invalidateIn(memory) } };
  }

  granted(): void {
    const { kernel, task } = this.t;
    task.mmRecord.granted = microseconds(kernel.now());
  }

  tenure(mm: number): number {
    const { kernel } = this.t;
    const passed = (microseconds(kernel.now()) - kernel.mm(mm).granted) >>> 0;
    return Math.max(0, TENURE_US - passed);
  }

  pause(us: number): void {
    const { kernel, quiesce, task } = this.t;
    quiesce.enterParked();
    if (us >= SHORTEST_SLEEP_US) {
      Atomics.wait(kernel.i32, HEAD.MAGIC, kernel.i32[HEAD.MAGIC] ?? 0, us / 1e3);
    } else {
      for (const end = kernel.now() + us * 1e3; kernel.now() < end && !task.mustLeave;);
    }
    quiesce.leaveParked();
  }

  private acquire(): void {
    const { kernel, quiesce } = this.t;
    const { i32 } = kernel;
    kernel.assertUnlocked();
    if (quiesce.stopping) throw new InternalError('the lock of sharing comes before stop the world');
    for (let i = 0; i < SPINS; i++)
      if (Atomics.load(i32, HEAD.SHARE_LOCK) === 0 && Atomics.compareExchange(i32, HEAD.SHARE_LOCK, 0, 1) === 0) return;
    quiesce.enterParked();
    while (Atomics.exchange(i32, HEAD.SHARE_LOCK, 2) !== 0) Atomics.wait(i32, HEAD.SHARE_LOCK, 2);
    quiesce.leaveParked();
  }

  private release(): void {
    const { i32 } = this.t.kernel;
    if (Atomics.exchange(i32, HEAD.SHARE_LOCK, 0) === 2) Atomics.notify(i32, HEAD.SHARE_LOCK, 1);
  }
}
