/**
 * The options of `lift64 run`: QEMU linux-user's spellings, one dash or two. In: argv. Out: RunOptions, or a UsageError with one clear line.
 * Source: qemu-user documentation (options of qemu-x86_64), DESIGN.md section 8.
 */
import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { MountOption } from '../../runtime/vfs/guest-tree.js';
import { UsageError } from '../base/errors.js';
import { cpuModel, DEFAULT_CPU } from '../engine/cpu-model.js';
import type { StoreOptions } from '../engine/store-name.js';
import { LOG_ITEMS, type LogItem, type LogOptions, openLog } from '../engine/log.js';
import {
  BREAK_SWITCHES,
  DEFAULT_HOT_THRESHOLD,
  DEFAULT_STACK_SIZE,
  type BreakSwitch,
  type EngineOptions,
  type RunOptions,
  TIERS,
  type Tier,
} from '../engine/options.js';
import { storeOptions } from '../engine/store-options.js';

/** What yargs gives without any option. */
export const DEFAULTS = { tier: 'auto', cpu: DEFAULT_CPU } as const;

/** Adds the options of a run to a yargs command. */
export function addRunOptions<T>(y: Argv<T>): Argv<T> {
  return y
    .option('tier', {
      choices: TIERS,
      default: DEFAULTS.tier,
      describe: 'interpret cold code and compile hot code (auto), only interpret, or compile all',
      group: 'Execution:',
    })
    .option('cpu', {
      type: 'string',
      default: DEFAULTS.cpu,
      describe: 'CPU model, and features: MODEL[,+FEATURE][,-FEATURE]; "help" lists them',
      group: 'Execution:',
    })
    .option('singlestep', {
      type: 'boolean',
      alias: 'one-insn-per-tb',
      describe: 'one guest instruction a TB, no chaining',
      group: 'Execution:',
    })
    .option('cache-dir', {
      type: 'string',
      describe: 'where to keep translated code for the next run (default: $XDG_CACHE_HOME/lift64 or ~/.cache/lift64)',
      group: 'Execution:',
    })
    .option('no-cache', {
      type: 'boolean',
      describe: 'neither read nor keep translated code of other runs',
      group: 'Execution:',
    })
    .option('seed', { type: 'number', describe: 'seed of the random numbers that the guest gets', group: 'Execution:' })
    .option('s', { type: 'string', describe: 'guest stack size in bytes (K, M, G allowed)', group: 'Execution:' })
    .option('L', {
      type: 'string',
      describe: 'look for the ELF interpreter and libraries under this directory first',
      group: 'Guest:',
    })
    .option('E', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'set a guest environment variable, NAME=VALUE',
      group: 'Guest:',
    })
    .option('U', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'remove a guest environment variable',
      group: 'Guest:',
    })
    .option('0', { type: 'string', describe: "the guest's argv[0]", group: 'Guest:' })
    .option('root', {
      type: 'string',
      describe: 'the directory that is the root of all guest paths: nothing leads out of it',
      group: 'Files:',
    })
    .option('mount', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'show a directory or file of the host at a guest path: HOST:GUEST, HOST:GUEST:ro',
      group: 'Files:',
    })
    .option('tmpfs', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'an empty directory in memory at this guest path, gone at the end',
      group: 'Files:',
    })
    .option('no-net', {
      type: 'boolean',
      describe: 'no network: sockets reach the guest processes of this lift64 alone',
      group: 'Guest:',
    })
    .option('sandbox', {
      type: 'boolean',
      describe: 'no files of the host but PROGRAM and what --root and --mount show, and no environment but -E',
      group: 'Files:',
    })
    .option('max-memory', {
      type: 'string',
      describe: 'bytes of address space of each guest process (K, M, G allowed), as RLIMIT_AS',
      group: 'Limits:',
    })
    .option('max-procs', {
      type: 'number',
      describe: 'guest processes and threads at a time: one more fails with EAGAIN',
      group: 'Limits:',
    })
    .option('timeout', {
      type: 'number',
      describe: 'seconds after which the guest is killed; the exit status is 124 then',
      group: 'Limits:',
    })
    .option('dump-on-timeout', {
      type: 'number',
      describe:
        'seconds after which all guest processes and threads are shown, and what each waits for; so do two SIGQUITs within a second',
      group: 'Limits:',
    })
    .option('strace', { type: 'boolean', describe: 'log system calls', group: 'Logging:' })
    .option('d', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: `log items, comma separated; "help" lists them`,
      group: 'Logging:',
    })
    .option('D', { type: 'string', describe: 'log to this file instead of stderr', group: 'Logging:' })
    .option('dfilter', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'log only guest addresses in these ranges: START..END, START+SIZE, START-SIZE',
      group: 'Logging:',
    })
    .option('unchecked', {
      type: 'boolean',
      describe: 'compiled code accesses memory without permission checks: for trusted programs that compute',
      group: 'Execution:',
    })
    .option('stats', {
      type: 'boolean',
      describe: 'print counts at the end, as a line of JSON',
      group: 'Logging:',
    })
    .option('profile', {
      type: 'boolean',
      describe:
        'print where the time went: tiers, compiled and interpreted code by symbol, system calls by name (and --stats)',
      group: 'Logging:',
    })
    .option('perf-map', {
      type: 'boolean',
      describe: "write /tmp/perf-PID.map for Linux's perf: compiled regions by symbol (and --no-cache)",
      group: 'Logging:',
    })
    .option('check-ir', {
      type: 'boolean',
      describe: 'verify the IR of every TB before and after the optimiser',
      group: 'Debugging:',
    })
    .option('disable-pass', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'leave out a pass of the optimiser or the compiler',
      group: 'Debugging:',
    })
    .option('hot', {
      type: 'number',
      describe: `entries before a TB is compiled (default ${DEFAULT_HOT_THRESHOLD})`,
      group: 'Debugging:',
    })
    .option('debug', { type: 'boolean', describe: "stack traces with lift64's own errors", group: 'Debugging:' });
}

export type Parsed = Readonly<Record<string, unknown>>;

const text = (v: unknown): string | undefined =>
  typeof v === 'string' ? v : Array.isArray(v) ? String(v.at(-1)) : undefined;
const list = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : typeof v === 'string' ? [v] : []);

/** RunOptions for `program` with `args`. Throws UsageError. */
export function runOptions(p: Parsed, program: string, args: readonly string[]): RunOptions {
  const items = list(p['d']).flatMap(parseItems);
  const breaks = (process.env['LIFT64_BREAK'] ?? '')
    .split(',')
    .filter((b): b is BreakSwitch => (BREAK_SWITCHES as readonly string[]).includes(b));
  const engine = {
    tier: p['tier'] as Tier,
    singleStep: p['singlestep'] === true,
    checkIr: p['check-ir'] === true,
    log: logOptions(items, text(p['D']), list(p['dfilter'])),
    strace: p['strace'] === true || items.includes('strace'),
    hotThreshold: count(p['hot'], '--hot') ?? DEFAULT_HOT_THRESHOLD,
    disabledPasses: list(p['disable-pass']),
    breaks,
    cpuModel: cpuModel(text(p['cpu']) ?? DEFAULT_CPU),
    unchecked: p['unchecked'] === true,
    perfMap: p['perf-map'] === true,
  };
  return {
    engine: { ...engine, store: store(p, engine) },
    program,
    argv: [text(p['0']) ?? program, ...args],
    network: p['no-net'] !== true && p['sandbox'] !== true,
    env: guestEnvironment(list(p['E']), list(p['U']), p['sandbox'] === true),
    prefix: text(p['L']),
    tree: {
      root: text(p['root']),
      mounts: list(p['mount']).map(parseMount),
      tmpfs: list(p['tmpfs']).map(absolute),
      sandbox: p['sandbox'] === true,
    },
    maxMemory: ifGiven(text(p['max-memory']), parseMemory),
    // The first process is there in any case.
    maxProcs: ifGiven(count(p['max-procs'], '--max-procs'), (most) => Math.max(1, most)),
    timeout: seconds(p['timeout'], '--timeout'),
    dumpOnTimeout: seconds(p['dump-on-timeout'], '--dump-on-timeout'),
    stackSize: ifGiven(text(p['s']), parseSize) ?? DEFAULT_STACK_SIZE,
    seed: count(p['seed'], '-seed'),
    stats: p['profile'] === true ? 'all' : p['stats'] === true ? 'counts' : undefined,
  };
}

const ifGiven = <T, R>(value: T | undefined, parse: (value: T) => R): R | undefined =>
  value === undefined ? undefined : parse(value);

/** Node's timers take 31 bits of milliseconds: longer ones would run out at once. */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

function seconds(value: unknown, option: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value > 0 && value <= MOST_SECONDS))
    throw new UsageError(`${option} takes seconds, more than 0 and at most ${String(MOST_SECONDS)}`);
  return value;
}

/** --cache-dir is taken even where LIFT64_NO_CACHE is set. */
function store(p: Parsed, engine: Omit<EngineOptions, 'store'>): StoreOptions | undefined {
  const directory = text(p['cache-dir']);
  // What an earlier run has compiled has no names.
  const off =
    p['no-cache'] === true ||
    engine.perfMap ||
    (directory === undefined && (process.env['LIFT64_NO_CACHE'] ?? '') !== '');
  return off ? undefined : storeOptions(engine, directory === undefined ? undefined : resolve(directory));
}

function count(v: unknown, option: string): number | undefined {
  if (v === undefined) return undefined;
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 0)
    throw new UsageError(`${option} takes a whole number, 0 or more`);
  return v;
}

function parseItems(value: string): LogItem[] {
  return value.split(',').map((item) => {
    if (!Object.hasOwn(LOG_ITEMS, item)) throw new UsageError(`unknown log item '${item}' (-d help lists them)`);
    return item as LogItem;
  });
}

/** START..END (end inclusive), START+SIZE or START-SIZE, numbers as in C. Throws UsageError. */
export function parseRange(value: string): { start: number; end: number } {
  const m = /^(0x[0-9a-f]+|\d+)(\.\.|\+|-)(0x[0-9a-f]+|\d+)$/i.exec(value);
  if (m === null) throw new UsageError(`bad address range '${value}': START..END, START+SIZE or START-SIZE`);
  const a = Number(m[1]);
  const b = Number(m[3]);
  if (m[2] === '..') return { start: a, end: b + 1 };
  return m[2] === '+' ? { start: a, end: a + b } : { start: a - b, end: a + 1 };
}

/** HOST:GUEST[:ro|:rw]. Throws UsageError. */
export function parseMount(value: string): MountOption {
  const m = /^(.+?):(\/[^:]*)(?::(ro|rw))?$/s.exec(value);
  if (m === null) throw new UsageError(`--mount takes HOST:GUEST or HOST:GUEST:ro, GUEST absolute, not '${value}'`);
  return { host: m[1] ?? '', guest: m[2] ?? '', readOnly: m[3] === 'ro' };
}

function absolute(path: string): string {
  if (!path.startsWith('/')) throw new UsageError(`--tmpfs takes an absolute guest path, not '${path}'`);
  return path;
}

/** Bytes; NaN for what is no size. */
function bytesOf(value: string): number {
  const m = /^(\d+)([KMG]?)$/i.exec(value);
  const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  return m === null ? NaN : Number(m[1]) * units[(m[2] ?? '').toUpperCase() as '' | 'K' | 'M' | 'G'];
}

function parseMemory(value: string): number {
  const size = bytesOf(value);
  if (!(size >= 1 << 20)) throw new UsageError(`bad size '${value}' of --max-memory: 1M or more`);
  return size;
}

function parseSize(value: string): number {
  const size = bytesOf(value);
  if (!(size >= 64 << 10 && size <= 1 << 30)) throw new UsageError(`bad stack size '${value}': from 64K to 1G`);
  return size;
}

function logOptions(items: readonly LogItem[], file: string | undefined, filter: readonly string[]): LogOptions {
  const ranges = filter.flatMap((r) => r.split(',')).map(parseRange);
  if (!items.includes('tid')) return { items, fd: file === undefined ? 2 : openLog(file, process.pid), ranges };
  if (file?.includes('%d') !== true) throw new UsageError('-d tid needs -D FILE with %d in the name, for the TID');
  return { items, fd: 2, perThread: file, ranges };
}

function guestEnvironment(set: readonly string[], unset: readonly string[], sandbox: boolean): string[] {
  const env = new Map(Object.entries(sandbox ? {} : process.env).map(([k, v]) => [k, v ?? '']));
  env.delete('LIFT64_BREAK');
  env.delete('LIFT64_NO_CACHE');
  for (const assignment of set) {
    const eq = assignment.indexOf('=');
    if (eq <= 0) throw new UsageError(`-E takes NAME=VALUE, not '${assignment}'`);
    env.set(assignment.slice(0, eq), assignment.slice(eq + 1));
  }
  for (const name of unset) env.delete(name);
  return [...env].map(([k, v]) => `${k}=${v}`);
}
