/**
 * Loads bundles with V8's code caches. In: a directory that has code.cjs or a WebAssembly module and, where the build made one for this Node, V8's code cache of it. Out: the bundle's function, called; the module.
 * The cache spares Node the parsing and compiling; V8 refuses one of another version or of other flags, and compiles. scripts/bundle.js copies this file to dist/bundles/.
 */
'use strict';
const { readFileSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

/** import() here is relative to this file. */
const importUrl = (specifier, from) => (specifier.startsWith('.') ? new URL(specifier, from).href : specifier);

function readCache(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

const cacheOf = (directory, name) => join(directory, `${name}-${process.version}-${process.arch}.cache`);

function compile(directory, onScript) {
  const code = join(directory, 'code.cjs');
  const cache = cacheOf(directory, 'code');
  const cachedData = readCache(cache);
  if (cachedData === undefined && onScript === undefined) {
    // Node keeps a cache of its own, from 22.8 on.
    enableCompileCache?.();
    return require(code);
  }
  const source = `(function (module) {${readFileSync(code, 'latin1')}})`;
  const script = new Script(source, { filename: code, cachedData });
  onScript?.(script, cache);
  const bundle = { exports: undefined };
  script.runInThisContext()(bundle);
  return bundle.exports;
}

/** Runs the bundle in `directory`; gives what its function gives. `require`: what it requires comes from there. `onScript`, for record.cjs: gets the Script and the path of its cache. */
exports.load = (directory, require, onScript) => {
  const url = pathToFileURL(join(directory, 'code.cjs')).href;
  return compile(directory, onScript)(require, url, (specifier) => import(importUrl(specifier, url)));
};

async function compileLazily(wasm) {
  // Of 10,000 functions, some hundred are called: V8 looks at those alone.
  setFlagsFromString('--wasm-lazy-validation');
  try {
    return await WebAssembly.compile(wasm);
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
  }
}

/** The module NAME.wasm in `directory`, with V8's machine code of the functions that recorded runs have called. `onModule`, for record.cjs: gets the module, the path of its cache, and src/engine/machine-code.ts. */
exports.loadWasm = async (directory, name, onModule) => {
  const machineCode = exports.load(join(__dirname, 'machine-code'), require);
  const wasm = readFileSync(join(directory, `${name}.wasm`));
  const cache = cacheOf(directory, name);
  const code = readCache(cache);
  const module = (code && machineCode.moduleWithCode(code, wasm)) ?? (await compileLazily(wasm));
  onModule?.(module, cache, machineCode);
  return module;
};
