/** --perf-map: V8's map for Linux's perf has compiled regions by symbol. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux.each([
  ['auto', '10'],
  ['compiled', '1'],
])(
  '--tier %s',
  (tier, size) => {
    const args = ['--perf-map', '--tier', tier, join(ROOT, 'examples', 'bin', 'bench', 'sort'), size];
    const { status, pid } = spawnSync(process.execPath, [LIFT64, ...args], { encoding: 'utf8' });
    const map = `/tmp/perf-${pid}.map`;
    const text = readFileSync(map, 'utf8');
    rmSync(map);
    expect(status).toBe(0);
    // START SIZE NAME, in hexadecimal; the comparison function and musl's qsort.
    expect(text).toMatch(/^[0-9a-f]+ [0-9a-f]+ JS:ascending r\d+_[0-9a-f]+-\d+-\w+$/m);
    expect(text).toMatch(/^[0-9a-f]+ [0-9a-f]+ JS:sift r\d+_/m);
  },
  60_000,
);
