/**
 * A row of the compatibility matrix: a program or a group of programs, and a script that uses it. The rows are in rows-*.ts, joined in all-rows.ts.
 * What the script prints, its exit status and the files that it leaves are compared with the native run.
 */

/** What a user at the terminal does: waits for a text (a Python regular expression, on output without escape sequences), then types. */
export interface TerminalStep {
  readonly wait: string;
  readonly type: string;
}

export interface MatrixRow {
  /** Unique; also what `--only` looks for. */
  readonly name: string;
  /** Debian packages that have the program. */
  readonly packages: readonly string[];
  /** Files without which the row is left out. */
  readonly needs?: readonly string[];
  /** Run natively, once, by a shell: its first line is the program's version. */
  readonly version: string;
  /** The script, run by `shell`. $PORT and $PORT2 are free TCP ports; the working directory, HOME and TMPDIR are a fresh directory. */
  readonly script: string;
  /** `/bin/bash` unless given. */
  readonly shell?: string;
  /** Files that lie in the fresh directory, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Name of the directory's copy of a project that the row works on: parts of this repository's src (PROJECT_DIRS in run-row.ts). */
  readonly project?: string;
  /** Names of files that the script leaves, compared byte for byte. */
  readonly outputs?: readonly string[];
  /** What may differ from run to run, taken out of stdout before it is compared. */
  readonly scrub?: RegExp;
  /** The script runs in a terminal, and these are the user's keys. */
  readonly terminal?: readonly TerminalStep[];
  /** Seconds for lift64 and qemu; 60 unless given. */
  readonly limit?: number;
}
