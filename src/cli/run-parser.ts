/** Parses the options of `lift64 [run]` with yargs. In: the words after the command. Out: Parsed. Throws UsageError. */
import yargs from 'yargs';
import { addRunOptions, type Parsed } from './run-options.js';
import { withHelp } from './with-help.js';

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

export function parseRun(argv: readonly string[]): Parsed {
  const parser = withHelp(
    addRunOptions(yargs())
      .scriptName('lift64')
      .usage(USAGE)
      .epilogue(EXAMPLES)
      .parserConfiguration({
        'halt-at-non-option': true,
        'short-option-groups': false,
        'camel-case-expansion': false,
        'boolean-negation': false,
        'dot-notation': false,
        // What follows PROGRAM is the guest's, letter by letter.
        'parse-positional-numbers': false,
      })
      .version(false)
      .option('version', { type: 'boolean', describe: 'print the version' })
      .wrap(Math.min(process.stdout.columns || 100, 110)),
  );
  return { ...parser.parseSync([...argv]), helpText: () => parser.getHelp() };
}
