/**
 * How lift64's own failures look. In: an error and the command line. Out: text for stderr.
 * Bad usage and bad programs: one line. Bugs: what was broken, pc, TB and IR, and the command that reproduces it.
 */
import { InternalError, Lift64Error } from '../base/errors.js';

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
