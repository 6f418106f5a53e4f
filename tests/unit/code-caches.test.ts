/** V8's code caches of the bundles: a start by bin/lift64.js takes them. V8 refuses those of other flags, without a word. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/** Prints whether V8 refuses the cache of a bundle, under the flags that bin/lift64.js sets first. */
const LOOK = `
  const { readFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  require('./dist/bundles/flags.cjs');
  const bundle = 'dist/bundles/' + process.argv[1];
  const source = '(function (module) {' + readFileSync(bundle + '/code.cjs', 'latin1') + '})';
  const cachedData = readFileSync(bundle + '/code-' + process.version + '-' + process.arch + '.cache');
  console.log(new Script(source, { filename: bundle, cachedData }).cachedDataRejected);
`;

test.each(['cli', 'guest-worker'])('%s', (bundle) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', LOOK, bundle], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'false\n', stderr: '' });
});
