/** Starts the bundle beside this file, once Binaryen is there. scripts/bundle.js copies it to dist/bundles/NAME/. */
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { load } = require('../load.cjs');

const directory = join(__dirname, '..', 'binaryen');

/** What Emscripten asks for: gives the instance to `done`. */
async function instantiateWasm(imports, done) {
  const { instance, module } = await WebAssembly.instantiate(readFileSync(join(directory, 'binaryen.wasm')), imports);
  done(instance, module);
}

async function start() {
  const binaryen = await load(directory, require)({ instantiateWasm });
  load(__dirname, (id) => (id === 'binaryen' ? binaryen : require(id)));
}
void start();
