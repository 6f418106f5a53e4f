/** Starts the bundle beside this file, once Binaryen is there. scripts/bundle.js copies it to dist/bundles/NAME/. */
'use strict';
const { join } = require('node:path');
const { load, loadWasm } = require('../load.cjs');

const directory = join(__dirname, '..', 'binaryen');

/** What Emscripten asks for: gives the instance to `done`. */
async function instantiateWasm(imports, done) {
  const module = await loadWasm(directory, 'binaryen');
  done(await WebAssembly.instantiate(module, imports), module);
}

async function start() {
  const binaryen = await load(directory, require)({ instantiateWasm });
  load(__dirname, (id) => (id === 'binaryen' ? binaryen : require(id)));
}
void start();
