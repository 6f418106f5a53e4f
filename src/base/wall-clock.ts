/** The host's wall clock, finer than Date.now(). In: nothing. Out: milliseconds since 1970. */

/** A step of the clock by more than this is followed; Date.now() itself counts whole milliseconds. */
const STEP_MS = 20;

/** The wall clock at performance.now() 0, as last seen: the host may set its clock. */
let origin = performance.timeOrigin;

/** To a microsecond. */
export function wallClockMs(): number {
  const now = origin + performance.now();
  const host = Date.now();
  if (Math.abs(host - now) <= STEP_MS) return now;
  origin += host - now;
  return host;
}
