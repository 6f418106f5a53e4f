/**
 * Clocks. In: the kernel and a clock id. Out: nanoseconds. Source: man 2 clock_gettime.
 * CLOCK_REALTIME is CLOCK_MONOTONIC and an offset that all threads share; it is set again when the host's clock has been stepped.
 */
import { processCpu } from '../process/cpu-time.js';
import { guestThreadCpuNs } from '../process/exit.js';
import { HEAD } from '../process/layout.js';
import type { Kernel } from '../process/kernel.js';
import type { TimePair } from './structs.js';

export const CLOCK = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
  MONOTONIC_RAW: 4,
  REALTIME_COARSE: 5,
  MONOTONIC_COARSE: 6,
  BOOTTIME: 7,
  REALTIME_ALARM: 8,
  BOOTTIME_ALARM: 9,
  TAI: 11,
} as const;

/** A step of the host's clock by more than this is followed; Date.now() itself counts whole milliseconds. */
const STEP_NS = 20_000_000n;

/** Nanoseconds since 1970. */
export function realtime(kernel: Kernel): bigint {
  const monotonic = process.hrtime.bigint();
  const offset = kernel.i64[HEAD.REALTIME_OFFSET / 2] ?? 0n;
  const host = BigInt(Date.now()) * 1_000_000n;
  const difference = host - (monotonic + offset);
  if (difference > STEP_NS || difference < -STEP_NS) {
    kernel.i64[HEAD.REALTIME_OFFSET / 2] = host - monotonic;
    return host;
  }
  return monotonic + offset;
}

/** Nanoseconds of CLOCK_MONOTONIC at a time of CLOCK_REALTIME. Steps of the clock while someone waits for it are not seen. */
export function realtimeDeadline(kernel: Kernel, ts: TimePair): number {
  realtime(kernel);
  return Number(ts.sec * 1_000_000_000n + ts.frac - (kernel.i64[HEAD.REALTIME_OFFSET / 2] ?? 0n));
}

/** True for the clocks that count like CLOCK_REALTIME. */
export function isRealtime(clock: number): boolean {
  return (
    clock === CLOCK.REALTIME || clock === CLOCK.REALTIME_COARSE || clock === CLOCK.REALTIME_ALARM || clock === CLOCK.TAI
  );
}

/** Value of a clock in nanoseconds; undefined: there is none with this id. Clocks of other processes (negative ids) are not there, but for one's own. */
export function readClock(kernel: Kernel, clock: number): bigint | undefined {
  if (isRealtime(clock)) return realtime(kernel);
  switch (clock) {
    case CLOCK.MONOTONIC:
    case CLOCK.MONOTONIC_RAW:
    case CLOCK.MONOTONIC_COARSE:
    case CLOCK.BOOTTIME:
    case CLOCK.BOOTTIME_ALARM:
      return process.hrtime.bigint();
    case CLOCK.PROCESS_CPUTIME_ID: {
      const { user, system } = processCpu();
      return BigInt(user + system) * 1000n;
    }
    case CLOCK.THREAD_CPUTIME_ID:
      return BigInt(Math.round(guestThreadCpuNs()));
    default:
      return undefined;
  }
}

/** Resolution in nanoseconds. */
export function clockResolution(clock: number): bigint {
  return clock === CLOCK.REALTIME_COARSE || clock === CLOCK.MONOTONIC_COARSE ? 4_000_000n : 1n;
}
