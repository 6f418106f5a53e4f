/**
 * Real code under lift64, compared with the native run. In: rows (a program of Debian, its arguments, files of the fixture). Out: what both runs gave, and why a row can't run here.
 * The rows are in rows-*.ts; real-code.test.ts runs those of the share `test`, `node dist/tests/guest/real/run-all.js` runs all.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, hostIsOracle } from '../driver.js';

export interface CodeRow {
  readonly name: string;
  /** The Debian package that the program comes from. */
  readonly package: string;
  /** Files without which the row is skipped; the first one is the program. */
  readonly files: readonly [string, ...string[]];
  /** {fix}: the directory of the fixture, to be read only. {tmp}: one of the run's own. */
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Names under {tmp} that the program writes, compared too. */
  readonly outputs?: readonly string[];
  /** What differs from run to run, such as times: it is taken out of both outputs. */
  readonly scrub?: RegExp;
  /** `test`: part of `npm test`, a second or two. `long`: in the run of all rows only. */
  readonly share: 'test' | 'long';
}

export interface CodeOutcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: readonly (string | undefined)[];
}

const ENV = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC', HOME: '/nonexistent' };

/** Why the row can't be compared here; undefined: it can. */
export function reasonToSkip(row: CodeRow): string | undefined {
  if (!hostIsOracle) return 'no x86-64 Linux host';
  return row.files.every(isReadable) ? undefined : `${row.package} is not installed`;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the row in an empty directory: natively when `options` is undefined, else under lift64 with them. Throws when it takes longer than `timeoutMs`. */
export function runCode(
  row: CodeRow,
  fixture: string,
  options: readonly string[] | undefined,
  timeoutMs: number,
): CodeOutcome {
  const tmp = mkdtempSync(join(tmpdir(), 'lift64-real-'));
  try {
    const args = row.args.map((a) => a.replaceAll('{fix}', fixture).replaceAll('{tmp}', tmp));
    const [command, argv] =
      options === undefined ? [row.files[0], args] : [process.execPath, [LIFT64, ...options, row.files[0], ...args]];
    const r = spawnSync(command, argv, {
      input: row.stdin ?? '',
      env: { ...ENV, TMPDIR: tmp },
      cwd: tmp,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 << 20,
    });
    if (r.error !== undefined) throw new Error(`${row.name}: ${r.error.message}`);
    const text = (b: Buffer): string => {
      const whole = b.toString('latin1').replaceAll(tmp, '{tmp}');
      return row.scrub === undefined ? whole : whole.replaceAll(row.scrub, '');
    };
    return {
      status: r.status,
      signal: r.signal,
      stdout: text(r.stdout),
      stderr: text(r.stderr),
      outputs: (row.outputs ?? []).map((name) =>
        isReadable(join(tmp, name)) ? readFileSync(join(tmp, name), 'latin1') : undefined,
      ),
    };
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}
