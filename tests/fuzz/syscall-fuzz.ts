/**
 * Random system calls with hostile arguments under lift64. In: a seed and a number of calls. Out: what failed: an internal error, a hang, a guest that lift64 ended otherwise than by the guest's own doing.
 * The guest program (tests/guest/src/syscall-fuzz.c) gets the calls and the kinds of their arguments from the table of system calls.
 * With --root the guest's root is a directory, beside which canaries lie that it tries to reach: none of them may change, and nothing may be new there.
 * By itself: node dist/tests/fuzz/syscall-fuzz.js [--root] [--seed S] [--count CALLS] [--first CHILD] [--children N] [--only NAME,...] [-- OPTIONS of lift64]; 100,000 calls by default.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
  /** Within a root of its own, which it tries to leave. */
  readonly root?: boolean;
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

const REPOSITORY = join(fileURLToPath(import.meta.url), '../../../..');
const PROGRAM = join(REPOSITORY, 'tests/guest/bin/syscall-fuzz');

/** Runs the program in a directory of its own. */
export function fuzzSyscalls(o: FuzzOptions): FuzzResult {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-fuzz-'));
  try {
    return o.root === true ? fuzzInRoot(o, dir) : run(o, dir, [PROGRAM], []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What lies in `outside`, beside the guest's root, with everything that a call could have changed of it. */
function canaries(outside: string): string {
  const names = ['.', 'canary', 'directory', 'directory/canary'];
  const lines = names.map((name) => {
    const st = lstatSync(join(outside, name), { throwIfNoEntry: false });
    if (st === undefined) return `${name} is gone`;
    const content = st.isDirectory()
      ? readdirSync(join(outside, name)).join(' ')
      : readFileSync(join(outside, name), 'latin1');
    return [name, st.mode, st.uid, st.gid, st.nlink, st.mtimeMs, st.ctimeMs, content].join(' ');
  });
  return lines.join('\n');
}

function fuzzInRoot(o: FuzzOptions, dir: string): FuzzResult {
  const [root, outside] = [join(dir, 'root'), join(dir, 'outside')];
  mkdirSync(root);
  mkdirSync(join(outside, 'directory'), { recursive: true });
  for (const name of ['canary', 'directory/canary']) writeFileSync(join(outside, name), 'as it was\n');
  copyFileSync(PROGRAM, join(root, 'syscall-fuzz'));
  const before = canaries(outside);
  const result = run(o, dir, ['--root', root, '/syscall-fuzz'], [outside]);
  const after = canaries(outside);
  if (before === after && readdirSync(dir).join() === 'outside,root') return result;
  return {
    summary: result.summary,
    failure: `outside of the root (--seed ${String(o.seed)}), before:\n${before}\nafter:\n${after}`,
  };
}

/** The report of an internal error, or the end of what was said. */
function reportIn(stderr: string): string {
  const at = stderr.indexOf('lift64: internal error');
  return at < 0 ? stderr.slice(-3000) : stderr.slice(at, at + 3000);
}

function run(o: FuzzOptions, cwd: string, program: readonly string[], more: readonly string[]): FuzzResult {
  const children = o.children ?? Math.ceil(o.count / CALLS_A_CHILD);
  const first = o.first ?? 0;
  const numbers = [o.seed, first, children, CALLS_A_CHILD].map(String);
  const args = [join(REPOSITORY, 'bin/lift64.js'), ...(o.options ?? []), ...program, ...numbers, ...more];
  const done = spawnSync(process.execPath, args, {
    cwd,
    input: table(o.only),
    encoding: 'latin1',
    timeout: START_LIMIT_MS + children * CHILD_LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  const lines = done.stdout.trim().split('\n');
  const summary = lines.at(-1) ?? '';
  if (done.status === 0 && summary.startsWith('calls ') && !/internal error/i.test(done.stderr)) return { summary };
  const child = String(first + lines.filter((line) => line.startsWith('child ')).length);
  const how = done.signal === null ? `status ${String(done.status)}` : `signal ${done.signal}`;
  const again = `--seed ${String(o.seed)} --first ${child} --children 1`;
  return { summary, failure: `${how} in child ${child} (${again})\n${reportIn(done.stderr)}` };
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
      root: { type: 'boolean', default: false },
    },
  });
  const { failure, summary } = fuzzSyscalls({
    seed: Number(values.seed),
    count: Number(values.count),
    root: values.root,
    options: positionals,
    ...(values.first === undefined ? {} : { first: Number(values.first) }),
    ...(values.children === undefined ? {} : { children: Number(values.children) }),
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
  });
  console.log(failure ?? summary);
  if (failure !== undefined) process.exitCode = 1;
}
