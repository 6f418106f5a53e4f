/** What --profile prints. In: Stats and the reports of guest threads. Out: lines. */
import { type CallFigures, type Share, SHARES, type Stats, type ThreadReport } from './stats.js';

/** Rows of a list. */
const MOST = 15;

/** Sums of several threads. */
export function mergeReports(reports: readonly ThreadReport[]): ThreadReport {
  const shares: Partial<Record<Share, number>> = {};
  const regions: Record<string, number> = {};
  const calls: Record<string, CallFigures> = {};
  const interpreted: Record<string, number> = {};
  for (const r of reports) {
    for (const [name, insns] of Object.entries(r.interpreted)) interpreted[name] = (interpreted[name] ?? 0) + insns;
    for (const share of SHARES) shares[share] = (shares[share] ?? 0) + (r.shares[share] ?? 0);
    for (const [name, ms] of Object.entries(r.regions)) regions[name] = (regions[name] ?? 0) + ms;
    for (const [name, { count, ms }] of Object.entries(r.calls)) {
      const sum = calls[name] ?? { count: 0, ms: 0 };
      calls[name] = { count: sum.count + count, ms: sum.ms + ms };
    }
  }
  return { shares, regions, calls, interpreted };
}

export function statsLines(s: Stats, reports: readonly ThreadReport[]): string[] {
  const { shares, regions, calls, interpreted } = mergeReports(reports);
  const lines = [
    `start-up ${seconds(s.startupSeconds)}, guest ${seconds(s.guestSeconds)}, ${s.threads} thread${s.threads === 1 ? '' : 's'}`,
    `interpreter: ${millions(s.interpretedInsns)} million guest instructions`,
    `translated blocks: ${s.translatedTbs} translated, ${s.storedTbs} from the code store`,
    `compiled code: ${s.compiledRegions} regions in use; compiled now: ${s.compiledModules} modules, ${s.compiledBytes} bytes, ${seconds(s.compileSeconds)}`,
  ];
  if (reports.length > 0) {
    lines.push('time of all guest threads (sampled):');
    for (const share of SHARES) lines.push(row(shares[share] ?? 0, share));
    lines.push(
      ...top(
        'compiled regions by symbol (sampled):',
        Object.entries(regions),
        (ms) => ms,
        (ms, name) => row(ms, name),
      ),
    );
    lines.push(
      ...top(
        'interpreted by symbol (million guest instructions, counted at entries of blocks):',
        Object.entries(interpreted),
        (insns) => insns,
        (insns, name) => `${millions(insns).padStart(10)} M   ${name}`,
      ),
      ...top(
        'system calls, waiting included:',
        Object.entries(calls),
        (c) => c.ms,
        ({ count, ms }, name) => row(ms, `${name}, ${count} time${count === 1 ? '' : 's'}`),
      ),
    );
  }
  return lines;
}

function top<T>(
  title: string,
  entries: readonly (readonly [string, T])[],
  weight: (value: T) => number,
  line: (value: T, name: string) => string,
): string[] {
  if (entries.length === 0) return [];
  const sorted = [...entries].sort((a, b) => weight(b[1]) - weight(a[1]));
  const rest = sorted.length - MOST;
  return [
    title,
    ...sorted.slice(0, MOST).map(([name, value]) => line(value, name)),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

const row = (ms: number, what: string): string => `${ms.toFixed(1).padStart(10)} ms  ${what}`;
const seconds = (s: number): string => `${s.toFixed(3)} s`;
const millions = (n: number): string => (n / 1e6).toFixed(1);
