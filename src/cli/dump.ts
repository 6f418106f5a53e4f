/**
 * `lift64 dump`: how a program's code is translated, without running it. In: an ELF file and a symbol or a range. Out: the stages asked for, on stdout.
 * The IR stages are valid filetests; out_asm is the text of the region that starts at each function.
 */
import yargs from 'yargs';
import { UsageError } from '../base/errors.js';
import { dumpProgram, type Stage } from '../engine/dump.js';
import { writeAll } from '../engine/log.js';
import { parseRange } from './run-options.js';
import { withHelp } from './with-help.js';

/** Throws UsageError and ProgramError. */
export async function dumpCommand(argv: readonly string[]): Promise<void> {
  const y = withHelp(
    yargs()
      .scriptName('lift64 dump')
      .usage(
        'Usage: lift64 dump PROGRAM [--symbol NAME | --range A..B] [--stage in_asm,op,op_opt,out_asm]\n\nWithout --symbol or --range: the code at the entry point.',
      )
      .option('symbol', { type: 'string', describe: 'the function of this name' })
      .option('range', { type: 'string', describe: 'guest addresses as linked: START..END, START+SIZE' })
      .option('stage', {
        type: 'string',
        default: 'in_asm,op_opt',
        describe: 'which stages, comma separated: guest instructions, IR, optimised IR, Wasm text',
      })
      .version(false),
  );
  const p = y.parseSync([...argv]);
  if (p.help === true) {
    writeAll(1, (await y.getHelp()) + '\n');
    return;
  }
  const program = p._[0];
  if (program === undefined) throw new UsageError('dump: no program given');
  const stages = p.stage.split(',') as Stage[];
  const range = p.range === undefined ? undefined : parseRange(p.range);
  writeAll(1, await dumpProgram(String(program), { symbol: p.symbol, range, stages }));
}
