/** A small share of `npm run stress:kill`: what the guest has synced outlives kill -9 of lift64, and nothing stays behind. */
import { expect, test } from '@jest/globals';
import { killRound } from '../stress/kill-rounds.js';
import { hostIsOracle } from './driver.js';

const onLinux = hostIsOracle ? test : test.skip;

onLinux.each([1, 2, 3])('round %i', async (round) => {
  expect(await killRound(round)).toEqual([]);
});
