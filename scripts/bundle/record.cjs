/**
 * As main.cjs, but writes V8's code cache when the program has run: with all that a start compiles. In: code.cjs beside this file. Out: the cache file.
 * scripts/bundle.js puts it in main.cjs's place for one run of an example.
 */
'use strict';
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');
const { isMainThread, parentPort } = require('node:worker_threads');

const code = join(__dirname, 'code.cjs');
const cache = join(__dirname, `code-${process.version}-${process.arch}.cache`);
const script = new Script(`(function (module) {${readFileSync(code, 'latin1')}})`, {
  filename: code,
  // What earlier runs compiled stays in.
  cachedData: existsSync(cache) ? readFileSync(cache) : undefined,
});
const write = () => {
  // Whole or not at all: a worker may be ended while it writes.
  writeFileSync(`${cache}.new`, script.createCachedData());
  renameSync(`${cache}.new`, cache);
};
if (isMainThread) process.on('exit', write);
else {
  // The main thread ends this worker once it has heard of the process's end: write before that.
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (message, transfer) => {
    if (message.kind === 'group') write();
    post(message, transfer);
  };
}
const bundle = { exports: undefined };
script.runInThisContext()(bundle);
bundle.exports(require, pathToFileURL(code).href, (specifier) => import(specifier));
