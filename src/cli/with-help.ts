/** What the parsers of all commands share. In: yargs with a command's own options. Out: the same, strict, with --help last, which the command prints itself; parseSync throws UsageError and never exits. */
import type { Argv } from 'yargs';
import { Lift64Error, UsageError } from '../base/errors.js';

export const withHelp = <T>(y: Argv<T>): Argv<T & { help: boolean | undefined }> =>
  y
    .strictOptions()
    .help(false)
    .option('help', { alias: 'h', type: 'boolean', describe: 'print this text' } as const)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error instanceof Lift64Error ? error : new UsageError(message ?? error?.message ?? 'bad usage');
    });
