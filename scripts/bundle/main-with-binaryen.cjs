/** Starts the bundle beside this file, once Binaryen is there. scripts/bundle.js copies it to dist/bundles/NAME/. */
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { load } = require('../load.cjs');

const directory = join(__dirname, '..', 'binaryen');

/** What Emscripten asks for: gives the instance to `done`. */
async function instantiateWasm(imports, done) {
  // Of 10,000 functions, some hundred are called: V8 looks at those alone.
  setFlagsFromString('--wasm-lazy-validation');
  const compiling = WebAssembly.compile(readFileSync(join(directory, 'binaryen.wasm')));
  const module = await compiling.finally(() => setFlagsFromString('--no-wasm-lazy-validation'));
  done(await WebAssembly.instantiate(module, imports), module);
}

async function start() {
  const binaryen = await load(directory, require)({ instantiateWasm });
  load(__dirname, (id) => (id === 'binaryen' ? binaryen : require(id)));
}
void start();
