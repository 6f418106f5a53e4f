/**
 * What permission checks have shown about the bytes around a value. In: ranges that were checked. Out: their union, as far as it is one range, and whether an access is within it.
 */

/** Bytes [low, high), from a value on. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Bytes that may be read, and those that may be written. */
export interface Checked {
  readonly r?: Range | undefined;
  readonly w?: Range | undefined;
}

/** By global. */
export type Facts = ReadonlyMap<number, Checked>;
export type Hulls = ReadonlyMap<number, Checked>;

/** The range that `size` bytes at `offset` are in, if it has been checked. */
export function covered(
  checked: Checked | undefined,
  offset: number,
  size: number,
  writes: boolean,
): Range | undefined {
  const within = (range: Range | undefined): Range | undefined =>
    range !== undefined && range.low <= offset && offset + size <= range.high ? range : undefined;
  return within(checked?.w) ?? (writes ? undefined : within(checked?.r));
}

export function shifted(checked: Checked | undefined, by: number): Checked | undefined {
  const shift = (range: Range | undefined): Range | undefined =>
    range && { low: range.low + by, high: range.high + by };
  return by === 0 ? checked : checked && { r: shift(checked.r), w: shift(checked.w) };
}

/** One range for both where they touch, else the longer one. */
function joined(a: Range | undefined, b: Range): Range {
  if (a === undefined) return b;
  if (a.low <= b.high && b.low <= a.high) return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
  return a.high - a.low > b.high - b.low ? a : b;
}

export function widened(checked: Checked | undefined, range: Range, writes: boolean): Checked {
  return writes ? { r: checked?.r, w: joined(checked?.w, range) } : { r: joined(checked?.r, range), w: checked?.w };
}
