/** The table of `lift64 bench`. In: rows. Out: text. The columns serve the HTML page too. */
import { ENGINES, type Engine } from './engines.js';
import {
  failures,
  type Figure,
  geometricMean,
  interpretedMillions,
  nanoseconds,
  ratio,
  seconds,
  threadSpeedup,
} from './figures.js';
import type { Row } from './measure.js';
import type { Report } from './report.js';
import { type Group, GROUPS } from './workloads.js';

export interface Column {
  readonly title: string;
  readonly value: (row: Row) => Figure | undefined;
  readonly unit: '' | 'x';
  /** Engines that it needs. */
  readonly of: readonly Engine[];
}

const over = (a: Engine, b: Engine): Column => ({
  title: `${a}/${b}`,
  value: (r) => ratio(r, a, b),
  unit: 'x',
  of: [a, b],
});

const RATIOS: readonly Column[] = [
  over('qemu', 'native'),
  over('interp', 'native'),
  over('lift64', 'native'),
  over('unchecked', 'native'),
  over('lift64', 'unchecked'),
  over('interp', 'lift64'),
  over('qemu', 'lift64'),
  over('qemu', 'warm'),
];

const perEngine = (unit: string, value: (row: Row, engine: Engine) => Figure | undefined): Column[] =>
  ENGINES.map((e) => ({ title: `${e} ${unit}`, value: (r) => value(r, e), unit: '', of: [e] }));

const TIMES: readonly Column[] = [
  { title: 'native s', value: (r) => seconds(r, 'native'), unit: '', of: ['native'] },
  ...RATIOS,
  { title: 'interp Minsn/s', value: interpretedMillions, unit: '', of: ['interp'] },
];

/** Engines that ran for some of `rows`. */
export const enginesOf = (rows: readonly Row[]): Engine[] =>
  ENGINES.filter((e) => rows.some((r) => r.times[e] !== undefined));

/** Columns of a group's rows, those of engines that ran. */
export function columnsOf(group: Group, rows: readonly Row[]): Column[] {
  const engines = enginesOf(rows);
  const all =
    group === 'system'
      ? [...perEngine('ns', nanoseconds), over('lift64', 'native'), over('qemu', 'lift64'), over('qemu', 'warm')]
      : group === 'start'
        ? [...perEngine('s', seconds), over('qemu', 'lift64'), over('qemu', 'warm')]
        : TIMES;
  return all.filter((c) => c.of.every((e) => engines.includes(e)));
}

/** Three digits. */
export function digits(v: number): string {
  return v >= 100 ? Math.round(v).toString() : v >= 10 ? v.toFixed(1) : v >= 0.1 ? v.toFixed(2) : v.toPrecision(2);
}

function cell(f: Figure | undefined, c: Column): string {
  if (f === undefined || !Number.isFinite(f.value)) return '-';
  return digits(f.value) + c.unit + (f.spread === 0 ? '' : ` ±${Math.round(f.spread * 100)}%`);
}

/** Groups of `rows`, in the order of GROUPS. */
export const groupsOf = (rows: readonly Row[]): Group[] =>
  (Object.keys(GROUPS) as Group[]).filter((g) => rows.some((r) => r.group === g));

/** Title, rows and means of a group's table. */
export function groupCells(group: Group, rows: readonly Row[]): string[][] {
  const columns = columnsOf(group, rows);
  const lines = [['program', ...columns.map((c) => c.title)]];
  for (const r of rows) lines.push([r.name, ...columns.map((c) => cell(c.value(r), c))]);
  if (rows.length > 1) {
    const means = columns.map((c) => {
      const mean = geometricMean(rows.map(c.value));
      return mean === undefined ? '-' : digits(mean) + c.unit;
    });
    lines.push(['geometric mean', ...means]);
  }
  return lines;
}

function groupText(group: Group, rows: readonly Row[]): string {
  const lines = groupCells(group, rows);
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((l) => (l[i] ?? '').length)));
  const text = lines.map((l) =>
    widths
      .map((w, i) => (i === 0 ? (l[i] ?? '').padEnd(w) : (l[i] ?? '').padStart(w)))
      .join('  ')
      .trimEnd(),
  );
  text.splice(1, 0, '-'.repeat(Math.max(...text.map((l) => l.length))));
  return `${text.join('\n')}\n`;
}

/** What stands below the tables: the threads' speed-up, Node's start, failures. */
export function notes({ rows, engines, skipped, nodeStart }: Report): string[] {
  const out: string[] = [];
  const speedups = engines.flatMap((e) => {
    const s = threadSpeedup(rows, e);
    return s === undefined ? [] : [`${e} ${s.toFixed(2)}`];
  });
  if (speedups.length > 0) out.push(`Four threads are as fast as one times: ${speedups.join(', ')}.`);
  if (rows.some((r) => r.group === 'start')) out.push(`node -e 0 takes ${digits(nodeStart)} s.`);
  for (const f of failures(rows)) out.push(`FAILED: ${f.row} under ${f.engine}: ${f.why}`);
  for (const s of skipped) out.push(`Not measured: ${s}.`);
  return out;
}

export const READING =
  'a/b: time of a over time of b, median of the runs, ± half of the range; engines in turn. ' +
  'Times of lift64 are those of the guest, with all compiling; in start and debian, of the whole process.';

/** All tables and notes. */
export function table(report: Report): string {
  const { rows } = report;
  const tables = groupsOf(rows).map((g) => {
    const inGroup = rows.filter((r) => r.group === g);
    return `${g}: ${GROUPS[g]}\n\n${groupText(g, inGroup)}`;
  });
  return [...tables, [...notes(report), READING].join('\n') + '\n'].join('\n');
}
