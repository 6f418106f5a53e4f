/**
 * Starts a bundle. In: code.cjs beside this file and, where the build made one for this Node, V8's code cache of it. Out: the bundle runs.
 * The cache spares Node the parsing and compiling; V8 refuses one of another version or of other flags, and compiles. scripts/bundle.js copies this file to dist/bundles/NAME/.
 */
'use strict';
const { readFileSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const code = join(__dirname, 'code.cjs');

function readCache() {
  try {
    return readFileSync(join(__dirname, `code-${process.version}-${process.arch}.cache`));
  } catch {
    return undefined;
  }
}

/** The bundle's function, compiled. */
function load() {
  const cachedData = readCache();
  if (cachedData === undefined) {
    // Node keeps a cache of its own, from 22.8 on.
    enableCompileCache?.();
    return require(code);
  }
  const source = `(function (module) {${readFileSync(code, 'latin1')}})`;
  const bundle = { exports: undefined };
  new Script(source, { filename: code, cachedData }).runInThisContext()(bundle);
  return bundle.exports;
}

load()(require, pathToFileURL(code).href, (specifier) => import(specifier));
