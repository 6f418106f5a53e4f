/**
 * The command line: run, dump, bench. In: process.argv. Out: the guest's exit status, or 125 to 127 with one clear line on stderr.
 */
import './start-worker.js';
import { writeSync } from 'node:fs';
import { fail } from './report.js';
import { runCommand } from './run.js';
import { DEFAULTS, type Parsed } from './run-options.js';
import type { Tool } from './tools.js';

/** The commands besides `run`: in tools.ts, which is loaded for them alone. */
const isTool = (word: string | undefined): word is Tool => word === 'dump' || word === 'bench';

/** The options of a run. Without any, which is the usual start, yargs stays out: it costs 25 ms. */
async function parse(words: readonly string[]): Promise<Parsed> {
  if (words[0] === undefined || words[0].startsWith('-')) return (await import('./run-parser.js')).parseRun(words);
  return { ...DEFAULTS, _: words };
}

async function main(argv: readonly string[]): Promise<void> {
  const [first] = argv;
  // `run` is the default: the first word that is no command is the program.
  if (isTool(first)) await (await import('./tools.js')).runTool(first, argv);
  else await runCommand(await parse(first === 'run' ? argv.slice(1) : argv));
}

const argv = process.argv.slice(2);
// Node's own listener would make process.stderr, which fails when the guest reads from that pipe or socket: the event loop has it already.
process.removeAllListeners('warning').on('warning', (w) => writeSync(2, `(node) ${w.name}: ${w.message}\n`));
// What is thrown in a callback of the supervisor (a timer, a message, a signal) reaches no promise.
process.on('uncaughtException', (e) => fail(e, argv));
main(argv).catch((e: unknown) => fail(e, argv));
