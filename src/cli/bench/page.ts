/** The page of `lift64 bench --html`: charts and tables, with nothing to load. In: a report. Out: HTML. */
import type { Engine } from './engines.js';
import { type Figure, geometricMean, nanoseconds, ratio, seconds } from './figures.js';
import type { Row } from './measure.js';
import type { Report } from './report.js';
import { digits, enginesOf, groupCells, groupsOf, notes, READING } from './table.js';
import { type Group, GROUPS } from './workloads.js';

const COLOURS: Readonly<Record<Engine, string>> = {
  native: '#6b7280',
  qemu: '#d97706',
  interp: '#9ca3af',
  lift64: '#2563eb',
  warm: '#60a5fa',
  unchecked: '#0d9488',
};

const STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1f2937; --faint: #6b7280; --line: #e5e7eb; }
@media (prefers-color-scheme: dark) { :root { --back: #111827; --text: #e5e7eb; --faint: #9ca3af; --line: #374151; } }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin-bottom: 0; } h2 { margin: 2.5rem 0 .2rem; } p { margin: .2rem 0 1rem; color: var(--faint); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .faint { fill: var(--faint); }
svg line { stroke: var(--line); } svg .error { stroke: var(--text); stroke-width: 1; }
.legend span { margin-right: 1.2rem; white-space: nowrap; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; margin-top: 1rem; }
td, th { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: normal; } th { color: var(--faint); }
td:first-child, th:first-child { text-align: left; } tr:last-child td { font-weight: 600; } code { font-size: 13px; }`;

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** What a chart's bars are. */
interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly of: (row: Row, engine: Engine) => Figure | undefined;
  readonly engines: readonly Engine[];
}

function measureOf(group: Group, engines: readonly Engine[]): Measure {
  if (group === 'system') return { title: 'nanoseconds an operation', unit: ' ns', of: nanoseconds, engines };
  if (group === 'start' || !engines.includes('native')) return { title: 'seconds', unit: ' s', of: seconds, engines };
  return {
    title: 'time over native time: less is better',
    unit: 'x',
    of: (row, engine) => ratio(row, engine, 'native'),
    engines: engines.filter((e) => e !== 'native'),
  };
}

const WIDTH = 1000;
const LABEL = 130;
const VALUE = 70;
const BAR = 11;
const GAP = 9;

/** Lines of the scale in a decade. */
const STEPS = [1, 2, 5] as const;

/** The largest line of the scale that is not above `v`. */
function floorOf(v: number): number {
  const decade = 10 ** Math.floor(Math.log10(v));
  return decade * (STEPS.findLast((step) => decade * step <= v) ?? 1);
}

/** Bars on a logarithmic scale, a block of engines for each row and one for the geometric mean. */
function chart(rows: readonly Row[], m: Measure): string {
  const blocks = rows.map((r) => ({ name: r.name, figures: m.engines.map((e) => m.of(r, e)) }));
  if (rows.length > 1) {
    const means = m.engines.map((_, i): Figure | undefined => {
      const value = geometricMean(blocks.map((b) => b.figures[i]));
      return value === undefined ? undefined : { value, spread: 0 };
    });
    blocks.push({ name: 'geometric mean', figures: means });
  }
  const values = blocks.flatMap((b) => b.figures.flatMap((f) => (f === undefined ? [] : [f.value])));
  if (values.length === 0) return '';
  const low = floorOf(Math.min(...values) * 0.95);
  const high = Math.max(...values) * 1.15;
  const x = (v: number): number =>
    LABEL + (Math.max(0, Math.log(v / low)) / Math.log(high / low)) * (WIDTH - LABEL - VALUE);
  const height = blocks.length * (m.engines.length * BAR + GAP) + 20;
  const parts: string[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade < high; decade *= 10)
    for (const step of STEPS) {
      const v = decade * step;
      if (v < low * 0.99 || v >= high) continue;
      const at = x(v).toFixed(1);
      parts.push(
        `<line x1="${at}" x2="${at}" y1="14" y2="${height}"/>`,
        `<text class="faint" x="${at}" y="10" text-anchor="middle">${tick(v)}</text>`,
      );
    }
  let y = 20;
  for (const { name, figures } of blocks) {
    const middle = y + (figures.length * BAR) / 2 + 4;
    parts.push(`<text x="${LABEL - 8}" y="${middle}" text-anchor="end">${escape(name)}</text>`);
    figures.forEach((f, i) => {
      const engine = m.engines[i];
      if (f !== undefined && engine !== undefined) parts.push(bar(f, engine, y + i * BAR, x, m.unit));
    });
    y += figures.length * BAR + GAP;
  }
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(m.title)}">${parts.join('\n')}</svg>`;
}

function bar(f: Figure, engine: Engine, y: number, x: (v: number) => number, unit: string): string {
  const end = x(f.value);
  const text = digits(f.value) + unit;
  const [from, to] = [x(f.value * (1 - f.spread)), x(f.value * (1 + f.spread))];
  const error =
    f.spread === 0
      ? ''
      : `<line class="error" x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${y + 5}" y2="${y + 5}"/>`;
  return (
    `<rect x="${LABEL}" y="${y}" width="${(end - LABEL).toFixed(1)}" height="${BAR - 2}" rx="2" fill="${COLOURS[engine]}">` +
    `<title>${engine}: ${text}</title></rect>${error}` +
    `<text class="faint" style="font-size:9px" x="${(Math.max(end, to) + 4).toFixed(1)}" y="${y + 8}">${text}</text>`
  );
}

const tick = (v: number): string =>
  v >= 1e6 ? `${v / 1e6}M` : v >= 1e3 ? `${v / 1e3}k` : String(Number(v.toPrecision(1)));

const legend = (engines: readonly Engine[]): string =>
  `<p class="legend">${engines.map((e) => `<span><i style="background:${COLOURS[e]}"></i>${e}</span>`).join('')}</p>`;

function tableOf(group: Group, rows: readonly Row[]): string {
  const [head = [], ...lines] = groupCells(group, rows);
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((c) => `<${tag}>${escape(c)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table>${line(head, 'th')}${lines.map((l) => line(l, 'td')).join('')}</table></div>`;
}

/** The whole page. */
export function page(report: Report): string {
  const { rows } = report;
  const sections = groupsOf(rows).map((group) => {
    const inGroup = rows.filter((r) => r.group === group);
    const m = measureOf(group, enginesOf(inGroup));
    return (
      `<h2>${group}</h2><p>${escape(GROUPS[group])}. The chart: ${escape(m.title)}.</p>` +
      legend(m.engines) +
      chart(inGroup, m) +
      tableOf(group, inGroup)
    );
  });
  const about = [report.date.slice(0, 10), report.host, `Node ${report.node}`, `${report.runs} runs`].join(' · ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>lift64 bench</title><style>${STYLE}</style></head>
<body><h1>lift64 bench</h1><p>${escape(about)}<br><code>${escape(report.command)}</code></p>
${sections.join('\n')}
<h2>Notes</h2>${[...notes(report), READING].map((n) => `<p>${escape(n)}</p>`).join('\n')}
</body></html>
`;
}
