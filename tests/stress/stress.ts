/**
 * Guests' own stress: many forks, threads, signals, connections, bytes through pipes, round after round in one lift64. In: a row, how many. Out: what failed, and what lift64 holds half-way and
 * after the last round: descriptors and threads of the process, and its memory. Nothing may be lost, nothing may grow, nothing may hang.
 * By itself: npm run stress [-- NAME ...]
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface StressRow {
  readonly name: string;
  /** What tests/guest/src/stress.c does in a round; COUNT of the whole run, and of the share in npm test. */
  readonly what: string;
  readonly count: number;
  readonly share: number;
  readonly rounds: number;
}

export const STRESS: readonly StressRow[] = [
  { name: 'forks', what: '1,000 forks and waits', count: 1000, share: 40, rounds: 6 },
  { name: 'pipeline', what: 'a pipeline of 16 processes, 40 MiB', count: 10_000, share: 50, rounds: 6 },
  { name: 'threads', what: '200 threads at once', count: 200, share: 20, rounds: 4 },
  { name: 'signals', what: '10,000 queued signals in order', count: 10_000, share: 500, rounds: 6 },
  { name: 'bytes', what: '1 GiB through a pipe', count: 1024, share: 8, rounds: 4 },
  { name: 'connections', what: '1,000 TCP connections at once', count: 1000, share: 40, rounds: 4 },
];

/** What the host's process holds. Memory in MiB. */
export interface Holding {
  readonly descriptors: number;
  readonly threads: number;
  readonly memory: number;
}

export interface StressResult {
  /** Undefined: all was well. */
  readonly failure?: string;
  readonly middle?: Holding;
  readonly last?: Holding;
}

/** Idle workers are kept, up to 16 (supervisor.ts): so many threads and their descriptors (an event loop has some) may come and go between two looks. */
const IDLE_WORKERS = 18;
const DESCRIPTORS_A_WORKER = 8;
/** Growth that is noise: V8's heaps; and memories of processes that have ended stay resident until the next ones take them. */
const MEMORY_SLACK_MIB = 64;
const MEMORY_SLACK_SHARE = 0.15;

function holding(pid: number): Holding {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return {
    descriptors: readdirSync(`/proc/${String(pid)}/fd`).length,
    threads: field('Threads'),
    memory: Math.round(field('VmRSS') / 1024),
  };
}

/** Runs `count` a round. `limitMs`: a run that takes longer hangs. */
export async function runStress(row: StressRow, count: number, limitMs: number): Promise<StressResult> {
  const root = join(fileURLToPath(import.meta.url), '../../../..');
  const program = join(root, 'tests/guest/bin/stress');
  const args = [join(root, 'bin/lift64.js'), program, row.name, String(count), String(row.rounds)];
  const run = spawn(process.execPath, args, { stdio: 'pipe' });
  const looks: Holding[] = [];
  const errors: string[] = [];
  const other: string[] = [];
  const timer = setTimeout(() => {
    other.push(`did not end in ${String(limitMs)} ms`);
    run.kill('SIGKILL');
  }, limitMs);
  run.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  createInterface(run.stdout).on('line', (line) => {
    if (!line.startsWith('round ')) other.push(line);
    else if (run.pid !== undefined) looks.push(holding(run.pid));
    run.stdin.write('\n');
  });
  run.stdin.on('error', () => undefined);
  const status = await new Promise<string>((resolve) => {
    run.on('close', (code, signal) => {
      resolve(signal ?? `status ${String(code)}`);
    });
  });
  clearTimeout(timer);
  const [middle, last] = [looks[Math.ceil(row.rounds / 2) - 1], looks.at(-1)];
  if (status !== 'status 0' || middle === undefined || last === undefined)
    return { failure: `${status} in round ${String(looks.length + 1)}: ${[...other, ...errors].join('\n')}` };
  return { ...leak(middle, last), middle, last };
}

function leak(middle: Holding, last: Holding): { readonly failure?: string } {
  const grown = (key: keyof Holding): number => last[key] - middle[key];
  const more = Object.entries({
    descriptors: grown('descriptors') > IDLE_WORKERS * DESCRIPTORS_A_WORKER,
    threads: grown('threads') > IDLE_WORKERS,
    memory: grown('memory') > MEMORY_SLACK_MIB + MEMORY_SLACK_SHARE * middle.memory,
  }).filter(([, is]) => is);
  return more.length === 0
    ? {}
    : { failure: `more at the end than half-way: ${more.map(([name]) => name).join(', ')}` };
}

const show = (h: Holding | undefined): string =>
  h === undefined ? '' : `${String(h.descriptors)} fds, ${String(h.threads)} threads, ${String(h.memory)} MiB`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  for (const row of STRESS) {
    if (names.length > 0 && !names.includes(row.name)) continue;
    const start = Date.now();
    const { failure, middle, last } = await runStress(row, row.count, 30 * 60_000);
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    console.log(`${failure === undefined ? 'ok  ' : 'FAIL'} ${row.what}, ${String(row.rounds)} times: ${seconds} s`);
    console.log(`     half-way ${show(middle)}; at the end ${show(last)}`);
    if (failure === undefined) continue;
    console.log(`     ${failure}`);
    process.exitCode = 1;
  }
}
