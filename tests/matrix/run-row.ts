/**
 * Runs a row once. In: the row and who runs it (the host, lift64, qemu-x86_64). Out: what can be compared, and the time.
 * A run has a directory of its own and a time limit. At its end all processes that it has left are killed: those of its process group, and those that carry its mark in their environment.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import type { MatrixRow } from './matrix-row.js';

/** Who runs the program: a command before it. */
export interface Runner {
  readonly name: 'native' | 'lift64' | 'qemu';
  readonly command: readonly string[];
}

export interface RowOutcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** By name; undefined: not made. */
  readonly outputs: readonly (string | undefined)[];
  readonly seconds: number;
}

const MARK = 'LIFT64_MATRIX_RUN';
export const DEFAULT_LIMIT_S = 60;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games';
const PTY_DRIVE = join(process.cwd(), 'tests', 'matrix', 'pty-drive.py');
/** What rows of a project work on: TypeScript sources of this repository. */
const PROJECT_DIRS = ['src/base', 'src/guest', 'src/ir', 'src/opt'];

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Kills what carries the mark, wherever it went. */
function killMarked(mark: string): void {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (!readFileSync(`/proc/${entry}/environ`, 'latin1').includes(mark)) continue;
      process.kill(Number(entry), 'SIGKILL');
    } catch {
      // Not ours, or gone.
    }
  }
}

function fill(row: MatrixRow, dir: string): void {
  writeFileSync(join(dir, 'row.sh'), row.script);
  for (const [name, text] of Object.entries(row.files ?? {})) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  if (row.terminal !== undefined) writeFileSync(join(dir, 'steps.json'), JSON.stringify(row.terminal));
  if (row.project !== undefined) {
    for (const part of PROJECT_DIRS) cpSync(part, join(dir, row.project, part), { recursive: true });
  }
}

function readOutput(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

/** Runs `row` under `runner`; never throws for what the row does. */
export async function runRow(row: MatrixRow, runner: Runner): Promise<RowOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-matrix-'));
  // Beside the directory, whose contents rows list.
  const stdoutFile = `${dir}.stdout`;
  const stderrFile = `${dir}.stderr`;
  const ports = [await freePort(), await freePort()].map(String);
  const limit = row.limit ?? DEFAULT_LIMIT_S;
  const mark = `${MARK}=${dir}`;
  try {
    fill(row, dir);
    const guest = [...runner.command, row.shell ?? '/bin/bash', 'row.sh'];
    const [file = '', ...args] =
      row.terminal === undefined ? guest : ['python3', PTY_DRIVE, 'steps.json', String(limit / 3), ...guest];
    const out = openSync(stdoutFile, 'a');
    const err = openSync(stderrFile, 'a');
    const start = performance.now();
    const child = spawn(file, args, {
      cwd: dir,
      detached: true,
      // Files, since pipes of Node are sockets, and a process that is left over would hold them open.
      stdio: ['ignore', out, err],
      env: {
        PATH,
        HOME: dir,
        TMPDIR: dir,
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        TERM: row.terminal === undefined ? 'dumb' : 'xterm',
        USER: 'root',
        REPOSITORY: process.cwd(),
        PORT: ports[0],
        PORT2: ports[1],
        [MARK]: dir,
      },
    });
    const end = await new Promise<{ status: number | null; signal: string | null; timedOut: boolean }>((resolve) => {
      let timedOut = false;
      const killAll = (): void => {
        if (child.pid !== undefined) killGroup(child.pid);
        killMarked(mark);
      };
      const timer = setTimeout(() => {
        timedOut = true;
        killAll();
      }, limit * 1000);
      child.once('error', (error) => {
        clearTimeout(timer);
        appendFileSync(stderrFile, error.message);
        resolve({ status: null, signal: null, timedOut });
      });
      child.once('exit', (status, signal) => {
        clearTimeout(timer);
        killAll();
        resolve({ status, signal, timedOut });
      });
    });
    const seconds = (performance.now() - start) / 1000;
    closeSync(out);
    closeSync(err);
    const scrub = (text: string): string => {
      const named = text
        .replaceAll(dir, '{dir}')
        .replaceAll(ports[0] ?? '', '{port}')
        .replaceAll(ports[1] ?? '', '{port2}');
      return row.scrub === undefined ? named : named.replaceAll(row.scrub, '');
    };
    return {
      ...end,
      stdout: scrub(readOutput(stdoutFile) ?? ''),
      stderr: scrub(readOutput(stderrFile) ?? ''),
      outputs: (row.outputs ?? []).map((name) => readOutput(join(dir, name))),
      seconds,
    };
  } finally {
    for (const name of [dir, stdoutFile, stderrFile]) rmSync(name, { recursive: true, force: true, maxRetries: 3 });
  }
}
