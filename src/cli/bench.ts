/**
 * `lift64 bench`: each program natively, under qemu-x86_64, with the interpreter alone and with the compiler, in turn within one run.
 * In: program files, or none for the example benchmarks. Out: a table of ratios on stdout, and JSON with --json.
 * Times are of the guest (for lift64 from its first instruction to its end, as --stats reports; start-up is a column of its own).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { ProgramError, UsageError } from '../base/errors.js';
import { writeAll } from '../engine/log.js';
import { STATS_PREFIX, type Stats } from '../engine/stats.js';

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const EXAMPLES = join(PACKAGE, 'examples');
const LIFT64 = join(PACKAGE, 'bin', 'lift64.js');

const ENGINES = ['native', 'qemu', 'interp', 'lift64'] as const;
type Engine = (typeof ENGINES)[number];

interface Workload {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The interpreter gets a share of the work, so that a run takes seconds; its time is scaled by this. */
  readonly interpArgs: readonly string[];
  readonly interpScale: number;
}

interface Sample {
  readonly seconds: number;
  readonly stats: Stats | undefined;
  readonly output: string;
}

interface Measured {
  readonly median: number;
  /** (largest - smallest) / median. */
  readonly spread: number;
  readonly insnsPerSecond: number | undefined;
}

interface Row {
  readonly name: string;
  readonly times: Partial<Record<Engine, Measured>>;
  /** The engines that printed something else than the native program (or than the first engine that ran). */
  readonly wrong: readonly Engine[];
}

/** Runs the command. Throws UsageError and ProgramError. */
export async function benchCommand(argv: readonly string[]): Promise<void> {
  const y = yargs()
    .scriptName('lift64 bench')
    .usage(
      'Usage: lift64 bench [options] [PROGRAM...]\n\nWithout programs: the example benchmarks (examples/bench). PROGRAM is a file, or the name of one of them.',
    )
    .option('runs', { type: 'number', default: 3, describe: 'runs of each engine; the median counts' })
    .option('engines', { type: 'string', default: ENGINES.join(','), describe: 'which engines, comma separated' })
    .option('json', { type: 'string', describe: 'write the figures to this file, - for stdout instead of the table' })
    .option('quick', {
      type: 'boolean',
      describe: 'a fortieth of the work, for the example benchmarks: the time to compile counts in full',
    })
    .strictOptions()
    .version(false)
    .help(false)
    .option('help', { alias: 'h', type: 'boolean', describe: 'print this text' })
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw new UsageError(message ?? error?.message ?? 'bad usage');
    });
  const p = y.parseSync([...argv]);
  if (p.help === true) {
    writeAll(1, (await y.getHelp()) + '\n');
    return;
  }
  if (!Number.isInteger(p.runs) || p.runs < 1) throw new UsageError('--runs takes a whole number, 1 or more');
  const engines = parseEngines(p.engines);
  const quick = p.quick === true;
  const examples = exampleWorkloads(quick);
  const workloads = p._.length === 0 ? examples : p._.map((file) => programWorkload(String(file), examples, quick));
  const rows = workloads.map((w, i) => {
    progress(`[${i + 1}/${workloads.length}] ${w.name}`);
    return measure(w, engines, p.runs);
  });
  progress('');
  const json = { node: process.version, arch: process.arch, runs: p.runs, rows, geometricMeans: means(rows) };
  if (p.json !== undefined && p.json !== '-') writeFileSync(p.json, JSON.stringify(json, null, 2) + '\n');
  writeAll(1, p.json === '-' ? JSON.stringify(json, null, 2) + '\n' : table(rows, engines));
}

function parseEngines(list: string): Engine[] {
  const wanted = list.split(',').map((name) => {
    if (!(ENGINES as readonly string[]).includes(name))
      throw new UsageError(`unknown engine '${name}': ${ENGINES.join(', ')}`);
    return name as Engine;
  });
  const native = process.platform === 'linux' && process.arch === 'x64';
  return wanted.filter((e) => (e === 'native' ? native : e !== 'qemu' || onPath('qemu-x86_64')));
}

const onPath = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));

interface ManifestRun {
  readonly name: string;
  readonly file: string;
  readonly bench?: { readonly full: readonly string[]; readonly short: readonly string[] };
}

function exampleWorkloads(quick: boolean): Workload[] {
  const { runs } = JSON.parse(readFileSync(join(EXAMPLES, 'manifest.json'), 'utf8')) as { runs: ManifestRun[] };
  return runs.flatMap((r) => {
    if (r.bench === undefined) return [];
    const { full, short } = r.bench;
    const args = quick ? short : full;
    return [
      {
        name: r.name,
        file: join(EXAMPLES, r.file),
        args,
        interpArgs: short,
        interpScale: Number(args[0]) / Number(short[0]),
      },
    ];
  });
}

/** An example by its name or file, with its arguments; any other program runs without. Throws ProgramError and UsageError. */
function programWorkload(file: string, examples: readonly Workload[], quick: boolean): Workload {
  const example = examples.find((w) => w.name === file || w.file === resolve(file));
  if (example !== undefined) return example;
  if (!existsSync(file)) throw new ProgramError(`${file}: no such file`, 127);
  if (quick) throw new UsageError(`--quick is for the example benchmarks: nobody knows how to give ${file} less work`);
  return { name: basename(file), file, args: [], interpArgs: [], interpScale: 1 };
}

function measure(w: Workload, engines: readonly Engine[], runs: number): Row {
  const samples = new Map<Engine, Sample[]>(engines.map((e) => [e, []]));
  for (let run = 0; run < runs; run++) for (const e of engines) samples.get(e)?.push(runOnce(w, e));
  const times: Partial<Record<Engine, Measured>> = {};
  const expected = samples.get(engines[0] ?? 'lift64')?.[0]?.output;
  const wrong: Engine[] = [];
  for (const [engine, list] of samples) {
    times[engine] = summarise(list, engine === 'interp' ? w.interpScale : 1);
    const sameWork = engine !== 'interp' || w.interpScale === 1;
    if (sameWork && list.some((s) => s.output !== expected)) wrong.push(engine);
  }
  return { name: w.name, times, wrong };
}

function runOnce(w: Workload, engine: Engine): Sample {
  const args = engine === 'interp' ? w.interpArgs : w.args;
  const commands: Record<Engine, readonly string[]> = {
    native: [w.file, ...args],
    qemu: ['qemu-x86_64', w.file, ...args],
    interp: [process.execPath, LIFT64, '--stats', '--tier', 'interp', w.file, ...args],
    lift64: [process.execPath, LIFT64, '--stats', w.file, ...args],
  };
  const [command = '', ...rest] = commands[engine];
  const start = process.hrtime.bigint();
  const r = spawnSync(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 256 << 20 });
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  if (r.error !== undefined) throw new ProgramError(`${command}: ${r.error.message}`, 126, { cause: r.error });
  if (r.status !== 0)
    throw new ProgramError(
      `${w.name} under ${engine} ended with ${r.status ?? r.signal ?? '?'}: ${r.stderr.trim().split('\n').at(-1) ?? ''}`,
      125,
    );
  const line = r.stderr.split('\n').find((l) => l.startsWith(STATS_PREFIX));
  const stats = line === undefined ? undefined : (JSON.parse(line.slice(STATS_PREFIX.length)) as Stats);
  return { seconds: stats?.guestSeconds ?? wall, stats, output: r.stdout };
}

function summarise(samples: readonly Sample[], scale: number): Measured {
  const sorted = samples.map((s) => s.seconds * scale).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? NaN;
  const best = samples.reduce((a, b) => (a.seconds < b.seconds ? a : b));
  const insns = best.stats?.interpretedInsns;
  return {
    median,
    spread: ((sorted.at(-1) ?? NaN) - (sorted[0] ?? NaN)) / median,
    insnsPerSecond: insns === undefined ? undefined : insns / best.seconds,
  };
}

const ratio = (row: Row, a: Engine, b: Engine): number | undefined => {
  const x = row.times[a]?.median;
  const y = row.times[b]?.median;
  return x === undefined || y === undefined ? undefined : x / y;
};

function geometricMean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((v): v is number => v !== undefined && v > 0);
  return known.length === 0 ? undefined : Math.exp(known.reduce((sum, v) => sum + Math.log(v), 0) / known.length);
}

const COLUMNS: readonly {
  readonly title: string;
  readonly value: (r: Row) => number | undefined;
  readonly unit: string;
}[] = [
  { title: 'native s', value: (r) => r.times.native?.median, unit: '' },
  { title: 'qemu/native', value: (r) => ratio(r, 'qemu', 'native'), unit: 'x' },
  { title: 'interp/native', value: (r) => ratio(r, 'interp', 'native'), unit: 'x' },
  { title: 'lift64/native', value: (r) => ratio(r, 'lift64', 'native'), unit: 'x' },
  { title: 'interp/lift64', value: (r) => ratio(r, 'interp', 'lift64'), unit: 'x' },
  { title: 'qemu/lift64', value: (r) => ratio(r, 'qemu', 'lift64'), unit: 'x' },
  { title: 'interp Minsn/s', value: (r) => (r.times.interp?.insnsPerSecond ?? NaN) / 1e6, unit: '' },
];

function means(rows: readonly Row[]): Record<string, number | undefined> {
  return Object.fromEntries(COLUMNS.map((c) => [c.title, geometricMean(rows.map(c.value))]));
}

function table(rows: readonly Row[], engines: readonly Engine[]): string {
  const columns = COLUMNS.filter((c) => rows.some((r) => Number.isFinite(c.value(r))));
  const cell = (v: number | undefined, unit: string): string =>
    v === undefined || !Number.isFinite(v) ? '-' : v.toFixed(v < 10 ? 2 : 1) + unit;
  const lines = rows.map((r) => [
    r.name,
    ...columns.map((c) => cell(c.value(r), c.unit)),
    r.wrong.length === 0 ? '' : `WRONG OUTPUT: ${r.wrong.join(', ')}`,
  ]);
  lines.push(['geometric mean', ...columns.map((c) => cell(geometricMean(rows.map(c.value)), c.unit)), '']);
  const all = [['program', ...columns.map((c) => c.title), ''], ...lines];
  const widths = (all[0] ?? []).map((_, i) => Math.max(...all.map((l) => (l[i] ?? '').length)));
  const text = all.map((l) =>
    l
      .map((word, i) => (i === 0 ? word.padEnd(widths[i] ?? 0) : word.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  text.splice(1, 0, '-'.repeat(text[0]?.length ?? 0));
  return (
    text.join('\n') +
    `\n\nRatios of median times (smaller is faster, but for the two last ratios), engines in turn: ${engines.join(', ')}.\n`
  );
}

function progress(text: string): void {
  if (process.stderr.isTTY) writeAll(2, `\r\x1b[K${text}`);
}
