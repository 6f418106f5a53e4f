/** V8's code caches of the bundles: V8 takes them. It refuses those of other flags, without a word: a start must set none before it has loaded its code. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/** Prints whether V8 refuses the cache of a bundle. */
const LOOK = `
  const { readFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  const bundle = 'dist/bundles/' + process.argv[1];
  const source = '(function (module) {' + readFileSync(bundle + '/code.cjs', 'latin1') + '})';
  const cachedData = readFileSync(bundle + '/code-' + process.version + '-' + process.arch + '.cache');
  console.log(new Script(source, { filename: bundle, cachedData }).cachedDataRejected);
`;

test.each(['cli', 'guest-worker', 'compiled-guest-worker', 'compile-worker', 'binaryen'])('%s', (bundle) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', LOOK, bundle], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'false\n', stderr: '' });
});
