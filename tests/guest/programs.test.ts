/** Every example's and guest test program's output equals the native program's, in every tier. */
import { describe, expect, test } from '@jest/globals';
import { constants } from 'node:os';
import { hostIsOracle, loadRuns, observable, type Outcome, runGuest } from './driver.js';

const TIERS = ['interp', 'compiled', 'auto'] as const;
/** Litmus programs have a test file of their own. */
const runs = [...loadRuns('examples'), ...loadRuns('tests/guest')].filter((r) => !r.tags.includes('litmus'));
const signalNumber = (name: string | null): number | undefined =>
  name === null ? undefined : constants.signals[name as NodeJS.Signals];

describe.each(runs)('$name', (r) => {
  let native: Outcome | undefined;
  if (hostIsOracle) native = runGuest(r);

  test.each(TIERS)('%s', (tier) => {
    const ours = runGuest(r, ['--tier', tier]);
    if (native !== undefined) expect(observable(r, ours)).toEqual(observable(r, native));
    else if (r.exit.status !== undefined) expect(ours.status).toBe(r.exit.status);
    else expect(signalNumber(ours.signal) ?? (ours.status ?? 0) - 128).toBe(r.exit.signal);
  });
});
