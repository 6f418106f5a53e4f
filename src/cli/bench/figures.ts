/** Figures of bench rows. In: rows of samples. Out: medians, ratios of runs of the same turn with their spread, geometric means. */
import type { Engine } from './engines.js';
import type { Row, Sample } from './measure.js';

export interface Figure {
  readonly value: number;
  /** Half of (largest - smallest), as a share of the value; 0 for one run. */
  readonly spread: number;
}

const samplesOf = (row: Row, engine: Engine): readonly Sample[] => row.times[engine]?.samples ?? [];

function figure(values: readonly number[]): Figure | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  const value = sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
  return { value, spread: ((sorted.at(-1) ?? NaN) - (sorted[0] ?? NaN)) / 2 / value };
}

/** Median time of a run, seconds. */
export const seconds = (row: Row, engine: Engine): Figure | undefined =>
  figure(samplesOf(row, engine).map((s) => s.seconds));

/** Median time of one operation, nanoseconds. */
export function nanoseconds(row: Row, engine: Engine): Figure | undefined {
  const { operations } = row;
  return operations === undefined
    ? undefined
    : figure(samplesOf(row, engine).map((s) => (s.seconds * 1e9) / operations));
}

/** Median of the ratios of `a`'s time to `b`'s in each turn. */
export function ratio(row: Row, a: Engine, b: Engine): Figure | undefined {
  const below = samplesOf(row, b);
  return figure(
    samplesOf(row, a).flatMap((s, i) => {
      const other = below[i];
      return other === undefined ? [] : [s.seconds / other.seconds];
    }),
  );
}

/** Median of millions of guest instructions a second, of the interpreter. */
export const interpretedMillions = (row: Row): Figure | undefined =>
  figure(samplesOf(row, 'interp').flatMap((s) => (s.insnsPerSecond === undefined ? [] : [s.insnsPerSecond / 1e6])));

/** Undefined where there is none. */
export function geometricMean(values: readonly (Figure | undefined)[]): number | undefined {
  const known = values.flatMap((f) => (f !== undefined && f.value > 0 ? [f.value] : []));
  return known.length === 0 ? undefined : Math.exp(known.reduce((sum, v) => sum + Math.log(v), 0) / known.length);
}

/** Engines that gave no figure for some row, with the reason. */
export const failures = (
  rows: readonly Row[],
): { readonly row: string; readonly engine: Engine; readonly why: string }[] =>
  rows.flatMap((r) =>
    Object.entries(r.times).flatMap(([engine, t]) =>
      t.failure === undefined ? [] : [{ row: r.name, engine: engine as Engine, why: t.failure }],
    ),
  );

/** How many times as fast four threads are as one, by the rows `threads-1` and `threads-4`. */
export function threadSpeedup(rows: readonly Row[], engine: Engine): number | undefined {
  const [one, four] = ['threads-1', 'threads-4'].map((name) => rows.find((r) => r.name === name));
  if (one === undefined || four === undefined) return undefined;
  const [a, b] = [seconds(one, engine), seconds(four, engine)];
  return a === undefined || b === undefined ? undefined : a.value / b.value;
}
