/** What the last run of each row gave: tests/matrix/results.json, from which docs/programs.md is written. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from './verdict.js';

export interface Measured {
  readonly result: Result;
  readonly detail: string;
  readonly seconds: number;
}

export interface RowResult {
  readonly version: string;
  readonly nativeSeconds: number;
  readonly lift64: Measured;
  readonly qemu?: Measured;
}

export interface Results {
  /** Debian's version of qemu-user, and whether the whole tree ran under it. */
  readonly qemu: string;
  readonly rows: Readonly<Record<string, RowResult>>;
}

const FILE = join(process.cwd(), 'tests', 'matrix', 'results.json');

export function loadResults(): Results {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Results) : { qemu: '', rows: {} };
}

/** One row a line, so that runs of different rows don't conflict. */
export function saveResults(results: Results): void {
  const rows = Object.entries(results.rows)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, row]) => `    ${JSON.stringify(name)}: ${JSON.stringify(row)}`);
  writeFileSync(FILE, `{\n  "qemu": ${JSON.stringify(results.qemu)},\n  "rows": {\n${rows.join(',\n')}\n  }\n}\n`);
}
