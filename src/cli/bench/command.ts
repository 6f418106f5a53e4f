/**
 * `lift64 bench`: programs natively, under qemu-x86_64, with lift64's interpreter alone, with lift64, and without its checks, in turn within one run.
 * In: the command line. Out: tables of ratios on stdout, JSON and an HTML page on request; status 1 where an engine failed or printed other things than the native program.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { UsageError } from '../../base/errors.js';
import { writeAll } from '../../engine/log.js';
import { withHelp } from '../with-help.js';
import { debianWorkloads } from './debian.js';
import { ENGINE, ENGINES, type Engine, parseEngines, suits } from './engines.js';
import { failures, geometricMean } from './figures.js';
import { type MeasureOptions, type Row, Runner } from './measure.js';
import { page } from './page.js';
import { Progress } from './progress.js';
import type { Report } from './report.js';
import { columnsOf, groupsOf, table } from './table.js';
import {
  DEFAULT_GROUPS,
  exampleWorkloads,
  type Group,
  GROUPS,
  programWorkload,
  pythonStart,
  type Workload,
} from './workloads.js';

const USAGE = `Measures programs natively, under qemu-x86_64 and under lift64, and compares the times.

Usage: lift64 bench [options] [PROGRAM...]

PROGRAM is a file, or the name of a benchmark (\`fib\`). Without: all of examples/bench, which takes some ten minutes.
What each engine prints is compared with the native program.`;

const EPILOGUE = `Engines:
${ENGINES.map((e) => `  ${e.padEnd(10)} ${ENGINE[e].describe}`).join('\n')}

Groups:
${Object.entries(GROUPS)
  .filter(([g]) => g !== 'programs')
  .map(([g, text]) => `  ${g.padEnd(10)} ${text}`)
  .join('\n')}

Examples:
  lift64 bench --quick --runs 1               a look, in two minutes
  lift64 bench fib sieve --engines native,lift64
  lift64 bench --debian --html debian.html    Debian's programs, with charts

The exit status is 1 when an engine failed or printed other things than the native program.`;

/** Runs the command. Throws UsageError and ProgramError. */
export async function benchCommand(argv: readonly string[]): Promise<void> {
  const y = withHelp(
    yargs()
      .scriptName('lift64 bench')
      .usage(USAGE)
      .option('runs', { type: 'number', default: 3, describe: 'runs of each engine; the median counts' })
      .option('engines', {
        type: 'string',
        describe: 'which engines, comma separated (all; warm for start and debian, interp not for debian)',
      })
      .option('group', { type: 'string', describe: `which groups, comma separated (${DEFAULT_GROUPS.join(',')})` })
      .option('debian', { type: 'boolean', describe: "Debian's programs: as --group debian" })
      .option('quick', { type: 'boolean', describe: 'a fortieth of the work: the time to compile counts in full' })
      .option('json', {
        type: 'string',
        nargs: 1,
        describe: 'write all figures to this file; - for stdout instead of the table',
      })
      .option('html', { type: 'string', describe: 'write a page with charts to this file' })
      .option('timeout', { type: 'number', default: 300, describe: 'seconds after which a run is given up' })
      .option('list', { type: 'boolean', describe: 'print the names of the benchmarks' })
      .epilogue(EPILOGUE)
      .version(false)
      .wrap(Math.min(process.stdout.columns || 100, 110)),
  );
  const p = y.parseSync([...argv]);
  if (p.help === true) {
    writeAll(1, (await y.getHelp()) + '\n');
    return;
  }
  if (!Number.isInteger(p.runs) || p.runs < 1) throw new UsageError('--runs takes a whole number, 1 or more');
  if (!(p.timeout > 0)) throw new UsageError('--timeout takes seconds, more than 0');
  // Not only after minutes.
  for (const file of [p.json, p.html]) if (file !== undefined && file !== '-') checkWritable(file);
  const directory = mkdtempSync(join(tmpdir(), 'lift64-bench-'));
  const runner = new Runner();
  const interrupt = (signal: NodeJS.Signals): void => {
    runner.stop();
    interruptedBy = signal;
  };
  let interruptedBy: NodeJS.Signals | undefined;
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const groups = p.debian === true ? ['debian' as const] : parseGroups(p.group);
    const chosen = choose(p._.map(String), groups, p.quick === true, directory);
    if (p.list === true) {
      writeAll(1, chosen.workloads.map((w) => `${w.group.padEnd(8)} ${w.name}\n`).join(''));
      return;
    }
    const named = p.engines === undefined ? undefined : parseEngines(p.engines);
    const wanted = named ?? ENGINES.filter((e) => chosen.workloads.some((w) => suits(e, w.group)));
    const missing = wanted.flatMap((e) => {
      const why = ENGINE[e].missing();
      return why === undefined ? [] : [{ engine: e, why }];
    });
    const engines = wanted.filter((e) => !missing.some((m) => m.engine === e));
    if (engines.length === 0) throw new UsageError(`no engine to run: ${missing.map((m) => m.why).join('; ')}`);
    const skipped = [...missing.map((m) => `${m.engine}: ${m.why}`), ...chosen.skipped];
    const rows = await measureAll(runner, chosen.workloads, {
      enginesOf: (w) => (named === undefined ? engines.filter((e) => suits(e, w.group)) : engines),
      cache: join(directory, 'cache'),
      runs: p.runs,
      timeout: p.timeout,
    });
    if (interruptedBy === undefined || rows.length > 0) {
      const report: Report = {
        date: new Date().toISOString(),
        host: `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} CPUs`,
        node: process.version,
        command: ['lift64 bench', ...argv].join(' '),
        runs: p.runs,
        nodeStart: nodeStart(),
        engines,
        skipped,
        rows,
        geometricMeans: means(rows),
      };
      const json = JSON.stringify(report, null, 2) + '\n';
      if (p.json !== undefined && p.json !== '-') write(p.json, json);
      if (p.html !== undefined) write(p.html, page(report));
      writeAll(1, p.json === '-' ? json : table(report));
    }
    if (failures(rows).length > 0) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  if (interruptedBy !== undefined) {
    writeAll(2, 'lift64: bench interrupted\n');
    process.kill(process.pid, interruptedBy);
  }
}

/** Median of five. */
function nodeStart(): number {
  const times = [1, 2, 3, 4, 5].map(() => {
    const start = process.hrtime.bigint();
    spawnSync(process.execPath, ['-e', '0']);
    return Number(process.hrtime.bigint() - start) / 1e9;
  });
  return times.sort((a, b) => a - b)[2] ?? NaN;
}

function parseGroups(list: string | undefined): readonly Group[] {
  if (list === undefined) return DEFAULT_GROUPS;
  return list.split(',').map((g) => {
    if (!Object.hasOwn(GROUPS, g) || g === 'programs') throw new UsageError(`unknown group '${g}'`);
    return g as Group;
  });
}

/** The workloads asked for; what this host has not is named. */
function choose(
  names: readonly string[],
  groups: readonly Group[],
  quick: boolean,
  directory: string,
): { readonly workloads: readonly Workload[]; readonly skipped: readonly string[] } {
  const known = [...exampleWorkloads(quick), ...pythonStart()];
  const debian = groups.includes('debian') ? debianWorkloads(directory, quick) : { workloads: [], skipped: [] };
  const all = [...known, ...debian.workloads];
  if (names.length > 0) return { workloads: names.map((n) => programWorkload(n, all, quick)), skipped: [] };
  return { workloads: all.filter((w) => groups.includes(w.group)), skipped: debian.skipped };
}

async function measureAll(
  runner: Runner,
  workloads: readonly Workload[],
  o: Omit<MeasureOptions, 'engines' | 'onRun'> & { readonly enginesOf: (w: Workload) => readonly Engine[] },
): Promise<Row[]> {
  const runsOf = (w: Workload): number => o.enginesOf(w).reduce((sum, e) => sum + o.runs + ENGINE[e].warmups, 0);
  const progress = new Progress(workloads.reduce((sum, w) => sum + runsOf(w), 0));
  const rows: Row[] = [];
  for (const w of workloads) {
    const onRun = (engine: Engine, run: number): void => {
      progress.show(`${w.name} ${engine}, ${run < 0 ? 'before the first run' : `run ${run + 1} of ${o.runs}`}`);
      progress.add(1);
    };
    const row = await runner.measure(w, { ...o, engines: o.enginesOf(w), onRun });
    if (runner.interrupted) break;
    rows.push(row);
  }
  progress.clear();
  return rows;
}

function means(rows: readonly Row[]): Report['geometricMeans'] {
  return Object.fromEntries(
    groupsOf(rows).map((g) => {
      const inGroup = rows.filter((r) => r.group === g);
      return [g, Object.fromEntries(columnsOf(g, inGroup).map((c) => [c.title, geometricMean(inGroup.map(c.value))]))];
    }),
  );
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (e) {
    throw unwritable(file, e);
  }
}

function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'));
  } catch (e) {
    throw unwritable(file, e);
  }
}

const unwritable = (file: string, e: unknown): UsageError =>
  new UsageError(`can't write '${file}': ${(e as NodeJS.ErrnoException).code ?? String(e)}`);
