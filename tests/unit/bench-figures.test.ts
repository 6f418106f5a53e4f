/** What `lift64 bench` makes of its samples, and what it takes for a failure. */
import { describe, expect, test } from '@jest/globals';
import { geometricMean, nanoseconds, ratio, seconds, threadSpeedup } from '../../src/cli/bench/figures.js';
import { type EngineTimes, type Row, Runner } from '../../src/cli/bench/measure.js';
import { page } from '../../src/cli/bench/page.js';
import type { Report } from '../../src/cli/bench/report.js';
import { table } from '../../src/cli/bench/table.js';
import type { Workload } from '../../src/cli/bench/workloads.js';

const times = (...list: number[]): EngineTimes => ({
  samples: list.map((s) => ({ seconds: s, wall: s })),
});
const row = (name: string, more: Partial<Row>): Row => ({ name, group: 'compute', times: {}, ...more });
const report = (rows: readonly Row[]): Report => ({
  date: '2026-01-02T03:04:05Z',
  host: 'a <host>',
  node: 'v20',
  command: 'lift64 bench',
  runs: 3,
  nodeStart: 0.04,
  engines: ['native', 'qemu', 'lift64'],
  skipped: ['interp: no reason'],
  rows,
  geometricMeans: {},
});

describe('figures', () => {
  test('ratios are of the same turn: a slow machine in one turn is no spread', () => {
    const r = row('a', { times: { native: times(1, 4, 2), lift64: times(2, 8, 4) } });
    expect(ratio(r, 'lift64', 'native')).toEqual({ value: 2, spread: 0 });
    expect(seconds(r, 'native')).toEqual({ value: 2, spread: 0.75 });
    expect(ratio(r, 'qemu', 'native')).toBeUndefined();
  });

  test('an even number of runs has the mean of the middle two', () => {
    expect(seconds(row('a', { times: { native: times(4, 1, 3, 2) } }), 'native')?.value).toBe(2.5);
  });

  test('operations', () => {
    expect(nanoseconds(row('a', { operations: 1000, times: { lift64: times(0.5) } }), 'lift64')?.value).toBe(500_000);
    expect(nanoseconds(row('a', { times: { lift64: times(0.5) } }), 'lift64')).toBeUndefined();
  });

  test('geometric mean leaves out what there is not', () => {
    expect(geometricMean([{ value: 2, spread: 0 }, undefined, { value: 8, spread: 0 }])).toBeCloseTo(4);
    expect(geometricMean([])).toBeUndefined();
  });

  test('threads', () => {
    const rows = [row('threads-1', { times: { lift64: times(3) } }), row('threads-4', { times: { lift64: times(2) } })];
    expect(threadSpeedup(rows, 'lift64')).toBe(1.5);
    expect(threadSpeedup(rows, 'native')).toBeUndefined();
  });
});

describe('reports', () => {
  const rows = [
    row('one', { times: { native: times(1), qemu: times(4), lift64: times(2) } }),
    row('start', { group: 'start', times: { native: times(1), qemu: times(3), lift64: times(6), warm: times(2) } }),
    row('two', { times: { native: times(1), qemu: { samples: [], failure: 'SIGSEGV & <more>' }, lift64: times(8) } }),
  ];

  test('table', () => {
    const lines = table(report(rows)).split('\n');
    expect(lines.find((l) => l.startsWith('two'))).toMatch(/^two +1\.00 +- +8\.00x +-$/);
    expect(lines.find((l) => l.startsWith('geometric mean'))).toMatch(/4\.00x +4\.00x +2\.00x$/);
    expect(lines.find((l) => l.startsWith('start '))).toMatch(/ 0\.50x +1\.50x$/);
    expect(lines).toContain('FAILED: two under qemu: SIGSEGV & <more>');
    expect(lines).toContain('Not measured: interp: no reason.');
  });

  test('page', () => {
    const html = page(report(rows));
    expect(html).toContain('SIGSEGV &amp; &lt;more&gt;');
    expect(html).toContain('a &lt;host&gt;');
    expect(html.match(/<rect /g)).toHaveLength(9);
    expect(html).not.toMatch(/NaN|undefined|https?:/);
  });
});

const onUnix = process.platform === 'win32' ? test.skip : test;

describe('runs', () => {
  const workload = (script: string): Workload => ({
    name: 'sh',
    group: 'programs',
    file: '/bin/sh',
    args: ['-c', script],
    wholeTime: false,
    interpScale: 1,
  });
  const measure = async (script: string, timeout = 20): Promise<Row> =>
    new Runner().measure(workload(script), {
      engines: ['native'],
      runs: 2,
      cache: '',
      timeout,
      onRun: () => undefined,
    });

  onUnix('two runs that print the same', async () => {
    const { native } = (await measure('echo same')).times;
    expect(native?.failure).toBeUndefined();
    expect(native?.samples).toHaveLength(2);
  });

  onUnix.each([
    ['other output', 'date +%s%N', /^other output$/],
    ['a status', 'echo why >&2; exit 3', /^status 3: why$/],
    ['a signal', 'kill -SEGV $$', /^SIGSEGV$/],
  ])('%s is a failure', async (_name, script, failure) => {
    const { native } = (await measure(script)).times;
    expect(native?.failure).toMatch(failure);
    expect(native?.samples).toEqual([]);
  });

  onUnix('a run that does not end is given up', async () => {
    expect((await measure('exec sleep 60', 0.2)).times.native?.failure).toBe('no end after 0.2 s');
  });
});
