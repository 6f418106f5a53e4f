/**
 * Waiting: a thread that has to wait sleeps on its own word in the kernel's buffer until what it waits for is there, its time is up, or a signal
 * or exit_group wants it. In: the thread and a predicate. Out: park. Source: DESIGN.md section 7.
 */
import type { Thread } from '../linux/thread.js';

export interface ParkOptions {
  /** Nanoseconds of CLOCK_MONOTONIC (kernel.now()) after which the wait gives 'timeout'; Infinity: never. */
  readonly deadlineNs?: number;
  /** True: only what ends the thread interrupts it (vfork, job control). */
  readonly killOnly?: boolean;
}

const FOR_EVER: ParkOptions = {};
/** Atomics.wait takes doubles of milliseconds; longer sleeps are cut and repeated. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

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
  const { task, kernel, quiesce } = t;
  const deadline = options.deadlineNs ?? Infinity;
  for (;;) {
    const sequence = task.parkSequence;
    const value = ready();
    if (value !== undefined) return value;
    if (interrupted(t, options.killOnly)) return 'interrupted';
    let ms = Infinity;
    if (deadline !== Infinity) {
      const left = deadline - kernel.now();
      if (left <= 0) return 'timeout';
      ms = Math.min(left / 1e6, LONGEST_SLEEP_MS);
    }
    quiesce.enterParked();
    task.sleep(sequence, ms);
    quiesce.leaveParked();
  }
}
