/**
 * How lift64's own failures look and end. In: an error and the command line. Out: text for stderr, the exit code.
 * Bad usage and bad programs: one line. Bugs: what was broken, pc, TB and IR, and the command that reproduces it.
 */
import { EXIT_INTERNAL, InternalError, Lift64Error } from '../base/errors.js';
import { writeAll } from '../engine/log.js';

/** True when the options before the program ask for stack traces. */
const wantsTrace = (argv: readonly string[]): boolean => argv.includes('--debug') || argv.includes('-debug');

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

export function report(error: unknown, argv: readonly string[]): string {
  const e = error instanceof Error ? error : new Error(String(error));
  const trace = wantsTrace(argv) ? `${e.stack ?? ''}\n` : '';
  if (e instanceof Lift64Error && !(e instanceof InternalError)) return `lift64: ${e.message}\n${trace}`;
  const details = e instanceof InternalError ? e.details.map((line) => `  ${line}\n`).join('') : '';
  const command = ['lift64', ...argv].map(quote).join(' ');
  const where =
    trace !== '' || e instanceof InternalError
      ? trace
      : `  ${(e.stack ?? '')
          .split('\n')
          .slice(1, 3)
          .map((l) => l.trim())
          .join(' ')}\n`;
  return `lift64: internal error: ${e.message}\n${details}${where}  reproduce with: ${command}\n`;
}

/** Ends lift64 with `error`. `argv` is the command line after the program's name. */
export function fail(error: unknown, argv: readonly string[]): never {
  writeAll(2, report(error, argv));
  process.exit(error instanceof Lift64Error ? error.exitCode : EXIT_INTERNAL);
}
