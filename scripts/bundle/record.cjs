/**
 * As load.cjs, which it loads as plain-load.cjs, but writes V8's code caches when the program has run: with all that it compiled, and what earlier runs did. In: a directory with code.cjs. Out: the cache file beside it.
 * scripts/bundle.js puts it in load.cjs's place for some runs of examples.
 */
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const { isMainThread, parentPort, threadId } = require('node:worker_threads');
const plain = require('./plain-load.cjs');

const loaded = [];

/** Whole or not at all: a worker may be ended while it writes, and another may write the same. */
function write() {
  for (const { script, cache } of loaded) {
    const own = `${cache}.${threadId}.new`;
    writeFileSync(own, script.createCachedData(), { mode: 0o644 });
    renameSync(own, cache);
  }
}

if (isMainThread) process.on('exit', write);
else {
  // The main thread ends workers once it has heard of the process's end: a guest's worker writes before it says so, the compile worker after each module.
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (message, transfer) => {
    if (message.kind === 'group' || message.kind === 'module') write();
    post(message, transfer);
  };
}

exports.load = (directory, require) =>
  plain.load(directory, require, (script, cache) => loaded.push({ script, cache }));
