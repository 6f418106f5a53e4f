/**
 * Waiting: a thread that has to wait sleeps on its own word in the kernel's buffer until what it waits for is there, its time is up, or a signal
 * or exit_group wants it. In: the thread and a predicate. Out: park. Source: DESIGN.md section 7.
 */
import { availableParallelism } from 'node:os';
import type { Thread } from '../linux/thread.js';
import type { Task } from '../process/task.js';

export interface ParkOptions {
  /** Nanoseconds of CLOCK_MONOTONIC (kernel.now()) after which the wait gives 'timeout'; Infinity: never. */
  readonly deadlineNs?: number;
  /** True: only what ends the thread interrupts it (vfork, job control). */
  readonly killOnly?: boolean;
  /** True: nothing but lift64's own end interrupts it (a thread that ends, and waits for its tracer). */
  readonly endsAlready?: boolean;
}

const FOR_EVER: ParkOptions = {};
/** Atomics.wait takes doubles of milliseconds; longer sleeps are cut and repeated. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
/**
 * Looks at the wake sequence, some 20 ns each, before the thread sleeps: at most as long as it takes to sleep and to be woken, 4 us of each of the two threads; fewer where the last ones were in vain. None where
 * there is no other CPU for the one that would wake it.
 */
const MOST_SPINS = availableParallelism() > 1 ? 200 : 0;
const FEWEST_SPINS = MOST_SPINS / 8;
/** This thread's next looks. */
let spins = MOST_SPINS;

/** Whether the thread must leave a wait: unblocked signals, stops, exit_group, lift64 going down. Reads only; needs no lock. */
export function interrupted(t: Thread, killOnly = false): boolean {
  if (t.kernel.shuttingDown) return true;
  return killOnly ? t.task.mustLeave : t.task.hasSignalWork();
}

/**
 * Waits until `ready()` gives a value. Each round reads the wake sequence, asks `ready`, then sleeps if nobody has woken the task since.
 * So whoever makes `ready` true must do that first and wake after. While it sleeps the thread counts as parked (quiesce.ts); `ready` runs as a running thread.
 * No mutex may be held by the caller.
 */
export function park<T>(
  t: Thread,
  ready: () => T | undefined,
  options: ParkOptions = FOR_EVER,
): T | 'timeout' | 'interrupted' {
  const { task, kernel } = t;
  const deadline = options.deadlineNs ?? Infinity;
  for (;;) {
    const sequence = task.parkSequence;
    const value = ready();
    if (value !== undefined) return value;
    if (options.endsAlready === true ? kernel.shuttingDown : interrupted(t, options.killOnly)) return 'interrupted';
    let ms = Infinity;
    if (deadline !== Infinity) {
      const left = deadline - kernel.now();
      if (left <= 0) return 'timeout';
      ms = Math.min(left / 1e6, LONGEST_SLEEP_MS);
    }
    awaitWake(t, sequence, ms);
  }
}

/** Returns once the thread has been woken since `sequence`, after `ms`, or earlier. While it sleeps it counts as parked (quiesce.ts). No mutex may be held. */
export function awaitWake(t: Thread, sequence: number, ms: number): void {
  if (ms > 0 && spin(t.task, sequence)) return;
  sleepParked(t, sequence, ms);
}

/** As awaitWake, for waits that are never short. */
export function sleepParked(t: Thread, sequence: number, ms: number): void {
  t.quiesce.enterParked();
  t.task.sleep(sequence, ms);
  t.quiesce.leaveParked();
  t.afterWake?.();
}

/** Looks for a wake before the thread sleeps; true: there was one. */
function spin(task: Task, sequence: number): boolean {
  for (let i = 0; i < spins; i++) {
    if (task.parkSequence === sequence) continue;
    spins = Math.min(MOST_SPINS, spins * 2);
    return true;
  }
  spins = Math.max(FEWEST_SPINS, spins >> 1);
  return false;
}
