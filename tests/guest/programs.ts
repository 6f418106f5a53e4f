/** The suite of programs.*.test.ts: every example's and guest test program's output equals the native program's, in one tier. */
import { describe, expect, test } from '@jest/globals';
import { constants } from 'node:os';
import { type GuestRun, hostIsOracleOf, loadRuns, observable, runGuest } from './driver.js';

const signalNumber = (name: string | null): number | undefined =>
  name === null ? undefined : constants.signals[name as NodeJS.Signals];

/** Under --tier compiled every thread, and every program that is started, compiles all that it runs for itself. */
const TOO_LONG = 'each of its many threads or programs compiles all that it runs for itself: minutes';
const isTooLong = (r: GuestRun): boolean =>
  (r.tags.includes('threads') && (r.tags.includes('glibc') || r.name.startsWith('threads-many'))) ||
  (r.tags.includes('processes') && r.tags.includes('glibc'));

/** Litmus programs have a test file of their own. */
export function describePrograms(tier: 'interp' | 'compiled' | 'auto'): void {
  const runs = [...loadRuns('examples'), ...loadRuns('tests/guest')].filter((r) => !r.tags.includes('litmus'));
  describe(`--tier ${tier}`, () => {
    for (const r of runs) {
      const reason = tier === 'compiled' && isTooLong(r) ? TOO_LONG : undefined;
      (reason === undefined ? test : test.skip)(
        reason === undefined ? r.name : `${r.name} (skipped: ${reason})`,
        () => {
          const ours = runGuest(r, ['--tier', tier]);
          if (hostIsOracleOf(r)) expect(observable(r, ours)).toEqual(observable(r, runGuest(r)));
          else if (r.exit.status !== undefined) expect(ours.status).toBe(r.exit.status);
          else expect(signalNumber(ours.signal) ?? (ours.status ?? 0) - 128).toBe(r.exit.signal);
        },
      );
    }
  });
}
