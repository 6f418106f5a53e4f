/**
 * As load.cjs, which it loads as plain-load.cjs, but writes V8's code caches when the program has run: with all that it compiled, and what earlier runs did. In: a directory with code.cjs or a WebAssembly module. Out: the cache file beside it.
 * Of modules instead when LIFT64_RECORD is 'modules', not 'scripts': V8 keeps the code of its optimising compiler alone, so that has to compile a module's functions when they are first called; but it would refuse scripts of that run, since flags are the process's.
 * scripts/bundle.js puts it in load.cjs's place for some runs of examples.
 */
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { isMainThread, parentPort, threadId } = require('node:worker_threads');
const plain = require('./plain-load.cjs');

const scripts = [];
const modules = [];

const optimiseOnly = () => ['--no-wasm-dynamic-tiering', '--no-liftoff'].forEach(setFlagsFromString);
const asUsual = () => ['--liftoff', '--wasm-dynamic-tiering'].forEach(setFlagsFromString);

/** Whole or not at all: a worker may be ended while it writes, and another may write the same. */
function put(cache, bytes) {
  const own = `${cache}.${threadId}.new`;
  writeFileSync(own, bytes, { mode: 0o644 });
  renameSync(own, cache);
}

function write() {
  for (const { script, cache } of scripts) put(cache, script.createCachedData());
  // V8 refuses what was written under other flags.
  if (modules.length > 0) asUsual();
  for (const { module, cache, machineCode } of modules) {
    const code = machineCode.machineCode(module);
    if (code !== undefined) put(cache, code);
  }
  if (modules.length > 0) optimiseOnly();
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

const ofModules = process.env.LIFT64_RECORD === 'modules';

exports.load = (directory, require) =>
  plain.load(directory, require, (script, cache) => {
    if (!ofModules) scripts.push({ script, cache });
  });

exports.loadWasm = (directory, name) =>
  plain.loadWasm(directory, name, (module, cache, machineCode) => {
    if (!ofModules) return;
    modules.push({ module, cache, machineCode });
    optimiseOnly();
  });
