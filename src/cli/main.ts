/**
 * The command line: run, dump, bench. In: process.argv. Out: the guest's exit status, or 125 to 127 with one clear line on stderr.
 */
import yargs from 'yargs';
import { Lift64Error, UsageError } from '../base/errors.js';
import { fail } from './report.js';
import { runCommand } from './run.js';
import { addRunOptions, type Parsed } from './run-options.js';
import type { Tool } from './tools.js';

/** The commands besides `run`: in tools.ts, which is loaded for them alone. */
const isTool = (word: string | undefined): word is Tool => word === 'dump' || word === 'bench';

const USAGE = `lift64 runs x86-64 Linux programs inside Node.js.

Usage: lift64 [run] [options] PROGRAM [ARGUMENTS...]
       lift64 dump PROGRAM [--symbol NAME | --range A..B] [--stage in_asm,op,op_opt,out_asm]
       lift64 bench [PROGRAM...]

Options stand before PROGRAM, with one dash or two; what follows PROGRAM is the guest's. QEMU's linux-user spellings work.
The exit status is the guest's; 125 to 127 are lift64's own failures.`;

const EXAMPLES = `Examples:
  lift64 ./hello                              run a program
  lift64 -strace /bin/ls -la                  log its system calls
  lift64 -d in_asm,op -D log.txt ./hello      log guest instructions and IR to a file
  lift64 --tier interp ./program              only interpret
  lift64 dump ./program --symbol main         show how a function is translated
  lift64 bench                                measure the example benchmarks`;

async function main(argv: readonly string[]): Promise<void> {
  const [first] = argv;
  // `run` is the default: the first word that is no command is the program.
  if (isTool(first)) await (await import('./tools.js')).runTool(first, argv);
  else await runCommand(parseRun(first === 'run' ? argv.slice(1) : argv));
}

function parseRun(argv: readonly string[]): Parsed {
  const parser = addRunOptions(yargs())
    .scriptName('lift64')
    .usage(USAGE)
    .epilogue(EXAMPLES)
    .parserConfiguration({
      'halt-at-non-option': true,
      'short-option-groups': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'dot-notation': false,
    })
    .strictOptions()
    .version(false)
    .option('version', { type: 'boolean', describe: 'print the version' })
    .help(false)
    .option('help', { alias: 'h', type: 'boolean', describe: 'print this text' })
    .wrap(Math.min(process.stdout.columns || 100, 110))
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error instanceof Lift64Error ? error : new UsageError(message ?? error?.message ?? 'bad usage');
    });
  return { ...parser.parseSync([...argv]), helpText: () => parser.getHelp() };
}

const argv = process.argv.slice(2);
// What is thrown in a callback of the supervisor (a timer, a message, a signal) reaches no promise.
process.on('uncaughtException', (e) => fail(e, argv));
main(argv).catch((e: unknown) => fail(e, argv));
