/**
 * The commands that a program's start must not pay for: `dump`, `bench`. In: the command line. Out: its exit code.
 * The CLI's bundle leaves this module out (scripts/bundle.js) and loads it as it is, so that errors are caught here, by their own classes.
 */
import { fail } from './report.js';

export type Tool = 'dump' | 'bench';

/** @param argv the command line after `lift64`, the command included */
export async function runTool(tool: Tool, argv: readonly string[]): Promise<void> {
  const rest = argv.slice(1);
  try {
    if (tool === 'dump') await (await import('./dump.js')).dumpCommand(rest);
    else await (await import('./bench/command.js')).benchCommand(rest);
  } catch (e) {
    fail(e, argv);
  }
}
