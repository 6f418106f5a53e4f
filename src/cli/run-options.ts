/**
 * The options of `lift64 run`: QEMU linux-user's spellings, one dash or two. In: argv. Out: RunOptions, or a UsageError with one clear line.
 * Source: qemu-user documentation (options of qemu-x86_64), DESIGN.md section 8.
 */
import type { Argv } from 'yargs';
import { isTime } from '../api/checks.js';
import { defaultEnvironment, sessionOptions } from '../api/session.js';
import type { GuestSettings, Mount } from '../api/settings.js';
import { UsageError } from '../base/errors.js';
import { DEFAULT_CPU } from '../engine/cpu-model.js';
import { LOG_ITEMS, type LogItem } from '../engine/log.js';
import {
  BREAK_SWITCHES,
  DEFAULT_HOT_THRESHOLD,
  type BreakSwitch,
  type PassName,
  type RunOptions,
  TIERS,
  type Tier,
} from '../engine/options.js';

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
    .option('cwd', {
      type: 'string',
      describe: 'guest path of the directory that the guest starts in',
      group: 'Guest:',
    })
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

/** What messages call the settings: the options. */
const NAMES: Readonly<Record<keyof GuestSettings, string>> = {
  args: 'the program',
  argv0: '-0',
  env: '-E',
  cwd: '--cwd',
  prefix: '-L',
  root: '--root',
  mounts: '--mount',
  tmpfs: '--tmpfs',
  sandbox: '--sandbox',
  network: '--no-net',
  maxMemory: '--max-memory',
  maxProcs: '--max-procs',
  stackSize: '-s',
  timeoutMs: '--timeout',
  tier: '--tier',
  cpu: '-cpu',
  seed: '-seed',
  cacheDir: '--cache-dir',
  unchecked: '--unchecked',
  singleStep: '-singlestep',
  hotThreshold: '--hot',
  disabledPasses: '--disable-pass',
  checkIr: '--check-ir',
  strace: '-strace',
  log: '-d',
  logFile: '-D',
  logRanges: '-dfilter',
  profile: '--profile',
};

/** RunOptions for `program` with `args`. Throws UsageError. */
export function runOptions(p: Parsed, program: string, args: readonly string[]): RunOptions {
  const breaks = (process.env['LIFT64_BREAK'] ?? '')
    .split(',')
    .filter((b): b is BreakSwitch => (BREAK_SWITCHES as readonly string[]).includes(b));
  const sandbox = p['sandbox'] === true;
  const settings = {
    args,
    argv0: text(p['0']),
    env: guestEnvironment(list(p['E']), list(p['U']), sandbox),
    cwd: text(p['cwd']),
    prefix: text(p['L']),
    root: text(p['root']),
    mounts: list(p['mount']).map(parseMount),
    tmpfs: list(p['tmpfs']),
    sandbox,
    network: p['no-net'] === true ? false : undefined,
    maxMemory: size(p['max-memory'], '--max-memory'),
    maxProcs: number(p['max-procs']),
    stackSize: size(p['s'], '-s'),
    timeoutMs: milliseconds(p['timeout'], '--timeout'),
    tier: p['tier'] as Tier,
    cpu: text(p['cpu']),
    seed: number(p['seed']),
    cacheDir: cacheDirectory(p),
    unchecked: p['unchecked'] === true,
    singleStep: p['singlestep'] === true,
    hotThreshold: number(p['hot']),
    disabledPasses: list(p['disable-pass']) as PassName[],
    checkIr: p['check-ir'] === true,
    strace: p['strace'] === true,
    log: list(p['d']).flatMap(parseItems),
    logFile: text(p['D']),
    logRanges: list(p['dfilter'])
      .flatMap((r) => r.split(','))
      .map(parseRange),
    profile: p['profile'] === true,
  };
  return sessionOptions(program, settings, (setting) => NAMES[setting], true, {
    breaks,
    perfMap: p['perf-map'] === true,
    dumpOnTimeoutMs: milliseconds(p['dump-on-timeout'], '--dump-on-timeout'),
    statistics: p['stats'] === true,
  });
}

/** NaN for what is no number. */
const number = (v: unknown): number | undefined => (v === undefined ? undefined : Number(v));

/** --cache-dir is taken even where LIFT64_NO_CACHE is set. */
function cacheDirectory(p: Parsed): string | boolean {
  if (p['no-cache'] === true) return false;
  return text(p['cache-dir']) ?? (process.env['LIFT64_NO_CACHE'] ?? '') === '';
}

function milliseconds(v: unknown, option: string): number | undefined {
  if (v === undefined) return undefined;
  const ms = Number(v) * 1000;
  if (!isTime(ms)) throw new UsageError(`${option} takes seconds, more than 0 and at most 2147483`);
  return ms;
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
export function parseMount(value: string): Mount {
  const m = /^(.+?):(\/[^:]*)(?::(ro|rw))?$/s.exec(value);
  if (m === null) throw new UsageError(`--mount takes HOST:GUEST or HOST:GUEST:ro, GUEST absolute, not '${value}'`);
  return { host: m[1] ?? '', guest: m[2] ?? '', readOnly: m[3] === 'ro' };
}

/** Bytes, with K, M or G. Throws UsageError for what is no size. */
function size(v: unknown, option: string): number | undefined {
  const value = text(v);
  if (value === undefined) return undefined;
  const m = /^(\d+)([KMG]?)$/i.exec(value);
  const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  if (m === null) throw new UsageError(`${option} takes bytes (K, M, G allowed), not '${value}'`);
  return Number(m[1]) * units[(m[2] ?? '').toUpperCase() as '' | 'K' | 'M' | 'G'];
}

function guestEnvironment(set: readonly string[], unset: readonly string[], sandbox: boolean): Record<string, string> {
  const env = new Map(Object.entries(defaultEnvironment(sandbox)).map(([k, v]) => [k, v ?? '']));
  for (const assignment of set) {
    const eq = assignment.indexOf('=');
    if (eq <= 0) throw new UsageError(`-E takes NAME=VALUE, not '${assignment}'`);
    env.set(assignment.slice(0, eq), assignment.slice(eq + 1));
  }
  for (const name of unset) env.delete(name);
  return Object.fromEntries(env);
}
