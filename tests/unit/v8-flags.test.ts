/** V8's flags are the process's: while threads set them and put them back at the same time, each makes its modules under those that it asked for. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const THREADS = fileURLToPath(new URL('../support/flag-threads.js', import.meta.url));

test('a thread does not put back the flags of another', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [THREADS], { encoding: 'utf8', timeout: 60_000 });
  expect({ stdout, stderr }).toEqual({ stdout: '0 0 0 0, as before\n', stderr: '' });
});
