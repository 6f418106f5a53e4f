/**
 * The module of the AssemblyScript core. In: dist/core.wasm, and the machine code that V8's optimising compiler has made of it at build time (scripts/bundle.js). Out: the module: with that code, or as V8 compiles it meanwhile.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BUILT } from './built-files.js';
import { machineCode, moduleWithCode } from './machine-code.js';
import { optimisedCore } from './v8-flags.js';

export function coreModule(): WebAssembly.Module {
  const wasm = readFileSync(BUILT.core);
  const code = readCode();
  return (code && moduleWithCode(code, wasm)) ?? new WebAssembly.Module(wasm);
}

/** Undefined where the build has made none, or another Node. */
function readCode(): Uint8Array | undefined {
  try {
    return readFileSync(BUILT.coreCode);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === undefined) throw e;
    return undefined;
  }
}

/** Writes the machine code, for this Node and processor; nothing where V8 gives none. */
export function writeCoreCode(): void {
  const code = machineCode(optimisedCore(() => new WebAssembly.Module(readFileSync(BUILT.core))));
  if (code !== undefined) writeFileSync(BUILT.coreCode, code);
}
