/** The suite of programs.*.test.ts: every example's and guest test program's output equals the native program's, in one tier. */
import { describe, expect, test } from '@jest/globals';
import { constants } from 'node:os';
import { type GuestRun, hostRuns, loadRuns, observable, runGuest, showsAll } from './driver.js';

const signalNumber = (name: string | null): number | undefined =>
  name === null ? undefined : constants.signals[name as NodeJS.Signals];

/**
 * Under --tier compiled every thread and every program that is started compiles, with a compiler that V8 has not seen run yet, what it is the first to run. For programs with glibc, whose code is large, and
 * many threads or programs that is up to 40 s of CPU each: they run under --tier auto with nearly all code compiled, by the one compile worker of all.
 */
const isTooLong = (r: GuestRun): boolean =>
  r.tags.includes('glibc') && (r.tags.includes('threads') || r.tags.includes('processes'));
const NEARLY_ALL = ['--tier', 'auto', '--hot', '1'];

/** Litmus programs have a test file of their own. */
export function describePrograms(tier: 'interp' | 'compiled' | 'auto'): void {
  const runs = [...loadRuns('examples'), ...loadRuns('tests/guest')].filter((r) => !r.tags.includes('litmus'));
  describe(`--tier ${tier}`, () => {
    for (const r of runs) {
      const options = tier === 'compiled' && isTooLong(r) ? NEARLY_ALL : ['--tier', tier];
      test(options === NEARLY_ALL ? `${r.name} (${options.join(' ')})` : r.name, () => {
        const ours = runGuest(r, options);
        const native = hostRuns(r) ? runGuest(r) : undefined;
        expect(showsAll(r, ours)).toBe(true);
        if (native !== undefined && showsAll(r, native)) expect(observable(r, ours)).toEqual(observable(r, native));
        else if (r.exit.status !== undefined) expect(ours.status).toBe(r.exit.status);
        else expect(signalNumber(ours.signal) ?? (ours.status ?? 0) - 128).toBe(r.exit.signal);
      });
    }
  });
}
