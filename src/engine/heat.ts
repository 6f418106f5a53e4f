/**
 * When a TB gets hot, and how hot it has got since: TB.HEAT counts entries of the interpreter down from one of these values. In: a TB's header. Out: entries.
 */
import { PCB, PCB_BASE } from '../guest/memory-map.js';
import { HEAT_OFF, TB, TB_FLAG } from '../guest/tb-header.js';
import type { MemoryViews } from './memory-views.js';

/** Entries of a TB that was encoded as lifted after which the optimiser pays: it takes some 0.4 ms a TB, which runs seldom enough that V8 has not optimised it. */
export const COLD_HEAT = 10_000;
/** Entries of an optimised TB after which its region is asked for again: the compiler may have put it off while it was cold (hot-queue.ts). */
export const WARM_HEAT = 500_000;
/** Further entries of a TB after which it is asked for again, though a region holds it: some 10 ms in the interpreter, so that the region can be there first. */
export const SECOND_HEAT = 500_000;
/** Entries of a TB whose region an earlier run has left: V8 has to compile it again. */
export const KEPT_HEAT = 100;

/** Whether the entries of the TB at `header` lead to anything: HEAT_OFF counts down, too. */
export const isCounted = ({ i32 }: MemoryViews, header: number): boolean =>
  (i32[(header + TB.HEAT) / 4] ?? 0) <= HEAT_OFF / 2;

/** Entries of the TB at `header` since its region was asked for (guest-thread.ts, hot; translator.ts, warm). One that was put off counts as long as it is asked for again. */
export function entriesSinceAsked(views: MemoryViews, header: number): number {
  const { i32 } = views;
  const heat = i32[(header + TB.HEAT) / 4] ?? 0;
  if (!isCounted(views, header)) return HEAT_OFF - heat;
  const cold = ((i32[(header + TB.FLAGS) / 4] ?? 0) & TB_FLAG.COLD) !== 0;
  return cold ? Math.max(COLD_HEAT - heat, 0) : COLD_HEAT + Math.max(WARM_HEAT - heat, 0);
}

/** Whether the TB has been entered so often that its region was asked for; always where nothing is counted. */
export function isHot(views: MemoryViews, header: number): boolean {
  const flags = views.i32[(header + TB.FLAGS) / 4] ?? 0;
  return !isCounted(views, header) || (flags & TB_FLAG.COLD) === 0 || (flags & TB_FLAG.ASKED) !== 0;
}

/** Part of the entries that make a TB hot after which it may be in another's region: what runs less often makes regions large, and is in few runs of a loop. */
const WARM_PART = 1 / 8;

/** Whether the TB at `header` (0: there is none) was entered often enough to be in a region. */
export function isWarm(views: MemoryViews, header: number): boolean {
  const { i32 } = views;
  if (header === 0) return false;
  if (isHot(views, header) || i32[(header + TB.SLOT) / 4] !== 0) return true;
  const first = i32[(PCB_BASE + PCB.HOT_THRESHOLD) / 4] ?? 0;
  return (i32[(header + TB.HEAT) / 4] ?? 0) <= first * (1 - WARM_PART);
}

/** Entries of the TB at `header` by the interpreter so far, as far as its count tells: what was put off counts less. */
export function entriesSoFar(views: MemoryViews, header: number): number {
  const { i32 } = views;
  const first = i32[(PCB_BASE + PCB.HOT_THRESHOLD) / 4] ?? 0;
  const heat = i32[(header + TB.HEAT) / 4] ?? 0;
  if (isHot(views, header)) return first + entriesSinceAsked(views, header);
  return Math.max(first - heat, 0);
}

/** Part of a TB's entries of which an access has to be at an edge for its region to expect that. */
const EDGE_PART = 1 / 4;

/** Whether the TB at `header` (0: there is none) mostly accesses pages whose next page does not allow as much (TB.EDGES), as far as the interpreter has seen. */
export function isAtEdges(views: MemoryViews, header: number): boolean {
  const edges = header === 0 ? 0 : (views.i32[(header + TB.EDGES) / 4] ?? 0);
  return edges > 0 && edges >= entriesSoFar(views, header) * EDGE_PART;
}
