/**
 * What `lift64 bench` runs: the example benchmarks, by group, or programs named by the user. In: examples/manifest.json. Out: workloads.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ProgramError, UsageError } from '../../base/errors.js';
import { PACKAGE } from './engines.js';

export const GROUPS = {
  compute: 'programs that compute, a second each',
  threads: 'four threads, apart and in contention',
  system: 'system calls, signals, memory, processes: time of one',
  start: 'start to end of programs that do nothing else, lift64 and Node included',
  debian: "Debian's own programs on generated input, start included",
  programs: 'the programs named',
} as const;
export type Group = keyof typeof GROUPS;
/** The groups that are run when nothing is said. */
export const DEFAULT_GROUPS: readonly Group[] = ['compute', 'threads', 'system', 'start'];

export interface Workload {
  readonly name: string;
  readonly group: Group;
  readonly file: string;
  readonly args: readonly string[];
  /** Bytes on standard input; none: /dev/null. */
  readonly stdin?: string;
  /** Working directory; none: lift64 bench's. */
  readonly cwd?: string;
  /** Time from the start of the process to its end, where otherwise lift64's is that from the guest's first instruction. */
  readonly wholeTime: boolean;
  /** Operations in a run, where the time of one says more. */
  readonly operations?: number;
  /** Less work for the interpreter, whose time is scaled by `interpScale`; none: the same work. */
  readonly interpArgs?: readonly string[];
  readonly interpScale: number;
}

interface ManifestRun {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly bench?: {
    readonly full: readonly string[];
    readonly short: readonly string[];
    readonly group?: 'threads' | 'system' | 'start';
    readonly ops?: number;
  };
}

const EXAMPLES = join(PACKAGE, 'examples');

/** The benchmarks of the examples; with `quick` a fortieth of the work. */
export function exampleWorkloads(quick: boolean): Workload[] {
  const { runs } = JSON.parse(readFileSync(join(EXAMPLES, 'manifest.json'), 'utf8')) as { runs: ManifestRun[] };
  return runs.flatMap((r): Workload[] => {
    if (r.bench === undefined) return [];
    const { full, short, group = 'compute', ops } = r.bench;
    const args = quick ? short : full;
    const [count, shortCount] = [Number(args[0]), Number(short[0])];
    const scaled = group === 'start' ? { interpScale: 1 } : { interpArgs: short, interpScale: count / shortCount };
    return [
      {
        name: r.name,
        group,
        file: join(EXAMPLES, r.file),
        args,
        wholeTime: group === 'start',
        ...(ops === undefined ? {} : { operations: ops * count }),
        ...scaled,
      },
    ];
  });
}

/** /usr/bin/python3 on the way to its first line; where there is none, nothing. */
export function pythonStart(): Workload[] {
  const file = '/usr/bin/python3';
  const args = ['-c', 'print(1)'];
  return existsSync(file)
    ? [{ name: 'python3-start', group: 'start', file, args, wholeTime: true, interpScale: 1 }]
    : [];
}

/** One of `known` by its name or file, with its arguments; any other program runs without. Throws ProgramError and UsageError. */
export function programWorkload(file: string, known: readonly Workload[], quick: boolean): Workload {
  const example = known.find((w) => w.name === file || w.file === resolve(file));
  if (example !== undefined) return example;
  if (!existsSync(file)) throw new ProgramError(`${file}: no such file, and no benchmark of that name`, 127);
  if (quick) throw new UsageError(`--quick is for the example benchmarks: nobody knows how to give ${file} less work`);
  return { name: basename(file), group: 'programs', file, args: [], wholeTime: false, interpScale: 1 };
}
