/**
 * Random system calls with hostile arguments under lift64. In: a seed and a number of calls. Out: what failed: an internal error, a hang, a guest that lift64 ended otherwise than by the guest's own doing.
 * The guest program (tests/guest/src/syscall-fuzz.c) gets the calls and the kinds of their arguments from the table of system calls.
 * By itself: node dist/tests/fuzz/syscall-fuzz.js [--seed S] [--count CALLS] [--first CHILD] [--children N] [--only NAME,...] [-- OPTIONS of lift64]; 100,000 calls by default.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allRows } from '../../runtime/linux/table.js';

/** Calls that a child makes before the next one takes over: it has closed or unmapped much by then. */
const CALLS_A_CHILD = 400;
/** For a child, at most; its own limit is 8 s. */
const CHILD_LIMIT_MS = 20_000;
const START_LIMIT_MS = 60_000;

/** Left out: the program would end, multiply, or lose its parent. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['exit', 'exit_group', 'fork', 'vfork', 'clone', 'clone3'],
  // The frame is wherever the stack pointer points: it only kills the child.
  'rt_sigreturn',
]);

/** Calls whose first argument is a process: the child itself, or none. A negative one would reach the parent. */
const ON_PROCESSES: ReadonlySet<string> = new Set([
  ...['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_open', 'setpgid', 'prlimit64'],
  ...['ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp', 'migrate_pages', 'move_pages'],
]);

/** The program's letter for a format of a row's arguments. */
const LETTER: Readonly<Record<string, string>> = {
  ...{ d: 'd', at: 'd', u: 'n', ld: 'l', lu: 'l', x: 'x', lx: 'x', p: 'p', ptr: 'p', s: 's', ts: 't', tsu: 't' },
  ...{ o: 'x', S: 'n', sh: 'n', fx: 'n', ck: 'n', rl: 'n', wh: 'n', mv: 'n', fc: 'n' },
  ...{ cf: 'x', of: 'x', mp: 'x', ms: 'x', wo: 'x', af: 'x', am: 'x', my: 'x', mr: 'x' },
};

export interface FuzzOptions {
  readonly seed: number;
  /** Calls altogether. */
  readonly count: number;
  /** First child: with `children` 1, that of a failure. */
  readonly first?: number;
  readonly children?: number;
  /** Names of calls; all without it. */
  readonly only?: readonly string[];
  /** Options of lift64. */
  readonly options?: readonly string[];
}

export interface FuzzResult {
  /** What failed, with what reproduces it; undefined: nothing. */
  readonly failure?: string;
  /** The program's last line. */
  readonly summary: string;
}

/** A line a call. */
function table(only?: readonly string[]): string {
  const lines: string[] = [];
  for (const { nr, name, args } of allRows()) {
    if (LEFT_OUT.has(name) || (only !== undefined && !only.includes(name))) continue;
    const kinds = args.split(',').filter((f) => f !== '');
    const letters = kinds.map((format) => LETTER[format.split(':')[0] ?? ''] ?? 'n');
    if (ON_PROCESSES.has(name)) letters[0] = 'P';
    if (name === 'tgkill' || name === 'rt_tgsigqueueinfo') letters[1] = 'P';
    lines.push(`${String(nr)} ${letters.join('') || '-'}`);
  }
  return lines.join('\n') + '\n';
}

/** Runs the program in a directory of its own. */
export function fuzzSyscalls(o: FuzzOptions): FuzzResult {
  const root = join(fileURLToPath(import.meta.url), '../../../..');
  const children = o.children ?? Math.ceil(o.count / CALLS_A_CHILD);
  const first = o.first ?? 0;
  const dir = mkdtempSync(join(tmpdir(), 'lift64-fuzz-'));
  const numbers = [o.seed, first, children, CALLS_A_CHILD].map(String);
  const args = [...(o.options ?? []), join(root, 'tests/guest/bin/syscall-fuzz'), ...numbers];
  try {
    const run = spawnSync(process.execPath, [join(root, 'bin/lift64.js'), ...args], {
      cwd: dir,
      input: table(o.only),
      encoding: 'latin1',
      timeout: START_LIMIT_MS + children * CHILD_LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 28,
    });
    const lines = run.stdout.trim().split('\n');
    const summary = lines.at(-1) ?? '';
    if (run.status === 0 && summary.startsWith('calls ') && !/internal error/i.test(run.stderr)) return { summary };
    const done = lines.filter((line) => line.startsWith('child ')).length;
    const how = run.signal === null ? `status ${String(run.status)}` : `signal ${run.signal}`;
    const child = String(first + done);
    const again = `--seed ${String(o.seed)} --first ${child} --children 1`;
    return { summary, failure: `${how} in child ${child} (${again})\n${run.stderr.slice(-6000)}` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '100000' },
      first: { type: 'string' },
      children: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const { failure, summary } = fuzzSyscalls({
    seed: Number(values.seed),
    count: Number(values.count),
    options: positionals,
    ...(values.first === undefined ? {} : { first: Number(values.first) }),
    ...(values.children === undefined ? {} : { children: Number(values.children) }),
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
  });
  console.log(failure ?? summary);
  if (failure !== undefined) process.exitCode = 1;
}
