/**
 * The compatibility matrix: each row natively, under lift64 and under qemu-x86_64. In: options below. Out: a line a row, tests/matrix/results.json, docs/programs.md; status 1 if a row is not right under lift64.
 * usage: npm run matrix -- [--install] [--list] [--only NAME]... [--no-qemu] [--keep] [--show] [-- LIFT64-OPTIONS...]
 *   --install  Debian packages of the rows, by apt-get (root); biome: npm install --no-save @biomejs/cli-linux-x64
 *   --only     rows whose name has NAME in it
 *   --todo     rows that were not right the last time           --patience N  N times the rows' limits, for a host that is busy
 *   --keep     leave results.json and the page as they are      --show  stdout and stderr of what is not right
 *   --self     natively twice instead, to see that the rows give the same each time
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MATRIX_ROWS } from './all-rows.js';
import type { MatrixRow } from './matrix-row.js';
import { writePage } from './page.js';
import { type Measured, type RowResult, loadResults, saveResults } from './results.js';
import { DEFAULT_LIMIT_S, type RowOutcome, type Runner, runRow } from './run-row.js';
import { NATIVE, lift64Runner, qemuRunner } from './runners.js';
import { judge } from './verdict.js';

const output = (command: string): string =>
  spawnSync('/bin/bash', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout.trim();

function installedPackages(): Set<string> {
  const text = output("dpkg-query -W -f='${db:Status-Status} ${Package}\\n'");
  return new Set(text.split('\n').flatMap((l) => (l.startsWith('installed ') ? [l.slice('installed '.length)] : [])));
}

function install(rows: readonly MatrixRow[]): number {
  const wanted = [...new Set([...rows.flatMap((r) => r.packages), 'qemu-user'])];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const args = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', ...wanted];
  return spawnSync('apt-get', args, { stdio: 'inherit', env }).status ?? 1;
}

/** Why the row can't run here. */
function missing(row: MatrixRow, installed: Set<string>): string | undefined {
  const lacking = [
    ...row.packages.filter((p) => !installed.has(p)),
    ...(row.needs ?? []).filter((file) => !existsSync(file)),
  ];
  return lacking.length === 0 ? undefined : `not here: ${lacking.join(', ')}`;
}

async function measure(row: MatrixRow, runner: Runner, native: RowOutcome, show: boolean): Promise<Measured> {
  const outcome = await runRow(row, runner);
  const verdict = judge(row, native, outcome);
  if (show && verdict.result !== 'right') {
    console.log(`--- ${runner.name} stdout\n${outcome.stdout}--- ${runner.name} stderr\n${outcome.stderr}---`);
  }
  return { ...verdict, seconds: round(outcome.seconds) };
}

/** Seconds with two decimals. */
const round = (seconds: number): number => Number(seconds.toFixed(2));

const shown = (m: Measured | undefined): string =>
  m === undefined ? '' : `${m.result} ${m.seconds.toFixed(1)} s`.padEnd(16);

const FLAGS = ['--install', '--list', '--todo', '--no-qemu', '--keep', '--show', '--self'];
const WITH_VALUE = ['--only', '--patience'];

async function main(args: readonly string[]): Promise<number> {
  const rest = args.indexOf('--');
  const own = rest < 0 ? args : args.slice(0, rest);
  const unknown = own.find((a, i) => ![...FLAGS, ...WITH_VALUE].includes(a) && !WITH_VALUE.includes(own[i - 1] ?? ''));
  if (unknown !== undefined) {
    console.error(`matrix: ${unknown}: options are ${FLAGS.join(' ')} --only NAME --patience N; -- LIFT64-OPTIONS`);
    return 2;
  }
  const only = own.flatMap((a, i) => (own[i - 1] === '--only' ? [a] : []));
  const known = own.includes('--todo') ? loadResults().rows : {};
  const patience = Number(own[own.indexOf('--patience') + 1] ?? 1) || 1;
  const rows = MATRIX_ROWS.filter((r) => only.length === 0 || only.some((o) => r.name.includes(o)))
    .filter((r) => known[r.name]?.lift64.result !== 'right')
    .map((r) => ({ ...r, limit: (r.limit ?? DEFAULT_LIMIT_S) * patience }));
  if (own.includes('--list')) {
    for (const row of rows) console.log(`${row.name}  (${row.packages.join(' ')})`);
    return 0;
  }
  if (own.includes('--install')) return install(rows);
  const dir = mkdtempSync(join(tmpdir(), 'lift64-matrix-runners-'));
  try {
    const self = own.includes('--self');
    const keep = self || own.includes('--keep');
    const lift64 = self ? NATIVE : lift64Runner(join(dir, 'cache'), rest < 0 ? [] : args.slice(rest + 1));
    const qemu = self || own.includes('--no-qemu') ? undefined : qemuRunner(dir);
    const show = own.includes('--show');
    const installed = installedPackages();
    const described =
      qemu &&
      `Debian's qemu-user ${output("dpkg-query -W -f='${Version}' qemu-user")}, ${qemu.tree ? 'all programs of the tree through a binfmt_misc entry' : 'the first program alone; what it starts runs natively'}`;
    let right = 0;
    let ran = 0;
    for (const row of rows) {
      const reason = missing(row, installed);
      if (reason !== undefined) {
        console.log(`${row.name.padEnd(26)} left out: ${reason}`);
        continue;
      }
      const native = await runRow(row, NATIVE);
      const lifted = await measure(row, lift64, native, show);
      const emulated = qemu === undefined ? undefined : await measure(row, qemu, native, false);
      ran++;
      if (lifted.result === 'right') right++;
      console.log(
        `${row.name.padEnd(26)} native ${native.seconds.toFixed(1)} s  ${lift64.name} ${shown(lifted)} ${emulated === undefined ? '' : `qemu ${shown(emulated)}`} ${lifted.detail}`,
      );
      if (native.timedOut || native.stdout.includes('missing "')) {
        console.log(`  natively not as the row means it: ${native.stdout.slice(-300)}`);
      }
      if (keep) continue;
      const before = loadResults();
      const kept = emulated ?? before.rows[row.name]?.qemu;
      const result: RowResult = {
        version: output(row.version).split('\n')[0] ?? '',
        nativeSeconds: round(native.seconds),
        lift64: lifted,
        ...(kept === undefined ? {} : { qemu: kept }),
      };
      saveResults({ qemu: described ?? before.qemu, rows: { ...before.rows, [row.name]: result } });
    }
    if (!keep) writePage();
    console.log(`${right} of ${ran} rows right under lift64`);
    return right === ran && ran > 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

process.exitCode = await main(process.argv.slice(2));
