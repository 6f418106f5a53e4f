/**
 * Readiness of open files, for poll and select. In: descriptions. Out: event masks (poll-events.ts) and wait queues. Source: man 2 poll.
 */
import { fileOps } from './open-files.js';
import type { VfsState } from './state.js';

/** All events that are there now; `wanted` says whether it is worth asking the host for input. */
export function readiness(s: VfsState, file: number, wanted: number): number {
  return fileOps(s, file).readiness(s, file, wanted);
}

/** The queue that is woken when the readiness changes; undefined where it never does. */
export function readinessQueue(s: VfsState, file: number): number | undefined {
  return fileOps(s, file).queue?.(s, file);
}

/** For files whose host tells us nothing: sleeps between two looks. */
export function readinessRecheck(s: VfsState, file: number): (() => number) | undefined {
  return fileOps(s, file).recheck?.(s, file);
}
