/** V8's machine code of modules, kept as bytes: V8 takes it where it is its own, and refuses it elsewhere. In processes of their own, where the flags are those of a start. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

const SETUP = `
  import { readFileSync } from 'node:fs';
  import { BUILT } from './dist/src/engine/built-files.js';
  import { distinctModule, machineCode, moduleWithCode } from './dist/src/engine/machine-code.js';
  import { keptModules, optimisedCore } from './dist/src/engine/v8-flags.js';
  const wasm = readFileSync(BUILT.core);
`;

/** What `code` prints. */
function output(code: string, options: readonly string[] = []): string {
  const argv = [...options, '--input-type=module', '-e', SETUP + code];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  return stdout + stderr;
}

/** V8 14 has no function for it. */
const isOffered = Number(process.versions.v8.split('.')[0]) <= 13;
const whereOffered = isOffered ? test : test.skip;

whereOffered("the build's code of the core is taken, and holds all of its functions", () => {
  const code = `
    const module = moduleWithCode(readFileSync(BUILT.coreCode), wasm);
    console.log(WebAssembly.Module.exports(module).length, machineCode(module).length === readFileSync(BUILT.coreCode).length);
  `;
  expect(output(code)).toMatch(/^[1-9]\d* true\n$/);
});

whereOffered("the build's code of Binaryen is taken", () => {
  const code = `
    const bundle = 'dist/bundles/binaryen/binaryen';
    const code = readFileSync(bundle + '-' + process.version + '-' + process.arch + '.cache');
    console.log(WebAssembly.Module.imports(moduleWithCode(code, readFileSync(bundle + '.wasm'))).length > 0);
  `;
  expect(output(code)).toBe('true\n');
});

whereOffered('another thread, which makes a module of the same bytes, has the code too', () => {
  const code = `
    const module = moduleWithCode(readFileSync(BUILT.coreCode), wasm);
    console.log(machineCode(new WebAssembly.Module(wasm)).length === machineCode(module).length);
  `;
  expect(output(code)).toBe('true\n');
});

whereOffered(
  'a module that is to be optimised has code, also where another thread has one of the same bytes that is not',
  () => {
    // (module (func (export "r0") (result i32) i32.const 7))
    const code = `
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 6, 1, 2, 114, 48, 0, 0, 10, 6, 1, 4, 0, 65, 7, 11]);
    const kept = keptModules(() => new WebAssembly.Module(bytes));
    const [first, second] = [1, 2].map(() => optimisedCore(() => new WebAssembly.Module(distinctModule(bytes))));
    console.log(machineCode(first).length === machineCode(second).length, new WebAssembly.Instance(first).exports.r0(), new WebAssembly.Instance(kept).exports.r0());
  `;
    expect(output(code)).toBe('true 7 7\n');
  },
);

whereOffered('code that another V8 has made, or other flags, is refused', () => {
  const code = `
    const other = readFileSync(BUILT.coreCode);
    other[4] ^= 1;
    console.log(moduleWithCode(other, wasm), moduleWithCode(new Uint8Array(0), wasm));
  `;
  expect(output(code)).toBe('undefined undefined\n');
  const take = 'console.log(moduleWithCode(readFileSync(BUILT.coreCode), wasm))';
  expect(output(take, ['--no-sparkplug'])).toBe('undefined\n');
});

whereOffered('nothing is kept under options that change the compilers of WebAssembly', () => {
  const code = 'console.log(machineCode(optimisedCore(() => new WebAssembly.Module(wasm))))';
  expect(output(code, ['--liftoff-only'])).toBe('undefined\n');
});

test('without it, lift64 runs all the same', () => {
  const argv = ['--no-sparkplug', 'bin/lift64.js', 'examples/bin/hello'];
  const { status, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, 'Hello from an x86-64 guest, 0 arguments\n']);
});
