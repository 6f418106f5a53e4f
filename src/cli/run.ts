/** `lift64 [run]`: runs a program. In: parsed options. Out: the guest's exit status becomes lift64's. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../base/errors.js';
import { BUILT } from '../engine/built-files.js';
import { cpuHelp } from '../engine/cpu-model.js';
import { launch } from '../engine/launch.js';
import { LOG_ITEMS, writeAll } from '../engine/log.js';
import { STATS_PREFIX } from '../engine/stats.js';
import { statsLines } from '../engine/stats-report.js';
import { exitLike } from '../../runtime/threads/host-signals.js';
import { type Parsed, runOptions } from './run-options.js';

/** As man 1 timeout. */
const TIMED_OUT_STATUS = 124;

/** Throws UsageError and ProgramError. */
export async function runCommand(p: Parsed): Promise<void> {
  const words = Array.isArray(p['_']) ? p['_'].map(String) : [];
  const [program, ...args] = words;
  if (p['help'] === true) {
    writeAll(1, `${await (p['helpText'] as () => Promise<string>)()}\n`);
    return;
  }
  if (p['version'] === true) {
    const { version } = JSON.parse(readFileSync(BUILT.packageJson, 'utf8')) as {
      version: string;
    };
    writeAll(1, `lift64 ${version}\n`);
    return;
  }
  if (String(p['d']).split(',').includes('help')) {
    writeAll(
      1,
      `Log items:\n${Object.entries(LOG_ITEMS)
        .map(([name, text]) => `  ${name.padEnd(10)} ${text}\n`)
        .join('')}`,
    );
    return;
  }
  if (p['cpu'] === 'help' || p['cpu'] === '?') {
    writeAll(1, cpuHelp());
    return;
  }
  if (program === undefined) throw new UsageError('no program given (lift64 --help shows the usage)');
  const options = runOptions(p, program, args);
  const ended = await launch(options);
  if (ended.timedOut)
    writeAll(2, `lift64: the guest was killed after ${String((options.timeoutMs ?? 0) / 1000)} s (--timeout)\n`);
  if (options.stats !== undefined) writeAll(2, `${STATS_PREFIX}${JSON.stringify(ended.stats)}\n`);
  if (options.stats === 'all')
    for (const line of statsLines(ended.stats, ended.reports)) writeAll(2, `lift64: ${line}\n`);
  exitLike(ended.timedOut ? { ...ended, code: TIMED_OUT_STATUS, signal: 0 } : ended);
}
