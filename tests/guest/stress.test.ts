/** A small share of the stress runs (npm run stress has all). The looks into /proc need a Linux host. */
import { expect, test } from '@jest/globals';
import { runStress, STRESS } from '../stress/stress.js';
import { hostIsOracle } from './driver.js';

for (const row of STRESS) {
  const name = `stress: ${row.what}, a share of it`;
  if (!hostIsOracle) test.skip(`${name} (skipped: looks at /proc of a Linux host)`, () => undefined);
  else
    test(name, async () => {
      expect((await runStress(row, row.share, 150_000)).failure).toBeUndefined();
    });
}
