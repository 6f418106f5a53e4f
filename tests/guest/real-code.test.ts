/** The share `test` of the rows in real/: what Debian's numeric, compressing and encrypting code prints is what it prints natively. All rows: `npm run real-code`. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { CODE_ROWS } from './real/all-rows.js';
import { reasonToSkip, runCode } from './real/code-row.js';
import { makeFixture } from './real/fixture.js';

const TIME_LIMIT_MS = 200_000;

let fixture = '';
beforeAll(() => {
  fixture = makeFixture();
});
afterAll(() => {
  rmSync(fixture, { recursive: true, force: true });
});

describe('real code', () => {
  for (const row of CODE_ROWS.filter((r) => r.share === 'test')) {
    const skip = reasonToSkip(row);
    (skip === undefined ? test : test.skip)(skip === undefined ? row.name : `${row.name} (skipped: ${skip})`, () => {
      expect(runCode(row, fixture, [], TIME_LIMIT_MS)).toEqual(runCode(row, fixture, undefined, TIME_LIMIT_MS));
    });
  }
});
