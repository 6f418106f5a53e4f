/**
 * Runs every row of real code natively and under lift64 and says where they differ; minutes to an hour. In: [--list] [--cpu MODEL] [FILTER...], parts of the rows' names.
 * Out: a line a row: same, DIFFERS with what differs, or skipped with the reason; seconds of both runs. Status 1 if any differs or none ran.
 */
import { rmSync } from 'node:fs';
import { CODE_ROWS } from './all-rows.js';
import { type CodeOutcome, type CodeRow, reasonToSkip, runCode } from './code-row.js';
import { makeFixture } from './fixture.js';

const TIME_LIMIT_MS = 900_000;
const SHOWN = 300;

function timed(row: CodeRow, fixture: string, options?: readonly string[]): { outcome: CodeOutcome; seconds: number } {
  const start = performance.now();
  const outcome = runCode(row, fixture, options, TIME_LIMIT_MS);
  return { outcome, seconds: (performance.now() - start) / 1000 };
}

/** Where the outcomes part, a line for each of their parts. */
function differences(native: CodeOutcome, lifted: CodeOutcome): string[] {
  const parts = (o: CodeOutcome): [string, string][] => [
    ['status', `${o.status ?? o.signal ?? ''}`],
    ['stdout', o.stdout],
    ['stderr', o.stderr],
    ...o.outputs.map((text, i): [string, string] => [`output ${i}`, text ?? '(none)']),
  ];
  const theirs = parts(native);
  return parts(lifted).flatMap(([name, ours], i) => {
    const expected = theirs[i]?.[1] ?? '';
    if (ours === expected) return [];
    let at = 0;
    while (at < ours.length && ours[at] === expected[at]) at++;
    const start = ours.lastIndexOf('\n', at - 1) + 1;
    const piece = (text: string): string => JSON.stringify(text.slice(start, start + SHOWN));
    return [`  ${name} from byte ${at}:\n    native ${piece(expected)}\n    lift64 ${piece(ours)}`];
  });
}

function main(args: readonly string[]): number {
  const cpuAt = args.indexOf('--cpu');
  const cpu = cpuAt < 0 ? undefined : args[cpuAt + 1];
  const filters = args.filter((a, i) => !a.startsWith('--') && (cpuAt < 0 || i !== cpuAt + 1));
  const rows = CODE_ROWS.filter((r) => filters.length === 0 || filters.some((f) => r.name.includes(f)));
  if (args.includes('--list')) {
    for (const row of rows) console.log(`${row.share.padEnd(4)} ${row.name}`);
    return 0;
  }
  const counts = { same: 0, differ: 0, skipped: 0 };
  const fixture = makeFixture();
  try {
    for (const row of rows) {
      const skip = reasonToSkip(row);
      if (skip !== undefined) {
        counts.skipped++;
        console.log(`skipped  ${row.name}: ${skip}`);
        continue;
      }
      const native = timed(row, fixture);
      const lifted = timed(row, fixture, cpu === undefined ? [] : ['-cpu', cpu]);
      const found = differences(native.outcome, lifted.outcome);
      counts[found.length === 0 ? 'same' : 'differ']++;
      const verdict = found.length === 0 ? 'same   ' : 'DIFFERS';
      console.log(
        `${verdict}  ${row.name}  (native ${native.seconds.toFixed(2)} s, lift64 ${lifted.seconds.toFixed(1)} s)`,
      );
      for (const line of found) console.log(line);
    }
  } finally {
    rmSync(fixture, { recursive: true, force: true });
  }
  console.log(`${counts.same} same, ${counts.differ} differ, ${counts.skipped} skipped`);
  return counts.differ > 0 || counts.same === 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
