/**
 * The memory model (DESIGN.md section 6): litmus programs of examples/litmus in both tiers, with no forbidden outcome; and the proof that the tests can see:
 * without its fence the store buffer test shows its reordering, and an optimiser pass that moves accesses makes message passing fail.
 */
import { describe, expect, test } from '@jest/globals';
import { cpus } from 'node:os';
import { type GuestRun, loadRuns, type Outcome, runGuest } from './driver.js';

const runs = loadRuns('examples').filter((r) => r.tags.includes('litmus'));
/** The last line is `forbidden N` or `reordered N`. */
const count = (o: Outcome): number => Number(/(?:forbidden|reordered) (\d+)\s*$/.exec(o.stdout.toString())?.[1] ?? NaN);
const TIERS = ['interp', 'compiled'] as const;
const ROUNDS = '2000000';
const withRounds = (r: GuestRun, rounds: string): GuestRun => ({ ...r, args: [r.args[0] ?? '', rounds] });

const forbidden = runs.filter((r) => !r.tags.includes('relaxed') && !r.tags.includes('control'));
describe.each(forbidden)('$name', (r) => {
  test.each(TIERS)('%s: no forbidden outcome', (tier) => {
    const o = runGuest(withRounds(r, ROUNDS), ['--tier', tier]);
    expect([o.status, count(o)]).toEqual([0, 0]);
  });
});

const named = (name: string): GuestRun => {
  const r = runs.find((x) => x.name === name);
  if (r === undefined) throw new Error(`no litmus run ${name}`);
  return r;
};

// Two threads on one CPU never run at the same time: nothing can be reordered before the other's eyes.
const twoCpus = cpus().length >= 2 ? test : test.skip;

/** Reorderings are rare events: runs are repeated until one shows. */
const ATTEMPTS = 10;

/** Runs until the outcome has been seen. Gives the number of rounds in which it was. */
function seen(name: string, tier: string, status: (count: number) => number, env: Record<string, string> = {}): number {
  for (let i = 0; i < ATTEMPTS; i++) {
    const o = runGuest(withRounds(named(name), '2000000'), ['--tier', tier], 100_000, env);
    const n = count(o);
    expect(o.status).toBe(status(n));
    if (n > 0) return n;
  }
  return 0;
}

describe('the tests can see (needs 2 CPUs)', () => {
  twoCpus.each(TIERS)('%s: the store buffer is seen without a fence', (tier) => {
    expect(seen('litmus-sb', tier, () => 0)).toBeGreaterThan(0);
  });

  twoCpus.each(TIERS)('%s: message passing fails under LIFT64_BREAK=reorder-memory', (tier) => {
    const broken = { LIFT64_BREAK: 'reorder-memory' };
    expect(seen('litmus-mp', tier, (n) => (n > 0 ? 1 : 0), broken)).toBeGreaterThan(0);
  });
});
